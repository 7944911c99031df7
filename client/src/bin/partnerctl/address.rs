//! The address of a server, as people write it.

use partnership_registry_client::Registry;

/// Reads an address; `host:port` is short for `http://host:port`. What cannot be connected to is refused before anything
/// is sent.
pub(crate) fn address(text: &str) -> Result<String, String> {
    let address = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let checked = Registry::builder(&address).check().map_err(|error| {
        // Who prints it has said the address.
        let message = error.message();
        message.strip_prefix(&format!("{address:?} ")).unwrap_or(message).to_owned()
    });
    checked.map(|()| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_go_without_its_scheme() {
        for (text, read) in [
            ("localhost:50051", "http://localhost:50051"),
            ("[::1]:50051", "http://[::1]:50051"),
            ("http://registry.example:1", "http://registry.example:1"),
        ] {
            assert_eq!(address(text).as_deref(), Ok(read));
        }
        for text in ["", "https://registry.example", "ftp://registry.example", "unix:///run/registry", "two words"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
