//! Days of which it is not known which one is meant, and how they move by the calendar.
//!
//! A day is a number, counted from 1970-01-01. Two of them are no days: [`ALWAYS`] is before every day and [`NEVER`]
//! after every day. All arithmetic keeps the order of days, and ends at the years 1 and 9999.

use jiff::SignedDuration;
use jiff::civil::Date;
use partnership_registry::v1::{AgreementPeriod, PartialDate};

use crate::values::partial_date::{day_number, day_numbers};

/// Before every day.
pub(super) const ALWAYS: i32 = i32::MIN;
/// After every day.
pub(super) const NEVER: i32 = i32::MAX;

const EPOCH: Date = Date::constant(1970, 1, 1);

/// All the days that one may be, both ends among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) first: i32,
    pub(super) last: i32,
}

impl Days {
    /// It may be any day.
    pub(super) const ANY: Days = Days { first: ALWAYS, last: NEVER };

    /// The days that a date may be; any, if it is absent or not known.
    pub(super) fn of(date: Option<&PartialDate>) -> Days {
        let known = date.and_then(day_numbers);
        known.map_or(Days::ANY, |(first, last)| Days { first, last })
    }

    /// Whether it is one day.
    pub(super) fn is_certain(self) -> bool {
        self.first == self.last
    }
}

/// The day after; before and after every day there is none.
pub(super) fn after(day: i32) -> i32 {
    if day == ALWAYS { ALWAYS } else { day.saturating_add(1) }
}

/// The day before.
pub(super) fn before(day: i32) -> i32 {
    if day == NEVER { NEVER } else { day.saturating_sub(1) }
}

/// A length of time by the calendar: the months, and then the days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Length {
    months: i32,
    days: i32,
}

impl Length {
    /// The length that a period has. `None`: it is absent, or no time at all.
    pub(super) fn of(period: Option<&AgreementPeriod>) -> Option<Length> {
        let period = period?;
        let months = period.years.saturating_mul(12).saturating_add(period.months);
        let length = Length { months, days: period.days };
        (length != Length::default()).then_some(length)
    }

    /// This one, and `times` times the other one.
    pub(super) fn and(self, other: Length, times: i32) -> Length {
        let sum = |own: i32, other: i32| own.saturating_add(other.saturating_mul(times));
        Length { months: sum(self.months, other.months), days: sum(self.days, other.days) }
    }

    /// The most days that it has.
    pub(super) fn days_max(self) -> i64 {
        i64::from(self.months) * 31 + i64::from(self.days)
    }

    /// The day that is so long after another one. A month that is too short for it gives its last day.
    pub(super) fn after(self, day: i32) -> i32 {
        self.moved(day, 1)
    }

    /// The day that is so long before another one.
    pub(super) fn before(self, day: i32) -> i32 {
        self.moved(day, -1)
    }

    fn moved(self, day: i32, sign: i32) -> i32 {
        if day == ALWAYS || day == NEVER || self == Length::default() {
            return day;
        }
        let Some(date) = date(day) else { return if day < 0 { ALWAYS } else { NEVER } };
        match self.date_moved(date, sign.into()) {
            // What is counted before the year 1 is before all dates that can be written.
            Some(moved) if moved.year() >= 1 => day_number(moved),
            Some(_) => ALWAYS,
            None if sign < 0 => ALWAYS,
            None => NEVER,
        }
    }

    /// What jiff says of a `Span`, which takes several times as long; most of the time that terms take is spent here.
    fn date_moved(self, date: Date, sign: i64) -> Option<Date> {
        let months = i64::from(date.year()) * 12 + i64::from(date.month()) - 1 + i64::from(self.months) * sign;
        let year = i16::try_from(months.div_euclid(12)).ok()?;
        let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
        let month_length = Date::new(year, month, 1).ok()?.days_in_month();
        let moved = Date::new(year, month, date.day().min(month_length)).ok()?;
        let day = i64::from(day_number(moved)) + i64::from(self.days) * sign;
        self::date(i32::try_from(day).ok()?)
    }
}

/// The date of a day, if a calendar of four digits has it.
pub(super) fn date(day: i32) -> Option<Date> {
    EPOCH.checked_add(SignedDuration::from_hours(24 * i64::from(day))).ok()
}

/// A day as a date of the contract. `None`: it is before or after all days.
pub(super) fn written(day: i32) -> Option<PartialDate> {
    let date = date(day).filter(|date| date.year() >= 1)?;
    Some(PartialDate {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
        ..PartialDate::default()
    })
}

/// A day that is worked out from another one. It is never earlier for a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Derived {
    /// Days that are added first.
    pub(super) plus: i32,
    /// What is added then.
    pub(super) length: Length,
    /// What is taken away at last: so long before the day before, and a day more.
    pub(super) notice: Option<Length>,
}

impl Derived {
    /// The day itself.
    pub(super) const SAME: Derived = Derived { plus: 0, length: Length { months: 0, days: 0 }, notice: None };

    /// Whether it takes the calendar, and not only some days more.
    pub(super) fn is_by_calendar(&self) -> bool {
        self.notice.is_some() || self.length != Length::default()
    }

    /// The day that comes of another one.
    pub(super) fn of(&self, day: i32) -> i32 {
        let mut of = day;
        for _ in 0..self.plus {
            of = after(of);
        }
        of = self.length.after(of);
        if let Some(notice) = self.notice {
            of = after(notice.before(before(of)));
        }
        of
    }

