//! The orders in which things may have happened, and for each the days between which each of them then was.
//!
//! A world gives each uncertain date one day. What an agreement becomes depends on the order alone, so worlds of one order
//! are looked at together. All constraints keep the order of days: things follow each other, and a day that is counted
//! from another is not earlier for a later one. So the first days of all are those of one world, and the last days of all
//! those of another, and between them nothing is left out.

use smallvec::{SmallVec, smallvec};

use super::begun::Begun;
use super::days::{Days, Derived, after, before};
use super::places::{Places, ToCome};
use super::record::{Item, Record, What, row};
use super::term::{Course, Plan};
use crate::faults;

/// How many steps are taken to find the orders of one agreement or party. What has more is answered with caution.
const WORK_MAX: usize = 50_000;
/// How many are taken if no more than three dates are uncertain: all orders of three that nobody knows among fifteen that are
/// known.
const WORK_OF_FEW_MAX: usize = 400_000;
const FEW: usize = 3;
/// What most parties have of items and steps, for which no room has to be made.
const FEW_ITEMS: usize = 16;

/// How much may still be done for an agreement and all of its parties: some milliseconds, for which a read keeps others
/// waiting, and some tens for those of which few dates are uncertain.
#[derive(Debug)]
pub(super) struct Budget {
    work: usize,
    of_few: usize,
}

impl Budget {
    pub(super) fn new() -> Budget {
        Budget { work: 200_000, of_few: 1_000_000 }
    }
}

/// How much it is to find a day that is counted from another by the calendar, and from which day that is so.
const WORK_OF_COUNTED: usize = 16;
/// The most that is taken in one order.
const STEPS_MAX: usize = 2_000;
/// How often the days of one order are narrowed by each other.
const ROUNDS_MAX: usize = 64;

/// Something that happens in one order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) what: What,
    pub(super) row: u8,
    pub(super) event: u32,
    /// The days on which it happens in the worlds of this order.
    pub(super) first: i32,
    pub(super) last: i32,
    /// Whether it is an act of the party that is looked at.
    pub(super) own: bool,
    /// From here on the agreement may end on any day: see [`Course::is_open`].
    pub(super) open: bool,
    /// It is a notice that came too late for the term.
    pub(super) late: bool,
    /// The item whose date its day follows from, and how.
    from: usize,
    day: Derived,
}

impl Step {
    /// What puts things of one day in order.
    fn key(&self) -> (u8, u32) {
        (self.row, self.event)
    }
}

/// There are too many orders.
#[derive(Debug)]
pub(super) struct TooMany;

/// Shows each order in which the items may happen.
pub(super) fn explore(
    record: &Record<'_>,
    items: &mut [Item],
    budget: &mut Budget,
    show: &mut dyn FnMut(&[Step]),
) -> Result<(), TooMany> {
    if items.iter().all(|item| item.days.is_certain()) {
        sort(items);
        return certain(record, items, show);
    }
    // What ends a term is the date of the day on which a notice is too late, too.
    let is_date = |item: &&Item| !item.days.is_certain() && item.what != What::DeadlineDate;
    let (left, work_max) = if items.iter().filter(is_date).count() <= FEW {
        (&mut budget.of_few, WORK_OF_FEW_MAX)
    } else {
        (&mut budget.work, WORK_MAX)
    };
    // To begin takes a look at all of them.
    let work = items.len();
    let work_max = work_max.min(*left);
    if work > work_max {
        *left = left.saturating_sub(work);
        return Err(TooMany);
    }
    let effects: Vec<Days> = items.iter().map(Item::effect).collect();
    let (mut certain, uncertain): (Vec<usize>, Vec<usize>) =
        (0..items.len()).partition(|place| items.get(*place).is_some_and(|item| item.days.is_certain()));
    certain.sort_by_cached_key(|place| items.get(*place).map(|item| (item.effect().first, item.row, item.event)));
    let mut search = Search {
        record,
        items,
        effects: &effects,
        certain,
        uncertain,
        done: vec![false; items.len()],
        places: Places::of(items),
        steps: Vec::with_capacity(items.len() + 4),
        taken: Vec::with_capacity(items.len()),
        work,
        work_max,
        begun: if record.in_order { Begun::of(record, items) } else { Begun::default() },
        caps: Vec::new(),
        dates: Vec::new(),
        shown: Vec::new(),
        orders: 0,
    };
    let explored = search.go_on(Course::of(items), 0, show);
    *left = left.saturating_sub(search.work);
    explored
}

