//! One world: every date is one day. What an agreement and its parties are, from day to day, event by event.

use jiff::Span;
use jiff::civil::Date;
use partnership_registry::v1::{AgreementEventType as Type, AgreementPeriod};
use partnership_registry::v1::{AgreementPartyStatus, AgreementRenewal, AgreementState as State, Truth};

use super::record::{BOUND, ENDED, Event, LAST_DAY, LEFT, Made, Unrecorded};

/// How a party stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Told {
    signed: bool,
    consented: bool,
    bound: bool,
    in_force: bool,
    applies: bool,
    ended: bool,
}

impl Told {
    const COUNT: usize = 6;

    fn bits(self) -> u64 {
        let all = [self.signed, self.consented, self.bound, self.in_force, self.applies, self.ended];
        all.iter().enumerate().map(|(at, so)| u64::from(*so) << at).sum()
    }

    /// What is told of a party, in the same order.
    pub(super) fn of(status: &AgreementPartyStatus) -> [(&'static str, Truth); Self::COUNT] {
        [
            ("signed", status.signed()),
            ("consented", status.consented()),
            ("bound", status.bound()),
            ("in force", status.in_force()),
            ("provisionally applied", status.provisionally_applied()),
            ("ended", status.ended()),
        ]
    }
}

/// What was seen over worlds, as bits: the states, and for each of at most three parties what was so in some world and
/// what was not so in some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen(u64);

impl Seen {
    const STATES: usize = 12;
    const BOUND: usize = 2;

    fn of(state: State, parties: impl Iterator<Item = Told>) -> Seen {
        let mut seen = 1 << state as u32;
        for (place, told) in parties.enumerate() {
            let not_so = !told.bits() & ((1 << Told::COUNT) - 1);
            seen |= (told.bits() | not_so << Told::COUNT) << Self::place(place);
        }
        Seen(seen)
    }

    fn place(party: usize) -> usize {
        Self::STATES + 2 * Told::COUNT * party
    }

    pub(super) fn add(&mut self, other: Seen) {
        self.0 |= other.0;
    }

    /// A bit for each state.
    pub(super) fn states(self) -> u32 {
        u32::try_from(self.0 & ((1 << Self::STATES) - 1)).unwrap()
    }

    /// Whether something is so of a party: by its place in what is told.
    pub(super) fn truth(self, party: usize, what: usize) -> Truth {
        let bit = |at: usize| self.0 >> (Self::place(party) + at) & 1 == 1;
        match (bit(what), bit(Told::COUNT + what)) {
            (true, false) => Truth::True,
            (false, _) => Truth::False,
            (true, true) => Truth::Unknown,
        }
    }

