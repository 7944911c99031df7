//! YAML that says the same as JSON.

use serde::de::Deserialize;
use serde_json::Value;

use super::contract::internal;
use crate::error::Error;

/// A value as YAML, with a line break at its end.
///
/// # Errors
/// `INTERNAL`: never, for a value made here.
pub fn to_yaml(value: &Value) -> Result<String, Error> {
    let mut options = serde_saphyr::SerializerOptions::default();
    options.compact_list_indent = true;
    // Text is never folded into other lines, so that it can be compared line by line.
    options.folded_wrap_chars = usize::MAX;
    options.min_fold_chars = usize::MAX;
    options.prefer_block_scalars = true;
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, value, options).map_err(internal)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Reads all documents of a text.
pub(super) fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<Vec<T>, serde_saphyr::Error> {
    let mut options = serde_saphyr::Options::default();
    options.strict_booleans = true;
    options.with_snippet = false;
    serde_saphyr::from_multiple_with_options(text, options)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
mod tests {
    use partnership_registry::v1::{Country, LocalizedText, PartialDate, resource::Kind};

    use super::*;
    use crate::json::{self, Syntax};

    #[test]
    fn yaml_is_equivalent_and_keeps_strings_that_look_like_other_types() {
        let text = "대한민국\nline two: yes # no".to_owned();
        let labels = [("a", "true"), ("m", "null"), ("z", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let country = Country {
            region_code: "NO".into(),
            m49_code: "030".into(),
            official_names: vec![LocalizedText { language_code: "ko".into(), text }],
            labels: labels.into(),
            ..Country::default()
        };
        let yaml = to_yaml(&json::to_value(&country.clone().into()).unwrap()).unwrap();
        assert_eq!(json::read_all(&yaml, Syntax::of(&yaml), None).unwrap(), [country.into()], "{yaml}");
        let by_hand =
            "country:\n  name: countries/no\n  regionCode: NO\n  m49Code: 030\n---\ncountry: {name: countries/kr}\n";
        let read = json::read_all(by_hand, Syntax::of(by_hand), None).unwrap();
        let Some(Kind::Country(norway)) = &read.first().unwrap().kind else { panic!("{read:?}") };
        assert_eq!((norway.region_code.as_str(), norway.m49_code.as_str()), ("NO", "030"));
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn yaml_needs_no_quotes_around_dates() {
        let by_hand =
            "agreement:\n  conclusionDate: 1968-05-09\n  term: {expiryDate: 1978}\n  events:\n  - actDate: 1968-05~\n";
        let read = json::read_all(by_hand, Syntax::Yaml, None).unwrap();
        let Some(Kind::Agreement(agreement)) = &read.first().unwrap().kind else { panic!("{read:?}") };
        assert_eq!(agreement.conclusion_date, Some(PartialDate::day(1968, 5, 9)));
        assert_eq!(agreement.term.as_ref().unwrap().expiry_date, Some(PartialDate::year(1978)));
        assert_eq!(agreement.events.first().unwrap().act_date.as_ref().unwrap().to_string(), "1968-05~");
    }
}
