//! The rules of courses: each nominee is one person, and nominations close before the course has ended.
//!
//! Who was turned down and came, or did not come and has a certificate, is strange. More nominees than places is not.

use partnership_registry::v1::{Course, CourseAttendance, CourseDecision, CourseNomination, CourseState};

use crate::findings::Findings;
use crate::values::localized_text::check_one_per_language;
use crate::values::partial_date::both_and_before;
use crate::values::reference::check_exactly_one;
use crate::violations::Violations;

/// Notes what cannot be true of any course.
pub(crate) fn check(course: &Course, violations: &mut Violations) {
    check_one_per_language("titles", &course.titles, violations);
    let end = course.dates.as_ref().and_then(|dates| dates.end_date.as_ref());
    if both_and_before(end, course.nomination_deadline_date.as_ref()) {
        violations.add("nomination_deadline_date", "must not be after the end of the course");
    }
    for (index, nomination) in course.nominations.iter().enumerate() {
        check_nomination(&format!("nominations[{index}]"), nomination, violations);
    }
}

fn check_nomination(path: &str, nomination: &CourseNomination, violations: &mut Violations) {
    let who = [("official", nomination.official.as_str()), ("nominee_name", &nomination.nominee_name)];
    check_exactly_one(path, &who, violations);
    if both_and_before(nomination.decision_date.as_ref(), nomination.nomination_date.as_ref()) {
        violations.add(format!("{path}.decision_date"), "must not be before the nomination");
    }
}

