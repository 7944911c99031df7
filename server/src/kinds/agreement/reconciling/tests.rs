//! A source is read again: every way in which it may differ from what is kept.

use jiff::tz::TimeZone;
use partnership_registry::v1::PartialDate;

use super::*;
use crate::time::{Day, Time};

static UTC: TimeZone = TimeZone::UTC;

use AgreementEventType::{Accession, Denunciation, EntryIntoForce, Ratification, Revocation, Signature};

/// An event: its type, the year of its act, what the source calls it, and a note.
fn event(event_type: AgreementEventType, year: i32, source_id: &str, note: &str) -> AgreementEvent {
    AgreementEvent {
        r#type: event_type.into(),
        act_date: Some(PartialDate { year, ..PartialDate::default() }),
        source_id: source_id.into(),
        note: note.into(),
        ..AgreementEvent::default()
    }
}

fn moment(reason: &str) -> Moment<'_> {
    let time = prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 };
    Moment { time: Time::from(time), day: Day(19_675), zone: &UTC, actor: "import", reason }
}

/// As events are kept that were recorded before.
fn kept(mut events: Vec<AgreementEvent>) -> Vec<AgreementEvent> {
    let time = prost_types::Timestamp { seconds: 1_600_000_000, nanos: 0 };
    fill_in(&mut events, &Moment { time: Time::from(time), day: Day(18_518), ..moment("") });
    events
}

fn voided(event: AgreementEvent) -> AgreementEvent {
    AgreementEvent { voided: Some(voiding(&moment("staff"), "staff")), ..event }
}

/// What is kept after `read` was read, and the fields of what is gone.
fn reread(kept: &[AgreementEvent], read: Vec<AgreementEvent>, replace: bool) -> (Vec<AgreementEvent>, Vec<String>) {
    let mut resource = Resource::from(Agreement { events: kept.to_vec(), ..Agreement::default() });
    let read = Resource::from(Agreement { events: read, ..Agreement::default() });
    let mut findings = Findings::new();
    reconcile(&mut resource, &Reread { resource: &read, replace }, &moment(""), &mut findings);
    let fields = findings.iter().map(|finding| finding.field.clone()).collect();
    (agreement_of(&mut resource).unwrap().events.clone(), fields)
}

/// The same in short: which of those that were kept are voided now, what is recorded, and which are gone.
fn done(
    before: &[AgreementEvent],
    read: Vec<AgreementEvent>,
    replace: bool,
) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (after, gone) = reread(before, read.clone(), replace);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(AgreementEvent { voided: before.voided.clone(), ..after.clone() }, *before, "none is rewritten");
    }
    let newly =
        |(before, after): &(&AgreementEvent, &AgreementEvent)| before.voided.is_none() && after.voided.is_some();
    let voided = before.iter().zip(&after).filter(newly).map(|(event, _)| event.event_id.clone()).collect();
    let recorded = after.iter().skip(before.len());
    let recorded =
        recorded.map(|event| format!("{} {}{}", event.event_id, event.note, event.revoked_event_id)).collect();
    // A second time nothing is left to be done.
    let (again, _) = reread(&after, read, replace);
    assert_eq!(again, after, "the second time");
    (voided, recorded, gone)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_source_that_says_the_same_changes_nothing() {
    for source_id in ["", "s1"] {
        let first = event(Signature, 1990, source_id, "a");
        let before = kept(vec![first.clone(), event(EntryIntoForce, 1991, "", "b")]);
        for read in [
            vec![first.clone(), event(EntryIntoForce, 1991, "", "b")],
            vec![event(EntryIntoForce, 1991, "", "b"), first],
            before.clone(),
        ] {
            assert_eq!(done(&before, read, true), (vec![], vec![], vec![]));
        }
    }
}

