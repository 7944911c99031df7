//! What the server gives to events, and which may be voided.

use jiff::tz::TimeZone;
use partnership_registry::v1::AgreementEventType;

use super::*;

static UTC: TimeZone = TimeZone::UTC;

fn moment(reason: &str) -> Moment<'_> {
    let time = prost_types::Timestamp { seconds: 1_700_000_000, nanos: 5 };
    // Later than the day of the time: a day never goes back.
    Moment { time: Time::from(time), day: Day(19_680), zone: &UTC, actor: "jane", reason }
}

fn event(event_id: &str) -> AgreementEvent {
    AgreementEvent { event_id: event_id.into(), ..AgreementEvent::default() }
}

fn revocation(event_id: &str, revoked: &str) -> AgreementEvent {
    let mut event = AgreementEvent { revoked_event_id: revoked.into(), ..event(event_id) };
    event.set_type(AgreementEventType::Revocation);
    event
}

#[test]
fn ids_are_given_by_place_around_those_that_are_there() {
    for (given, expected) in [
        (&["", "", ""][..], &["e1", "e2", "e3"][..]),
        (&["a", "", "b"], &["a", "e2", "b"]),
        (&["e2", "", ""], &["e2", "e3", "e4"]),
        (&["", "e1", ""], &["e2", "e1", "e3"]),
        (&["e3", "e2", "e1"], &["e3", "e2", "e1"]),
        (&["e01", "e+2", ""], &["e01", "e+2", "e3"]),
    ] {
        let mut events: Vec<_> = given.iter().map(|id| event(id)).collect();
        assert!(fill_in(&mut events, &moment("")));
        assert!(events.iter().map(|event| event.event_id.as_str()).eq(expected.iter().copied()), "{given:?}");
        let day = PartialDate { year: 2023, month: 11, day: 19, ..PartialDate::default() };
        for event in &events {
            assert_eq!((event.record_time.unwrap().nanos, event.record_date.as_ref()), (5, Some(&day)));
        }
        let before = events.clone();
        assert!(!fill_in(&mut events, &Moment { time: Time::default(), ..moment("") }), "nothing is left to give");
        assert_eq!(events, before);
    }
    // Ids that stand in the way of all do not hold up the others.
    let mut events: Vec<_> = (2_501..=5_000).map(|number| event(&format!("e{number}"))).collect();
    events.extend(vec![event(""); 2_500]);
    fill_in(&mut events, &moment(""));
    assert_eq!((events[2_500].event_id.as_str(), events[4_999].event_id.as_str()), ("e5001", "e7500"));
}

#[test]
fn nothing_is_voided_if_anything_cannot_be() {
    let kept = [
        event("e1"),
        revocation("e2", "e1"),
        event("e3"),
        AgreementEvent { voided: Some(Default::default()), ..event("e4") },
    ];
    let void = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let named: Vec<_> = ids.iter().map(|id| (format!("of {id}"), id)).collect();
        let mut events = kept.to_vec();
        let result = super::void(&mut events, &named, &moment("why"));
        assert!(result.is_ok() || events == kept, "all or none");
        let voided: Vec<_> = events.iter().zip(&kept).filter(|(after, before)| after != before).collect();
        for (event, _) in &voided {
            let voided = event.voided.clone().unwrap();
            assert_eq!((voided.reason.as_str(), voided.actor.as_str()), ("why", "jane"));
        }
        result.map(|()| voided.len()).map_err(|refused| match refused {
            Refused::Invalid(found) => format!("invalid {found}"),
            Refused::State(found) => format!("state {found}"),
        })
    };
    assert_eq!(void(&[]), Ok(0));
    assert_eq!(void(&["e3"]), Ok(1));
    assert_eq!(void(&["e2", "e1"]), Ok(2));
    assert_eq!(void(&["e3", "e1"]).unwrap_err(), "state of e1: names e1, which e2 revokes; void e2 too, or first");
    assert_eq!(void(&["e3", "e4"]).unwrap_err(), "state of e4: names e4, which is voided already");
    let unknown = "of e9: must be the id of an event of the agreement, and \"e9\" is not";
    assert_eq!(void(&["e4", "e9"]).unwrap_err(), format!("invalid {unknown}"), "what can never be comes first");
    assert!(void(&[""]).is_err());
}
