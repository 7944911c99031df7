//! Following the commits of which a selection selects something: which of their changes, and how each stands to it.

use bytes::Bytes;
use tokio::sync::watch;

use crate::registry::error::Error;
use crate::registry::query::selection::Selection;
use crate::registry::read::reader::Reader;
use crate::registry::read::tail::Tail;
use crate::store::{Record, Revision};

/// A place in the journal from which the selected commits are followed.
pub struct Watch {
    reader: Reader,
    tail: Tail,
    selection: Selection,
}

/// A commit, with only the changes that are selected.
#[derive(Debug)]
pub struct SelectedCommit {
    /// The commit.
    pub record: Record,
    /// For each of its changes, the envelope before, which is empty if there was none, and how it stands to the selection.
    pub before: Vec<(Bytes, Effect)>,
}

/// How a change stands to a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The resource is selected now, and was not before.
    Entered,
    /// The resource is selected, as it was before.
    Stayed,
    /// The resource is not selected any more.
    Left,
}

impl SelectedCommit {
    /// How many bytes its documents have, those before among them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.record.document_bytes() + self.before.iter().map(|(before, _)| before.len()).sum::<usize>()
    }
}

impl Watch {
    /// Follows what is selected after `after`; `None`: after the head.
    ///
    /// # Errors
    /// A revision that does not exist yet.
    pub(crate) fn new(
        reader: Reader,
        heads: watch::Receiver<Revision>,
        selection: Selection,
        after: Option<Revision>,
    ) -> Result<Self, Error> {
        let tail = Tail::new(reader.clone(), heads, after)?;
        Ok(Self { reader, tail, selection })
    }

    /// Passes over commits that are at hand and of which nothing is selected.
    pub fn pass(&mut self) {
        let Self { reader, tail, selection } = self;
        tail.pass(|record| {
            let mut of_kinds = record.changes.iter().filter(|it| selection.has_kind(&reader.schemas, &it.document));
            of_kinds.all(|change| match change.previous_revision {
                0 => {
                    let document = match selection.filter().needs().is_any() {
                        true => reader.answered(change.document.clone(), record.revision),
                        false => change.document.clone(),
                    };
                    !selection.selects(&reader.schemas, &document, &*reader.index)
                }
                // What was before has to be read.
                _ => false,
            })
        });
    }

    /// Waits until there is a next commit. `None`: there will be no more, since the registry is closing.
    ///
    /// Can be dropped while it waits; nothing is lost by that.
    pub async fn wait(&mut self) -> Option<()> {
        self.tail.wait().await
    }

    /// How many bytes the next commit has. `None`: there is none yet.
    #[must_use]
    pub fn next_bytes(&self) -> Option<Result<usize, Error>> {
        self.tail.next_bytes()
    }

    /// Reads the next commit, which must be there. `None`: nothing of it is selected.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_next(&mut self) -> Result<Option<SelectedCommit>, Error> {
        let record = self.tail.read_next()?;
        self.selected(record)
    }

    /// The last revision that was answered or passed over, or that was given as the start.
    #[must_use]
    pub fn position(&self) -> Revision {
        self.tail.position()
    }

    fn selected(&self, mut record: Record) -> Result<Option<SelectedCommit>, Error> {
        let schemas = &self.reader.schemas;
        let mut before = Vec::new();
        for mut change in std::mem::take(&mut record.changes) {
            let old = self.reader.before(&change.name, change.previous_revision)?;
            let old = self.reader.answered(old, record.revision - 1);
            change.document = self.reader.answered(change.document, record.revision);
            // Both by the trees as they stand now: a filter says what is selected, not what once was.
            let was = self.selection.selects(schemas, &old, &*self.reader.index);
            let is = self.selection.selects(schemas, &change.document, &*self.reader.index);
            let effect = match (was, is) {
                (false, false) => continue,
                (false, true) => Effect::Entered,
                (true, true) => Effect::Stayed,
                (true, false) => Effect::Left,
            };
            before.push((old, effect));
            record.changes.push(change);
        }
        Ok((!before.is_empty()).then_some(SelectedCommit { record, before }))
    }
}