    pub(super) fn bound(self, party: usize) -> Truth {
        self.truth(party, Self::BOUND)
    }
}

/// What becomes of an agreement in one world.
pub(super) struct Course {
    /// Each with the day from which on it is so.
    pub(super) steps: Vec<(i32, Seen)>,
    /// Nothing ends before it began.
    pub(super) in_order: bool,
    /// What is not recorded and presupposed comes before what presupposes it, and nobody leaves what is in force without having
    /// been bound by it.
    pub(super) possible: bool,
}

impl Course {
    pub(super) fn on(&self, day: i32) -> Seen {
        let after = self.steps.partition_point(|(from, _)| *from <= day);
        self.steps[after - 1].1
    }
}

/// The day that is some periods after another, each so many times over: the months of all, then the days of all.
fn moved(day: i32, periods: &[(Option<&AgreementPeriod>, i32)]) -> i32 {
    let date = Date::constant(1970, 1, 1).checked_add(Span::new().days(day)).unwrap();
    let sum = |of: fn(&AgreementPeriod) -> i32| -> i32 {
        periods.iter().filter_map(|(period, times)| Some(of((*period)?) * times)).sum()
    };
    let to = date.checked_add(Span::new().months(sum(|it| it.years * 12 + it.months)).days(sum(|it| it.days))).unwrap();
    i32::try_from(to.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24).unwrap()
}

/// The row of an event in the table.
fn row(kind: Type, named: bool) -> u32 {
    match kind {
        Type::Negotiation => 1,
        Type::Adoption => 2,
        Type::Signature | Type::DefinitiveSignature => 3,
        Type::ProvisionalApplication => 5,
        Type::ProvisionalApplicationEnd => 6,
        Type::EntryIntoForce => 7 + u32::from(named),
        Type::Suspension => 9,
        Type::Resumption => 10,
        Type::NonRenewal => 11,
        Type::Renewal => 12,
        Type::Denunciation | Type::Withdrawal => 14,
        Type::Expulsion => 15,
        Type::Revocation => 16,
        Type::Termination => 17,
        Type::Abandonment => 18,
        BOUND => 8,
        LEFT => 14,
        ENDED => 17,
        _ => 4,
    }
}

const EXPIRY_ROW: u32 = 13;

pub(super) fn is_consent(kind: Type) -> bool {
    row(kind, false) == 4 || kind == Type::DefinitiveSignature
}

fn before_force(state: State) -> bool {
    matches!(state, State::Draft | State::Negotiating | State::Adopted | State::Signed | State::ProvisionallyApplied)
}

fn ended(state: State) -> bool {
    matches!(state, State::Expired | State::Terminated | State::Superseded | State::Abandoned)
}

#[derive(Debug, Clone, Default)]
struct Party {
    contracting: bool,
    signed: bool,
    consented: bool,
    bound: bool,
    suspended: bool,
    applies: bool,
    /// What it applies provisionally has not been ended by an event of its own: it may be bound, or have left.
    applier: bool,
    ended: bool,
    left: bool,
}

impl Party {
    fn bind(&mut self) {
        if !self.bound {
            (self.bound, self.suspended, self.applies, self.ended, self.left) = (true, false, false, false, false);
        }
    }

