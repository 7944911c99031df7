//! Reads and verifies the journal on a thread of its own, some way ahead of whoever takes what it finds: the two share the
//! work of a start between two processors.

use std::sync::mpsc::sync_channel;
use std::thread::Builder;

use super::check::{Check, End, Found, Next};
use super::error::JournalError;
use crate::store::disk::failed;
use crate::store::record::Head;

/// So much is handed over at once: few hand-overs, and little memory.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 1 << 20;
/// How many batches may wait.
const BATCHES_MAX: usize = 4;

/// Hands everything that the check finds to `take`, in order. Returns the end of the journal and its head.
pub(super) fn read_ahead(mut check: Check, take: &mut dyn FnMut(Found)) -> Result<(End, Head), JournalError> {
    std::thread::scope(|scope| {
        let dir = check.dir().to_path_buf();
        let (batches, taken) = sync_channel(BATCHES_MAX);
        let checking = Builder::new().name("journal-check".into()).spawn_scoped(scope, move || {
            let mut batch = Vec::new();
            let mut bytes = 0;
            loop {
                let found = match check.next() {
                    Ok(Next::Found(found)) => found,
                    Ok(Next::End(end)) => {
                        // Nobody hears it only if the other thread has panicked.
                        let _ = batches.send(batch);
                        return Ok((end, check.head()));
                    }
                    Err(error) => return Err(error),
                };
                bytes += found.document_bytes();
                batch.push(found);
                if batch.len() >= BATCH || bytes >= BATCH_BYTES {
                    bytes = 0;
                    let _ = batches.send(std::mem::take(&mut batch));
                }
            }
        });
        let checking = checking.map_err(failed("start a thread for", &dir))?;
        taken.into_iter().flatten().for_each(take);
        checking.join().unwrap_or(Err(JournalError::Stopped))
    })
}
