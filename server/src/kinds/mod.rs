//! The rules of each kind: what cannot be true of any record of it, and what is strange about one; no annotation can say
//! either.
//!
//! Pure: no I/O, no clock, no state of the registry. A kind of the contract without its file here does not compile.

use partnership_registry::v1::{self, Resource, resource};
use prost::{DecodeError, Message as _};

use self::timeline::Dated;
use self::verb::Verbs;
use crate::findings::Findings;
use crate::violations::Violations;

/// What a kind brings, besides its message. A resource is decoded once on its way: these functions take and give it in
/// its envelope.
#[derive(Debug, Clone, Copy)]
pub struct KindRules {
    /// The field of the `Resource` envelope, such as `focus_area`.
    pub singular: &'static str,
    /// Puts an encoded message of this kind into its envelope. Fails on bytes that are no such message.
    pub decode: fn(&[u8]) -> Result<Resource, DecodeError>,
    /// Encodes the message in an envelope, without the envelope, in the one order of fields in which equal messages have
    /// equal bytes.
    pub encode: fn(&Resource) -> Vec<u8>,
    /// Notes what the annotations cannot say. The resource has its name, since some rules compare references with it.
    pub check: fn(&Resource, &mut Violations),
    /// Notes what is strange and may yet be so: above all, that the state and what else is said contradict each other. No
    /// clock is asked, so the same resource always has the same findings.
    pub find: fn(&Resource, &mut Findings),
    /// How its resources stand on each day. `None`: nothing about them follows from days.
    pub dated: Option<Dated>,
    /// What is done to its resources by methods of its own. `None`: it has no such methods.
    pub verbs: Option<Verbs>,
}

/// What a kind brings whose resources stand differently from day to day.
const fn dated(singular: &str) -> Option<Dated> {
    match singular.as_bytes() {
        b"agreement" => Some(agreement::DATED),
        _ => None,
    }
}

/// What a kind brings that has verbs.
const fn verbs(singular: &str) -> Option<Verbs> {
    match singular.as_bytes() {
        b"agreement" => Some(agreement::recording::VERBS),
        _ => None,
    }
}

macro_rules! kinds {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        $(pub(crate) mod $singular;)*

        /// The rules of all kinds, in the order of the envelope.
        pub const ALL: &[KindRules] = &[$(KindRules {
            singular: stringify!($singular),
            decode: |encoded| v1::$Kind::decode(encoded).map(Resource::from),
            encode,
            check,
            find,
            dated: dated(stringify!($singular)),
            verbs: verbs(stringify!($singular)),
        }),*];

        /// The message in an envelope, of whatever kind; nothing if the envelope is empty.
        fn encode(resource: &Resource) -> Vec<u8> {
            match &resource.kind {
                $(Some(resource::Kind::$Kind(message)) => message.encode_to_vec(),)*
                None => Vec::new(),
            }
        }

        /// Hands the message in an envelope to the rules of its kind. An empty envelope breaks none.
        fn check(resource: &Resource, violations: &mut Violations) {
            match &resource.kind {
                $(Some(resource::Kind::$Kind(message)) => $singular::check(message, violations),)*
                None => {}
            }
        }

        /// Hands the message in an envelope to what finds the strange in its kind. In an empty envelope there is nothing.
        fn find(resource: &Resource, findings: &mut Findings) {
            match &resource.kind {
                $(Some(resource::Kind::$Kind(message)) => $singular::find(message, findings),)*
                None => {}
            }
        }
    };
}

partnership_registry::for_each_kind!(kinds);

#[cfg(test)]
mod table;
pub mod timeline;
pub mod verb;

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Commitment, CommitmentState, FocusArea, PartialDate};

    use super::*;

    fn rules(singular: &str) -> KindRules {
        ALL.iter().find(|rules| rules.singular == singular).copied().unwrap()
    }

    #[test]
    fn a_message_comes_out_of_its_envelope_as_it_was_put_in() {
        let area = FocusArea { name: "focusAreas/ai".into(), ..FocusArea::default() };
        let resource = (rules("focus_area").decode)(&area.encode_to_vec()).unwrap();
        assert_eq!(resource, Resource::from(area.clone()));
        for rules in ALL {
            assert_eq!((rules.encode)(&resource), area.encode_to_vec(), "whichever kind encodes: {}", rules.singular);
        }
        assert!((rules("focus_area").encode)(&Resource::default()).is_empty());
    }

    #[test]
    fn a_resource_is_checked_by_the_rules_of_the_kind_that_it_is() {
        let name = "commitments/a";
        let commitment = Commitment { name: name.into(), source: name.into(), ..Commitment::default() };
        for rules in ALL {
            let mut violations = Violations::new();
            (rules.check)(&commitment.clone().into(), &mut violations);
            assert_eq!(violations.iter().count(), 1, "{violations}");
        }
    }

    #[test]
    fn what_is_strange_about_a_resource_is_found_by_the_rules_of_the_kind_that_it_is() {
        let mut commitment = Commitment { met_date: Some(PartialDate::default()), ..Commitment::default() };
        commitment.set_state(CommitmentState::NotMet);
        for rules in ALL {
            let mut findings = Findings::new();
            (rules.find)(&commitment.clone().into(), &mut findings);
            (rules.find)(&Resource::default(), &mut findings);
            assert_eq!(findings.iter().count(), 1, "{findings:?}");
        }
    }

    #[test]
    fn equal_messages_have_equal_bytes_whatever_the_order_they_came_in() {
        let message = FocusArea { display_name: "AI".into(), parent: "focusAreas/a".into(), ..FocusArea::default() };
        let [name, parent] = [
            FocusArea { parent: String::new(), ..message.clone() }.encode_to_vec(),
            FocusArea { display_name: String::new(), ..message.clone() }.encode_to_vec(),
        ];
        for order in [[&name[..], &parent].concat(), [&parent[..], &name].concat()] {
            let rules = rules("focus_area");
            assert_eq!((rules.encode)(&(rules.decode)(&order).unwrap()), message.encode_to_vec());
        }
    }
}