#[test]
fn what_changed_is_voided_and_recorded_as_it_is_now() {
    // By what the source calls it, whatever else changed.
    let before = kept(vec![event(Signature, 1990, "s1", "a"), event(EntryIntoForce, 1991, "s2", "b")]);
    let read = vec![event(Ratification, 1994, "s1", "new"), event(EntryIntoForce, 1991, "s2", "b")];
    assert_eq!(done(&before, read, false), (texts(&["e1"]), texts(&["e3 new"]), vec![]));
    // By type, parties and date of the act, if the source calls it nothing; by its number among equals.
    let before = kept(vec![event(Accession, 1990, "", "a"), event(Accession, 1990, "", "b")]);
    let read = vec![event(Accession, 1990, "", "a"), event(Accession, 1990, "", "new")];
    assert_eq!(done(&before, read, false), (texts(&["e2"]), texts(&["e3 new"]), vec![]));
    let read = vec![event(Accession, 1990, "", "new"), event(Accession, 1990, "", "newer")];
    assert_eq!(done(&before, read, false), (texts(&["e1", "e2"]), texts(&["e3 new", "e4 newer"]), vec![]));
    // The source begins to call its events something.
    let before = kept(vec![event(Signature, 1990, "", "a")]);
    assert_eq!(
        done(&before, vec![event(Signature, 1990, "s1", "a")], false),
        (texts(&["e1"]), texts(&["e2 a"]), vec![])
    );
}

#[test]
fn what_is_new_is_recorded_and_what_is_gone_is_told() {
    let before = kept(vec![event(Signature, 1990, "", "a"), event(EntryIntoForce, 1991, "", "b")]);
    let read = || vec![event(Signature, 1990, "", "a"), event(Ratification, 1990, "", "new")];
    assert_eq!(done(&before, read(), false), (vec![], texts(&["e3 new"]), texts(&["events[1]"])));
    let (voided, recorded, gone) = done(&before, read(), true);
    assert_eq!((voided, recorded, gone), (texts(&["e2"]), texts(&["e3 new"]), texts(&["events[1]"])));
    assert_eq!(done(&before, vec![], false), (vec![], vec![], texts(&["events[0]", "events[1]"])));
    // Another act date is another event, if nothing else tells that it is the same.
    let before = kept(vec![event(Signature, 1990, "", "a")]);
    assert_eq!(
        done(&before, vec![event(Signature, 1989, "", "a")], false),
        (vec![], texts(&["e2 a"]), texts(&["events[0]"]))
    );
    // What a source never called anything is not its own.
    let before = kept(vec![event(Signature, 1990, "s1", "a"), event(Accession, 1995, "", "of the staff")]);
    assert_eq!(done(&before, vec![event(Signature, 1990, "s1", "a")], true), (vec![], vec![], vec![]));
}

#[test]
fn what_somebody_voided_is_not_recorded_again() {
    for source_id in ["", "s1"] {
        let wrong = || event(Signature, 1990, source_id, "wrong");
        let before = kept(vec![voided(wrong())]);
        assert_eq!(done(&before, vec![wrong()], true), (vec![], vec![], vec![]), "{source_id:?}");
        // Nor is what is right, and was recorded in its place, taken for gone.
        let before = kept(vec![voided(wrong()), event(Signature, 1990, "", "right")]);
        assert_eq!(done(&before, vec![wrong()], true), (vec![], vec![], vec![]), "{source_id:?}");
        // What the source says otherwise since is news.
        let before = kept(vec![voided(wrong())]);
        let read = vec![event(Signature, 1990, source_id, "mended")];
        assert_eq!(done(&before, read, false), (vec![], texts(&["e2 mended"]), vec![]), "{source_id:?}");
    }
    // A source that goes back to what it said before is believed, where it is sure that it is the same event.
    let before = kept(vec![voided(event(Signature, 1990, "s1", "a")), event(Signature, 1990, "s1", "b")]);
    let read = vec![event(Signature, 1990, "s1", "a")];
    assert_eq!(reread(&before, read, false).0.len(), 3);
}

#[test]
fn a_source_may_void_by_itself() {
    let before = kept(vec![event(Signature, 1990, "", "a"), event(Ratification, 1991, "", "b")]);
    let read = vec![voided(event(Signature, 1990, "", "a")), event(Ratification, 1991, "", "b")];
    let (after, gone) = reread(&before, read.clone(), false);
    assert_eq!((after.len(), gone.len()), (2, 0));
    assert_eq!(after[0].voided.as_ref().unwrap().reason, "staff", "for the reason that the source gives");
    assert_eq!(done(&before, read, false).0, ["e1"]);
    // What it voided and nobody recorded here is of no interest.
    let read = vec![
        event(Signature, 1990, "", "a"),
        event(Ratification, 1991, "", "b"),
        voided(event(Accession, 1992, "", "")),
    ];
    assert_eq!(done(&before, read, true), (vec![], vec![], vec![]));
}

