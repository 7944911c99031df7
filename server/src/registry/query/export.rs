//! A walk over all that a selection selects, as of one revision, in pieces.
//!
//! It reads when it is asked and remembers where it is, so it holds nothing while nobody asks: no thread, no lock, no
//! buffer. Whoever drops it has ended it.

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::registry::error::Error;
use crate::registry::index::{Order, OrderKey};
use crate::registry::query::listing::Listing;
use crate::registry::query::page::HasRoom;
use crate::registry::query::selection::Selection;
use crate::registry::read::reader::Reader;
use crate::registry::resource::envelope;
use crate::store::Revision;

/// A chunk ends when so many names were looked at: what a filter passes over costs time too.
const CHUNK_NAMES: usize = 1_000;

/// A walk on its way.
pub struct Export {
    reader: Reader,
    selection: Selection,
    at: Revision,
    show_deleted: bool,
    /// How many kinds are done.
    done: usize,
    /// The last name of the kind under way.
    after: Option<OrderKey>,
}

impl Export {
    /// A walk over all that is selected, as of `at`, from its beginning.
    pub(crate) fn new(reader: Reader, selection: Selection, at: Revision, show_deleted: bool) -> Self {
        Self { reader, selection, at, show_deleted, done: 0, after: None }
    }

    /// The next envelopes, kind by kind in the order of `Resource`, and by name; of about so many bytes, and as many as there
    /// is room for. Blocks, for a moment.
    ///
    /// # Errors
    /// Stored data that cannot be read.
    pub fn next_chunk(&mut self, chunk_bytes: usize, has_room: HasRoom<'_>) -> Result<Chunk, Error> {
        let Some(kind) = self.selection.kinds().get(self.done).copied() else { return Ok(Chunk::End) };
        let listing = Listing {
            reader: &self.reader,
            kind,
            at: self.at,
            filter: self.selection.filter().clone(),
            show_deleted: self.show_deleted,
            order: Order::Name,
            descending: false,
            cancelled: &CancellationToken::new(),
        };
        let schema = self.reader.schemas.kind(kind);
        let keys = listing.next_keys(self.after.as_ref(), CHUNK_NAMES);
        let last = keys.len() < CHUNK_NAMES;
        let (mut chunk, mut bytes): (Vec<Bytes>, usize) = (Vec::new(), 0);
        for key in keys {
            if bytes >= chunk_bytes {
                return Ok(Chunk::Read(chunk));
            }
            if let Some(document) = listing.read(&key.name)? {
                if !has_room(document.len()) {
                    // It is read again when its turn comes.
                    return Ok(if chunk.is_empty() { Chunk::Needs(document.len()) } else { Chunk::Read(chunk) });
                }
                bytes += document.len();
                chunk.push(envelope::envelope(schema, &document).into());
            }
            self.after = Some(key);
        }
        if last {
            (self.done, self.after) = (self.done + 1, None);
        }
        Ok(Chunk::Read(chunk))
    }
}

/// What comes next of a walk.
#[derive(Debug)]
pub enum Chunk {
    /// These envelopes. None of them is not the end.
    Read(Vec<Bytes>),
    /// Nothing, before there is room for so many bytes.
    Needs(usize),
    /// Nothing: this is the end.
    End,
}
