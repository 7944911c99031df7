//! The rows of the table of events, terms, notices and what is not certain, each in a small agreement.

use super::said::{agreement, bases, standing, states, status};

/// A line of a table: what it is about, the agreement, and the possible states on days.
type States = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

fn assert_states(table: &[States]) {
    for (what, lines, days) in table {
        let agreement = agreement(lines);
        for (day, expected) in *days {
            assert_eq!(states(&agreement, day), *expected, "{what}, on {day}: {lines:?}");
        }
    }
}

#[test]
fn each_event_takes_the_agreement_on() {
    assert_states(&[
        ("nothing", &[], &[("1990-01-01", "DRAFT")]),
        ("a negotiation", &["NEGOTIATION 1990-01-01"], &[("1989-12-31", "DRAFT"), ("1990-01-01", "NEGOTIATING")]),
        ("an adoption", &["ADOPTION 1990-01-01"], &[("1989-12-31", "DRAFT"), ("1990-01-01", "ADOPTED")]),
        (
            "a negotiation after the adoption",
            &["ADOPTION 1990-01-01", "NEGOTIATION 1991-01-01"],
            &[("1992-01-01", "ADOPTED")],
        ),
        ("a signature", &["SIGNATURE 1990-01-01"], &[("1989-12-31", "DRAFT"), ("1990-01-01", "SIGNED")]),
        ("a definitive signature", &["DEFINITIVE_SIGNATURE 1990-01-01"], &[("1990-01-01", "SIGNED")]),
        ("a ratification", &["RATIFICATION 1990-01-01"], &[("1990-01-01", "DRAFT")]),
        (
            "provisional application and its end",
            &["PROVISIONAL_APPLICATION 1990-01-01", "PROVISIONAL_APPLICATION_END 1991-01-01"],
            &[
                ("1990-01-01", "PROVISIONALLY_APPLIED"),
                ("1990-12-31", "PROVISIONALLY_APPLIED"),
                ("1991-01-01", "SIGNED"),
            ],
        ),
        (
            "provisional application by two, of whom one ends it",
            &[
                "parties a b",
                "PROVISIONAL_APPLICATION a,b 1990-01-01",
                "PROVISIONAL_APPLICATION_END a 1991-01-01",
                "PROVISIONAL_APPLICATION_END b 1992-01-01",
            ],
            &[("1991-06-01", "PROVISIONALLY_APPLIED"), ("1992-01-01", "SIGNED")],
        ),
        (
            "provisional application by a witness, and by all who are to be bound, who end it",
            &[
                "parties a b w:WITNESS",
                "PROVISIONAL_APPLICATION w 1990-01-01",
                "PROVISIONAL_APPLICATION 1991-01-01",
                "PROVISIONAL_APPLICATION_END 1992-01-01",
                "PROVISIONAL_APPLICATION_END w 1993-01-01",
            ],
            &[("1992-06-01", "PROVISIONALLY_APPLIED"), ("1993-01-01", "SIGNED")],
        ),
        (
            "entry into force, before signature",
            &["ENTRY_INTO_FORCE 1990-01-01", "SIGNATURE 1991-01-01"],
            &[("1989-12-31", "DRAFT"), ("1990-01-01", "IN_FORCE"), ("1991-01-01", "IN_FORCE")],
        ),
        (
            "entry into force of single parties",
            &["parties a b", "ENTRY_INTO_FORCE a 1991-01-01", "ENTRY_INTO_FORCE b 1990-01-01"],
            &[("1989-12-31", "DRAFT"), ("1990-01-01", "IN_FORCE")],
        ),
        (
            "entry into force of a party before that of all",
            &["parties a b", "ENTRY_INTO_FORCE a 1990-01-01", "ENTRY_INTO_FORCE 1991-01-01"],
            &[("1990-06-01", "DRAFT"), ("1991-01-01", "IN_FORCE")],
        ),
        (
            "suspension and resumption",
            &["ENTRY_INTO_FORCE 1990-01-01", "SUSPENSION 1991-01-01", "RESUMPTION 1992-01-01"],
            &[("1991-01-01", "SUSPENDED"), ("1991-12-31", "SUSPENDED"), ("1992-01-01", "IN_FORCE")],
        ),
        (
            "suspension of a party",
            &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "SUSPENSION a 1991-01-01"],
            &[("1991-01-01", "IN_FORCE")],
        ),
        (
            "termination: ended on a day is not in force on it",
            &["ENTRY_INTO_FORCE 1990-01-01", "TERMINATION 1991-01-01 ground=CONSENT"],
            &[("1990-12-31", "IN_FORCE"), ("1991-01-01", "TERMINATED")],
        ),
        (
            "a later agreement",
            &["ENTRY_INTO_FORCE 1990-01-01", "TERMINATION 1991-01-01 ground=LATER_AGREEMENT"],
            &[("1991-01-01", "SUPERSEDED")],
        ),
        (
            "a denunciation between two",
            &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "DENUNCIATION a 1991-01-01 effect=1991-07-01"],
            &[("1991-06-30", "IN_FORCE"), ("1991-07-01", "TERMINATED")],
        ),
        (
            "a withdrawal among three",
            &["parties a b c", "ENTRY_INTO_FORCE 1990-01-01", "WITHDRAWAL a 1991-01-01"],
            &[("1991-01-01", "IN_FORCE")],
        ),
        (
            "a withdrawal among three that call it bilateral",
            &["scope BILATERAL", "parties a b c", "ENTRY_INTO_FORCE 1990-01-01", "WITHDRAWAL a 1991-01-01"],
            &[("1991-01-01", "TERMINATED")],
        ),
        (
            "a withdrawal among two that call it multilateral",
            &["scope MULTILATERAL", "parties a b", "ENTRY_INTO_FORCE 1990-01-01", "WITHDRAWAL a 1991-01-01"],
            &[("1991-01-01", "IN_FORCE")],
        ),
        (
            "a witness makes no third side",
            &["parties a b w:WITNESS", "ENTRY_INTO_FORCE 1990-01-01", "WITHDRAWAL a 1991-01-01"],
            &[("1991-01-01", "TERMINATED")],
        ),
        (
            "a successor makes no third side",
            &[
                "parties a b c",
                "ENTRY_INTO_FORCE 1990-01-01",
                "SUCCESSION c 1991-01-01 of=a",
                "DENUNCIATION c 1992-01-01",
            ],
            &[("1991-06-01", "IN_FORCE"), ("1992-01-01", "TERMINATED")],
        ),
        (
            "a denunciation with a period of notice",
            &["parties a b", "term denunciation=6m", "ENTRY_INTO_FORCE 1990-01-01", "DENUNCIATION a 1990-08-31"],
            &[("1991-02-27", "IN_FORCE"), ("1991-02-28", "TERMINATED")],
        ),
        (
            "a denunciation that is taken back",
            &[
                "parties a b",
                "ENTRY_INTO_FORCE 1990-01-01",
                "DENUNCIATION a 1991-01-01 effect=1992-01-01",
                "REVOCATION a 1991-12-31 revokes=e2",
            ],
            &[("1992-01-01", "IN_FORCE")],
        ),
        (
            "a denunciation that is taken back too late",
            &[
                "parties a b",
                "ENTRY_INTO_FORCE 1990-01-01",
                "DENUNCIATION a 1991-01-01 effect=1992-01-01",
                "REVOCATION a 1992-01-01 revokes=e2",
            ],
            &[("1992-01-01", "TERMINATED")],
        ),
        (
            "abandonment, which is for what is not in force",
            &["SIGNATURE 1990-01-01", "ABANDONMENT 1991-01-01"],
            &[("1991-01-01", "ABANDONED")],
        ),
        ("too late", &["ENTRY_INTO_FORCE 1990-01-01", "ABANDONMENT 1991-01-01"], &[("1991-01-01", "IN_FORCE")]),
        (
            "a second entry into force",
            &[
                "ENTRY_INTO_FORCE 1990-01-01",
                "TERMINATION 1991-01-01 ground=CONSENT",
                "SIGNATURE 1992-01-01",
                "ENTRY_INTO_FORCE 1993-01-01",
            ],
            &[("1992-06-01", "TERMINATED"), ("1993-01-01", "IN_FORCE")],
        ),
        (
            "a voided termination",
            &["ENTRY_INTO_FORCE 1990-01-01", "TERMINATION 1991-01-01 ground=CONSENT voided"],
            &[("1991-01-01", "IN_FORCE")],
        ),
        (
            "on one day in the order of the table",
            &["TERMINATION 1990-01-01 ground=CONSENT", "ENTRY_INTO_FORCE 1990-01-01", "SIGNATURE 1990-01-01"],
            &[("1989-12-31", "DRAFT"), ("1990-01-01", "TERMINATED")],
        ),
        (
            "what changes nothing",
            &[
                "parties a",
                "ENTRY_INTO_FORCE 1990-01-01",
                "AMENDMENT 1991-01-01",
                "CORRECTION 1991-01-01",
                "RESERVATION a 1991-01-01",
                "WITHDRAWAL_OF_RESERVATION a 1991-01-01",
                "DECLARATION 1991-01-01",
                "OBJECTION a 1991-01-01",
                "TERRITORIAL_APPLICATION 1991-01-01",
                "NOTIFICATION 1991-01-01",
                "REGISTRATION 1991-01-01",
                "EXPULSION a 1991-01-01",
            ],
            &[("1992-01-01", "IN_FORCE")],
        ),
    ]);
}

