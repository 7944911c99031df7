//! Tells from the beginning of a file that it is not NDJSON, before each of its lines is refused.

use serde::de::IgnoredAny;

/// What a file is instead of NDJSON, as far as its beginning tells.
pub(crate) fn instead_of_ndjson(beginning: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(beginning);
    let mut lines = text.trim_start_matches('\u{feff}').split_inclusive('\n').filter(|line| !line.trim().is_empty());
    let (first, second) = (lines.next()?, lines.next().unwrap_or_default());
    let (line, complete) = (first.trim(), first.ends_with('\n'));
    if line.starts_with('[') {
        return Some("a JSON array");
    }
    if line.starts_with('{') {
        let parsed = serde_json::from_str::<IgnoredAny>(line);
        let goes_on = complete && parsed.is_err_and(|error| error.is_eof());
        return goes_on.then_some("a JSON document over several lines");
    }
    if second.trim_start().starts_with('{') {
        // One line that is wrong, among others.
        return None;
    }
    let key = line.split_once(':').map(|(key, _)| key);
    if line.starts_with(['#', '-', '%']) || key.is_some_and(|key| !key.contains([',', ';', '\t', '"'])) {
        Some("YAML")
    } else if line.contains([',', ';', '\t']) {
        Some("CSV")
    } else {
        Some("no JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_ndjson_is_told_by_its_beginning() {
        for (text, expected) in [
            ("", None),
            ("\n\n", None),
            ("{\"country\": {}}", None),
            ("\u{feff}{\"country\": {}}\n", None),
            ("{\"country\": {\"name\": \"cut off by the buf", None),
            ("{\"country\": oops}\nx\n", None),
            ("oops\n{\"country\": {}}\n", None),
            ("[\n  {\"country\": {}}\n]\n", Some("a JSON array")),
            ("{\n  \"country\": {}\n}\n", Some("a JSON document over several lines")),
            ("{\"country\": {\n  \"name\": \"a\"}}\n", Some("a JSON document over several lines")),
            ("country:\n  name: countries/kr\n", Some("YAML")),
            ("---\ncountry: {name: a}\n", Some("YAML")),
            ("# comment\n- a\n", Some("YAML")),
            ("name,displayName,regionCode\ncountries/kr,Korea,KR\n", Some("CSV")),
            ("name;note: x\n", Some("CSV")),
            ("PK\u{3}\u{4}", Some("no JSON")),
        ] {
            assert_eq!(instead_of_ndjson(text.as_bytes()), expected, "{text:?}");
        }
    }
}
