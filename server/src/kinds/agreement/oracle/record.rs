//! Random agreements, as the contract has them and as a world takes them.

use partnership_registry::v1::{
    Agreement, AgreementAssertedStatus, AgreementEvent, AgreementEventType as Type, AgreementEventVoiding,
    AgreementParty, AgreementPartyRole, AgreementPeriod, AgreementRenewal, AgreementScope, AgreementState as State,
    AgreementTerm, AgreementTerminationGround as Ground, PartialDate,
};

use super::Dice;
use crate::time::Day;
use crate::values::partial_date::{day_numbers, of_day};

/// 2000-01-01.
pub(super) const START: i32 = 10_957;
/// All dates but the ends of terms lie within so many days.
const SPAN: u64 = 1_200;
/// What nobody knows the date of is not before this day.
pub(super) const FIRST_DAY: i32 = START - 3;
/// Worlds are gone through up to this day; automatic renewals have no last one.
pub(super) const LAST_DAY: i32 = START + 6_000;
/// On this day all was recorded.
const RECORDED: i32 = START + 1_300;

/// An event of a world.
pub(super) struct Event {
    pub(super) kind: Type,
    pub(super) place: usize,
    /// The parties, by their places. `None`: all.
    pub(super) whose: Option<Vec<usize>>,
    /// Which of the dates its effect follows from.
    pub(super) date: usize,
    /// That date is of the act.
    pub(super) by_act: bool,
    pub(super) term_end: Option<usize>,
    pub(super) revokes: Option<usize>,
    pub(super) succeeded: Option<usize>,
    pub(super) superseded: bool,
}

impl Event {
    pub(super) fn new(kind: Type, place: usize, whose: Option<Vec<usize>>, date: usize) -> Event {
        Event {
            kind,
            place,
            whose,
            date,
            by_act: false,
            term_end: None,
            revokes: None,
            succeeded: None,
            superseded: false,
        }
    }

    pub(super) fn names(&self, party: usize) -> bool {
        self.whose.as_ref().is_some_and(|parties| parties.contains(&party))
    }

    pub(super) fn is_of(&self, party: usize, contracting: bool) -> bool {
        self.whose.as_ref().map_or(contracting, |parties| parties.contains(&party))
    }
}

/// An event that is not recorded.
pub(super) struct Unrecorded {
    pub(super) event: Event,
    /// The places of what presupposes it.
    pub(super) before: Vec<usize>,
    /// It may as well not have happened.
    pub(super) or_never: bool,
}

/// These stand for what is not recorded and has effect only where there is something to have effect on: that a party comes to
/// be bound by what is in force, that one that is bound leaves, and that what is in force ends.
pub(super) const BOUND: Type = Type::Notification;
pub(super) const LEFT: Type = Type::Objection;
pub(super) const ENDED: Type = Type::Correction;

/// An agreement, and all that a world needs of it.
pub(super) struct Made {
    pub(super) agreement: Agreement,
    pub(super) events: Vec<Event>,
    pub(super) contracting: Vec<bool>,
    pub(super) bilateral: bool,
    /// The days that each date may be.
    pub(super) dates: Vec<(i32, i32)>,
    /// How many of them are not certain.
    pub(super) uncertain: usize,
    pub(super) worlds_max: u64,
    pub(super) expiry: Option<usize>,
    pub(super) asserted: Option<(State, usize)>,
    pub(super) length: Option<AgreementPeriod>,
    pub(super) renewal_length: Option<AgreementPeriod>,
    pub(super) renewal: AgreementRenewal,
    pub(super) renewals_max: i32,
    pub(super) renewal_notice: Option<AgreementPeriod>,
    pub(super) denunciation_notice: Option<AgreementPeriod>,
    /// Nothing is presupposed that is not recorded.
    pub(super) recorded_whole: bool,
    pub(super) unrecorded: Vec<Unrecorded>,
    /// Nothing is asked for from this day on.
    pub(super) last_day: i32,
}

impl Made {
    /// An agreement of events alone, between two sides if it is between two parties.
    pub(super) fn of(
        agreement: Agreement,
        events: Vec<Event>,
        contracting: Vec<bool>,
        dates: Vec<(i32, i32)>,
        uncertain: usize,
    ) -> Made {
        Made {
            recorded_whole: is_whole(&events),
            agreement,
            events,
            bilateral: contracting.len() == 2,
            contracting,
            dates,
            uncertain,
            worlds_max: u64::MAX,
            expiry: None,
            asserted: None,
            renewal: AgreementRenewal::Unspecified,
            length: None,
            renewal_length: None,
            renewals_max: 0,
            renewal_notice: None,
            denunciation_notice: None,
            unrecorded: Vec::new(),
            last_day: LAST_DAY,
        }
    }

