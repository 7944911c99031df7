//! The path of a value in a resource, as people and masks write it: `documents[2].uri`, `labels["unit"]`.

use super::name::short;

/// Where a value stands, written out only when somebody has to be told.
pub(crate) enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, &'a str, usize),
    Entry(&'a Path<'a>, &'a str, &'a str),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (parent, name) = match self {
            Self::Root => return Ok(()),
            Self::Field(parent, name) | Self::Item(parent, name, _) | Self::Entry(parent, name, _) => (parent, name),
        };
        match parent {
            Self::Root => write!(f, "{name}")?,
            Self::Field(..) | Self::Item(..) | Self::Entry(..) => write!(f, "{parent}.{name}")?,
        }
        match self {
            Self::Root | Self::Field(..) => Ok(()),
            Self::Item(_, _, index) => write!(f, "[{index}]"),
            Self::Entry(_, _, key) => write!(f, "[{:?}]", short(key)),
        }
    }
}
