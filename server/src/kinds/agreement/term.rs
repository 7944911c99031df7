//! The course of terms in one order of what happens: which day ends the current one, and what follows it.
//!
//! A term ends on a date that is recorded, or on a day counted from one: the first day in force, or the day after a
//! recorded end. Neither an entry into force that is merely presupposed nor one that a source asserts counts: its day is
//! not recorded.

use partnership_registry::v1::AgreementRenewal;
use smallvec::SmallVec;

use super::days::Derived;
use super::places::{Places, ToCome};
use super::record::{Item, NO_EVENT, Term, What};

/// When the current term is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    /// Of a date that is recorded: the renewal that says it, or [`NO_EVENT`] for the agreement's term itself. It is an
    /// item like others.
    pub(super) date: Option<u32>,
    /// The item that it is counted from.
    pub(super) from: usize,
    /// The first day after it.
    pub(super) day: Derived,
}

/// How the terms have gone so far.
#[derive(Debug, Clone)]
pub(super) struct Course {
    end: Option<End>,
    /// A notice for the current term would be too late.
    closed: bool,
    /// A term of a length that nobody knows has begun.
    open: bool,
    /// The notices for the current term.
    notices: SmallVec<[u32; 2]>,
    /// The notices that came too late for it.
    late: SmallVec<[u32; 2]>,
    /// The dates that have passed, and those for which a notice would be too late.
    passed: SmallVec<[u32; 2]>,
    passed_deadlines: SmallVec<[u32; 2]>,
    /// It has entered into force, and not ended since.
    running: bool,
    ended: bool,
    renewals: i32,
}

/// What the course of terms is worked out from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) items: &'a [Item],
    /// Which of the items have happened, or never will.
    pub(super) done: &'a [bool],
    pub(super) term: &'a Term,
    pub(super) places: &'a Places,
    /// If there is one order, in which the items stand: what of it is still to come.
    pub(super) to_come: Option<ToCome>,
}

impl Plan<'_> {
    /// The first day on which a notice that is to come may be given.
    fn first_notice(&self) -> Option<i32> {
        let place = self.to_come.map(|to_come| to_come.notice);
        self.first_to_come(place, |what| what == What::NonRenewal)
    }

    /// The first day on which there may be a notice or a renewal that is to come.
    fn first_change(&self) -> Option<i32> {
        let place = self.to_come.map(|to_come| to_come.change);
        self.first_to_come(place, |what| matches!(what, What::NonRenewal | What::Renewal { .. }))
    }

    fn first_to_come(&self, place: Option<usize>, is: impl Fn(What) -> bool) -> Option<i32> {
        if let Some(place) = place {
            return self.items.get(place).map(|item| item.effect().first);
        }
        let to_come = self.items.iter().zip(self.done).filter(|(item, done)| !**done && is(item.what));
        to_come.map(|(item, _)| item.effect().first).min()
    }
}

impl Course {
    pub(super) fn of(items: &[Item]) -> Course {
        let of_agreement = |item: &Item| item.what == What::TermDate && item.event == NO_EVENT;
        let end = items.iter().position(of_agreement);
        Course {
            end: end.map(|from| End { date: Some(NO_EVENT), from, day: Derived { plus: 1, ..Derived::SAME } }),
            closed: false,
            open: false,
            notices: SmallVec::new(),
            late: SmallVec::new(),
            passed: SmallVec::new(),
            passed_deadlines: SmallVec::new(),
            running: false,
            ended: false,
            renewals: 0,
        }
    }

    /// The end of the current term that is no recorded date, if anything follows from it.
    pub(super) fn counted_end(&self) -> Option<&End> {
        self.end.as_ref().filter(|end| end.date.is_none())
    }

    /// From which day on a notice for a counted term is too late, if notices are still to come.
    pub(super) fn deadline(&self, plan: &Plan<'_>) -> Option<(usize, Derived)> {
        let end = self.counted_end().filter(|_| plan.term.heeds_notices() && !self.closed)?;
        plan.first_notice()?;
        Some((end.from, deadline_of(end, plan.term)))
    }

    /// Takes what happens. Answers what it comes to: the end of a term may be that of the last one, and a date that has
    /// nothing to do with the current term is nothing but over.
    pub(super) fn take(&mut self, place: usize, item: &Item, plan: &Plan<'_>) -> What {
        match item.what {
            What::Entry | What::OwnEntry { counts: true } => self.enter(place, plan),
            What::End { .. } => self.finish(),
            What::NonRenewal => {
                let among = if self.closed { &mut self.late } else { &mut self.notices };
                among.push(item.event);
            }
            What::Revocation(event) => {
                self.notices.retain(|notice| *notice != event);
                self.late.retain(|notice| *notice != event);
            }
            What::Renewal { dated } => return self.renew(item, dated, plan),
            What::DeadlineDate => {
                self.passed_deadlines.push(item.event);
                self.closed |= self.end.is_some_and(|end| end.date == Some(item.event));
            }
            What::Deadline => self.closed = true,
            What::TermDate => {
                self.passed.push(item.event);
                if self.end.is_some_and(|end| end.date == Some(item.event)) {
                    return self.over(plan);
                }
                return What::TermOver;
            }
            What::TermOver | What::Expiry => return self.over(plan),
            What::Negotiation
            | What::Adoption
            | What::Signature
            | What::Provisional
            | What::ProvisionalEnd
            | What::Suspension
            | What::Resumption
            | What::Abandonment
            | What::Asserted(_)
            | What::Consent { .. }
            | What::OtherConsent
            | What::OwnEntry { counts: false }
            | What::OwnEnd(_)
            | What::OwnSuspension
            | What::OwnResumption => {}
        }
        item.what
    }