    /// The last day on which something that is recorded may have happened.
    pub(super) fn last_recorded(&self) -> i32 {
        self.events.iter().map(|event| self.dates[event.date].1).max().unwrap_or(i32::MAX)
    }

    pub(super) fn is_end(&self, event: &Event) -> bool {
        let leaves = matches!(event.kind, Type::Denunciation | Type::Withdrawal);
        let of_contracting = || event.whose.as_ref().is_none_or(|all| all.iter().any(|party| self.contracting[*party]));
        event.kind == Type::Termination || (leaves && self.bilateral && of_contracting())
    }

    pub(super) fn is_own_end(&self, event: &Event, party: usize) -> bool {
        let leaves = matches!(event.kind, Type::Denunciation | Type::Withdrawal | Type::Expulsion);
        (leaves && !self.is_end(event) && event.names(party)) || event.succeeded == Some(party)
    }

    /// For a failure that can be read.
    pub(super) fn described(&self) -> String {
        let mut lines = vec![format!(
            "{:?}, contracting {:?}, bilateral {}, incomplete {}; term {:?}; asserted {:?}",
            self.agreement.scope(),
            self.contracting,
            self.bilateral,
            self.agreement.events_incomplete,
            self.agreement.term,
            self.agreement.asserted_status,
        )];
        for (event, at) in self.agreement.events.iter().zip(0..) {
            let date = |date: &Option<PartialDate>| date.as_ref().map(ToString::to_string).unwrap_or_default();
            let more = [&event.revoked_event_id, &event.succeeded_party_id].map(String::as_str).join("");
            lines.push(format!(
                "  e{at} {:?} {:?} act {} effect {} until {} {more}{}",
                event.r#type(),
                event.party_ids,
                date(&event.act_date),
                date(&event.effect_date),
                date(&event.term_end_date),
                if event.voided.is_some() { " VOIDED" } else { "" },
            ));
        }
        for Unrecorded { event, before, or_never } in &self.unrecorded {
            let never = if *or_never { ", or never" } else { "" };
            lines.push(format!("  unrecorded {:?} {:?} before {before:?}{never}", event.kind, event.whose));
        }
        lines.join("\n")
    }
}

pub(super) struct Maker<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) wire: Vec<AgreementEvent>,
    pub(super) events: Vec<Event>,
    pub(super) dates: Vec<(i32, i32)>,
    pub(super) uncertain: usize,
    /// How many dates may be uncertain.
    uncertain_max: usize,
    /// What nobody knows the date of makes no difference before all that is known.
    may_be_unknown: bool,
}

