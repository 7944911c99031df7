//! What is strange about an agreement: each finding in a small one, and its like that is in order.

use partnership_registry::v1::AgreementRegistration;

use super::said::{agreement, date, event};
use crate::findings::Findings;

/// A line of a table: what it is about, the agreement, and each finding as `CODE field`.
type Found = (&'static str, &'static [&'static str], &'static [&'static str]);

fn found(agreement: &partnership_registry::v1::Agreement) -> Vec<String> {
    let mut findings = Findings::new();
    super::find(agreement, &mut findings);
    for finding in findings.iter() {
        let text = &finding.text;
        let odd = text.is_empty() || text.ends_with('.') || text.contains('\n');
        assert!(!odd, "{text:?} is no phrase that follows the name of a field");
    }
    let code = |finding: &partnership_registry::v1::Finding| {
        finding.code().as_str_name().trim_start_matches("FINDING_CODE_").to_owned()
    };
    findings.iter().map(|finding| format!("{} {}", code(finding), finding.field)).collect()
}

fn assert_found(table: &[Found]) {
    for (what, lines, expected) in table {
        assert_eq!(found(&agreement(lines)), *expected, "{what}: {lines:?}");
    }
}

#[test]
fn what_ends_and_never_began_contradicts() {
    assert_found(&[
        ("nothing", &[], &[]),
        ("signed alone", &["parties a b", "SIGNATURE 1990-01-01"], &[]),
        ("in force before it was signed", &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "SIGNATURE 1991-01-01"], &[]),
        (
            "an end of what was in force",
            &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "TERMINATION 1991-01-01 ground=CONSENT"],
            &[],
        ),
        (
            "an end before the entry into force",
            &["parties a b", "ENTRY_INTO_FORCE 1992-01-01", "TERMINATION 1991-01-01 ground=CONSENT"],
            &["EVENTS_CONTRADICT events[1].type"],
        ),
        (
            "an end that may be before the entry into force",
            &["parties a b", "ENTRY_INTO_FORCE 1991", "TERMINATION 1991 ground=CONSENT"],
            &[],
        ),
        (
            "an end before the entry into force that was voided",
            &["parties a b", "ENTRY_INTO_FORCE 1992-01-01", "TERMINATION 1991-01-01 ground=CONSENT voided"],
            &[],
        ),
        (
            "an end of what nothing began",
            &["parties a b", "SIGNATURE 1990-01-01", "TERMINATION 1991-01-01 ground=CONSENT"],
            &["EVENTS_CONTRADICT events[1].type"],
        ),
        (
            "the same of a record that is not whole",
            &["incomplete", "parties a b", "SIGNATURE 1990-01-01", "TERMINATION 1991-01-01 ground=CONSENT"],
            &[],
        ),
        (
            "the same of what a source says was in force",
            &["asserted IN_FORCE 1990-06-01", "parties a b", "TERMINATION 1991-01-01 ground=CONSENT"],
            &[],
        ),
        (
            "a denunciation by one of two before the entry into force",
            &["parties a b", "ENTRY_INTO_FORCE 1992-01-01", "DENUNCIATION a act=1990-01-01 effect=1991-01-01"],
            &["EVENTS_CONTRADICT events[1].type"],
        ),
        (
            "a withdrawal of one of three whom the entry into force bound",
            &["parties a b c", "ENTRY_INTO_FORCE 1990-01-01", "WITHDRAWAL a act=1990-01-01 effect=1991-01-01"],
            &[],
        ),
        (
            "a withdrawal before an accession",
            &[
                "parties a b c",
                "RATIFICATION a,b 1989-01-01",
                "ENTRY_INTO_FORCE 1990-01-01",
                "ACCESSION c 1992-01-01",
                "WITHDRAWAL c act=1990-01-01 effect=1991-01-01",
            ],
            &["EVENTS_CONTRADICT events[3].type"],
        ),
        (
            "a withdrawal of a witness",
            &[
                "parties a b c w:WITNESS",
                "ENTRY_INTO_FORCE 1990-01-01",
                "WITHDRAWAL w act=1990-01-01 effect=1991-01-01",
            ],
            &["EVENTS_CONTRADICT events[1].type"],
        ),
        (
            "a resumption without a suspension",
            &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "RESUMPTION 1991-01-01"],
            &["EVENTS_CONTRADICT events[1].type"],
        ),
        (
            "a suspension before the entry into force",
            &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "SUSPENSION 1989-01-01"],
            &["EVENTS_CONTRADICT events[1].type"],
        ),
        (
            "a renewal of what nothing began",
            &["parties a b", "RENEWAL 1991-01-01"],
            &["EVENTS_CONTRADICT events[0].type"],
        ),
        (
            "an end of provisional application by another",
            &["parties a b", "PROVISIONAL_APPLICATION a 1990-01-01", "PROVISIONAL_APPLICATION_END b 1991-01-01"],
            &["EVENTS_CONTRADICT events[1].type"],
        ),
        (
            "a first term that ends before it begins",
            &["parties a b", "term expiry=1985-01-01", "ENTRY_INTO_FORCE 1990-01-01"],
            &["EVENTS_CONTRADICT term.expiry_date"],
        ),
    ]);
}