#[test]
fn a_term_ends_and_is_renewed_by_the_calendar() {
    assert_states(&[
        (
            "five years end with their last day",
            &["term length=5y", "ENTRY_INTO_FORCE 2001-03-01"],
            &[("2006-02-28", "IN_FORCE"), ("2006-03-01", "EXPIRED")],
        ),
        (
            "an expiry date is the last day",
            &["term expiry=2005-12-31 length=1y", "ENTRY_INTO_FORCE 2001-03-01"],
            &[("2005-12-31", "IN_FORCE"), ("2006-01-01", "EXPIRED")],
        ),
        (
            "a term of what never was in force",
            &["term expiry=2005-12-31", "SIGNATURE 2001-03-01"],
            &[("2005-12-31", "SIGNED"), ("2006-01-01", "SIGNED")],
        ),
        (
            "each term is counted from the first day",
            &["term length=1m renewal=AUTOMATIC max=1", "ENTRY_INTO_FORCE 2001-01-31"],
            &[("2001-03-30", "IN_FORCE"), ("2001-03-31", "EXPIRED")],
        ),
        (
            "renewed without end",
            &["term length=1y renewal=AUTOMATIC", "ENTRY_INTO_FORCE 1901-01-01"],
            &[("2100-01-01", "IN_FORCE")],
        ),
        (
            "renewed for other lengths, twice",
            &["term length=5y renewal=AUTOMATIC renewed=2y max=2", "ENTRY_INTO_FORCE 2000-01-01"],
            &[("2008-12-31", "IN_FORCE"), ("2009-01-01", "EXPIRED")],
        ),
        (
            "renewals after an expiry date",
            &["term expiry=2001-01-30 renewal=AUTOMATIC renewed=1m max=2", "ENTRY_INTO_FORCE 2000-01-01"],
            &[("2001-03-30", "IN_FORCE"), ("2001-03-31", "EXPIRED")],
        ),
        (
            "a notice in time",
            &["term length=5y renewal=AUTOMATIC notice=6m", "ENTRY_INTO_FORCE 2000-01-01", "NON_RENEWAL 2004-06-30"],
            &[("2004-12-31", "IN_FORCE"), ("2005-01-01", "EXPIRED")],
        ),
        (
            "a notice that is late is for the next term",
            &["term length=5y renewal=AUTOMATIC notice=6m", "ENTRY_INTO_FORCE 2000-01-01", "NON_RENEWAL 2004-07-01"],
            &[("2005-01-01", "IN_FORCE"), ("2009-12-31", "IN_FORCE"), ("2010-01-01", "EXPIRED")],
        ),
        (
            "a notice after many terms",
            &["term length=1y renewal=AUTOMATIC notice=1m", "ENTRY_INTO_FORCE 1900-01-01", "NON_RENEWAL 1999-12-15"],
            &[("2000-12-31", "IN_FORCE"), ("2001-01-01", "EXPIRED")],
        ),
        (
            "a notice that is taken back",
            &[
                "term length=5y renewal=AUTOMATIC",
                "ENTRY_INTO_FORCE 2000-01-01",
                "NON_RENEWAL 2004-06-30",
                "REVOCATION 2004-12-31 revokes=e2",
            ],
            &[("2005-01-01", "IN_FORCE"), ("2020-01-01", "IN_FORCE")],
        ),
        (
            "a notice that is taken back too late",
            &[
                "term length=5y renewal=AUTOMATIC",
                "ENTRY_INTO_FORCE 2000-01-01",
                "NON_RENEWAL 2004-06-30",
                "REVOCATION 2005-01-01 revokes=e2",
            ],
            &[("2005-01-01", "EXPIRED")],
        ),
        (
            "renewal by consent, which did not come",
            &["term length=5y renewal=BY_CONSENT", "ENTRY_INTO_FORCE 2000-01-01"],
            &[("2005-01-01", "EXPIRED")],
        ),
        (
            "renewal by consent",
            &["term length=5y renewal=BY_CONSENT", "ENTRY_INTO_FORCE 2000-01-01", "RENEWAL 2004-05-01"],
            &[("2009-12-31", "IN_FORCE"), ("2010-01-01", "EXPIRED")],
        ),
        (
            "renewal on the day after the term",
            &["term length=5y", "ENTRY_INTO_FORCE 2000-01-01", "RENEWAL 2005-01-01 end=2006-06-30"],
            &[("2006-06-30", "IN_FORCE"), ("2006-07-01", "EXPIRED")],
        ),
        (
            "after a renewal terms count from the day after its end",
            &[
                "term length=5y renewal=AUTOMATIC renewed=1y max=1",
                "ENTRY_INTO_FORCE 2000-01-01",
                "RENEWAL 2004-01-01 end=2006-06-30",
            ],
            &[("2007-06-30", "IN_FORCE"), ("2007-07-01", "EXPIRED")],
        ),
        (
            "indefinitely after the first term",
            &["term length=5y renewal=INDEFINITELY", "ENTRY_INTO_FORCE 2000-01-01"],
            &[("2100-01-01", "IN_FORCE")],
        ),
        (
            "indefinitely, unless there is a notice",
            &["term length=5y renewal=INDEFINITELY", "ENTRY_INTO_FORCE 2000-01-01", "NON_RENEWAL 2003-01-01"],
            &[("2005-01-01", "EXPIRED")],
        ),
    ]);
}

