//! Verifies the journal from its first commit up to one that is known, while it is in use: that one was believed when the
//! journal was opened, and this proves it. Nothing is changed or locked.

use std::path::Path;

use super::check::{Access, Check, Found, Next};
use super::error::JournalError;
use super::segment::Listing;
use crate::store::record::Head;

/// Verifies all of the journal in `dir` up to the commit `until`, and that the chain of hashes leads to it. `go_on` is
/// told the bytes of each commit, and may end this early; answers whether it did not.
pub(in crate::store) fn prove(
    dir: &Path,
    data_dir: &Path,
    until: Head,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<bool, JournalError> {
    let damaged = |what: String| JournalError::Damaged { path: dir.to_path_buf(), offset: 0, what };
    let listing = Listing::of(dir)?;
    let mut check = Check::new(dir, data_dir, &listing, None, Access::Read)?;
    loop {
        match check.next()? {
            Next::Found(Found::Commit { record, .. }) if record.revision == until.revision => {
                return match record.hash == until.hash {
                    true => Ok(true),
                    false => Err(damaged(format!(
                        "its commits do not lead to revision {} as this server found it at its start",
                        until.revision
                    ))),
                };
            }
            Next::Found(Found::Commit { offset, end, .. }) => {
                if !go_on(end - offset) {
                    return Ok(false);
                }
            }
            Next::Found(Found::Segment(..)) => {}
            Next::End(_) => {
                let (ends, known) = (check.head().revision, until.revision);
                return Err(damaged(format!("it ends with revision {ends}, and this server started from {known}")));
            }
        }
    }
}
