//! A walk over all that a selection selects, as of one revision, in pieces.
//!
//! It reads when it is asked and remembers where it is, so it holds nothing while nobody asks: no thread, no lock, no
//! buffer. Whoever drops it has ended it.

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::registry::error::Error;
use crate::registry::query::listing::{Listed, Listing};
use crate::registry::query::order::{Order, Place};
use crate::registry::query::page::HasRoom;
use crate::registry::query::selection::Selection;
use crate::registry::read::reader::Reader;
use crate::registry::resource::envelope;
use crate::store::Revision;

/// A chunk ends when so many candidates were looked at: what a filter passes over costs time too.
const CHUNK_CANDIDATES: usize = 1_000;

/// A walk on its way.
pub struct Export {
    reader: Reader,
    selection: Selection,
    at: Revision,
    show_deleted: bool,
    /// Whether resources are told with what is computed of them.
    computed: bool,
    /// How many kinds are done.
    done: usize,
    /// The kind under way.
    listing: Option<Listing>,
    /// The last candidate of it that was looked at.
    after: Option<Place>,
}

impl Export {
    /// A walk over all that is selected, as of `at`, which the indexes hold, from its beginning.
    pub(crate) fn new(reader: Reader, selection: Selection, at: Revision, show_deleted: bool) -> Self {
        Self { reader, selection, at, show_deleted, computed: false, done: 0, listing: None, after: None }
    }

    /// The same walk, which tells what is computed of the resources too: for those who read them, and do not keep them.
    #[must_use]
    pub fn with_computed(self) -> Self {
        Self { computed: true, ..self }
    }

    /// The next envelopes, kind by kind in the order of `Resource`, and by name; of about so many bytes, and as many as there
    /// is room for. Blocks, for a moment.
    ///
    /// # Errors
    /// Stored data that cannot be read.
    pub fn next_chunk(&mut self, chunk_bytes: usize, has_room: HasRoom<'_>) -> Result<Chunk, Error> {
        let Some(kind) = self.selection.kinds().get(self.done).copied() else { return Ok(Chunk::End) };
        let Self { at, show_deleted, .. } = *self;
        let listing = match &mut self.listing {
            Some(listing) => listing,
            none => {
                let filter = self.selection.filter().clone();
                let days = self.reader.days(at, None);
                let listed = Listed { kind, at, filter, show_deleted, order: Order::default(), days };
                none.insert(Listing::new(&self.reader, listed, &CancellationToken::new())?)
            }
        };
        let schema = self.reader.schemas.kind(kind);
        let candidates = listing.candidates(self.after.as_ref(), CHUNK_CANDIDATES)?;
        listing.rest();
        let last = candidates.len() < CHUNK_CANDIDATES;
        let (mut chunk, mut bytes): (Vec<Bytes>, usize) = (Vec::new(), 0);
        for candidate in candidates {
            if bytes >= chunk_bytes {
                return Ok(Chunk::Read(chunk));
            }
            if let Some(document) = listing.document(&candidate)? {
                if !has_room(document.len()) {
                    // It is read again when its turn comes.
                    return Ok(if chunk.is_empty() { Chunk::Needs(document.len()) } else { Chunk::Read(chunk) });
                }
                bytes += document.len();
                let sealed = envelope::envelope(schema, &document).into();
                chunk.push(if self.computed { self.reader.answered(sealed, at) } else { sealed });
            }
            self.after = Some(candidate.place);
        }
        if last {
            (self.done, self.listing, self.after) = (self.done + 1, None, None);
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