#[test]
fn a_date_that_is_not_known_leaves_open_what_follows_from_it() {
    assert_states(&[
        (
            "a year",
            &["SIGNATURE 1990-01-01", "ENTRY_INTO_FORCE 1991"],
            &[
                ("1990-12-31", "SIGNED"),
                ("1991-01-01", "SIGNED|IN_FORCE"),
                ("1991-12-30", "SIGNED|IN_FORCE"),
                ("1991-12-31", "IN_FORCE"),
            ],
        ),
        (
            "an unknown end is not before the beginning",
            &["ENTRY_INTO_FORCE 1990-01-01", "TERMINATION unknown ground=CONSENT"],
            &[("1989-12-31", "DRAFT"), ("1990-01-01", "IN_FORCE|TERMINATED"), ("2100-01-01", "IN_FORCE|TERMINATED")],
        ),
        (
            "an unknown act was not after it was recorded",
            &["ENTRY_INTO_FORCE 1990-01-01", "TERMINATION unknown ground=CONSENT recorded=2000-01-01"],
            &[("1999-12-31", "IN_FORCE|TERMINATED"), ("2000-01-01", "TERMINATED")],
        ),
        (
            "two in the same year",
            &["ENTRY_INTO_FORCE 1990", "TERMINATION 1990 ground=CONSENT"],
            &[
                ("1989-12-31", "DRAFT"),
                ("1990-01-01", "DRAFT|IN_FORCE|TERMINATED"),
                ("1990-06-01", "DRAFT|IN_FORCE|TERMINATED"),
                ("1990-12-31", "TERMINATED"),
            ],
        ),
        (
            "if no world is in order, none is left out",
            &["ENTRY_INTO_FORCE 1991", "TERMINATION 1990 ground=CONSENT"],
            &[("1990-12-31", "TERMINATED"), ("1991-12-31", "IN_FORCE")],
        ),
        (
            "a term from an uncertain day",
            &["term length=5y", "ENTRY_INTO_FORCE 1990-03"],
            &[("1995-02-28", "IN_FORCE"), ("1995-03-01", "IN_FORCE|EXPIRED"), ("1995-03-31", "EXPIRED")],
        ),
    ]);
}