/// Most parties have few items, for which keys are worked out sooner than room is made to keep them.
fn sort(items: &mut [Item]) {
    let key = |item: &Item| (item.effect().first, item.row, item.event);
    if items.len() <= FEW_ITEMS {
        items.sort_unstable_by_key(key);
    } else {
        items.sort_by_cached_key(key);
    }
}

/// The only order there is.
fn certain(record: &Record<'_>, items: &[Item], show: &mut dyn FnMut(&[Step])) -> Result<(), TooMany> {
    let mut steps: SmallVec<[Step; FEW_ITEMS]> = SmallVec::new();
    let mut course = Course::of(items);
    let mut done: SmallVec<[bool; FEW_ITEMS]> = smallvec![false; items.len()];
    let mut next = 0;
    let places = Places::of(items);
    let mut to_come = ToCome::default();
    loop {
        to_come.go_on(items, &done);
        while done.get(next) == Some(&true) {
            next += 1;
        }
        let item = items.get(next);
        let at = |item: &Item| (item.effect().first, item.row, item.event);
        let counted =
            counted(&course, &Plan { items, done: &done, term: &record.term, places: &places, to_come: Some(to_come) });
        let counted = counted.into_iter().flatten().min_by_key(at);
        let taken = match (item, counted) {
            (None, None) => break,
            (Some(item), None) => (next, *item),
            (Some(item), Some(counted)) if at(item) < at(&counted) => (next, *item),
            (_, Some(counted)) => (usize::MAX, counted),
        };
        let (place, item) = taken;
        if let Some(done) = done.get_mut(place) {
            *done = true;
        }
        to_come.go_on(items, &done);
        let plan = Plan { items, done: &done, term: &record.term, places: &places, to_come: Some(to_come) };
        let what = course.take(place, &item, &plan);
        let day = item.effect().first;
        let step = Step {
            what,
            row: item.row,
            event: item.event,
            first: day,
            last: day,
            own: item.own,
            open: course.is_open(&record.term),
            late: course.is_late(item.event),
            from: place,
            day: item.derived,
        };
        steps.push(step);
        forget_revoked(what, &places, &mut done, |_| {});
        if steps.len() > STEPS_MAX + items.len() {
            return Err(TooMany);
        }
    }
    show(&steps);
    Ok(())
}

/// The days that are counted and may come next: from which a notice is too late, and from which the term is over.
fn counted(course: &Course, plan: &Plan<'_>) -> [Option<Item>; 2] {
    let item = |what, row, from: usize, derived| {
        plan.items.get(from).map(|of| Item {
            what,
            row,
            event: u32::try_from(from).unwrap_or(u32::MAX),
            days: of.days,
            derived,
            own: false,
        })
    };
    let deadline = course.deadline(plan).and_then(|(from, day)| item(What::Deadline, row::DEADLINE, from, day));
    let end = course.counted_end().and_then(|end| item(What::TermOver, row::TERM_END, end.from, end.day));
    [deadline, end]
}

/// Takes out what a revocation that has just happened takes back before it could happen.
fn forget_revoked(what: What, places: &Places, done: &mut [bool], mut forgotten: impl FnMut(usize)) {
    let What::Revocation(event) = what else { return };
    for place in places.revocable(event) {
        if let Some(done) = done.get_mut(place).filter(|done| !**done) {
            *done = true;
            forgotten(place);
        }
    }
}

/// A step is not after something that it keeps from happening.
#[derive(Debug, Clone, Copy)]
struct Cap {
    /// The step, by its place.
    step: usize,
    /// What would have happened: the item whose date its day follows from, how, and what puts it in order.
    from: usize,
    day: Derived,
    key: (u8, u32),
}

/// Something that may come next, and the days on which it then may be.
#[derive(Debug, Clone, Copy)]
struct Next {
    /// The item, by its place; none if it is counted.
    place: usize,
    item: Item,
    days: Days,
}

struct Search<'a> {
    record: &'a Record<'a>,
    items: &'a [Item],
    effects: &'a [Days],
    /// The items of which the day is known, by their places, in the order of what happens; and the others.
    certain: Vec<usize>,
    uncertain: Vec<usize>,
    /// What has happened, or never will.
    done: Vec<bool>,
    places: Places,
    steps: Vec<Step>,
    /// What has been marked as done so far, to be taken back.
    taken: Vec<usize>,
    work: usize,
    work_max: usize,
    /// Of records in which nothing ends before it begins.
    begun: Begun,
    caps: Vec<Cap>,
    dates: Vec<Days>,
    shown: Vec<Step>,
    orders: usize,
}

