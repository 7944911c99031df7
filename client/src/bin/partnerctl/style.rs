//! Colour on a terminal, unless it is turned off.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

static PLAIN: OnceLock<bool> = OnceLock::new();

/// Decides whether there is colour; once, before anything is printed.
pub(crate) fn decide(no_color: bool) {
    let asked = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    PLAIN.get_or_init(|| asked || !std::io::stdout().is_terminal());
}

/// The role of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Header,
    Added,
    Removed,
    Place,
}

/// The text in the colour of its role.
pub(crate) fn paint(style: Style, text: &str) -> String {
    if *PLAIN.get().unwrap_or(&true) {
        return text.to_owned();
    }
    let code = match style {
        Style::Header => "1",
        Style::Added => "32",
        Style::Removed => "31",
        Style::Place => "36",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
