//! Faults that tests plant, to see that they would be caught: each brings back what the server once did wrong.
//!
//! They exist in this crate's unit tests, and with the feature `planted-faults`, which only this repository's own tests turn
//! on; without it nothing is read and [`planted`] is `None` for the compiler. `PARTNERSHIP_TEST_FAULTS` names them:
//! `one;other=argument`.

/// The argument of a fault that is planted; empty if it has none. `None`: it is not planted.
#[cfg(any(test, feature = "planted-faults"))]
pub(crate) fn planted(name: &str) -> Option<&'static str> {
    static FAULTS: std::sync::OnceLock<Vec<(String, String)>> = std::sync::OnceLock::new();
    let faults = FAULTS.get_or_init(|| {
        let text = std::env::var("PARTNERSHIP_TEST_FAULTS").unwrap_or_default();
        let named = text.split(';').filter(|fault| !fault.is_empty());
        named
            .map(|fault| {
                let (name, argument) = fault.split_once('=').unwrap_or((fault, ""));
                tracing::error!(fault = name, argument, "a fault is planted; this server is good for tests alone");
                (name.to_owned(), argument.to_owned())
            })
            .collect()
    });
    faults.iter().find(|(planted, _)| planted == name).map(|(_, argument)| argument.as_str())
}

/// The argument of a fault that is planted: none ever is.
#[cfg(not(any(test, feature = "planted-faults")))]
#[inline(always)]
pub(crate) fn planted(_name: &str) -> Option<&'static str> {
    None
}
