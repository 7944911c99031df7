//! What the committer knows of every resource: the state that the commits checked so far add up to.
//!
//! The committer's own, without a lock. It runs ahead of what is durable: nobody else may look at it, and after a failed
//! append nothing is answered from it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use crate::registry::index::Row;
use crate::registry::resource::document::Referral;
use crate::store::Revision;

/// What the committer knows.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The last revision given.
    pub(crate) head: Revision,
    rows: HashMap<Arc<str>, Row>,
    /// For each resource, the live ones that refer to it.
    referrers: HashMap<Arc<str>, HashSet<Arc<str>>>,
    /// What each request id became, and the fingerprint of its request.
    requests: HashMap<[u8; 16], (Revision, [u8; 16])>,
    /// The changes that the journal may not have yet, oldest first, and their documents.
    fresh: VecDeque<(Revision, Arc<str>)>,
    fresh_documents: HashMap<Arc<str>, (Revision, Bytes)>,
}

impl Ledger {
    /// A ledger of nothing at `head`, to be filled with [`Ledger::load`] and [`Ledger::refer`].
    pub(crate) fn new(head: Revision) -> Self {
        Self { head, ..Self::default() }
    }

    pub(crate) fn row(&self, name: &str) -> Option<Row> {
        self.rows.get(name).copied()
    }

    /// The live resources that refer to `name`.
    pub(crate) fn referrers(&self, name: &str) -> impl Iterator<Item = &Arc<str>> {
        self.referrers.get(name).into_iter().flatten()
    }

    /// The document of a change that the journal may not have yet.
    pub(crate) fn fresh_document(&self, name: &str) -> Option<(Revision, Bytes)> {
        self.fresh_documents.get(name).cloned()
    }

    /// The commit that a request became, and the fingerprint of that request.
    pub(crate) fn request(&self, id: &[u8; 16]) -> Option<(Revision, [u8; 16])> {
        self.requests.get(id).copied()
    }

    /// Takes in a resource as it is now. `document` is kept until [`Ledger::forget`].
    pub(crate) fn set(&mut self, name: &Arc<str>, row: Row, document: Bytes) {
        self.rows.insert(name.clone(), row);
        self.fresh_documents.insert(name.clone(), (row.revision, document));
        self.fresh.push_back((row.revision, name.clone()));
    }

    /// Takes in a resource at start.
    pub(crate) fn load(&mut self, name: &Arc<str>, row: Row) {
        self.rows.insert(name.clone(), row);
    }

    /// Remembers the request of a commit.
    pub(crate) fn remember(&mut self, id: [u8; 16], revision: Revision, hash: [u8; 16]) {
        self.requests.insert(id, (revision, hash));
    }

    /// Says that `referrer`, which is live, refers to these.
    pub(crate) fn refer(&mut self, referrer: &Arc<str>, referrals: &[Referral]) {
        for referral in referrals {
            self.referrers.entry(referral.target.shared()).or_default().insert(referrer.clone());
        }
    }

    /// Says that `referrer` does not refer to these any more.
    pub(crate) fn unrefer(&mut self, referrer: &Arc<str>, referrals: &[Referral]) {
        for referral in referrals {
            let target = referral.target.as_str();
            if let Some(referrers) = self.referrers.get_mut(target) {
                referrers.remove(referrer);
                if referrers.is_empty() {
                    self.referrers.remove(target);
                }
            }
        }
    }

    /// Forgets what the journal can tell now: the documents up to `applied`.
    pub(crate) fn forget(&mut self, applied: Revision) {
        while self.fresh.front().is_some_and(|(revision, _)| *revision <= applied)
            && let Some((revision, name)) = self.fresh.pop_front()
        {
            // A later change of the same resource keeps its document.
            if self.fresh_documents.get(&name).is_some_and(|(newest, _)| *newest == revision) {
                self.fresh_documents.remove(&name);
            }
        }
    }
}
