//! What a kind's verbs make of a resource, as the draft of a request has it: what is recorded, what the server gives at a
//! creation, and where in the request it stands what is wrong with that.
//!
//! What a verb does, `kinds` knows; nothing is decided here that the state of other resources could change.

use partnership_registry::v1::Resource;

use super::ledger::Known;
use super::place::Place;
use super::plan::{Drafting, decode};
use crate::kinds::verb::{Added, Refused, Verb, Verbs};
use crate::registry::error::Error;
use crate::registry::resource::check::{self, Checked};
use crate::registry::resource::name::Name;
use crate::registry::resource::{finding, wire};
use crate::violations::Violations;

impl Drafting<'_> {
    /// The body that a verb makes of another one, and what it added.
    pub(super) fn apply(
        &self,
        place: &Place,
        name: &Name,
        row: Known,
        old: &[u8],
        (verb, verbs): (&Verb, &Verbs),
    ) -> Result<(Vec<u8>, Option<Added>), Error> {
        let rules = &self.schemas.kind(name.kind()).rules;
        let mut resource = decode(rules, old, row.revision)?;
        match (verbs.apply)(verb, &mut resource, &self.moment()) {
            Ok(added) => Ok(((rules.encode)(&resource), added)),
            Err(Refused::Invalid(found)) => Err(Error::Invalid(placed(place, found))),
            Err(Refused::State(found)) => Err(Error::WrongState(placed(place, found))),
        }
    }

    /// The body of a resource that is created, with what the server gives besides its stamp, and what came of its check.
    pub(super) fn complete(
        &self,
        verbs: &Verbs,
        place: &Place,
        name: &Name,
        body: Vec<u8>,
        checked: Checked,
    ) -> Result<(Vec<u8>, Checked), Error> {
        if !wire::fields(&body).any(|field| field.number == verbs.field) {
            return Ok((body, checked));
        }
        let rules = &self.schemas.kind(name.kind()).rules;
        let mut resource = decode(rules, &body, 0)?;
        let mut found = Violations::new();
        let filled = (verbs.complete)(&mut resource, &self.moment(), &mut found);
        let mut violations = Violations::new();
        place.add(found, &mut violations);
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        if !filled {
            return Ok((body, checked));
        }
        let mut body = (rules.encode)(&resource);
        let mut again = self.check(place, name, resource, &mut body)?;
        finding::keep_of_cleaning(&checked.findings, &mut again.findings);
        Ok((body, again))
    }

    /// Checks a resource to which a verb added something, and tells what is wrong with that as it stands in the request.
    pub(super) fn check_added(
        &self,
        place: &Place,
        name: &Name,
        mut resource: Resource,
        body: &mut Vec<u8>,
        added: Added,
    ) -> Result<Checked, Error> {
        resource.set_name(name.to_string());
        let mut found = Violations::new();
        let checked = check::check(self.schemas, name.kind(), &resource, body, &mut found);
        let mut violations = Violations::new();
        for violation in found.iter() {
            match added.in_request(&violation.field) {
                Some(field) => violations.add(place.request(&field), violation.description.clone()),
                None => violations.add(
                    place.request("name"),
                    format!(
                        "leads to a resource that would break a rule: {} {}",
                        violation.field, violation.description
                    ),
                ),
            }
        }
        if violations.is_empty() { Ok(checked) } else { Err(Error::Invalid(violations)) }
    }
}

/// What is wrong with a verb, where it stands in the request.
fn placed(place: &Place, of_verb: Violations) -> Violations {
    let mut violations = Violations::new();
    violations.add_all(&place.request(""), of_verb);
    violations
}
