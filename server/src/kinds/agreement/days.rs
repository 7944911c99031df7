//! Days of which it is not known which one is meant, and how they move by the calendar.
//!
//! A day is a number, counted from 1970-01-01. Two of them are no days: [`ALWAYS`] is before every day and [`NEVER`]
//! after every day. All arithmetic keeps the order of days, and ends at the years 1 and 9999.

use jiff::Span;
use jiff::civil::Date;
use partnership_registry::v1::{AgreementPeriod, PartialDate};

use crate::values::partial_date::day_numbers;

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
        if !(FIRST_DAY..=LAST_DAY).contains(&day) {
            return if day < 0 { ALWAYS } else { NEVER };
        }
        let ends = if sign < 0 { ALWAYS } else { NEVER };
        let (year, month, of_month) = civil(day.into());
        let months = year * 12 + month - 1 + i64::from(self.months) * i64::from(sign);
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        if !(-9999..=9999).contains(&year) {
            return ends;
        }
        let moved = number(year, month, of_month.min(month_length(year, month)));
        let moved = moved + i64::from(self.days) * i64::from(sign);
        // What is counted before the year 1 is before all dates that can be written.
        match i32::try_from(moved) {
            Ok(moved) if moved > LAST_DAY => ends,
            Ok(moved) if moved >= YEAR_1 => moved,
            Ok(moved) if moved >= FIRST_DAY => ALWAYS,
            _ => ends,
        }
    }
}

/// The first and the last day of years of four digits, and the first of the year 1.
const FIRST_DAY: i32 = -4_371_587;
const LAST_DAY: i32 = 2_932_896;
const YEAR_1: i32 = -719_162;

// The calendar in whole numbers, by periods of 400 years from 1 March 0000: most of the time that terms take is spent here,
// and jiff takes several times as long. The tests hold it against jiff.

/// How many days there are in 400 years, and how many from 1 March 0000 to 1970-01-01.
const ERA: i64 = 146_097;
const EPOCH_IN_ERA: i64 = 719_468;

/// The year, month and day of the month of a day.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + EPOCH_IN_ERA;
    let (era, of_era) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Counted from March, so that a leap day is the last of its year.
    let from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, of_month)
}

/// The number of a day.
fn number(year: i64, month: i64, of_month: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + of_month - 1;
    era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - EPOCH_IN_ERA
}

fn month_length(year: i64, month: i64) -> i64 {
    let leaps = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leaps),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The date of a day, if a calendar of four digits has it.
pub(super) fn date(day: i32) -> Option<Date> {
    EPOCH.checked_add(Span::new().try_days(day).ok()?).ok()
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

    /// A length after or before a day, as jiff says it.
    fn moved(length: Length, from: i32, sign: i64) -> i32 {
        let Some(date) = super::date(from) else { return if from < 0 { ALWAYS } else { NEVER } };
        let span = Span::new().try_months(i64::from(length.months) * sign);
        let span = span.and_then(|span| span.try_days(i64::from(length.days) * sign));
        match span.and_then(|span| date.checked_add(span)) {
            Ok(moved) if moved.year() >= 1 => crate::values::partial_date::day_number(moved),
            Ok(_) => ALWAYS,
            Err(_) => {
                if sign < 0 {
                    ALWAYS
                } else {
                    NEVER
                }
            }
        }
    }

    #[test]
    fn the_calendar_is_that_of_jiff() {
        let lengths =
            [(0, 1), (1, 0), (1, 1), (6, 0), (11, 30), (12, 0), (60, 0), (1_200, 40), (119_000, 0), (0, 9_000_000)];
        let lengths = lengths.map(|(months, days)| Length { months, days });
        let far = [FIRST_DAY - 1, FIRST_DAY, YEAR_1 - 1, YEAR_1, LAST_DAY - 1, LAST_DAY, LAST_DAY + 1];
        // Each day of four hundred years, each hundredth of all, and those at their ends.
        for from in (-146_097..0).chain((FIRST_DAY..LAST_DAY).step_by(101)).chain(far) {
            for length in lengths {
                let ours = (length.after(from), length.before(from));
                assert_eq!(ours, (moved(length, from, 1), moved(length, from, -1)), "{length:?} from {from}");
            }
        }
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
