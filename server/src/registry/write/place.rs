//! Where a mutation stands in its request, so that each violation names the field that the caller wrote.

use crate::violations::Violations;

/// Where a mutation stands in its request: what the fields of its violations begin with.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Which mutation of a commit. `None`: the request of a kind's own method.
    pub index: Option<usize>,
    /// `create`, `update`, `delete`, `undelete`, `rollback` or a verb: the field that a mutation of a commit has for it.
    pub verb: &'static str,
    /// The field of the resource, such as `focus_area`. Empty: the request holds no resource.
    pub singular: &'static str,
}

impl Place {
    /// The path of a field of the resource. Of a request that holds none, the field is told as the resource has it, and what
    /// is wrong with the whole as what the name leads to.
    pub(crate) fn resource(&self, field: &str) -> String {
        if self.singular.is_empty() {
            return self.request(if field.is_empty() { "name" } else { field });
        }
        let dot = if field.is_empty() { "" } else { "." };
        match self.index {
            None => format!("{}{dot}{field}", self.singular),
            Some(index) => format!("mutations[{index}].{}.resource.{}{dot}{field}", self.verb, self.singular),
        }
    }

    /// Adds the violations of the resource, where it stands in the request.
    pub(crate) fn add(&self, of_resource: Violations, violations: &mut Violations) {
        for violation in of_resource.iter() {
            violations.add(self.resource(&violation.field), violation.description.clone());
        }
    }

    /// The path of a field of the request itself.
    pub(crate) fn request(&self, field: &str) -> String {
        self.index.map_or_else(|| field.to_owned(), |index| format!("mutations[{index}].{}.{field}", self.verb))
    }
}