/// Notes what contradicts a state: somebody came to a course that did not begin, came without having been let in, or has
/// a certificate without having come.
pub(crate) fn find(course: &Course, findings: &mut Findings) {
    let not_begun = match course.state() {
        CourseState::Draft
        | CourseState::CallOpen
        | CourseState::Selection
        | CourseState::Confirmed
        | CourseState::Cancelled => true,
        CourseState::Unspecified | CourseState::Running | CourseState::Completed => false,
    };
    for (index, nomination) in course.nominations.iter().enumerate() {
        let (decision, attendance) = (nomination.decision(), nomination.attendance());
        let out = matches!(decision, CourseDecision::Rejected | CourseDecision::Withdrawn);
        let came = matches!(attendance, CourseAttendance::Completed | CourseAttendance::Partial);
        let state = if not_begun { course.state().as_str_name() } else { decision.as_str_name() };
        if came && (not_begun || out) {
            let field = format_args!("nominations[{index}].attendance");
            findings.add_contradiction(field, "that the nominee came", state);
        }
        let absent = !came && (out || attendance == CourseAttendance::Absent);
        if nomination.certificate.is_some() && (not_begun || absent) {
            let state = if not_begun || out { state } else { attendance.as_str_name() };
            findings.add_contradiction(format_args!("nominations[{index}].certificate"), "a certificate", state);
        }
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{CourseCertificate, DateInterval};

    use super::*;
    use crate::kinds::table::{assert_findings, assert_table};
    use crate::values::localized_text::tests::text;
    use crate::values::partial_date::tests::date;

    /// A nomination of somebody with a certificate.
    fn nominee(decision: CourseDecision, attendance: CourseAttendance) -> CourseNomination {
        CourseNomination {
            nominee_name: "Somebody".into(),
            decision: decision.into(),
            attendance: attendance.into(),
            certificate: Some(CourseCertificate::default()),
            ..CourseNomination::default()
        }
    }

    #[test]
    fn a_course_is_refused_for_what_cannot_be_true() {
        let good = Course {
            name: "courses/example".into(),
            display_name: "An Example".into(),
            titles: vec![text("en", "An Example")],
            dates: Some(DateInterval { start_date: Some(date(2026, 3, 1)), end_date: Some(date(2026, 5, 31)) }),
            capacity: 1,
            nomination_deadline_date: Some(date(2026, 2, 1)),
            nominations: vec![
                nominee(CourseDecision::Accepted, CourseAttendance::Completed),
                nominee(CourseDecision::Accepted, CourseAttendance::Unspecified),
                CourseNomination {
                    authority: "countries/kr".into(),
                    official: "officials/a".into(),
                    nomination_date: Some(date(2026, 1, 15)),
                    decision: CourseDecision::Rejected.into(),
                    decision_date: Some(date(2026, 1, 0)),
                    ..CourseNomination::default()
                },
            ],
            ..Course::default()
        };
        assert_table(
            &good,
            check,
            &[
                (
                    "a title in a language twice",
                    |it| it.titles.push(text("en", "Same")),
                    Some("titles[1].language_code"),
                ),
                (
                    "nominations after the end",
                    |it| it.nomination_deadline_date = Some(date(2026, 6, 1)),
                    Some("nomination_deadline_date"),
                ),
                ("nominations after the start", |it| it.nomination_deadline_date = Some(date(2026, 3, 15)), None),
                ("nobody nominated", |it| it.nominations.push(CourseNomination::default()), Some("nominations[3]")),
                (
                    "a nominee who is two",
                    |it| {
                        it.nominations.push(CourseNomination {
                            official: "officials/a".into(),
                            nominee_name: "Somebody".into(),
                            ..CourseNomination::default()
                        });
                    },
                    Some("nominations[3]"),
                ),
                (
                    "decided before it was made",
                    |it| {
                        it.nominations.push(CourseNomination {
                            nomination_date: Some(date(2026, 1, 2)),
                            decision_date: Some(date(2026, 1, 1)),
                            ..nominee(CourseDecision::Accepted, CourseAttendance::Partial)
                        });
                    },
                    Some("nominations[3].decision_date"),
                ),
            ],
        );
    }

    #[test]
    fn who_came_without_being_let_in_or_has_a_certificate_without_coming_is_strange() {
        let good = Course {
            state: CourseState::Completed.into(),
            nominations: vec![nominee(CourseDecision::Accepted, CourseAttendance::Completed)],
            ..Course::default()
        };
        assert_findings(
            &good,
            find,
            &[
                (
                    "turned down, and came",
                    |it| it.nominations.push(nominee(CourseDecision::Rejected, CourseAttendance::Partial)),
                    Some("nominations[1].attendance"),
                ),
                (
                    "withdrew, and came",
                    |it| it.nominations.push(nominee(CourseDecision::Withdrawn, CourseAttendance::Completed)),
                    Some("nominations[1].attendance"),
                ),
                (
                    "did not come, and has a certificate",
                    |it| it.nominations.push(nominee(CourseDecision::Accepted, CourseAttendance::Absent)),
                    Some("nominations[1].certificate"),
                ),
                (
                    "turned down, and has a certificate",
                    |it| it.nominations.push(nominee(CourseDecision::Rejected, CourseAttendance::Unspecified)),
                    Some("nominations[1].certificate"),
                ),
                (
                    "a certificate of somebody of whom no more is known",
                    |it| it.nominations.push(nominee(CourseDecision::Accepted, CourseAttendance::Unspecified)),
                    None,
                ),
                (
                    "somebody came before it began",
                    |it| {
                        it.set_state(CourseState::CallOpen);
                        for nomination in &mut it.nominations {
                            nomination.certificate = None;
                        }
                    },
                    Some("nominations[0].attendance"),
                ),
                (
                    "a certificate of a course that was given up",
                    |it| {
                        it.set_state(CourseState::Cancelled);
                        it.nominations = vec![nominee(CourseDecision::Accepted, CourseAttendance::Absent)];
                    },
                    Some("nominations[0].certificate"),
                ),
                (
                    "nominees of a course that is to come",
                    |it| {
                        it.set_state(CourseState::Selection);
                        it.nominations = vec![CourseNomination::default()];
                    },
                    None,
                ),
            ],
        );
    }
}
