//! The rules of meetings: a meeting does not end before it starts, each participant is one, and a meeting does not go
//! on from itself.

use partnership_registry::v1::{Meeting, MeetingAttendance, MeetingState};

use crate::findings::Findings;
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

/// Notes what contradicts the state: minutes of a meeting that did not take place, and somebody who was there.
pub(crate) fn find(meeting: &Meeting, findings: &mut Findings) {
    let not_held = match meeting.state() {
        MeetingState::Proposed | MeetingState::Scheduled | MeetingState::Postponed | MeetingState::Cancelled => true,
        MeetingState::Unspecified | MeetingState::Held | MeetingState::Minuted => false,
    };
    if !not_held {
        return;
    }
    let state = meeting.state().as_str_name();
    for (index, participant) in meeting.participants.iter().enumerate() {
        if participant.attendance() == MeetingAttendance::Present {
            let field = format_args!("participants[{index}].attendance");
            findings.add_contradiction(field, "that somebody was there", state);
        }
    }
    if !meeting.minutes.is_empty() {
        findings.add_contradiction("minutes", "that there are minutes", state);
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{MeetingAgendaItem, MeetingParticipant};
    use prost_types::Timestamp;

    use super::*;
    use crate::kinds::table::{Case, assert_findings, assert_table};

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

    #[test]
    fn minutes_of_a_meeting_that_did_not_take_place_are_strange() {
        let attended = |attendance: MeetingAttendance| MeetingParticipant {
            attendance: attendance.into(),
            ..MeetingParticipant::default()
        };
        let good = Meeting {
            state: MeetingState::Held.into(),
            participants: vec![attended(MeetingAttendance::Invited), attended(MeetingAttendance::Present)],
            ..Meeting::default()
        };
        let table: &[Case<Meeting>] = &[
            ("it has minutes", |it| it.minutes = "All agreed.".into(), None),
            ("it was not held", |it| it.set_state(MeetingState::Scheduled), Some("participants[1].attendance")),
            ("it was given up", |it| it.set_state(MeetingState::Cancelled), Some("participants[1].attendance")),
            (
                "minutes before it was held",
                |it| {
                    it.set_state(MeetingState::Proposed);
                    it.participants.clear();
                    it.minutes = "All agreed.".into();
                },
                Some("minutes"),
            ),
            (
                "all are only invited",
                |it| {
                    it.set_state(MeetingState::Postponed);
                    it.participants.truncate(1);
                },
                None,
            ),
        ];
        assert_findings(&good, find, table);
    }
}
