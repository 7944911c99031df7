//! Dates as the sources write them. The text they were read from is kept with them.
//!
//! Whether the calendar has a date is for the registry to say: it keeps the text of one that no calendar has, with a finding.

use partnership_registry_client::v1::PartialDate;

/// Reads `24/07/1923`: the day first.
pub(crate) fn day_first(text: &str) -> Option<PartialDate> {
    let [day, month, year] = numbers(text, '/')?;
    date(year, month, day, text)
}

/// Reads `6/30/2004 12:00:00 AM`: the month first. The time of day says nothing.
pub(crate) fn month_first(text: &str) -> Option<PartialDate> {
    let [month, day, year] = numbers(text.split_whitespace().next()?, '/')?;
    date(year, month, day, text)
}

/// Reads `1995-09-14T00:00:00Z`. The time of day says nothing.
pub(crate) fn iso(text: &str) -> Option<PartialDate> {
    let [year, month, day] = numbers(text.get(..10)?, '-')?;
    date(year, month, day, text)
}

/// The three numbers of a date.
fn numbers(text: &str, separator: char) -> Option<[i32; 3]> {
    let digits_only = text.chars().all(|letter| letter.is_ascii_digit() || letter == separator);
    let numbers: Vec<_> = text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok().filter(|_| digits_only)
}

/// A date, also one that no calendar has; `None` if its numbers are none of a date.
fn date(year: i32, month: i32, day: i32, text: &str) -> Option<PartialDate> {
    let is_date = (1..=9_999).contains(&year) && [month, day].iter().all(|part| (1..=99).contains(part));
    is_date.then(|| PartialDate { original_text: text.to_owned(), ..PartialDate::day(year, month, day) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(date: Option<PartialDate>) -> Option<String> {
        date.as_ref().map(PartialDate::to_string)
    }

    #[test]
    fn each_source_writes_dates_its_own_way() {
        let read = |text: &str| Some(text.to_owned());
        assert_eq!(parts(day_first("24/07/1923")), read("1923-07-24"));
        assert_eq!(parts(month_first("6/30/2004 12:00:00 AM")), read("2004-06-30"));
        assert_eq!(parts(iso("1995-09-14T00:00:00Z")), read("1995-09-14"));
        assert_eq!(iso("1995-09-14T00:00:00Z").map(|date| date.original_text), read("1995-09-14T00:00:00Z"));
        assert_eq!(parts(day_first("31/02/1923")), read("1923-02-31"), "the registry says that there is no such day");
        for text in ["soon", "", "00/07/1923", "24/07", "24/07/1923/1", "+4/07/1923", "24/07/19233", "24-07-1923"] {
            assert_eq!(parts(day_first(text)), None, "{text}");
        }
        assert_eq!(parts(iso("short")), None);
    }
}