#[test]
fn a_revocation_follows_what_it_revokes() {
    let revocation =
        |year, revoked: &str| AgreementEvent { revoked_event_id: revoked.into(), ..event(Revocation, year, "", "") };
    let before = kept(vec![event(Denunciation, 2000, "d", "a"), revocation(2001, "e1")]);
    // As the source has both; it calls them by their places.
    let read = vec![event(Denunciation, 2000, "d", "new"), revocation(2001, "e1")];
    assert_eq!(done(&before, read, false), (texts(&["e1", "e2"]), texts(&["e3 new", "e4 e3"]), vec![]));
    // As it stands after that, a source that calls them as it did still says the same.
    let (after, _) = reread(&before, vec![event(Denunciation, 2000, "d", "new"), revocation(2001, "e1")], false);
    let read = vec![event(Denunciation, 2000, "d", "new"), revocation(2001, "e1")];
    assert_eq!(done(&after, read, true), (vec![], vec![], vec![]));
    // As only the staff knows of the revocation.
    let read = vec![event(Denunciation, 2000, "d", "new")];
    assert_eq!(done(&before, read, false).1, ["e3 new", "e4 e3"]);
    // What is voided with nothing in its place takes its revocation with it.
    let (after, _) = reread(&before, vec![event(Signature, 1999, "s", "")], true);
    assert!(after.iter().take(2).all(|event| event.voided.is_some()), "{after:?}");
    // Given ids of its own, as an export has them.
    let named = AgreementEvent { event_id: "out".into(), ..event(Denunciation, 2005, "x", "") };
    let before = kept(vec![]);
    let (after, _) = reread(&before, vec![revocation(2006, "out"), named], false);
    let ids: Vec<_> = after.iter().map(|event| (event.event_id.as_str(), event.revoked_event_id.as_str())).collect();
    assert_eq!(ids, [("out", ""), ("e2", "out")]);
}

#[test]
fn an_event_that_is_voided_says_why() {
    let before = kept(vec![event(Signature, 1990, "s1", "a"), event(Ratification, 1991, "s2", "b")]);
    let read = Resource::from(Agreement { events: vec![event(Signature, 1990, "s1", "new")], ..Agreement::default() });
    for (reason, expected) in [("", [CHANGED, GONE]), ("read in May", ["read in May", "read in May"])] {
        let mut resource = Resource::from(Agreement { events: before.clone(), ..Agreement::default() });
        let mut findings = Findings::new();
        reconcile(&mut resource, &Reread { resource: &read, replace: true }, &moment(reason), &mut findings);
        let events = &agreement_of(&mut resource).unwrap().events;
        let reasons: Vec<_> = events.iter().take(2).map(|event| event.voided.clone().unwrap().reason).collect();
        assert_eq!(reasons, expected);
        let finding = findings.iter().next().unwrap();
        assert_eq!(finding.text, "e2, RATIFICATION of 1991, is not in the source any more; it was voided");
        let recorded = events.last().unwrap();
        assert_eq!(recorded.record_time.unwrap().seconds, 1_700_000_000, "it is known since now");
    }
}

/// Whoever sends five thousand events that all are alike does not hold up the others.
#[test]
fn many_events_that_are_alike_take_no_longer_than_others() {
    let alike = |note: &str| vec![event(Accession, 1990, "", note); 5_000];
    let before = kept(alike("a"));
    let (after, _) = reread(&before, alike("a"), true);
    assert_eq!(after.len(), 5_000);
    let began = std::time::Instant::now();
    let (after, _) = reread(&before, alike("b"), true);
    assert_eq!(after.len(), 10_000);
    let wrong: Vec<_> = alike("a").into_iter().map(voided).collect();
    reread(&kept(wrong), alike("a"), true);
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}