#[test]
fn what_comes_too_late_to_change_anything_contradicts() {
    assert_found(&[
        (
            "given up after it was in force",
            &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "ABANDONMENT 1991-01-01"],
            &["EVENTS_CONTRADICT events[1].type"],
        ),
        ("given up before", &["parties a b", "SIGNATURE 1990-01-01", "ABANDONMENT 1991-01-01"], &[]),
        (
            "taken back on the day of the effect",
            &[
                "parties a b",
                "ENTRY_INTO_FORCE 1990-01-01",
                "DENUNCIATION a act=1990-06-01 effect=1991-01-01",
                "REVOCATION a 1991-01-01 revokes=e2",
            ],
            &["EVENTS_CONTRADICT events[2].type"],
        ),
        (
            "taken back the day before",
            &[
                "parties a b",
                "ENTRY_INTO_FORCE 1990-01-01",
                "DENUNCIATION a act=1990-06-01 effect=1991-01-01",
                "REVOCATION a 1990-12-31 revokes=e2",
            ],
            &[],
        ),
        (
            "in force again after an end",
            &[
                "parties a b",
                "ENTRY_INTO_FORCE 1990-01-01",
                "TERMINATION 1991-01-01 ground=CONSENT",
                "ENTRY_INTO_FORCE 1992-01-01",
            ],
            &["EVENTS_CONTRADICT events[2].type"],
        ),
        (
            "in force again after the last term",
            &["parties a b", "term length=1y", "ENTRY_INTO_FORCE 1990-01-01", "ENTRY_INTO_FORCE 1992-01-01"],
            &["EVENTS_CONTRADICT events[1].type"],
        ),
        (
            "in force for a second party after the first left",
            &[
                "parties a b c",
                "ENTRY_INTO_FORCE a 1990-01-01",
                "ENTRY_INTO_FORCE b 1991-01-01",
                "WITHDRAWAL a act=1990-01-01 effect=1990-06-01",
            ],
            &[],
        ),
    ]);
}

#[test]
fn what_had_to_be_assumed_is_told() {
    assert_found(&[
        (
            "a denunciation that does not say when it has effect",
            &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "DENUNCIATION a 1991-01-01"],
            &["EFFECT_ASSUMED events[1].effect_date"],
        ),
        (
            "the same with a period of notice",
            &["parties a b", "term denunciation=6m", "ENTRY_INTO_FORCE 1990-01-01", "DENUNCIATION a 1991-01-01"],
            &[],
        ),
        (
            "a notice in time",
            &[
                "parties a b",
                "term length=5y renewal=AUTOMATIC notice=6m",
                "ENTRY_INTO_FORCE 1990-01-01",
                "NON_RENEWAL a 1994-06-30",
            ],
            &[],
        ),
        (
            "a notice a day too late",
            &[
                "parties a b",
                "term length=5y renewal=AUTOMATIC notice=6m",
                "ENTRY_INTO_FORCE 1990-01-01",
                "NON_RENEWAL a 1994-07-01",
            ],
            &["NOTICE_LATE events[1].act_date"],
        ),
        (
            "a notice that may be too late",
            &[
                "parties a b",
                "term length=5y renewal=AUTOMATIC notice=6m",
                "ENTRY_INTO_FORCE 1990-01-01",
                "NON_RENEWAL a 1994",
            ],
            &[],
        ),
    ]);
}