    fn end(&mut self) {
        if self.bound {
            (self.bound, self.suspended, self.consented, self.ended) = (false, false, false, true);
        }
    }
}

/// The current term.
#[derive(Debug, Clone, Copy)]
struct Term {
    last_day: i32,
    /// It is counted from this day.
    from: i32,
    /// The first term is counted in.
    with_first: bool,
    /// So many renewals are.
    times: i32,
}

struct World<'a> {
    made: &'a Made,
    /// Each with its day, in their order.
    events: Vec<(i32, &'a Event)>,
    state: State,
    parties: Vec<Party>,
    term: Option<Term>,
    /// The last term is the one that ends on this day, or the next one.
    notices: Vec<usize>,
    late: Vec<usize>,
    renewals: i32,
    /// The last term is over, or the agreement was ended.
    over: bool,
    entered: bool,
    /// It has entered into force and not ended since, by events alone.
    running: bool,
    was_in_force: bool,
    possible: bool,
    steps: Vec<(i32, Seen)>,
}

/// What becomes of an agreement when its dates are these days.
pub(super) fn course(made: &Made, days: &[i32]) -> Course {
    let of = |event: &Event| match (event.kind, &made.denunciation_notice) {
        (Type::Denunciation | Type::Withdrawal, Some(notice)) if event.by_act => {
            moved(days[event.date], &[(Some(notice), 1)])
        }
        _ => days[event.date],
    };
    let key = |day: i32, event: &Event| (day, row(event.kind, event.whose.is_some()), event.place);
    let mut events: Vec<_> = made.events.iter().map(|event| (of(event), event)).collect();
    events.sort_by_key(|(day, event)| key(*day, event));
    // What is presupposed comes before all that presupposes it.
    let is_before = |Unrecorded { event, before, or_never }: &Unrecorded| {
        let never = *or_never && days[event.date] == made.dates[event.date].1;
        let presupposes = |(_, other): &&(i32, &Event)| before.contains(&other.place);
        let first = events.iter().find(presupposes);
        never || first.is_none_or(|(day, other)| key(days[event.date], event) < key(*day, other))
    };
    let possible = made.unrecorded.iter().all(is_before);
    let in_order = is_in_order(made, &events, made.expiry.map(|date| days[date]));
    events.extend(made.unrecorded.iter().map(|Unrecorded { event, .. }| (days[event.date], event)));
    events.sort_by_key(|(day, event)| key(*day, event));
    // A revocation that comes before the effect of what it takes back undoes it. That of a notice is seen to in the course.
    let undone: Vec<usize> = events
        .iter()
        .filter_map(|(day, event)| {
            let (taken_day, taken) = events.iter().find(|(_, other)| Some(other.place) == event.revokes)?;
            (taken.kind != Type::NonRenewal && key(*day, event) < key(*taken_day, taken)).then_some(taken.place)
        })
        .collect();
    let events = events.into_iter().filter(|(_, event)| !undone.contains(&event.place)).collect();
    let parties = made.contracting.iter().map(|contracting| Party { contracting: *contracting, ..Party::default() });
    let mut world = World {
        made,
        events,
        state: State::Draft,
        parties: parties.collect(),
        term: None,
        notices: Vec::new(),
        late: Vec::new(),
        renewals: 0,
        over: false,
        entered: false,
        running: false,
        was_in_force: false,
        possible,
        steps: Vec::new(),
    };
    world.go(days);
    Course { steps: world.steps, in_order, possible: world.possible }
}

/// Whether nothing that is recorded to have begun ends before that.
fn is_in_order(made: &Made, events: &[(i32, &Event)], expiry: Option<i32>) -> bool {
    let general = events.iter().any(|(_, event)| event.kind == Type::EntryIntoForce && event.whose.is_none());
    let revoked = |event: &Event| events.iter().any(|(_, other)| other.revokes == Some(event.place));
    let began = |at: usize, is: &dyn Fn(&Event) -> bool| {
        let mut found = events.iter().enumerate().filter(|(_, (_, event))| is(event)).peekable();
        found.peek().is_none() || found.any(|(place, _)| place < at)
    };
    let entry = |other: &Event| other.kind == Type::EntryIntoForce && (other.whose.is_none() || !general);
    if let Some(last_day) = expiry
        && !began(events.partition_point(|(day, _)| *day <= last_day + 1), &entry)
    {
        return false;
    }
    events.iter().enumerate().all(|(at, (_, event))| {
        let all_named = |is: &dyn Fn(usize) -> bool| event.whose.iter().flatten().all(|party| is(*party));
        let own = |party: usize| {
            began(at, &|other: &Event| {
                (other.kind == Type::EntryIntoForce && other.names(party))
                    || (is_consent(other.kind) && other.is_of(party, made.contracting[party]))
            })
        };
        match event.kind {
            _ if revoked(event) => true,
            Type::Termination => began(at, &entry),
            Type::Denunciation | Type::Withdrawal if made.is_end(event) => began(at, &entry) && all_named(&own),
            Type::Denunciation | Type::Withdrawal | Type::Expulsion => all_named(&own),
            Type::Resumption => match &event.whose {
                None => began(at, &|other: &Event| other.kind == Type::Suspension && other.whose.is_none()),
                Some(_) => {
                    all_named(&|party| began(at, &|other: &Event| other.kind == Type::Suspension && other.names(party)))
                }
            },
            Type::ProvisionalApplicationEnd => began(at, &|other: &Event| {
                let same = match (&event.whose, &other.whose) {
                    (Some(one), Some(other)) => one.iter().any(|party| other.contains(party)),
                    _ => true,
                };
                other.kind == Type::ProvisionalApplication && same
            }),
            _ => true,
        }
    })
}

impl World<'_> {
    fn go(&mut self, days: &[i32]) {
        self.tell(i32::MIN);
        // A recorded last day of the first term ends even what is only applied.
        let expiry = self.made.expiry.map(|date| days[date]);
        self.term = expiry.map(|last_day| Term { last_day, from: last_day + 1, with_first: false, times: 0 });
        let mut asserted = self.made.asserted.map(|(state, date)| (days[date], state));
        let (mut at, mut today) = (0, i32::MIN);
        loop {
            let event = self.events.get(at).copied();
            let key = event.map(|(day, event)| (day, row(event.kind, event.whose.is_some())));
            let over = self.term.map(|term| (term.last_day + 1, EXPIRY_ROW));
            let asserts = asserted.map(|(day, _)| (day, 20));
            let Some(next) = [key, over, asserts].into_iter().flatten().min() else { break };
            if next.0 > LAST_DAY {
                break;
            }
            if key == Some(next) {
                let (day, event) = event.unwrap();
                at += 1;
                self.take(day, event, at, days);
            } else if over == Some(next) {
                self.over();
            } else if let Some((_, state)) = asserted.take() {
                self.assert(state, at);
            }
            // A term that is renewed up to a day that has passed is over on the day of the renewal.
            today = today.max(next.0);
            self.tell(today);
        }
    }