impl Maker<'_> {
    pub(super) fn new(dice: &mut Dice, uncertain_max: usize) -> Maker<'_> {
        Maker {
            dice,
            wire: Vec::new(),
            events: Vec::new(),
            dates: Vec::new(),
            uncertain: 0,
            uncertain_max,
            may_be_unknown: true,
        }
    }

    pub(super) fn day(&mut self, from: i32, span: u64) -> PartialDate {
        of_day(Day(from + i32::try_from(self.dice.roll(span)).unwrap())).unwrap()
    }

    fn date(&mut self, from: i32, span: u64, may_be_unknown: bool) -> PartialDate {
        let day = self.day(from, span);
        if self.uncertain >= self.uncertain_max || !self.dice.chance(45) {
            return day;
        }
        match self.dice.roll(12) {
            0..5 => PartialDate { day: 0, ..day },
            5..8 => PartialDate { approximate: true, ..day },
            8 => PartialDate { uncertain: true, day: 0, ..day },
            9 | 10 => PartialDate { month: 0, day: 0, ..day },
            _ if may_be_unknown => PartialDate::unknown(),
            _ => PartialDate { approximate: true, uncertain: true, ..day },
        }
    }

    /// A date is one of the world: its place there. What nobody knows was before all that is known, or up to the day of its
    /// recording.
    fn days_of(&mut self, date: &PartialDate, recorded: i32) -> usize {
        let days = day_numbers(date).unwrap_or((FIRST_DAY, recorded));
        self.uncertain += usize::from(days.0 != days.1);
        self.dates.push(days);
        self.dates.len() - 1
    }

    /// An event on a random day.
    fn add(&mut self, kind: Type, whose: Option<Vec<usize>>) {
        let may_be_unknown = self.may_be_unknown && kind != Type::NonRenewal;
        let date = self.date(START, SPAN, may_be_unknown);
        let term_end = (kind == Type::Renewal).then(|| self.date(START + 1_300, 900, false));
        self.add_on(kind, whose, date, term_end, RECORDED);
    }

    pub(super) fn add_on(
        &mut self,
        kind: Type,
        whose: Option<Vec<usize>>,
        date: PartialDate,
        term_end: Option<PartialDate>,
        recorded: i32,
    ) {
        let place = self.events.len();
        let at = self.days_of(&date, recorded);
        // That of the effect is not bounded by the day of its recording.
        let by_act = date.unknown || self.dice.chance(60) || kind == Type::NonRenewal;
        let mut event = AgreementEvent {
            event_id: format!("e{place}"),
            r#type: kind.into(),
            party_ids: whose.iter().flatten().map(|party| id(*party)).collect(),
            record_date: of_day(Day(recorded)),
            ..AgreementEvent::default()
        };
        if by_act {
            event.act_date = Some(date)
        } else {
            event.effect_date = Some(date);
            // The day of the act then makes no difference.
            event.act_date = self.dice.chance(40).then(|| self.day(START, SPAN));
        }
        let superseded = kind == Type::Termination && self.dice.chance(30);
        if kind == Type::Termination {
            event.set_ground(if superseded { Ground::LaterAgreement } else { Ground::Consent });
        }
        let end = term_end.as_ref().map(|date| self.days_of(date, recorded));
        event.term_end_date = term_end;
        self.events.push(Event { by_act, term_end: end, superseded, ..Event::new(kind, place, whose, at) });
        self.wire.push(event);
    }

    /// The last event revokes another one.
    fn revokes(&mut self, place: usize) {
        if let (Some(event), Some(wire)) = (self.events.last_mut(), self.wire.last_mut()) {
            event.revokes = Some(place);
            wire.revoked_event_id = format!("e{place}");
        }
    }

    /// The last event says whom the party succeeds.
    fn succeeds(&mut self, party: usize) {
        if let (Some(event), Some(wire)) = (self.events.last_mut(), self.wire.last_mut()) {
            event.succeeded = Some(party);
            wire.succeeded_party_id = id(party);
        }
    }

    fn period(&mut self) -> AgreementPeriod {
        match self.dice.roll(4) {
            0 => {
                AgreementPeriod { months: 1 + i32::try_from(self.dice.roll(8)).unwrap(), ..AgreementPeriod::default() }
            }
            1 => {
                AgreementPeriod { days: 20 + i32::try_from(self.dice.roll(200)).unwrap(), ..AgreementPeriod::default() }
            }
            2 => AgreementPeriod { months: 2, days: 3, ..AgreementPeriod::default() },
            _ => AgreementPeriod { years: 1, ..AgreementPeriod::default() },
        }
    }
}

const KINDS: [Type; 22] = [
    Type::Negotiation,
    Type::Adoption,
    Type::Signature,
    Type::Signature,
    Type::DefinitiveSignature,
    Type::Ratification,
    Type::Ratification,
    Type::Accession,
    Type::Succession,
    Type::ProvisionalApplication,
    Type::ProvisionalApplicationEnd,
    Type::EntryIntoForce,
    Type::EntryIntoForce,
    Type::Suspension,
    Type::Resumption,
    Type::NonRenewal,
    Type::Renewal,
    Type::Denunciation,
    Type::Expulsion,
    Type::Termination,
    Type::Abandonment,
    Type::Revocation,
];

