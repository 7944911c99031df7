//! The forms of strings and of shared values: one function for each, which answers with the rule that is broken.
//!
//! Forms only: whether a code is in use, or a page is there, is nobody's business here.

use partnership_registry::Money;
use partnership_registry::v1::{DateInterval, Format, PartialDate};

/// The rule that `text` breaks, if it breaks that of `format`. An empty text breaks none.
pub(crate) fn check_text(format: i32, text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return None;
    }
    let format = Format::try_from(format).unwrap_or(Format::Unspecified);
    let all = |test: fn(&u8) -> bool| text.bytes().all(|byte| test(&byte));
    let (good, rule) = match format {
        Format::Unspecified => (
            !text.chars().any(|letter| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r')),
            "must have no control characters but tab and line breaks",
        ),
        Format::RegionCode => {
            (text.len() == 2 && all(u8::is_ascii_uppercase), "must be two capital letters (ISO 3166-1 alpha-2)")
        }
        Format::RegionCodeAlpha3 => {
            (text.len() == 3 && all(u8::is_ascii_uppercase), "must be three capital letters (ISO 3166-1 alpha-3)")
        }
        Format::M49Code => (text.len() == 3 && all(u8::is_ascii_digit), "must be three digits (UN M49)"),
        Format::LanguageCode => (is_language_code(text), "must be a language tag such as en or zh-Hans (BCP 47)"),
        Format::CurrencyCode => {
            (text.len() == 3 && all(u8::is_ascii_uppercase), "must be three capital letters (ISO 4217)")
        }
        Format::Uri => (is_uri(text), "must be an absolute URI without white space (RFC 3986)"),
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
            text.len() <= 63
                && text.starts_with(|letter: char| letter.is_ascii_lowercase())
                && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/')),
            "must be a lower-case letter and then at most 62 of lower-case letters, digits, '-', '_', '.' and '/'",
        ),
    };
    (!good).then_some(rule)
}

fn is_language_code(text: &str) -> bool {
    let mut parts = text.split('-');
    parts
        .next()
        .is_some_and(|part| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic()))
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
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
    text.len() <= 255 && essence.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
}

/// The rule that a date breaks: the parts must be a day of the calendar as far as they are known.
pub(crate) fn check_date(date: &PartialDate) -> Option<&'static str> {
    if !(0..=9999).contains(&date.year) {
        return Some("year must be 1 to 9999, or 0 if it is not known");
    }
    if !(0..=12).contains(&date.month) {
        return Some("month must be 1 to 12, or 0 if it is not known");
    }
    if date.month != 0 && date.year == 0 {
        return Some("a month needs a year");
    }
    if date.day != 0 && date.month == 0 {
        return Some("a day needs a month");
    }
    if date.day != 0 {
        let part = |value: i32| i8::try_from(value).unwrap_or(0);
        let year = i16::try_from(date.year).unwrap_or(0);
        if jiff::civil::Date::new(year, part(date.month), part(date.day)).is_err() {
            return Some("there is no such day");
        }
    }
    if date.unknown && date.year != 0 {
        return Some("an unknown date has no year");
    }
    if date.year == 0 && !date.unknown && date.original_text.is_empty() {
        return Some("says nothing: give a year, the original text, or say that it is unknown");
    }
    None
}

/// The rule that an interval breaks: it must not end before it starts, as far as both are known.
pub(crate) fn check_interval(interval: &DateInterval) -> Option<&'static str> {
    let (Some(start), Some(end)) = (&interval.start, &interval.end) else { return None };
    crate::values::partial_date::certainly_before(end, start).then_some("end must not be before start")
}

/// The rule that an amount breaks: a currency, and one sign.
pub(crate) fn check_money(money: &Money) -> Option<&'static str> {
    if money.currency_code.is_empty() || check_text(Format::CurrencyCode as i32, &money.currency_code).is_some() {
        return Some("currency_code must be three capital letters (ISO 4217)");
    }
    if !(-999_999_999..=999_999_999).contains(&money.nanos) {
        return Some("nanos must be -999,999,999 to 999,999,999");
    }
    if (money.units > 0 && money.nanos < 0) || (money.units < 0 && money.nanos > 0) {
        return Some("units and nanos must have the same sign");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_accepts_what_it_names_and_refuses_its_neighbours() {
        let table = [
            (Format::RegionCode, "KR", "kr"),
            (Format::RegionCodeAlpha3, "KOR", "KR"),
            (Format::M49Code, "030", "30"),
            (Format::LanguageCode, "zh-Hans", "z"),
            (Format::CurrencyCode, "IRR", "irr"),
            (Format::Uri, "https://example.org/a", "example.org/a"),
            (Format::Email, "a@example.org", "a@b@"),
            (Format::TimeZone, "Asia/Tehran", "Tehran"),
            (Format::MediaType, "application/pdf", "pdf"),
            (Format::LabelKey, "unit/region", "Unit"),
            (Format::Unspecified, "line\nbreak", "bell\u{7}"),
        ];
        for (format, good, bad) in table {
            assert_eq!(check_text(format as i32, good), None, "{good:?} is a {format:?}");
            assert!(check_text(format as i32, bad).is_some(), "{bad:?} is no {format:?}");
            assert_eq!(check_text(format as i32, ""), None, "nothing is a {format:?}");
        }
    }

    #[test]
    fn a_date_is_a_day_of_the_calendar_as_far_as_it_is_known() {
        let date = |year, month, day| PartialDate { year, month, day, ..Default::default() };
        for good in [date(1896, 0, 0), date(2024, 2, 29), date(9999, 12, 31)] {
            assert_eq!(check_date(&good), None, "{good:?}");
        }
        for bad in
            [date(2023, 2, 29), date(0, 5, 0), date(2020, 0, 1), date(10_000, 1, 1), date(-1, 1, 1), date(0, 0, 0)]
        {
            assert!(check_date(&bad).is_some(), "{bad:?}");
        }
        assert_eq!(check_date(&PartialDate { unknown: true, ..Default::default() }), None);
    }
}