    fn tell(&mut self, day: i32) {
        let told = |party: &Party| Told {
            signed: party.signed,
            consented: party.consented,
            bound: party.bound,
            in_force: party.bound && !party.suspended && self.state == State::InForce,
            applies: party.applies && !party.bound && !ended(self.state),
            ended: party.ended && !party.bound,
        };
        let seen = Seen::of(self.state, self.parties.iter().map(told));
        match self.steps.last_mut() {
            Some((last, told)) if *last == day => *told = seen,
            Some((_, told)) if *told == seen => {}
            _ => self.steps.push((day, seen)),
        }
    }

    fn whose(&self, event: &Event) -> Vec<usize> {
        match &event.whose {
            Some(parties) => parties.clone(),
            None => (0..self.parties.len()).filter(|party| self.parties[*party].contracting).collect(),
        }
    }

    fn is_to_come(&self, from: usize, is: impl Fn(&Event) -> bool) -> bool {
        self.events[from..].iter().any(|(_, event)| is(event))
    }

    /// An entry into force of the party itself comes, before it leaves.
    fn own_entry_to_come(&self, from: usize, party: usize) -> bool {
        for (_, event) in &self.events[from..] {
            if self.made.is_own_end(event, party) {
                return false;
            }
            if event.kind == Type::EntryIntoForce && event.names(party) {
                return true;
            }
        }
        false
    }

