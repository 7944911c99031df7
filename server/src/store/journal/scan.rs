//! Reading a journal without taking it into use: nothing is changed and nothing locked, so also beside a running server.

use std::path::Path;

use super::check::{Access, Check, Found, Next};
use super::error::JournalError;
use super::segment::Listing;
use super::witness;
use crate::store::record::Record;

/// Reads and verifies the journal in `dir` from its first commit on, and holds it against its witness in `data_dir`.
/// Ends quietly before an unfinished last commit, and after the first error.
pub(in crate::store) fn scan_read_only(
    dir: &Path,
    data_dir: &Path,
) -> Result<impl Iterator<Item = Result<Record, JournalError>> + use<>, JournalError> {
    // In this order: a journal that is being written is never behind its witness.
    let testimony = witness::read(data_dir);
    let listing = Listing::of(dir)?;
    if listing.is_empty() {
        return Err(JournalError::Absent { dir: data_dir.to_path_buf() });
    }
    let mut check = Some(Check::new(dir, data_dir, &listing, testimony, Access::Read)?);
    Ok(std::iter::from_fn(move || {
        loop {
            match check.as_mut()?.next() {
                Ok(Next::Found(Found::Segment(..))) => {}
                Ok(Next::Found(Found::Commit { record, .. })) => return Some(Ok(record)),
                Ok(Next::End(_)) => check = None,
                Err(error) => {
                    check = None;
                    return Some(Err(error));
                }
            }
        }
    }))
}