#[test]
fn what_is_presupposed_and_not_recorded_is_not_known() {
    assert_states(&[
        (
            "a termination",
            &["SIGNATURE 1980-01-01", "TERMINATION 1990-01-01 ground=CONSENT"],
            &[("1979-12-31", "DRAFT|IN_FORCE"), ("1985-01-01", "SIGNED|IN_FORCE"), ("1990-01-01", "TERMINATED")],
        ),
        (
            "an expiry date alone presupposes nothing",
            &["term expiry=1990-01-01", "SIGNATURE 1980-01-01"],
            &[("1985-01-01", "SIGNED")],
        ),
        (
            "a resumption",
            &["ENTRY_INTO_FORCE 1980-01-01", "RESUMPTION 1990-01-01"],
            &[("1985-01-01", "IN_FORCE|SUSPENDED"), ("1990-01-01", "IN_FORCE")],
        ),
        (
            "ends of provisional application by two, of which the first leaves open whether it was the last",
            &["parties a b c", "PROVISIONAL_APPLICATION_END a 1990-01-01", "PROVISIONAL_APPLICATION_END b 1991-01-01"],
            &[
                ("1989-12-31", "DRAFT|PROVISIONALLY_APPLIED"),
                ("1990-01-01", "SIGNED|PROVISIONALLY_APPLIED"),
                ("1991-01-01", "SIGNED"),
            ],
        ),
        (
            "events that are missing",
            &["incomplete", "SIGNATURE 1980-01-01"],
            &[("1985-01-01", "SIGNED|IN_FORCE|TERMINATED")],
        ),
        (
            "an end that is missing",
            &["incomplete", "ENTRY_INTO_FORCE 1980-01-01"],
            &[("1979-12-31", "DRAFT"), ("1980-01-01", "IN_FORCE|TERMINATED")],
        ),
        (
            "what is recorded stays",
            &["incomplete", "ENTRY_INTO_FORCE 1980-01-01", "TERMINATION 1990-01-01 ground=CONSENT"],
            &[("1979-12-31", "DRAFT"), ("1989-12-31", "IN_FORCE"), ("1990-01-01", "TERMINATED")],
        ),
    ]);
}