    fn take(&mut self, day: i32, event: &Event, next: usize, days: &[i32]) {
        let runs = matches!(self.state, State::InForce | State::Suspended);
        let general = self.made.events.iter().any(|other| other.kind == Type::EntryIntoForce && other.whose.is_none());
        for party in self.whose(event) {
            if matches!(event.kind, Type::Signature | Type::DefinitiveSignature) {
                self.parties[party].signed = true;
            }
        }
        match event.kind {
            Type::Negotiation if self.state == State::Draft => self.state = State::Negotiating,
            Type::Adoption if matches!(self.state, State::Draft | State::Negotiating) => self.state = State::Adopted,
            Type::Signature | Type::DefinitiveSignature
                if matches!(self.state, State::Draft | State::Negotiating | State::Adopted) =>
            {
                self.state = State::Signed;
            }
            Type::ProvisionalApplication => {
                for party in self.whose(event) {
                    let applies = !self.parties[party].bound && !ended(self.state);
                    (self.parties[party].applies, self.parties[party].applier) = (applies, true);
                }
                if before_force(self.state) {
                    self.state = State::ProvisionallyApplied;
                }
            }
            Type::ProvisionalApplicationEnd => {
                for party in self.whose(event) {
                    (self.parties[party].applies, self.parties[party].applier) = (false, false);
                }
                if self.state == State::ProvisionallyApplied && !self.parties.iter().any(|party| party.applier) {
                    self.state = State::Signed;
                }
            }
            BOUND if runs => self.whose(event).into_iter().for_each(|party| self.parties[party].bind()),
            LEFT => {
                let bound: Vec<_> = self.whose(event).into_iter().filter(|party| self.parties[*party].bound).collect();
                bound.into_iter().for_each(|party| self.leave(party));
            }
            ENDED if runs => self.end_all(State::Terminated, &[]),
            Type::EntryIntoForce if event.whose.is_none() => {
                self.state = State::InForce;
                self.begin_term(day, days);
                self.entered = true;
                self.enter(next, runs);
            }
            Type::EntryIntoForce => {
                if !general && !self.entered {
                    self.state = State::InForce;
                    self.begin_term(day, days);
                    (self.entered, self.was_in_force) = (true, true);
                }
                if !ended(self.state) {
                    self.whose(event).into_iter().for_each(|party| self.parties[party].bind());
                }
            }
            Type::Suspension if event.whose.is_none() && self.state == State::InForce => self.state = State::Suspended,
            Type::Resumption if event.whose.is_none() && self.state == State::Suspended => self.state = State::InForce,
            Type::Suspension if event.whose.is_some() => {
                for party in self.whose(event) {
                    self.parties[party].suspended |= self.parties[party].bound;
                }
            }
            Type::Resumption if event.whose.is_some() => {
                self.whose(event).into_iter().for_each(|party| self.parties[party].suspended = false);
            }
            Type::NonRenewal if self.heeds() => self.give_notice(day, event),
            Type::Renewal => self.renew(event, days),
            Type::Revocation => {
                let taken = event.revokes.unwrap();
                self.notices.retain(|notice| *notice != taken);
                self.late.retain(|notice| *notice != taken);
                // One that comes before the notice itself takes it back, too.
                self.events[next..].iter().position(|(_, other)| other.place == taken).into_iter().for_each(|at| {
                    self.events.remove(next + at);
                });
            }
            Type::Termination => {
                self.end_all(if event.superseded { State::Superseded } else { State::Terminated }, &[])
            }
            Type::Denunciation | Type::Withdrawal if self.made.is_end(event) => {
                self.end_all(State::Terminated, &event.whose.clone().unwrap_or_default());
            }
            Type::Denunciation | Type::Withdrawal | Type::Expulsion => {
                for party in self.whose(event) {
                    let supposed = |other: &Unrecorded| other.event.kind == BOUND && other.event.names(party);
                    self.possible &= !runs || self.parties[party].bound || !self.made.unrecorded.iter().any(supposed);
                    self.leave(party);
                }
            }
            Type::Abandonment if before_force(self.state) => {
                self.state = State::Abandoned;
                self.parties.iter_mut().for_each(Party::end);
            }
            kind if is_consent(kind) => {}
            _ => {}
        }
        if is_consent(event.kind) {
            let runs = matches!(self.state, State::InForce | State::Suspended);
            for party in self.whose(event) {
                let waits = self.own_entry_to_come(next, party);
                let party = &mut self.parties[party];
                (party.consented, party.left) = (true, false);
                if party.contracting && runs && !waits {
                    party.bind();
                }
            }
            if let Some(succeeded) = event.succeeded {
                self.leave(succeeded);
            }
        }
        if ended(self.state) {
            self.parties.iter_mut().for_each(|party| party.applies = false);
        }
    }

    fn leave(&mut self, party: usize) {
        let party = &mut self.parties[party];
        party.end();
        (party.consented, party.left, party.applies) = (false, true, false);
    }

    fn end_all(&mut self, state: State, leaving: &[usize]) {
        self.state = state;
        (self.term, self.over, self.running) = (None, true, false);
        self.notices.clear();
        self.late.clear();
        self.parties.iter_mut().for_each(Party::end);
        for party in leaving {
            (self.parties[*party].consented, self.parties[*party].left) = (false, true);
        }
    }

    /// It enters into force for all: whom does it bind?
    fn enter(&mut self, next: usize, ran: bool) {
        let first = !std::mem::replace(&mut self.was_in_force, true);
        let passed = &self.events[..next];
        let consented = |event: &Event| {
            is_consent(event.kind)
                && (0..self.parties.len())
                    .any(|party| self.parties[party].contracting && event.is_of(party, self.parties[party].contracting))
        };
        let asked = first && passed.iter().any(|(_, event)| consented(event));
        for place in 0..self.parties.len() {
            let party = &self.parties[place];
            if !party.contracting || party.bound || (ran && !party.consented) {
                continue;
            }
            let joins = self.is_to_come(next, |event| {
                (is_consent(event.kind) && event.is_of(place, true))
                    || (event.kind == Type::EntryIntoForce && event.names(place))
            });
            let succeeded = self.events[..next].iter().any(|(_, event)| event.succeeded == Some(place));
            let succeeds = self.is_to_come(next, |event| event.kind == Type::Succession && event.is_of(place, true));
            let binds = if self.made.bilateral {
                party.consented || (!succeeded && !succeeds)
            } else if self.own_entry_to_come(next, place) {
                false
            } else {
                party.consented || (!asked && !party.left && !joins)
            };
            if binds {
                self.parties[place].bind();
            }
        }
    }