    /// Whether the last notice came too late for the current term, and is this one.
    pub(super) fn is_late(&self, notice: u32) -> bool {
        self.late.last() == Some(&notice)
    }

    /// Whether it may end on any day from now on: it is renewed for a time that nobody knows, and not for ever.
    pub(super) fn is_open(&self, term: &Term) -> bool {
        let for_ever = term.renewal == AgreementRenewal::Automatic && term.renewals_max == 0 && self.notices.is_empty();
        self.open && !for_ever
    }

    fn enter(&mut self, place: usize, plan: &Plan<'_>) {
        if self.running {
            return;
        }
        (self.running, self.ended, self.renewals) = (true, false, 0);
        if self.end.is_some() {
            return;
        }
        let dated = plan.places.date(NO_EVENT).filter(|_| !self.passed.contains(&NO_EVENT));
        if let Some(from) = dated {
            self.set(End { date: Some(NO_EVENT), from, day: Derived { plus: 1, ..Derived::SAME } });
        } else if let Some(length) = plan.term.length {
            let end = End { date: None, from: place, day: Derived { length, ..Derived::SAME } };
            self.count(end, Derived::SAME, plan);
        }
    }

    fn renew(&mut self, item: &Item, dated: bool, plan: &Plan<'_>) -> What {
        if self.ended {
            return item.what;
        }
        if dated {
            let Some(from) = plan.places.date(item.event) else { return item.what };
            self.forget_notices();
            self.set(End { date: Some(item.event), from, day: Derived { plus: 1, ..Derived::SAME } });
            if self.passed.contains(&item.event) {
                return self.over(plan);
            }
        } else if let Some(end) = self.end {
            self.forget_notices();
            self.follow(end, plan);
        }
        item.what
    }

    /// The current term is over.
    fn over(&mut self, plan: &Plan<'_>) -> What {
        let Some(end) = self.end else { return What::TermOver };
        let renewed = match plan.term.renewal {
            AgreementRenewal::Unspecified | AgreementRenewal::None | AgreementRenewal::ByConsent => false,
            AgreementRenewal::Automatic => plan.term.renewals_max == 0 || self.renewals < plan.term.renewals_max,
            AgreementRenewal::Indefinitely => true,
        };
        if !renewed || !self.notices.is_empty() {
            self.finish();
            return What::Expiry;
        }
        self.notices = std::mem::take(&mut self.late);
        if plan.term.renewal == AgreementRenewal::Indefinitely {
            self.end = None;
            return What::TermOver;
        }
        self.renewals += 1;
        self.follow(end, plan);
        What::TermOver
    }

    /// Another term follows the one that ended, or that was to end.
    fn follow(&mut self, end: End, plan: &Plan<'_>) {
        let Some(length) = plan.term.renewed else {
            (self.end, self.open) = (None, true);
            return;
        };
        let day = Derived { length: end.day.length.and(length, 1), ..end.day };
        self.count(End { date: None, day, ..end }, end.day, plan);
    }

    /// Takes a counted end as that of the current term, which began on a day, or that of a later one if nothing can happen
    /// to those before.
    fn count(&mut self, end: End, began: Derived, plan: &Plan<'_>) {
        self.set(end);
        let mut began = began;
        let (Some(from), Some(length)) = (plan.items.get(end.from), plan.term.renewed) else { return };
        if plan.term.renewal == AgreementRenewal::Automatic && self.notices.is_empty() {
            let most = plan.term.renewals_max;
            let left = if most == 0 { i32::MAX } else { most.saturating_sub(self.renewals).max(0) };
            let first = plan.first_change();
            if first.is_none() && most == 0 {
                self.end = None;
                return;
            }
            // Until the first of what may come nothing can happen.
            let times = first.map_or(i64::from(left), |first| {
                let between = i64::from(first).saturating_sub(i64::from(end.day.of(from.days.last)));
                between / length.days_max().max(1) - 1
            });
            let times = left.min(i32::try_from(times.max(0)).unwrap_or(i32::MAX));
            if times > 0 {
                let day = |times| Derived { length: end.day.length.and(length, times), ..end.day };
                self.renewals = self.renewals.saturating_add(times);
                self.end = Some(End { day: day(times), ..end });
                began = day(times - 1);
            }
        }
        // A notice that is longer than the term comes too late from its first day on.
        let deadline = self.end.map(|end| deadline_of(&end, plan.term).of(from.days.first));
        self.closed = deadline.is_some_and(|deadline| deadline <= began.of(from.days.first));
    }

    fn set(&mut self, end: End) {
        (self.end, self.open) = (Some(end), false);
        self.closed = end.date.is_some_and(|date| self.passed_deadlines.contains(&date));
    }

    fn forget_notices(&mut self) {
        self.notices.clear();
        self.late.clear();
    }

    fn finish(&mut self) {
        (self.running, self.ended, self.end, self.open, self.closed) = (false, true, None, false, false);
        self.forget_notices();
    }
}

/// From which day on a notice for a term is too late.
fn deadline_of(end: &End, term: &Term) -> Derived {
    Derived { notice: Some(term.notice.unwrap_or_default()), ..end.day }
}
