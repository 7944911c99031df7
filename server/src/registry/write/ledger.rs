//! What the committer knows: the index, and over it the commits that it has decided and that are not durable yet.
//!
//! The committer's own, without a lock. It runs ahead of what is durable: nobody else may look at it. What was decided
//! and could not be written is forgotten as a whole ([`Ledger::reset`]). The documents of the newest changes stay for a
//! while, so that the next change of the same resource needs no read.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use crate::registry::index::Index;
use crate::registry::resource::name::Name;
use crate::store::{RequestMark, Revision};
use crate::time::{Day, Time};

/// The most bytes of documents that are kept after they have become durable.
const DOCUMENT_BYTES_MAX: usize = 8 << 20;

/// The most changes that are kept after they have become durable, however small: several times what can be in flight.
pub(super) const CHANGES_MAX: usize = 16_384;

/// What is known of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// The revision in which it last changed.
    pub(crate) revision: Revision,
    /// Whether it is deleted.
    pub(crate) deleted: bool,
}

/// A resource as a commit leaves it.
pub(crate) struct Outcome {
    pub(crate) name: Name,
    pub(crate) known: Known,
    pub(crate) document: Bytes,
    /// What it refers to; nothing if it is deleted.
    pub(crate) targets: Vec<Arc<str>>,
    /// The parent among them, in a kind of trees.
    pub(crate) parent: Option<Arc<str>>,
}

/// What the committer knows.
pub(crate) struct Ledger {
    index: Arc<Index>,
    head: Revision,
    last_time: Time,
    settled_day: Day,
    /// The newest outcome of each resource that changed lately.
    outcomes: HashMap<Arc<str>, Outcome>,
    /// Their revisions and names, oldest first.
    order: VecDeque<(Revision, Arc<str>)>,
    document_bytes: usize,
    /// The requests of commits that are not durable yet.
    requests: HashMap<[u8; 16], (Revision, [u8; 16])>,
    /// Their ids, oldest first.
    request_order: VecDeque<(Revision, [u8; 16])>,
}

impl Ledger {
    /// A ledger of what the index holds now.
    pub(crate) fn new(index: Arc<Index>) -> Self {
        let mut ledger = Self {
            index,
            head: 0,
            last_time: Time::default(),
            settled_day: Day::default(),
            outcomes: HashMap::new(),
            order: VecDeque::new(),
            document_bytes: 0,
            requests: HashMap::new(),
            request_order: VecDeque::new(),
        };
        ledger.reset();
        ledger
    }

    /// Forgets all that is not durable.
    pub(crate) fn reset(&mut self) {
        {
            let tables = self.index.read();
            self.head = tables.head();
            self.last_time = tables.last_time();
            self.settled_day = tables.settled_day();
        }
        self.outcomes.clear();
        self.order.clear();
        self.document_bytes = 0;
        self.requests.clear();
        self.request_order.clear();
    }

    /// The last revision given.
    pub(crate) fn head(&self) -> Revision {
        self.head
    }

    /// When the last commit was made.
    pub(crate) fn last_time(&self) -> Time {
        self.last_time
    }

    /// The day up to which time has been let pass.
    pub(crate) fn settled_day(&self) -> Day {
        self.settled_day
    }

    /// The resource as the commits decided so far leave it.
    pub(crate) fn known(&self, name: &str) -> Option<Known> {
        if let Some(outcome) = self.outcomes.get(name) {
            return Some(outcome.known);
        }
        self.index.read().row(name).map(|row| Known { revision: row.revision, deleted: row.deleted })
    }

    /// The document of a resource that changed lately, in the revision in which it did.
    pub(crate) fn document(&self, name: &str) -> Option<(Revision, Bytes)> {
        self.outcomes.get(name).map(|outcome| (outcome.known.revision, outcome.document.clone()))
    }

    /// The live resources that refer to `name`.
    pub(crate) fn referrers(&self, name: &str) -> Vec<Arc<str>> {
        let tables = self.index.read();
        let durable = tables.referrers(name).filter(|referrer| !self.outcomes.contains_key(*referrer)).cloned();
        let lately = self.outcomes.iter().filter(|(_, outcome)| outcome.targets.iter().any(|target| &**target == name));
        durable.chain(lately.map(|(referrer, _)| referrer.clone())).collect()
    }

    /// The parent of a live resource.
    pub(crate) fn parent(&self, name: &str) -> Option<Arc<str>> {
        match self.outcomes.get(name) {
            Some(outcome) => outcome.parent.clone(),
            None => self.index.read().parent(name).cloned(),
        }
    }

    /// The live resources whose parent is `name`, of those that did not change lately.
    pub(crate) fn settled_children(&self, name: &str) -> Vec<Arc<str>> {
        let tables = self.index.read();
        tables.children(name).filter(|child| !self.outcomes.contains_key(*child)).cloned().collect()
    }

    /// By their parents, the live resources that changed lately.
    pub(crate) fn late_children(&self) -> HashMap<Arc<str>, Vec<Arc<str>>> {
        let mut found: HashMap<Arc<str>, Vec<Arc<str>>> = HashMap::new();
        for (name, outcome) in &self.outcomes {
            if let Some(parent) = &outcome.parent {
                found.entry(parent.clone()).or_default().push(name.clone());
            }
        }
        found
    }

    /// The commit that a request became, and the hash of what it asked for.
    pub(crate) fn request(&self, id: &[u8; 16]) -> Option<(Revision, [u8; 16])> {
        self.requests.get(id).copied().or_else(|| self.index.read().request(id))
    }

    /// Takes a commit in that was decided.
    pub(crate) fn add(
        &mut self,
        revision: Revision,
        time: Time,
        day: Day,
        request: Option<RequestMark>,
        outcomes: impl IntoIterator<Item = Outcome>,
    ) {
        for outcome in outcomes {
            let name = outcome.name.shared();
            self.order.push_back((outcome.known.revision, name.clone()));
            self.document_bytes += outcome.document.len();
            if let Some(old) = self.outcomes.insert(name, outcome) {
                self.document_bytes -= old.document.len();
            }
        }
        if let Some(RequestMark { id, hash }) = request {
            self.requests.insert(id, (revision, hash));
            self.request_order.push_back((revision, id));
        }
        (self.head, self.last_time, self.settled_day) = (revision, time, day);
    }

    #[cfg(test)]
    pub(super) fn changes_kept(&self) -> usize {
        self.order.len()
    }

    /// Forgets what the index can tell by now: the requests, and the oldest changes as far as there are too many.
    pub(crate) fn forget(&mut self) {
        let durable = self.index.head();
        while self.request_order.front().is_some_and(|(revision, _)| *revision <= durable)
            && let Some((_, id)) = self.request_order.pop_front()
        {
            self.requests.remove(&id);
        }
        while (self.document_bytes > DOCUMENT_BYTES_MAX || self.order.len() > CHANGES_MAX)
            && self.order.front().is_some_and(|(revision, _)| *revision <= durable)
            && let Some((revision, name)) = self.order.pop_front()
        {
            // A later change of the same resource stays.
            if self.outcomes.get(&name).is_some_and(|outcome| outcome.known.revision == revision)
                && let Some(forgotten) = self.outcomes.remove(&name)
            {
                self.document_bytes -= forgotten.document.len();
            }
        }
    }
}