    /// The first day of `among` of which at least `least` comes.
    pub(super) fn first(&self, among: Days, least: i32) -> i32 {
        if *self == Derived::SAME {
            return among.first.max(least);
        }
        if least == ALWAYS || self.of(among.first) >= least {
            return among.first;
        }
        let (mut below, mut above) = (i64::from(among.first), i64::from(among.last) + 1);
        while above - below > 1 {
            let middle = below.midpoint(above);
            if self.of(i32::try_from(middle).unwrap_or(NEVER)) >= least { above = middle } else { below = middle }
        }
        i32::try_from(above).unwrap_or(NEVER)
    }

    /// The last day of `among` of which at most `most` comes.
    pub(super) fn last(&self, among: Days, most: i32) -> i32 {
        if *self == Derived::SAME {
            return among.last.min(most);
        }
        if most == NEVER || self.of(among.last) <= most {
            return among.last;
        }
        before(self.first(among, after(most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::partial_date::tests::date as partial;

    fn day(year: i32, month: i32, of_month: i32) -> i32 {
        Days::of(Some(&partial(year, month, of_month))).first
    }

    fn length(years: i32, months: i32, days: i32) -> Length {
        Length::of(Some(&AgreementPeriod { years, months, days })).unwrap()
    }

    #[test]
    fn lengths_are_counted_from_the_first_day_by_the_calendar() {
        let table = [
            ("five years", (2001, 3, 1), length(5, 0, 0), (2006, 3, 1)),
            ("a month from the 31st", (2001, 1, 31), length(0, 1, 0), (2001, 2, 28)),
            ("two months from the 31st", (2001, 1, 31), length(0, 1, 0).and(length(0, 1, 0), 1), (2001, 3, 31)),
            ("a leap day", (2000, 2, 29), length(1, 0, 0), (2001, 2, 28)),
            ("months and then days", (2001, 1, 31), length(0, 1, 1), (2001, 3, 1)),
            ("before 1970", (1899, 12, 31), length(0, 2, 0), (1900, 2, 28)),
        ];
        for (what, from, length, expected) in table {
            let (from, expected) = (day(from.0, from.1, from.2), day(expected.0, expected.1, expected.2));
            assert_eq!(length.after(from), expected, "{what}");
        }
        assert_eq!(length(0, 6, 0).before(day(2001, 8, 31)), day(2001, 2, 28));
        assert_eq!(length(1, 0, 0).after(day(9999, 1, 1)), NEVER);
        assert_eq!(length(1000, 0, 0).before(day(900, 1, 1)), ALWAYS);
        assert_eq!([length(1, 0, 0).after(ALWAYS), length(1, 0, 0).before(NEVER)], [ALWAYS, NEVER]);
        assert_eq!(Length::of(Some(&AgreementPeriod::default())), None);
    }

    /// A length after or before a day, as a span of jiff says it.
    fn by_span(length: Length, from: i32, sign: i64) -> i32 {
        let span = jiff::Span::new().try_months(i64::from(length.months) * sign);
        let span = span.and_then(|span| span.try_days(i64::from(length.days) * sign));
        match span.and_then(|span| date(from).unwrap().checked_add(span)) {
            Ok(moved) if moved.year() >= 1 => day_number(moved),
            Err(_) if sign > 0 => NEVER,
            Ok(_) | Err(_) => ALWAYS,
        }
    }

    #[test]
    fn lengths_are_those_of_spans() {
        let lengths = [
            (0, 1),
            (1, 0),
            (1, 1),
            (6, 0),
            (11, 30),
            (12, 0),
            (60, 0),
            (1_200, 40),
            (119_000, 0),
            (0, 366_000),
            (0, 7_000_000),
        ];
        let [first, last] = [Date::MIN, Date::MAX].map(day_number);
        // Each day of four years, some of all years, and those at their ends.
        for from in (-1_461..0).chain((first..last).step_by(1_009)).chain([first + 1, last - 1, last]) {
            for (months, days) in lengths {
                let length = Length { months, days };
                let expected = (by_span(length, from, 1), by_span(length, from, -1));
                assert_eq!((length.after(from), length.before(from)), expected, "{length:?} from {from}");
            }
        }
        assert_eq!([date(first - 1), date(last + 1), date(i32::MAX), date(i32::MIN)], [None; 4]);
    }

    #[test]
    fn what_a_day_comes_of_is_found_again() {
        let month = Derived { length: length(0, 1, 0), ..Derived::SAME };
        let all = Days { first: day(2001, 1, 1), last: day(2001, 12, 31) };
        assert_eq!(month.first(all, day(2001, 2, 28)), day(2001, 1, 28));
        assert_eq!(month.last(all, day(2001, 2, 28)), day(2001, 1, 31));
        assert_eq!(month.first(all, day(2001, 3, 30)), day(2001, 3, 1), "no day is a month before the 30th");
        assert_eq!(month.last(all, day(2001, 3, 30)), day(2001, 2, 28));
        assert_eq!((month.first(Days::ANY, 0), month.last(Days::ANY, 0)), (day(1969, 12, 1), day(1969, 12, 1)));
        assert_eq!((month.first(all, ALWAYS), month.last(all, NEVER)), (all.first, all.last));
        let notice = Derived { plus: 1, length: Length::default(), notice: Some(length(0, 6, 0)) };
        assert_eq!(
            notice.of(day(2001, 12, 31)),
            day(2001, 7, 1),
            "too late is the day after six months before the end"
        );
    }
}