/// A random agreement.
pub(super) fn make(dice: &mut Dice) -> Made {
    let count = 2 + usize::try_from(dice.roll(2)).unwrap();
    let contracting: Vec<bool> = (0..count).map(|party| party < 2 || dice.chance(80)).collect();
    let scope = dice.among(&[AgreementScope::Unspecified, AgreementScope::Bilateral, AgreementScope::Multilateral]);
    let (worlds_max, uncertain_max) = match dice.roll(400) {
        0 => (super::WORLDS_MAX, 3),
        1..80 => (400, 6),
        80..120 => (2_000, 3),
        _ => (200, 3),
    };
    let mut maker = Maker::new(dice, uncertain_max);
    let mut kinds: Vec<Type> = (0..=maker.dice.roll(6)).map(|_| maker.dice.among(&KINDS)).collect();
    let with_term = maker.dice.chance(40);
    // What something presupposes is recorded, so that nothing rests on an absence.
    let presupposes = |kind: &Type| {
        matches!(
            kind,
            Type::Termination
                | Type::Denunciation
                | Type::Expulsion
                | Type::Suspension
                | Type::Resumption
                | Type::NonRenewal
                | Type::Renewal
        )
    };
    let mut needs = Vec::new();
    if kinds.iter().any(presupposes) || with_term {
        needs.push(Type::EntryIntoForce);
    }
    kinds.splice(0..0, needs.iter().copied());

    maker.may_be_unknown = !with_term;
    let mut revocable: Vec<usize> = Vec::new();
    for kind in kinds {
        let party = usize::try_from(maker.dice.roll(count as u64)).unwrap();
        let other = (party + 1) % count;
        let both = count > 2 && maker.dice.chance(20);
        let named = || Some(if both { vec![party, other] } else { vec![party] });
        match kind {
            Type::Revocation => {
                let Some(revoked) = revocable.pop() else { continue };
                maker.add(kind, None);
                maker.revokes(revoked);
            }
            Type::Succession => {
                maker.add(kind, Some(vec![party]));
                if maker.dice.chance(60) {
                    maker.succeeds(other);
                }
            }
            Type::Accession => maker.add(kind, named()),
            Type::Denunciation | Type::Expulsion => {
                // Whoever leaves has joined by an act that is recorded.
                maker.add(Type::Ratification, named());
                let kind = if kind == Type::Denunciation && maker.dice.chance(50) { Type::Withdrawal } else { kind };
                if kind != Type::Expulsion {
                    revocable.push(maker.events.len());
                }
                maker.add(kind, named());
            }
            Type::Resumption | Type::ProvisionalApplicationEnd => {
                let begins = if kind == Type::Resumption { Type::Suspension } else { Type::ProvisionalApplication };
                let whose = if maker.dice.chance(50) { named() } else { None };
                maker.add(begins, whose.clone());
                maker.add(kind, whose);
            }
            Type::NonRenewal => {
                revocable.push(maker.events.len());
                maker.add(kind, named());
            }
            Type::Negotiation | Type::Adoption | Type::Renewal | Type::Termination | Type::Abandonment => {
                maker.add(kind, None);
            }
            _ => {
                let whose = if maker.dice.chance(50) { named() } else { None };
                maker.add(kind, whose);
            }
        }
    }
    if maker.dice.chance(10)
        && let Some(last) = maker.events.pop()
    {
        // It does not count; its date is no date of the world.
        maker.wire[last.place].voided = Some(AgreementEventVoiding::default());
        for date in std::iter::once(last.date).chain(last.term_end) {
            let (first, last) = maker.dates[date];
            maker.uncertain -= usize::from(first != last);
            maker.dates[date] = (first, first);
        }
    }
    let mut term = None;
    let mut expiry = None;
    if with_term {
        let renewal = maker.dice.among(&[
            AgreementRenewal::Unspecified,
            AgreementRenewal::None,
            AgreementRenewal::Automatic,
            AgreementRenewal::Automatic,
            AgreementRenewal::ByConsent,
            AgreementRenewal::Indefinitely,
        ]);
        let mut made = AgreementTerm { length: Some(maker.period()), ..AgreementTerm::default() };
        made.set_renewal(renewal);
        if maker.dice.chance(30) {
            let date = maker.date(START + 1_300, 900, false);
            expiry = Some(maker.days_of(&date, RECORDED));
            made.expiry_date = Some(date);
        }
        if renewal == AgreementRenewal::Automatic {
            made.renewal_length = maker.dice.chance(50).then(|| maker.period());
            made.renewals_max = i32::try_from(maker.dice.roll(4)).unwrap();
        }
        made.renewal_notice = maker.dice.chance(50).then(|| maker.period());
        term = Some(made);
    }
    let denunciation_notice = maker.dice.chance(30).then(|| maker.period());
    if let Some(notice) = &denunciation_notice {
        term.get_or_insert_default().denunciation_notice = Some(*notice);
    }
    let mut asserted = None;
    let mut asserted_status = None;
    if !with_term && maker.dice.chance(15) {
        let entered = maker.events.iter().any(|event| event.kind == Type::EntryIntoForce);
        let states = [State::Negotiating, State::Signed, State::InForce];
        let ends = [State::Terminated, State::Suspended, State::Superseded];
        let state = if entered && maker.dice.chance(50) { maker.dice.among(&ends) } else { maker.dice.among(&states) };
        let since = maker.date(START, SPAN, false);
        asserted = Some((state, maker.days_of(&since, RECORDED)));
        asserted_status =
            Some(AgreementAssertedStatus { state: state.into(), since: Some(since), source: String::new() });
    }
    let Maker { wire, events, dates, uncertain, .. } = maker;
    let agreement = Agreement {
        scope: scope.into(),
        parties: parties(&contracting),
        events: wire,
        term: term.clone(),
        asserted_status,
        ..Agreement::default()
    };
    let recorded_whole = is_whole(&events);
    let sides = sides(&contracting, &events);
    let of_term = term.unwrap_or_default();
    Made {
        agreement,
        events,
        bilateral: scope == AgreementScope::Bilateral || (scope == AgreementScope::Unspecified && sides <= 2),
        contracting,
        dates,
        uncertain,
        worlds_max,
        expiry,
        asserted,
        renewal: of_term.renewal(),
        length: of_term.length,
        renewal_length: of_term.renewal_length,
        renewals_max: of_term.renewals_max,
        renewal_notice: of_term.renewal_notice,
        denunciation_notice,
        recorded_whole,
        unrecorded: Vec::new(),
        last_day: LAST_DAY,
    }
}

