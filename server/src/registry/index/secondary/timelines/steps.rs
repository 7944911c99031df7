//! Steps as bytes: how many there are, and of each but the first the difference of its day to that of the one before, and
//! what holds from then on. All numbers are varints.

use crate::time::Day;

/// Steps as they are read.
#[derive(Clone)]
pub(super) struct Steps<'a> {
    pub(super) reading: &'a [u8],
    left: u64,
    /// That of the step before; `None` before the first.
    day: Option<i32>,
}

impl<'a> Steps<'a> {
    /// So many steps, of which the first begins here.
    pub(super) fn new(reading: &'a [u8], left: u64) -> Self {
        Self { reading, left, day: None }
    }
}

impl Iterator for Steps<'_> {
    type Item = (Day, u32);

    #[inline]
    fn next(&mut self) -> Option<(Day, u32)> {
        self.left = self.left.checked_sub(1)?;
        // The first step holds since ever.
        let day = match self.day {
            None => i32::MIN,
            Some(i32::MIN) => signed(take(&mut self.reading)),
            Some(before) => before.wrapping_add(signed(take(&mut self.reading))),
        };
        self.day = Some(day);
        Some((Day(day), u32::try_from(take(&mut self.reading)).unwrap_or_default()))
    }
}

/// What holds on a day: the last step that does not begin after it.
#[inline]
pub(super) fn last_step(steps: Steps<'_>, day: Day) -> Option<u32> {
    let mut holds = None;
    for (from, value) in steps {
        if from > day {
            break;
        }
        holds = Some(value);
    }
    holds
}

/// Writes steps, of which the first holds since ever.
pub(super) fn put_steps(out: &mut Vec<u8>, steps: impl ExactSizeIterator<Item = (Day, u32)>) {
    put(out, steps.len() as u64);
    let mut before: Option<i32> = None;
    for (Day(day), value) in steps {
        match before {
            None => before = Some(i32::MIN),
            Some(i32::MIN) => {
                put(out, unsigned(day));
                before = Some(day);
            }
            Some(earlier) => {
                put(out, unsigned(day.wrapping_sub(earlier)));
                before = Some(day);
            }
        }
        put(out, value.into());
    }
}

fn unsigned(number: i32) -> u64 {
    u64::from((number << 1 ^ number >> 31).cast_unsigned())
}

#[inline]
fn signed(number: u64) -> i32 {
    let number = u32::try_from(number).unwrap_or_default();
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Appends a varint.
pub(super) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Takes a varint off the beginning; 0 where there is none.
#[inline]
pub(super) fn take(reading: &mut &[u8]) -> u64 {
    if let [only @ 0..0x80, rest @ ..] = *reading {
        *reading = rest;
        return (*only).into();
    }
    let mut number = 0;
    let mut shift = 0;
    while let Some((byte, rest)) = reading.split_first() {
        *reading = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
        if shift > 63 {
            break;
        }
    }
    number
}