#[test]
fn an_asserted_status_never_takes_back_what_is_recorded() {
    assert_states(&[
        ("since a day", &["asserted IN_FORCE 1990-01-01"], &[("1989-12-31", "DRAFT"), ("1990-01-01", "IN_FORCE")]),
        (
            "since some day before it was told",
            &["asserted IN_FORCE", "updated 2000-01-01"],
            &[("1999-12-31", "DRAFT|IN_FORCE"), ("2000-01-01", "IN_FORCE")],
        ),
        ("ended", &["asserted EXPIRED 1990-01-01"], &[("1980-01-01", "DRAFT|IN_FORCE"), ("1990-01-01", "EXPIRED")]),
        ("passed over", &["asserted SIGNED 1992-01-01", "ENTRY_INTO_FORCE 1990-01-01"], &[("1992-01-01", "IN_FORCE")]),
        (
            "an end that is recorded wins",
            &["asserted IN_FORCE 1990-01-01", "TERMINATION 1991-01-01 ground=CONSENT"],
            &[("1989-12-31", "DRAFT"), ("1990-12-31", "IN_FORCE"), ("1991-01-01", "TERMINATED")],
        ),
    ]);
}

/// Of a party: the agreement, and on days how it stands, as [`standing`] writes it.
type Standings = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str, &'static str)]);

