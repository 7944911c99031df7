//! A resource as its caller gave it. The transport has decoded it; here it is encoded, once, and checked as it was
//! decoded.

use partnership_registry::v1::Resource;

use crate::registry::resource::body;
use crate::registry::resource::check::{Checked, check};
use crate::registry::schema::{KindId, Schemas};
use crate::violations::Violations;

/// A resource as its caller gave it.
pub(crate) struct Input {
    kind: KindId,
    resource: Resource,
    /// Without its name and without what the server writes. A check leaves it as it can be stored.
    pub(crate) body: Vec<u8>,
    /// The name in it.
    pub(crate) name: String,
    /// The etag in it.
    pub(crate) etag: String,
    /// All that the caller gave, if some of it is what only the server writes, other than the etag. `None`: the body is
    /// all there is.
    pub(crate) all: Option<Vec<u8>>,
}

impl Input {
    /// Encodes a resource of `kind`.
    pub(crate) fn new(schemas: &Schemas, kind: KindId, resource: Resource) -> Self {
        let encoded = (schemas.kind(kind).rules.encode)(&resource);
        let body = body::body(schemas, kind, &encoded);
        let (name, etag) = body::name_and_etag(&encoded);
        let (name, etag) = (name.to_owned(), etag.to_owned());
        let is_body = encoded.len() - body.len() == body::name_and_etag_bytes(&encoded);
        Self { kind, resource, body, name, etag, all: (!is_body).then_some(encoded) }
    }

    /// Checks it by every rule, under the name that it gets. The body may be cleaned by that.
    pub(crate) fn check(&mut self, schemas: &Schemas, name: &str, violations: &mut Violations) -> Checked {
        if self.all.is_some() {
            // The body is less than what was decoded.
            match (schemas.kind(self.kind).rules.decode)(&self.body) {
                Ok(resource) => self.resource = resource,
                Err(error) => {
                    violations.add("", format!("must be a message: {error}"));
                    return Checked::default();
                }
            }
        }
        self.resource.set_name(name.to_owned());
        check(schemas, self.kind, &self.resource, &mut self.body, violations)
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::Country;

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    #[test]
    fn what_only_the_server_writes_is_not_what_is_checked() {
        let schemas = contract();
        let kind = kind_of(&schemas, "countries");
        let said = Country { name: "countries/kr".into(), display_name: "Korea".into(), ..Country::default() };
        let read = Country { etag: "\"7-1\"".into(), uid: "u".into(), revision: 7, ..said.clone() };
        let (mut said, mut read) = (Input::new(&schemas, kind, said.into()), Input::new(&schemas, kind, read.into()));
        assert!(said.all.is_none() && read.all.is_some());
        assert_eq!(said.body, read.body);
        assert_eq!((read.name.as_str(), read.etag.as_str()), ("countries/kr", "\"7-1\""));
        let (mut of_said, mut of_read) = (Violations::new(), Violations::new());
        assert_eq!(
            said.check(&schemas, "countries/kr", &mut of_said).referrals,
            read.check(&schemas, "countries/kr", &mut of_read).referrals
        );
        assert_eq!(of_said.to_string(), of_read.to_string());
    }
}