impl Search<'_> {
    /// Takes all that may come next, one after the other: the first of what is certain from a place on, or something else
    /// before it. While nothing else may come there is nothing to come back to.
    fn go_on(&mut self, mut course: Course, from: usize, show: &mut dyn FnMut(&[Step])) -> Result<(), TooMany> {
        let (steps, caps, taken) = (self.steps.len(), self.caps.len(), self.taken.len());
        let mut from = from;
        loop {
            let counted = counted(&course, &self.plan());
            let next = self.next(&counted, &mut from);
            // All that is uncertain has been looked at for it, and of all items which notices are to come.
            self.work += next.len() + 1 + self.uncertain.len() / 8 + self.items.len() / 32;
            if self.work > self.work_max || self.steps.len() > STEPS_MAX {
                return Err(TooMany);
            }
            match &next[..] {
                [] => {
                    if self.is_done(&counted) {
                        self.finish(show)?;
                    }
                    break;
                }
                [only] => self.take(only, &mut course, &counted),
                several => {
                    for one in several {
                        let (steps, caps, taken) = (self.steps.len(), self.caps.len(), self.taken.len());
                        let mut course = course.clone();
                        self.take(one, &mut course, &counted);
                        self.go_on(course, from, show)?;
                        self.undo(steps, caps, taken);
                    }
                    break;
                }
            }
        }
        self.undo(steps, caps, taken);
        Ok(())
    }

    fn plan(&self) -> Plan<'_> {
        Plan { items: self.items, done: &self.done, term: &self.record.term, places: &self.places, to_come: None }
    }

    /// Whether nothing is to come any more.
    fn is_done(&self, counted: &[Option<Item>]) -> bool {
        counted.iter().all(Option::is_none) && self.done.iter().all(|done| *done)
    }

    /// What may come next. `from` goes on to the first of what is certain that has not been taken.
    fn next(&self, counted: &[Option<Item>], from: &mut usize) -> SmallVec<[Next; 4]> {
        let is_open = |place: &usize| self.done.get(*place) == Some(&false);
        *from += self.certain.iter().skip(*from).take_while(|place| !is_open(place)).count();
        let known = self.certain.get(*from).into_iter();
        let mut next: SmallVec<[Next; 4]> = SmallVec::new();
        for &place in known.chain(self.uncertain.iter().filter(|place| is_open(place))) {
            if let (Some(item), Some(days)) = (self.items.get(place), self.effects.get(place)) {
                next.push(Next { place, item: *item, days: *days });
            }
        }
        for item in counted.iter().flatten().copied() {
            let from = usize::try_from(item.event).unwrap_or(usize::MAX);
            let of = self.steps.iter().rfind(|step| step.from == from);
            let mut days = item.effect();
            if let Some(of) = of.filter(|of| of.day == Derived::SAME) {
                days.first = item.derived.of(of.first);
            }
            next.push(Next { place: usize::MAX, item, days });
        }
        // None may be later than the last day of another that would have to follow it.
        let limit = next.iter().map(|one| (one.days.last, one.item.row, one.item.event)).min();
        next.retain(|one| {
            let key = (one.item.row, one.item.event);
            if let Some(last) = self.steps.last() {
                let least = if key < last.key() { after(last.first) } else { last.first };
                one.days.first = one.days.first.max(least);
            }
            let possible = Some((one.days.first, key.0, key.1)) <= limit && one.days.first <= one.days.last;
            possible && (!self.record.in_order || self.begun.has_begun(self.record, &one.item))
        });
        next
    }

    fn take(&mut self, next: &Next, course: &mut Course, before: &[Option<Item>]) {
        let Next { place, item, days } = *next;
        if let Some(done) = self.done.get_mut(place) {
            *done = true;
            self.taken.push(place);
        }
        if self.record.in_order {
            self.begun.take(self.record, &item);
        }
        let what = course.take(place, &item, &self.plan());
        let forgotten = self.taken.len();
        forget_revoked(what, &self.places, &mut self.done, |place| self.taken.push(place));
        let from = if place == usize::MAX { usize::try_from(item.event).unwrap_or(place) } else { self.date_of(place) };
        self.steps.push(Step {
            what,
            row: item.row,
            event: item.event,
            first: days.first,
            last: days.last,
            own: item.own,
            open: course.is_open(&self.record.term),
            late: course.is_late(item.event),
            from,
            day: item.derived,
        });
        self.add_caps(&item, course, before, forgotten);
    }

    /// Goes back to where so many steps had been taken.
    fn undo(&mut self, steps: usize, caps: usize, taken: usize) {
        self.steps.truncate(steps);
        self.caps.truncate(caps);
        for place in self.taken.drain(taken..) {
            // What was taken back before it could happen is an end, and no end counts as a beginning.
            if let Some(item) = self.items.get(place).filter(|_| self.record.in_order) {
                self.begun.take_back(self.record, item);
            }
            if let Some(done) = self.done.get_mut(place) {
                *done = false;
            }
        }
    }

    /// What the last step keeps from happening: the end of a term that ends or is renewed before, the last day for a notice
    /// that comes in time, and what it takes back.
    fn add_caps(&mut self, item: &Item, course: &Course, before: &[Option<Item>], forgotten: usize) {
        let now = counted(course, &self.plan());
        let same =
            |one: &Item, other: &Item| (one.what, one.event, one.derived) == (other.what, other.event, other.derived);
        let step = self.steps.len() - 1;
        for gone in before.iter().flatten().filter(|gone| !same(gone, item)) {
            if !now.iter().flatten().any(|still| same(still, gone)) {
                let from = usize::try_from(gone.event).unwrap_or(usize::MAX);
                self.caps.push(Cap { step, from, day: gone.derived, key: (gone.row, gone.event) });
            }
        }
        for &place in self.taken.iter().skip(forgotten) {
            if let Some(gone) = self.items.get(place) {
                let from = self.date_of(place);
                self.caps.push(Cap { step, from, day: gone.derived, key: (gone.row, gone.event) });
            }
        }
    }

    /// Narrows the days by what steps keep from happening. `None`: there is no world; else whether anything changed.
    fn narrow_by_caps(&mut self) -> Option<bool> {
        let mut changed = false;
        for cap in &self.caps {
            let Some(step) = self.shown.get(cap.step).copied() else { continue };
            let (Some(gone), Some(own)) = (self.dates.get(cap.from).copied(), self.dates.get(step.from).copied())
            else {
                continue;
            };
            let is_behind = step.key() > cap.key;
            let least = if is_behind { after(step.first) } else { step.first };
            let first = cap.day.first(gone, least);
            let would_be = cap.day.of(gone.last);
            let last = step.day.last(own, if is_behind { before(would_be) } else { would_be });
            changed |= first != gone.first || last != own.last;
            if let Some(date) = self.dates.get_mut(cap.from) {
                date.first = first;
            }
            if let Some(date) = self.dates.get_mut(step.from) {
                date.last = date.last.min(last);
            }
            if first > gone.last || last < own.first {
                return None;
            }
        }
        Some(changed)
    }

    /// The item whose date an item's day follows from: that a notice is too late follows from the end of the term.
    fn date_of(&self, place: usize) -> usize {
        let Some(item) = self.items.get(place).filter(|item| item.what == What::DeadlineDate) else { return place };
        self.places.date(item.event).unwrap_or(place)
    }

    /// Narrows the days of an order by each other, and shows it if there is a world of it.
    fn finish(&mut self, show: &mut dyn FnMut(&[Step])) -> Result<(), TooMany> {
        self.dates.clear();
        self.dates.extend(self.items.iter().map(|item| item.days));
        self.shown.clone_from(&self.steps);
        let counted = self.shown.iter().filter(|step| step.day.is_by_calendar()).count();
        for _ in 0..ROUNDS_MAX {
            self.work += self.shown.len() + WORK_OF_COUNTED * counted;
            if self.work > self.work_max {
                return Err(TooMany);
            }
            let mut changed = false;
            let mut least = (i32::MIN, (0, 0));
            for step in &mut self.shown {
                let Some(date) = self.dates.get_mut(step.from) else { continue };
                let after_last = if step.key() < least.1 { after(least.0) } else { least.0 };
                let first = step.day.of(date.first).max(after_last);
                let narrowed = step.day.first(*date, first);
                changed |= narrowed != date.first;
                date.first = narrowed;
                if date.first > date.last {
                    return Ok(());
                }
                step.first = step.day.of(date.first).max(first);
                least = (step.first, step.key());
            }
            let mut most = (i32::MAX, (u8::MAX, u32::MAX));
            for step in self.shown.iter_mut().rev() {
                let Some(date) = self.dates.get_mut(step.from) else { continue };
                let before_next = if step.key() > most.1 { before(most.0) } else { most.0 };
                let last = step.day.of(date.last).min(before_next);
                let narrowed = step.day.last(*date, last);
                changed |= narrowed != date.last;
                date.last = narrowed;
                if date.first > date.last {
                    return Ok(());
                }
                step.last = step.day.of(date.last).min(last);
                if step.first > step.last {
                    return Ok(());
                }
                most = (step.last, step.key());
            }
            match self.narrow_by_caps() {
                None => return Ok(()),
                Some(more) => changed |= more,
            }
            if !changed {
                break;
            }
        }
        self.orders += 1;
        if self.orders == 1 || faults::planted("worlds-only-the-first-order").is_none() {
            show(&self.shown);
        }
        Ok(())
    }
}
