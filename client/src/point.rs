//! [`Point`]: the revision or time at which a read is made. [`Mask`]: the fields that an update changes or a read answers.

use std::time::SystemTime;

use prost_types::{FieldMask, Timestamp};

/// The revision or time at which a read is made.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Point {
    /// Now.
    #[default]
    Head,
    /// As of a revision of the registry.
    Revision(u64),
    /// As of a time: the last revision up to then.
    Time(Timestamp),
}

impl Point {
    /// `read_revision` and `read_time` of a request.
    pub(crate) fn split(self) -> (u64, Option<Timestamp>) {
        match self {
            Self::Head => (0, None),
            Self::Revision(revision) => (revision, None),
            Self::Time(time) => (0, Some(time)),
        }
    }
}

impl From<u64> for Point {
    fn from(revision: u64) -> Self {
        Self::Revision(revision)
    }
}

impl From<Timestamp> for Point {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<SystemTime> for Point {
    fn from(time: SystemTime) -> Self {
        Self::Time(time.into())
    }
}

/// The name of a revision of a resource (AIP-162): `countries/kr/revisions/12`.
pub(crate) fn revision_name(name: &str, revision: u64) -> String {
    format!("{name}/revisions/{revision}")
}

/// Which fields an update changes, or a read answers: as paths of the schema such as `display_name`,
/// `term.renewal_notice` or `labels.programme`. A key of a map that has other letters than `a-z0-9_` stands in backticks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mask(Vec<String>);

impl Mask {
    /// Of an update: those that are set in the resource. Of a read: all.
    #[must_use]
    pub fn set_fields() -> Self {
        Self(Vec::new())
    }

    /// All. An update clears fields that are not set in the resource.
    #[must_use]
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// Its paths.
    pub(crate) fn paths(&self) -> &[String] {
        &self.0
    }
}

impl<P: Into<String>> FromIterator<P> for Mask {
    fn from_iter<I: IntoIterator<Item = P>>(paths: I) -> Self {
        Self(paths.into_iter().map(Into::into).collect())
    }
}

impl<P: Into<String>, const N: usize> From<[P; N]> for Mask {
    fn from(paths: [P; N]) -> Self {
        paths.into_iter().collect()
    }
}

impl<P: Into<String>> From<Vec<P>> for Mask {
    fn from(paths: Vec<P>) -> Self {
        paths.into_iter().collect()
    }
}

impl From<FieldMask> for Mask {
    fn from(mask: FieldMask) -> Self {
        Self(mask.paths)
    }
}

impl From<Mask> for Option<FieldMask> {
    fn from(mask: Mask) -> Self {
        (!mask.0.is_empty()).then_some(FieldMask { paths: mask.0 })
    }
}