#[test]
fn each_event_takes_the_parties_on() {
    let table: &[Standings] = &[
        (
            "a signature of those named, or of all who are to be bound",
            &["parties a b w:WITNESS", "SIGNATURE a 1989-01-01", "SIGNATURE 1990-01-01", "SIGNATURE w 1991-01-01"],
            &[
                ("a", "1989-06-01", "+-----"),
                ("b", "1989-06-01", "------"),
                ("b", "1990-01-01", "+-----"),
                ("w", "1990-01-01", "------"),
                ("w", "1991-01-01", "+-----"),
            ],
        ),
        (
            "a definitive signature is a consent",
            &["parties a b", "DEFINITIVE_SIGNATURE a 1990-01-01"],
            &[("a", "1990-01-01", "++----"), ("b", "1990-01-01", "------")],
        ),
        (
            "between two, entry into force binds both",
            &["parties a b w:WITNESS", "RATIFICATION a 1989-01-01", "ENTRY_INTO_FORCE 1990-01-01"],
            &[
                ("a", "1989-12-31", "-+----"),
                ("a", "1990-01-01", "-+++--"),
                ("b", "1990-01-01", "--++--"),
                ("w", "1990-01-01", "------"),
            ],
        ),
        (
            "between two, it does not bind whom another succeeded, unless it has joined again",
            &[
                "parties a b c",
                "SUCCESSION c 1988-01-01 of=a",
                "RATIFICATION a 1989-01-01",
                "ENTRY_INTO_FORCE 1990-01-01",
                "EXPULSION a 1991-01-01",
                "TERMINATION 1992-01-01 ground=CONSENT",
                "ENTRY_INTO_FORCE 1993-01-01",
            ],
            &[("a", "1990-01-01", "-+++--"), ("a", "1993-01-01", "-----+ EXPULSION"), ("b", "1993-01-01", "--++--")],
        ),
        (
            "an end of all presupposes that one applied it provisionally, and not that all did",
            &["parties a b", "PROVISIONAL_APPLICATION a 1990-01-01", "PROVISIONAL_APPLICATION_END 1991-01-01"],
            &[("a", "1990-06-01", "----+-"), ("b", "1990-06-01", "------")],
        ),
        (
            "of many one may have left before it ended for all, if events are missing",
            &["parties a b c", "incomplete", "ENTRY_INTO_FORCE 1980-01-01", "TERMINATION 1990-01-01 ground=CONSENT"],
            &[("a", "1979-12-31", "??----"), ("a", "1985-01-01", "????-?"), ("a", "1990-01-01", "??---?")],
        ),
        (
            "of many one that left may have been bound later than others, if consents are missing",
            &["parties a b c", "incomplete", "ENTRY_INTO_FORCE 1980-01-01", "WITHDRAWAL a 1990-01-01"],
            &[("a", "1985-01-01", "????-?"), ("a", "1990-01-01", "?----?")],
        ),
        (
            "provisional application of others is what an end of all may have ended",
            &[
                "parties a b",
                "PROVISIONAL_APPLICATION unknown recorded=1995-01-01",
                "PROVISIONAL_APPLICATION b 1990-01-01",
                "PROVISIONAL_APPLICATION_END 1991",
            ],
            &[("a", "1990-12-31", "----?-"), ("a", "1993-01-01", "----?-")],
        ),
        (
            "among many, it binds those who have consented, and later those who consent",
            &[
                "parties a b c d e",
                "RATIFICATION a 1989-01-01",
                "ACCEPTANCE b 1990-01-01",
                "ENTRY_INTO_FORCE 1990-01-01",
                "ACCESSION c 1991-01-01",
                "ACCESSION d 1991-01-01",
                "ENTRY_INTO_FORCE d 1991-04-01",
            ],
            &[
                ("a", "1990-01-01", "-+++--"),
                ("b", "1990-01-01", "-+++--"),
                ("c", "1990-12-31", "------"),
                ("c", "1991-01-01", "-+++--"),
                ("d", "1991-03-31", "-+----"),
                ("d", "1991-04-01", "-+++--"),
                ("e", "1991-04-01", "------"),
            ],
        ),
        (
            "among many of whom no consent is recorded, it binds all who did not join later",
            &["parties a b c w:WITNESS", "ENTRY_INTO_FORCE 1990-01-01", "ACCESSION c 1991-01-01"],
            &[
                ("a", "1990-01-01", "--++--"),
                ("b", "1990-01-01", "--++--"),
                ("c", "1990-01-01", "------"),
                ("c", "1991-01-01", "-+++--"),
                ("w", "1991-01-01", "------"),
            ],
        ),
        (
            "suspension of all, and of one",
            &[
                "parties a b",
                "ENTRY_INTO_FORCE 1990-01-01",
                "SUSPENSION a 1991-01-01",
                "SUSPENSION 1992-01-01",
                "RESUMPTION 1993-01-01",
                "RESUMPTION a 1994-01-01",
            ],
            &[
                ("a", "1991-01-01", "--+---"),
                ("b", "1991-01-01", "--++--"),
                ("b", "1992-01-01", "--+---"),
                ("b", "1993-01-01", "--++--"),
                ("a", "1993-01-01", "--+---"),
                ("a", "1994-01-01", "--++--"),
            ],
        ),
        (
            "who withdraws needs a new consent to return",
            &[
                "scope MULTILATERAL",
                "parties a b c",
                "RATIFICATION a,b 1989-01-01",
                "ENTRY_INTO_FORCE 1990-01-01",
                "WITHDRAWAL a 1991-01-01",
                "EXPULSION b 1991-01-01",
                "ACCESSION a 1993-01-01",
            ],
            &[
                ("a", "1990-12-31", "-+++--"),
                ("a", "1991-01-01", "-----+ WITHDRAWAL"),
                ("b", "1991-01-01", "-----+ EXPULSION"),
                ("a", "1993-01-01", "-+++--"),
                ("b", "1993-01-01", "-----+ EXPULSION"),
            ],
        ),
        (
            "a succession",
            &["parties a b c", "ENTRY_INTO_FORCE 1990-01-01", "SUCCESSION c 1991-01-01 of=a"],
            &[
                ("a", "1990-12-31", "--++--"),
                ("c", "1990-12-31", "------"),
                ("a", "1991-01-01", "-----+ SUCCESSION"),
                ("b", "1991-01-01", "--++--"),
                ("c", "1991-01-01", "-+++--"),
            ],
        ),
        (
            "the end of the agreement, between two",
            &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "DENUNCIATION a 1991-01-01"],
            &[("a", "1991-01-01", "-----+ WITHDRAWAL"), ("b", "1991-01-01", "-----+ TERMINATION")],
        ),
        (
            "the end of its term",
            &["parties a b", "term length=1y", "ENTRY_INTO_FORCE 1990-01-01"],
            &[("a", "1990-12-31", "--++--"), ("a", "1991-01-01", "-----+ EXPIRY")],
        ),
        (
            "a later agreement",
            &["parties a b", "ENTRY_INTO_FORCE 1990-01-01", "TERMINATION 1991-01-01 ground=LATER_AGREEMENT"],
            &[("a", "1991-01-01", "-----+ SUPERSESSION")],
        ),
        (
            "provisional application by one",
            &["parties a b", "PROVISIONAL_APPLICATION a 1990-01-01", "ENTRY_INTO_FORCE 1991-01-01"],
            &[("a", "1990-01-01", "----+-"), ("b", "1990-01-01", "------"), ("a", "1991-01-01", "--++--")],
        ),
        (
            "a withdrawal of whoever joined on a day that is not recorded",
            &["parties a b c", "RATIFICATION b 1989-01-01", "ENTRY_INTO_FORCE 1990-01-01", "WITHDRAWAL a 1995-01-01"],
            &[("a", "1989-12-31", "------"), ("a", "1994-12-31", "--??--"), ("a", "1995-01-01", "-----?")],
        ),
        (
            "a consent on a day that is not known",
            &["parties a b c", "RATIFICATION a 1990", "RATIFICATION b 1980-01-01", "ENTRY_INTO_FORCE 1990-07-01"],
            &[
                ("a", "1990-06-30", "-?----"),
                ("a", "1990-07-01", "-???--"),
                ("a", "1990-12-31", "-+++--"),
                ("b", "1990-07-01", "-+++--"),
            ],
        ),
    ];
    for (what, lines, days) in table {
        let agreement = agreement(lines);
        for (party, day, expected) in *days {
            assert_eq!(standing(&agreement, party, day), *expected, "{what}, {party} on {day}");
        }
    }
}

