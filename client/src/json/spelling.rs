//! How names and values may be spelled, and what was most likely meant.

use prost_reflect::{EnumDescriptor, EnumValueDescriptor};

/// How alike a word has to be to what may have been meant: one letter of five may be wrong.
const ALIKE: f64 = 0.8;

/// The word that was most likely meant; separators and case are not looked at.
#[must_use]
pub fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&word, &plain(known));
    let rated = known.map(|known| (likeness(known).max(beginning(&word, &plain(known))), known));
    let best = rated.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, known)| known)
}

/// A word of some length that another begins or ends with may be meant to be that.
fn beginning(word: &str, known: &str) -> f64 {
    let within = known.starts_with(word) || word.starts_with(known) || known.ends_with(word);
    if within && word.len().min(known.len()) >= 4 { ALIKE } else { 0.0 }
}

/// The value of an enum: `IN_FORCE`, `in-force` and `AGREEMENT_STATE_IN_FORCE` are the same.
///
/// # Errors
/// The text is none; the phrase tells the one that was meant, or all.
pub fn enum_value(of: &EnumDescriptor, text: &str) -> Result<EnumValueDescriptor, String> {
    let name = text.to_ascii_uppercase().replace('-', "_");
    let prefix = enum_prefix(of);
    let found = of.values().find(|value| value.name() == name || value.name().strip_prefix(&prefix) == Some(&name));
    found.ok_or_else(|| {
        let known: Vec<_> = of.values().skip(1).map(|value| value.name().replacen(&prefix, "", 1)).collect();
        let meant = closest(text, known.iter().map(String::as_str)).map(|value| format!("did you mean {value}?"));
        let what = meant.unwrap_or_else(|| format!("the values are {}", known.join(", ")));
        format!("{text:?} is not a value of {}; {what}", of.name())
    })
}

/// The common prefix of the values of an enum: `AGREEMENT_STATE_`.
#[must_use]
pub fn enum_prefix(of: &EnumDescriptor) -> String {
    of.default_value().name().strip_suffix("UNSPECIFIED").unwrap_or_default().to_owned()
}

fn plain(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_almost_a_word_is_taken_for_it_and_what_is_far_off_is_not() {
        let fields = || ["displayName", "capital", "regionCode", "state"].into_iter();
        for (word, meant) in [
            ("displayNam", Some("displayName")),
            ("display-name", Some("displayName")),
            ("captial", Some("capital")),
            ("region", Some("regionCode")),
            ("population", None),
            ("", None),
        ] {
            assert_eq!(closest(word, fields()), meant, "{word}");
        }
    }
}
