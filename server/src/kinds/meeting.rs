//! The rules of meetings: a meeting does not end before it starts, each participant is one, and a meeting does not go
//! on from itself.

use partnership_registry::v1::Meeting;

use crate::values::reference::{check_exactly_one, check_not_itself};
use crate::violations::Violations;

/// Notes what cannot be true of any meeting.
pub(crate) fn check(meeting: &Meeting, violations: &mut Violations) {
    if let (Some(start), Some(end)) = (&meeting.start_time, &meeting.end_time)
        && (end.seconds, end.nanos) < (start.seconds, start.nanos)
    {
        violations.add("end_time", "must not be before the start");
    }
    for (index, participant) in meeting.participants.iter().enumerate() {
        let path = format!("participants[{index}]");
        let who = [
            ("official", participant.official.as_str()),
            ("organization", &participant.organization),
            ("delegation", &participant.delegation),
            ("unresolved_name", &participant.unresolved_name),
        ];
        check_exactly_one(&path, &who, violations);
    }
    check_not_itself("previous_meeting", &meeting.name, &meeting.previous_meeting, violations);
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{MeetingAgendaItem, MeetingParticipant};
    use prost_types::Timestamp;

    use super::*;
    use crate::kinds::table::assert_table;

    fn time(seconds: i64, nanos: i32) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos })
    }

    #[test]
    fn a_meeting_is_refused_for_what_cannot_be_true() {
        let good = Meeting {
            name: "meetings/example".into(),
            display_name: "An Example".into(),
            start_time: time(1_759_220_000, 5),
            end_time: time(1_759_223_600, 0),
            host: "organizations/ministry".into(),
            participants: vec![MeetingParticipant {
                official: "officials/a".into(),
                represents: "countries/kr".into(),
                ..MeetingParticipant::default()
            }],
            agenda: vec![MeetingAgendaItem { presenters: vec!["officials/a".into()], ..MeetingAgendaItem::default() }],
            previous_meeting: "meetings/before".into(),
            ..Meeting::default()
        };
        assert_table(
            &good,
            check,
            &[
                ("an end before the start", |it| it.end_time = time(1_759_220_000, 4), Some("end_time")),
                ("an end with the start", |it| it.end_time = it.start_time, None),
                ("an end without a start", |it| it.start_time = None, None),
                ("no host", |it| it.host.clear(), None),
                (
                    "nobody takes part",
                    |it| it.participants.push(MeetingParticipant::default()),
                    Some("participants[1]"),
                ),
                (
                    "a participant that is two",
                    |it| {
                        it.participants.push(MeetingParticipant {
                            official: "officials/a".into(),
                            delegation: "delegations/a".into(),
                            ..MeetingParticipant::default()
                        });
                    },
                    Some("participants[1]"),
                ),
                ("it goes on from itself", |it| it.previous_meeting.clone_from(&it.name), Some("previous_meeting")),
            ],
        );
    }
}
