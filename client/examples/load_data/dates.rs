//! Dates as the sources write them. The text they were read from is kept with them.

use jiff::civil::Date;
use partnership_registry_client::v1::PartialDate;

/// Reads `24/07/1923`: the day first.
pub(crate) fn day_first(text: &str) -> Option<PartialDate> {
    read(text, "%d/%m/%Y", text)
}

/// Reads `6/30/2004 12:00:00 AM`: the month first. The time of day says nothing.
pub(crate) fn month_first(text: &str) -> Option<PartialDate> {
    read(text, "%m/%d/%Y", text.split_whitespace().next()?)
}

/// Reads `1995-09-14T00:00:00Z`. The time of day says nothing.
pub(crate) fn iso(text: &str) -> Option<PartialDate> {
    read(text, "%Y-%m-%d", text.get(..10)?)
}

/// A date that is nothing but its text.
pub(crate) fn unread(text: &str) -> PartialDate {
    PartialDate { original_text: text.to_owned(), ..PartialDate::default() }
}

/// Reads the date in a text. Only a day of the calendar is one.
fn read(text: &str, format: &str, date: &str) -> Option<PartialDate> {
    let date = Date::strptime(format, date).ok().filter(|date| date.year() >= 1)?;
    let (year, month, day) = (date.year().into(), date.month().into(), date.day().into());
    Some(PartialDate { year, month, day, ..unread(text) })
}

/// A date that can be compared with another read from the same source.
pub(crate) fn key(date: &PartialDate) -> (i32, i32, i32) {
    (date.year, date.month, date.day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(date: Option<PartialDate>) -> Option<(i32, i32, i32)> {
        date.as_ref().map(key)
    }

    #[test]
    fn each_source_writes_dates_its_own_way() {
        assert_eq!(parts(day_first("24/07/1923")), Some((1923, 7, 24)));
        assert_eq!(parts(month_first("6/30/2004 12:00:00 AM")), Some((2004, 6, 30)));
        assert_eq!(parts(iso("1995-09-14T00:00:00Z")), Some((1995, 9, 14)));
        assert_eq!(iso("1995-09-14T00:00:00Z").map(|date| date.original_text).as_deref(), Some("1995-09-14T00:00:00Z"));
        assert_eq!(parts(day_first("31/02/1923")), None);
        assert_eq!(parts(day_first("soon")), None);
        assert_eq!(parts(iso("short")), None);
    }
}
