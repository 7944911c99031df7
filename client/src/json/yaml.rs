//! YAML that says the same as JSON.

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

/// Reads a document. Of an error its line and column are given apart.
pub(super) fn read<'t, R>(
    text: &'t str,
    read: impl for<'e> FnOnce(serde_saphyr::Deserializer<'t, 'e>) -> Result<R, serde_saphyr::Error>,
) -> Result<R, (String, usize, usize)> {
    serde_saphyr::with_deserializer_from_str_with_options(text, options(), read).map_err(|error| {
        let place = error.location().map_or((0, 0), |location| (location.line(), location.column()));
        let text = error.to_string();
        let (line, column) = place;
        let what = text.strip_suffix(&format!(" at line {line}, column {column}")).unwrap_or(&text).to_owned();
        (what, usize::try_from(line).unwrap_or_default(), usize::try_from(column).unwrap_or_default())
    })
}

/// A document as a value, if it is well-formed. Texts that look like numbers have become some.
pub(super) fn value(text: &str) -> Option<Value> {
    serde_saphyr::from_str_with_options(text, options()).ok()
}

fn options() -> serde_saphyr::Options {
    let mut options = serde_saphyr::Options::default();
    options.strict_booleans = true;
    options.with_snippet = false;
    options
}

/// Finds the documents of a text: each begins with its first line, or with a line that begins with `---`, which YAML allows
/// nowhere else. One without content is none. Each comes with its line.
pub(super) fn documents(text: &str) -> Vec<(&str, usize)> {
    let (mut documents, mut begin, mut first_line, mut at) = (Vec::new(), 0, 1, 0);
    let mut end = |begin: usize, end: usize, line: usize| {
        let text = text.get(begin..end).unwrap_or_default();
        if text.lines().any(has_content) {
            documents.push((text, line));
        }
    };
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            end(begin, at, first_line);
            (begin, first_line) = (at, index + 1);
        }
        at += line.len();
    }
    end(begin, at, first_line);
    documents
}

fn has_content(line: &str) -> bool {
    let line = line.strip_prefix("---").unwrap_or(line).trim();
    !line.is_empty() && line != "..." && !line.starts_with(['#', '%'])
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

    #[test]
    fn documents_are_told_apart_and_keep_their_lines() {
        let text = "# a comment\n---\ncountry: {name: countries/kr}\n---\n# nothing\n---\ncountry:\n  name: countries/ir\n  \
                    capital: |\n    --- not here\n  stat: ACTIVE\n...\n--- {country: {name: countries/no}}\n";
        let found = json::documents(text, Syntax::Yaml).unwrap();
        let names: Vec<_> = found.iter().map(|document| (document.line(), document.name().unwrap())).collect();
        assert_eq!(
            names,
            [(2, "countries/kr"), (6, "countries/ir"), (13, "countries/no")].map(|(l, n)| (l, n.to_owned()))
        );
        let error = found.get(1).unwrap().read(None).unwrap_err();
        assert_eq!(error.message(), "stat: Country has no such field; did you mean \"state\"? at line 11 column 3");
        assert!(found.iter().step_by(2).all(|document| document.read(None).is_ok()));
    }
}