#[test]
fn what_decides_is_named() {
    let known = agreement(&["term length=1y", "SIGNATURE 1990-01-01", "ENTRY_INTO_FORCE 1991-01-01"]);
    let table = [("1989-01-01", ""), ("1990-06-01", "e1"), ("1991-06-01", "e2"), ("1992-01-01", "TERM")];
    for (day, expected) in table {
        assert_eq!(bases(&known, day).join(" "), expected, "{day}");
    }
    let since = status(&known, "1992-05-01").since.unwrap();
    assert_eq!((since.year, since.month, since.day), (1992, 1, 1));
    let open = agreement(&["SIGNATURE 1990", "ENTRY_INTO_FORCE 1991", "TERMINATION unknown ground=CONSENT"]);
    let table = [("1990-06-01", "e1"), ("1991-06-01", "e2 e3"), ("1995-01-01", "e3")];
    for (day, expected) in table {
        assert_eq!(bases(&open, day).join(" "), expected, "{day}");
    }
    assert_eq!(status(&open, "1991-06-01").since, None);
    let year = agreement(&["ENTRY_INTO_FORCE 1991"]);
    assert_eq!(status(&year, "1995-01-01").since, year.events[0].act_date, "as it was recorded");
    let presupposed = agreement(&["TERMINATION 1990-01-01 ground=CONSENT"]);
    assert_eq!(bases(&presupposed, "1980-01-01"), ["UNRECORDED_EVENT"]);
    let asserted = agreement(&["asserted IN_FORCE", "updated 2000-01-01"]);
    assert_eq!(
        (bases(&asserted, "1990-01-01"), bases(&asserted, "2000-01-01")),
        (vec!["ASSERTED_STATUS".into()], vec!["ASSERTED_STATUS".into()])
    );
}
