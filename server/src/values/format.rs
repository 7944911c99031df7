//! The forms of texts: one rule for each `Format` of the contract.
//!
//! Forms only: whether a code is in use, or a page is there, is nobody's business here.

use fluent_uri::Iri;
use oxilangtag::LanguageTag;
use partnership_registry::v1::Format;

/// The most bytes of a media type: twice 127, which RFC 6838 allows for each part, and the slash.
const MEDIA_TYPE_BYTES_MAX: usize = 255;
/// The most bytes of a key of labels: that of a DNS label (RFC 1034).
const LABEL_KEY_BYTES_MAX: usize = 63;

/// The rule that `text` breaks, if it breaks that of `format`, as a phrase that follows the field's name. An empty text
/// breaks none: whether a field must be given is said apart.
pub(crate) fn check(format: Format, text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return None;
    }
    let all = |test: fn(&u8) -> bool| text.bytes().all(|byte| test(&byte));
    let (good, rule) = match format {
        Format::Unspecified => (!text.chars().any(is_stray), "must have no control characters but tab and line breaks"),
        Format::RegionCode => {
            (text.len() == 2 && all(u8::is_ascii_uppercase), "must be two capital letters (ISO 3166-1 alpha-2)")
        }
        Format::RegionCodeAlpha3 => {
            (text.len() == 3 && all(u8::is_ascii_uppercase), "must be three capital letters (ISO 3166-1 alpha-3)")
        }
        Format::M49Code => (text.len() == 3 && all(u8::is_ascii_digit), "must be three digits (UN M49)"),
        Format::LanguageCode => {
            (LanguageTag::parse(text).is_ok(), "must be a language tag such as en or zh-Hans (BCP 47)")
        }
        Format::CurrencyCode => {
            (text.len() == 3 && all(u8::is_ascii_uppercase), "must be three capital letters (ISO 4217)")
        }
        Format::Uri => {
            (is_absolute_uri(text), "must be an absolute URI such as https://example.org/a (RFC 3986, RFC 3987)")
        }
        Format::Email => (is_email(text), "must be one e-mail address, local@domain"),
        Format::Sha256 => (
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
            "must be 64 lower-case hexadecimal digits (SHA-256)",
        ),
        Format::TimeZone => {
            (jiff::tz::db().get(text).is_ok(), "must be a time zone of the IANA database, such as Asia/Tehran")
        }
        Format::MediaType => (is_media_type(text), "must be a media type such as application/pdf (RFC 6838)"),
        Format::LabelKey => (
            text.len() <= LABEL_KEY_BYTES_MAX
                && text.starts_with(|letter: char| letter.is_ascii_lowercase())
                && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/')),
            "must be a lower-case letter and then at most 62 of lower-case letters, digits, '-', '_', '.' and '/'",
        ),
    };
    (!good).then_some(rule)
}

/// The text without the control characters that `format` does not let be; `None` if there are none, or if a text of that
/// format is refused and not repaired. A link has one line; a free text keeps tab and line breaks.
pub(crate) fn without_controls(format: Format, text: &str) -> Option<String> {
    let kept: String = match format {
        Format::Unspecified => text.chars().filter(|letter| !is_stray(*letter)).collect(),
        Format::Uri => text.chars().filter(|letter| !letter.is_control()).collect(),
        Format::RegionCode
        | Format::RegionCodeAlpha3
        | Format::M49Code
        | Format::LanguageCode
        | Format::CurrencyCode
        | Format::Email
        | Format::Sha256
        | Format::TimeZone
        | Format::MediaType
        | Format::LabelKey => return None,
    };
    (kept.len() < text.len()).then_some(kept)
}

/// Whether a free text is better without this.
fn is_stray(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\t' | '\n' | '\r')
}

/// A scheme, a colon and something behind it. Letters of any script may stand unescaped, as they do in what people paste
/// (RFC 3987).
fn is_absolute_uri(text: &str) -> bool {
    Iri::parse(text).is_ok_and(|uri| uri.scheme().as_str().len() + 1 < text.len())
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty()
        && !local.contains('@')
        && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
        && domain.split('.').all(|part| !part.is_empty() && !part.starts_with('-') && !part.ends_with('-'))
}

fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    text.len() <= MEDIA_TYPE_BYTES_MAX && essence.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_accepts_what_it_names_and_refuses_its_neighbours() {
        let long_key = "k".repeat(LABEL_KEY_BYTES_MAX + 1);
        let sha256 = "0f".repeat(32);
        let table: [(Format, &[&str], &[&str]); 12] = [
            (Format::Unspecified, &["line\nbreak", "tab\t", "한국"], &["bell\u{7}", "\u{85}"]),
            (Format::RegionCode, &["KR"], &["kr", "KOR", "K1"]),
            (Format::RegionCodeAlpha3, &["KOR"], &["KR", "kor"]),
            (Format::M49Code, &["030"], &["30", "0300", "a30"]),
            (Format::CurrencyCode, &["IRR"], &["irr", "IR"]),
            (Format::Email, &["a@example.org", "a.b+c@d"], &["a@b@", "a@", "@b", "a b@c", "a@-b"]),
            (Format::Sha256, &[&sha256], &["0f", &sha256.to_uppercase()]),
            (Format::TimeZone, &["Asia/Tehran", "UTC"], &["Tehran", "+03:30"]),
            (Format::MediaType, &["application/pdf", "text/plain; charset=utf-8"], &["pdf", "a/b/c", "/pdf"]),
            (Format::LabelKey, &["unit/region", "a"], &["Unit", "1a", "a b", &long_key]),
            (
                Format::LanguageCode,
                &["en", "fa", "zh-Hans", "en-GB-oxendict", "de-CH-1996", "sl-rozaj-biske", "en-u-ca-persian"],
                &["z", "english language", "en_GB", "en-", "-en", "toolongtag"],
            ),
            (
                Format::Uri,
                &[
                    "https://example.org/a?b=c#d",
                    "mailto:a@example.org",
                    "urn:isbn:0451450523",
                    "https://example.org/%ED%95%9C",
                    "https://예.kr/한국",
                    "http://[::1]:80/",
                ],
                &["example.org/a", "//example.org", "http:", "1http://a", "https://a b", "https://a\n", ":a", ""],
            ),
        ];
        for (format, good, bad) in table {
            for good in good {
                assert_eq!(check(format, good), None, "{good:?} is a {format:?}");
            }
            for bad in bad.iter().filter(|bad| !bad.is_empty()) {
                assert!(check(format, bad).is_some(), "{bad:?} is no {format:?}");
            }
            assert_eq!(check(format, ""), None, "nothing is a {format:?}");
        }
    }

    #[test]
    fn control_characters_are_taken_out_of_free_texts_and_links_alone() {
        let table = [
            (Format::Unspecified, "a\u{7}\tb\r\n\u{85}c", Some("a\tb\r\nc")),
            (Format::Unspecified, "a\tb\r\nc\u{a0}", None),
            (Format::Unspecified, "\0", Some("")),
            (Format::Uri, "https://example.org/\r\na\t", Some("https://example.org/a")),
            (Format::Uri, "https://example.org/a b", None),
            (Format::CurrencyCode, "IRR\u{7}", None),
            (Format::Sha256, "\0", None),
        ];
        for (format, text, expected) in table {
            assert_eq!(without_controls(format, text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn the_standards_decide_what_is_rarely_written() {
        let table = [
            // Private use and the tags that were registered before there were subtags (RFC 5646).
            (Format::LanguageCode, "x-office", true),
            (Format::LanguageCode, "i-klingon", true),
            // An extension that says nothing.
            (Format::LanguageCode, "en-u", false),
            // What must be escaped (RFC 3986).
            (Format::Uri, "https://example.org/a|b", false),
            (Format::Uri, "https://example.org/<a>", false),
            (Format::Uri, "https://example.org/%zz", false),
            (Format::Uri, "http://[::1", false),
        ];
        for (format, text, good) in table {
            assert_eq!(check(format, text).is_none(), good, "{text}");
        }
    }
}