    fn assert(&mut self, asserted: State, next: usize) {
        let rank = |state: State| match state {
            State::Unspecified | State::Draft => 0,
            State::Negotiating => 1,
            State::Adopted => 2,
            State::Signed => 3,
            State::ProvisionallyApplied => 4,
            State::InForce | State::Suspended => 5,
            State::Expired | State::Terminated | State::Superseded | State::Abandoned => 6,
        };
        let was = self.state;
        if ended(was) || rank(asserted) < rank(was) || (asserted == State::Abandoned && !before_force(was)) {
            return;
        }
        self.state = asserted;
        if rank(asserted) == 5 && rank(was) < 5 {
            self.enter(next, false);
        } else if rank(asserted) == 6 {
            self.parties.iter_mut().for_each(|party| {
                party.end();
                party.applies = false;
            });
        }
    }

    // ---- Terms ----

    fn heeds(&self) -> bool {
        matches!(self.made.renewal, AgreementRenewal::Automatic | AgreementRenewal::Indefinitely)
    }

    fn begin_term(&mut self, day: i32, days: &[i32]) {
        self.over = false;
        if std::mem::replace(&mut self.running, true) {
            return;
        }
        self.renewals = 0;
        if self.term.is_some() {
            return;
        }
        // A recorded end that is still to come counts again.
        if let Some(last_day) = self.made.expiry.map(|date| days[date]).filter(|last_day| day <= last_day + 1) {
            self.term = Some(Term { last_day, from: last_day + 1, with_first: false, times: 0 });
            return;
        }
        if let Some(length) = &self.made.length {
            let last_day = moved(day, &[(Some(length), 1)]) - 1;
            self.term = Some(Term { last_day, from: day, with_first: true, times: 0 });
        }
    }

    fn give_notice(&mut self, day: i32, event: &Event) {
        let in_time = self.term.is_none_or(|term| match &self.made.renewal_notice {
            None => day <= term.last_day,
            Some(notice) => day <= moved(term.last_day, &[(Some(notice), -1)]),
        });
        if in_time { self.notices.push(event.place) } else { self.late.push(event.place) }
    }

    fn renew(&mut self, event: &Event, days: &[i32]) {
        if self.over {
            return;
        }
        self.notices.clear();
        self.late.clear();
        let last_day = days[event.term_end.unwrap()];
        self.term = Some(Term { last_day, from: last_day + 1, with_first: false, times: 0 });
    }

    fn over(&mut self) {
        let term = self.term.unwrap();
        let renewed = match self.made.renewal {
            AgreementRenewal::Automatic => self.made.renewals_max == 0 || self.renewals < self.made.renewals_max,
            AgreementRenewal::Indefinitely => true,
            _ => false,
        };
        if !renewed || !self.notices.is_empty() {
            (self.term, self.over, self.running) = (None, true, false);
            self.notices.clear();
            self.late.clear();
            if matches!(self.state, State::InForce | State::Suspended | State::ProvisionallyApplied) {
                self.state = State::Expired;
                self.parties.iter_mut().for_each(|party| {
                    party.end();
                    party.applies = false;
                });
            }
            return;
        }
        self.notices = std::mem::take(&mut self.late);
        self.renewals += 1;
        let length = self.made.renewal_length.as_ref().or(self.made.length.as_ref());
        self.term = match (self.made.renewal, length) {
            (AgreementRenewal::Automatic, Some(length)) => {
                let (first, times) = (self.made.length.as_ref(), term.times + 1);
                let all = [(first.filter(|_| term.with_first), 1), (Some(length), times)];
                Some(Term { last_day: moved(term.from, &all) - 1, times, ..term })
            }
            _ => None,
        };
    }
}
