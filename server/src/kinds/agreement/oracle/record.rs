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
const START: i32 = 10_957;
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
    pub(super) fn names(&self, party: usize) -> bool {
        self.whose.as_ref().is_some_and(|parties| parties.contains(&party))
    }

    pub(super) fn is_of(&self, party: usize, contracting: bool) -> bool {
        self.whose.as_ref().map_or(contracting, |parties| parties.contains(&party))
    }
}

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
}

impl Made {
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
            "{:?}, contracting {:?}, bilateral {}; term {:?}; asserted {:?}",
            self.agreement.scope(),
            self.contracting,
            self.bilateral,
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
        lines.join("\n")
    }
}

struct Maker<'a> {
    dice: &'a mut Dice,
    dates: Vec<(i32, i32)>,
    uncertain: usize,
    /// How many dates may be uncertain.
    uncertain_max: usize,
}

impl Maker<'_> {
    /// A date, and its place among those of the world.
    fn date(&mut self, from: i32, span: u64, may_be_unknown: bool) -> (PartialDate, usize) {
        let day = of_day(Day(from + i32::try_from(self.dice.roll(span)).unwrap())).unwrap();
        let uncertain = self.uncertain < self.uncertain_max && self.dice.chance(45);
        let date = if !uncertain {
            day
        } else {
            match self.dice.roll(12) {
                0..5 => PartialDate { day: 0, ..day },
                5..8 => PartialDate { approximate: true, ..day },
                8 => PartialDate { uncertain: true, day: 0, ..day },
                9 | 10 => PartialDate { month: 0, day: 0, ..day },
                _ if may_be_unknown => PartialDate::unknown(),
                _ => PartialDate { approximate: true, uncertain: true, ..day },
            }
        };
        // What nobody knows was before all that is known, or up to the day of its recording.
        let days = day_numbers(&date).unwrap_or((FIRST_DAY, RECORDED));
        self.uncertain += usize::from(days.0 != days.1);
        self.dates.push(days);
        (date, self.dates.len() - 1)
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
    let mut maker = Maker { dice, dates: Vec::new(), uncertain: 0, uncertain_max };
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

    let (mut wire, mut events): (Vec<AgreementEvent>, Vec<Event>) = (Vec::new(), Vec::new());
    let id = |party: usize| format!("p{party}");
    let mut add = |maker: &mut Maker<'_>,
                   kind: Type,
                   whose: Option<Vec<usize>>,
                   succeeded: Option<usize>,
                   revokes: Option<usize>| {
        let place = wire.len();
        let may_be_unknown = !with_term && kind != Type::NonRenewal;
        let (date, at) = maker.date(START, SPAN, may_be_unknown);
        // That of the effect is not bounded by the day of its recording.
        let by_act = date.unknown || maker.dice.chance(60) || kind == Type::NonRenewal;
        let mut event = AgreementEvent {
            event_id: format!("e{place}"),
            r#type: kind.into(),
            party_ids: whose.iter().flatten().map(|party| id(*party)).collect(),
            record_date: of_day(Day(RECORDED)),
            ..AgreementEvent::default()
        };
        if by_act {
            event.act_date = Some(date)
        } else {
            event.effect_date = Some(date)
        }
        let superseded = kind == Type::Termination && maker.dice.chance(30);
        if kind == Type::Termination {
            event.set_ground(if superseded { Ground::LaterAgreement } else { Ground::Consent });
        }
        let mut term_end = None;
        if kind == Type::Renewal {
            let (date, at) = maker.date(START + 1_300, 900, false);
            (event.term_end_date, term_end) = (Some(date), Some(at));
        }
        event.succeeded_party_id = succeeded.map(id).unwrap_or_default();
        event.revoked_event_id = revokes.map(|place| format!("e{place}")).unwrap_or_default();
        events.push(Event { kind, place, whose, date: at, by_act, term_end, revokes, succeeded, superseded });
        wire.push(event);
    };
    let mut revocable: Vec<usize> = Vec::new();
    let mut place = 0;
    for kind in kinds {
        let party = usize::try_from(maker.dice.roll(count as u64)).unwrap();
        let other = (party + 1) % count;
        let named = || Some(vec![party]);
        match kind {
            Type::Revocation => {
                let Some(revoked) = revocable.pop() else { continue };
                let whose = None;
                add(&mut maker, kind, whose, None, Some(revoked));
            }
            Type::Succession => {
                let succeeded = maker.dice.chance(60).then_some(other);
                add(&mut maker, kind, named(), succeeded, None);
            }
            Type::Accession => add(&mut maker, kind, named(), None, None),
            Type::Denunciation | Type::Expulsion => {
                // Whoever leaves has joined by an act that is recorded.
                add(&mut maker, Type::Ratification, named(), None, None);
                place += 1;
                let kind = if kind == Type::Denunciation && maker.dice.chance(50) { Type::Withdrawal } else { kind };
                add(&mut maker, kind, named(), None, None);
                if kind != Type::Expulsion {
                    revocable.push(place);
                }
            }
            Type::Resumption | Type::ProvisionalApplicationEnd => {
                let begins = if kind == Type::Resumption { Type::Suspension } else { Type::ProvisionalApplication };
                let whose = if maker.dice.chance(50) { named() } else { None };
                add(&mut maker, begins, whose.clone(), None, None);
                place += 1;
                add(&mut maker, kind, whose, None, None);
            }
            Type::NonRenewal => {
                add(&mut maker, kind, named(), None, None);
                revocable.push(place);
            }
            Type::Negotiation | Type::Adoption | Type::Renewal | Type::Termination | Type::Abandonment => {
                add(&mut maker, kind, None, None, None);
            }
            _ => {
                let whose = if maker.dice.chance(50) { named() } else { None };
                add(&mut maker, kind, whose, None, None);
            }
        }
        place += 1;
    }
    if maker.dice.chance(10)
        && let Some(last) = events.pop()
    {
        // It does not count; its date is no date of the world.
        wire[last.place].voided = Some(AgreementEventVoiding::default());
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
            let (date, at) = maker.date(START + 1_300, 900, false);
            (made.expiry_date, expiry) = (Some(date), Some(at));
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
        let entered = events.iter().any(|event| event.kind == Type::EntryIntoForce);
        let states = [State::Negotiating, State::Signed, State::InForce];
        let ends = [State::Terminated, State::Suspended, State::Superseded];
        let state = if entered && maker.dice.chance(50) { maker.dice.among(&ends) } else { maker.dice.among(&states) };
        let (since, at) = maker.date(START, SPAN, false);
        asserted = Some((state, at));
        asserted_status =
            Some(AgreementAssertedStatus { state: state.into(), since: Some(since), source: String::new() });
    }
    let party = |place: usize, contracting: bool| AgreementParty {
        party_id: id(place),
        country: format!("countries/c{place}"),
        role: if contracting { 0 } else { AgreementPartyRole::Witness.into() },
        ..AgreementParty::default()
    };
    let agreement = Agreement {
        scope: scope.into(),
        parties: contracting.iter().enumerate().map(|(place, contracting)| party(place, *contracting)).collect(),
        events: wire,
        term: term.clone(),
        asserted_status,
        ..Agreement::default()
    };
    let recorded_whole = is_whole(&events);
    let sides = sides(&contracting, &events);
    let Maker { dates, uncertain, .. } = maker;
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
    }
}

/// Whether nothing that counts presupposes what is not recorded.
fn is_whole(events: &[Event]) -> bool {
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