#[test]
fn what_is_said_of_the_whole_may_be_contradicted() {
    assert_found(&[
        ("a bilateral agreement of two", &["scope BILATERAL", "parties a b w:WITNESS"], &[]),
        ("a bilateral agreement of three", &["scope BILATERAL", "parties a b c"], &["SCOPE_CONTRADICTED scope"]),
        (
            "a bilateral agreement that a successor has joined",
            &["scope BILATERAL", "parties a b c", "ENTRY_INTO_FORCE 1990-01-01", "SUCCESSION c 1991-01-01 of=a"],
            &[],
        ),
        ("nothing but what a source says", &["asserted IN_FORCE 1990"], &[]),
        (
            "signed, says a source of what is in force",
            &["asserted SIGNED 1992-01-01", "parties a b", "ENTRY_INTO_FORCE 1990-01-01"],
            &["ASSERTED_STATUS_CONTRADICTED asserted_status.state"],
        ),
        (
            "in force, says a source of what has ended",
            &[
                "asserted IN_FORCE 1995-01-01",
                "parties a b",
                "ENTRY_INTO_FORCE 1990-01-01",
                "TERMINATION 1994-01-01 ground=CONSENT",
            ],
            &["ASSERTED_STATUS_CONTRADICTED asserted_status.state"],
        ),
        (
            "in force, says a source of what ended later",
            &[
                "asserted IN_FORCE 1993-01-01",
                "parties a b",
                "ENTRY_INTO_FORCE 1990-01-01",
                "TERMINATION 1994-01-01 ground=CONSENT",
            ],
            &[],
        ),
        (
            "terminated, says a source of what has expired",
            &["asserted TERMINATED 1996", "parties a b", "term length=5y", "ENTRY_INTO_FORCE 1990-01-01"],
            &[],
        ),
    ]);
}

#[test]
fn a_number_is_that_of_what_was_in_force() {
    let registered = |lines: &[&str], registration_date: Option<&str>, of_act: bool| {
        let mut agreement = agreement(lines);
        let registration = AgreementRegistration {
            number: "5535".into(),
            registration_date: registration_date.map(date),
            ..AgreementRegistration::default()
        };
        if of_act {
            let mut act = event("ACCESSION a 1985-01-01", 9);
            act.registration = Some(registration);
            agreement.events.push(act);
        } else {
            agreement.registrations.push(registration);
        }
        found(&agreement)
    };
    let strange = ["STATE_CONTRADICTED registrations[0].number"];
    let cases: [(&str, &[&str], Option<&str>, bool); 8] = [
        ("nothing happened", &[], None, true),
        ("signed", &["SIGNATURE 1990-01-01"], None, true),
        ("given up", &["SIGNATURE 1990-01-01", "ABANDONMENT 1991-01-01"], None, true),
        ("in force", &["ENTRY_INTO_FORCE 1990-01-01"], None, false),
        ("provisionally applied", &["PROVISIONAL_APPLICATION 1990-01-01", "ABANDONMENT 1991-01-01"], None, false),
        ("registered before", &["ENTRY_INTO_FORCE 1990-02-01"], Some("1990-01"), true),
        ("registered in the month", &["ENTRY_INTO_FORCE 1990-01-31"], Some("1990-01"), false),
        ("a record that is not whole", &["incomplete"], Some("1990-01"), false),
    ];
    for (what, lines, date, is_strange) in cases {
        let expected = if is_strange { strange.map(str::to_owned).to_vec() } else { Vec::new() };
        assert_eq!(registered(lines, date, false), expected, "{what}");
    }
    let of_act = registered(&["parties a b"], None, true);
    assert_eq!(of_act, ["STATE_CONTRADICTED events[0].registration.number"]);
    assert!(registered(&["parties a b", "ENTRY_INTO_FORCE 1990-01-01"], None, true).is_empty());
}

/// Of what has too many orders to be gone through, nothing is found that may yet be in order.
#[test]
fn what_is_answered_with_caution_is_not_strange() {
    let mut lines = vec!["parties a b".to_owned(), "term length=5y renewal=AUTOMATIC notice=6m".to_owned()];
    lines.push("ENTRY_INTO_FORCE 1990-01-01".to_owned());
    lines.extend((0..40).map(|_| "NON_RENEWAL a unknown".to_owned()));
    lines.extend((0..40).map(|_| "RENEWAL unknown".to_owned()));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(found(&agreement(&lines)), Vec::<String>::new());
}