fn id(party: usize) -> String {
    format!("p{party}")
}

pub(super) fn parties(contracting: &[bool]) -> Vec<AgreementParty> {
    let party = |(place, contracting): (usize, &bool)| AgreementParty {
        party_id: id(place),
        country: format!("countries/c{place}"),
        role: if *contracting { 0 } else { AgreementPartyRole::Witness.into() },
        ..AgreementParty::default()
    };
    contracting.iter().enumerate().map(party).collect()
}

/// A treaty between two of which `certain` dates are known and lie close together, and three nobody knows.
pub(super) fn make_crowded(dice: &mut Dice, certain: usize) -> Made {
    const CERTAIN: [Type; 3] = [Type::Suspension, Type::Resumption, Type::Renewal];
    const UNKNOWN: [Type; 6] = [
        Type::Suspension,
        Type::Resumption,
        Type::Termination,
        Type::EntryIntoForce,
        Type::ProvisionalApplication,
        Type::Signature,
    ];
    let mut maker = Maker::new(dice, 3);
    let recorded = START + 2 * i32::try_from(certain).unwrap() + 3;
    let with_end = maker.dice.chance(50);
    for at in 0..certain {
        let kind = match at {
            0 => Type::EntryIntoForce,
            _ if with_end && at + 1 == certain => Type::Termination,
            _ => maker.dice.among(&CERTAIN),
        };
        let date = of_day(Day(START + 2 * i32::try_from(at).unwrap())).unwrap();
        let term_end = (kind == Type::Renewal).then(|| maker.day(START + 1_300, 900));
        maker.add_on(kind, None, date, term_end, recorded);
    }
    for _ in 0..3 {
        let kind = maker.dice.among(&UNKNOWN);
        maker.add_on(kind, None, PartialDate::unknown(), None, recorded);
    }
    let Maker { wire, events, dates, uncertain, .. } = maker;
    let contracting = vec![true, true];
    let agreement = Agreement { parties: parties(&contracting), events: wire, ..Agreement::default() };
    Made::of(agreement, events, contracting, dates, uncertain)
}

/// Whether nothing that counts presupposes what is not recorded.
pub(super) fn is_whole(events: &[Event]) -> bool {
    let has = |is: &dyn Fn(&Event) -> bool| events.iter().any(is);
    let entry = has(&|event| event.kind == Type::EntryIntoForce);
    events.iter().all(|event| match event.kind {
        Type::Termination
        | Type::Denunciation
        | Type::Withdrawal
        | Type::Expulsion
        | Type::NonRenewal
        | Type::Renewal => entry,
        Type::Suspension => entry,
        Type::Resumption => entry && has(&|other| other.kind == Type::Suspension && other.whose == event.whose),
        _ => true,
    })
}

/// How many sides there are: one that succeeds another is on its side.
fn sides(contracting: &[bool], events: &[Event]) -> usize {
    let mut side: Vec<usize> = (0..contracting.len()).collect();
    for event in events {
        if let (Some(succeeded), Some(successors)) = (event.succeeded, &event.whose) {
            for successor in successors {
                let (from, to) = (side[*successor], side[succeeded]);
                side.iter_mut().filter(|side| **side == from).for_each(|side| *side = to);
            }
        }
    }
    let mut of_contracting: Vec<_> =
        side.iter().zip(contracting).filter(|(_, contracting)| **contracting).map(|(side, _)| *side).collect();
    of_contracting.sort_unstable();
    of_contracting.dedup();
    of_contracting.len()
}
