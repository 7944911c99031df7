//! The check that goes on all the time: every commit is read once, as soon as it is there, and held against what clients
//! asked for and were answered. In full at the end: all of it is read again.

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::atomic::Ordering;

use partnership_registry::v1::{self, Change, Commit};
use prost::Message as _;

use super::board::Board;
use crate::crash::load::Stubs;
use crate::crash::oracle::{Checked, check_state};

/// The versions of each resource that are kept: more than writers roll back over.
const VERSIONS_KEPT: usize = 6;

/// What was checked.
#[derive(Default)]
pub(crate) struct Checker {
    pub(crate) checked: Checked,
    /// Of each commit, by revision.
    pub(crate) digests: Vec<u64>,
    /// Commits whose requests were not answered yet.
    early: Vec<Commit>,
}

impl Checker {
    /// Checks what has come since the last time.
    pub(crate) async fn advance(&mut self, stubs: &mut Stubs, board: &Board) {
        let at = board.checks.fetch_add(1, Ordering::SeqCst);
        let mut commits = Vec::new();
        read_commits(stubs, self.checked.head, |commit| commits.push(commit)).await;
        let mut witness = board.witness.lock().unwrap();
        self.digests.extend(commits.iter().map(digest));
        witness.check_history(&mut self.checked, &commits).unwrap_or_else(|wrong| panic!("{wrong}"));
        self.early.append(&mut commits);
        let acknowledged = witness.check_acknowledged(self.checked.head, &self.early, at);
        acknowledged.unwrap_or_else(|wrong| panic!("{wrong}"));
        for versions in self.checked.versions.values_mut() {
            versions.drain(..versions.len().saturating_sub(VERSIONS_KEPT));
        }
        let ids = &self.checked.ids;
        // What is refused is never done; what is done and answered was checked just now.
        witness.asked.retain(|id, asked| match &asked.answer {
            None => true,
            Some((crate::crash::oracle::Answer::Refused(_), _)) => false,
            Some(_) => !ids.contains(id),
        });
        witness.seen.retain(|(_, position)| *position > at);
        self.early.retain(|commit| witness.asked.contains_key(&commit.request_id));
    }

    /// Sends again what was not answered, until it is.
    pub(crate) async fn settle(&mut self, stubs: &mut Stubs, board: &Board, dice: &mut rand::rngs::StdRng) -> usize {
        let unanswered: Vec<_> = {
            let witness = board.witness.lock().unwrap();
            witness.asked.values().filter(|asked| asked.answer.is_none()).map(|asked| asked.request.clone()).collect()
        };
        for request in &unanswered {
            let answer = stubs.try_send(request).await.unwrap_or_else(|status| panic!("{}: {status}", request.id()));
            board.learn(request, &answer, dice);
        }
        self.advance(stubs, board).await;
        unanswered.len()
    }

    /// What is stored is what the history adds up to.
    pub(crate) async fn check_state(&self, stubs: &mut Stubs) {
        let everything = v1::ExportRequest { show_deleted: true, ..Default::default() };
        let mut export = stubs.registry.export(everything).await.unwrap().into_inner();
        let mut resources = Vec::new();
        while let Some(message) = export.message().await.unwrap() {
            assert_eq!(message.revision, self.checked.head);
            resources.extend(message.resources);
        }
        check_state(&self.checked.versions, &resources).unwrap_or_else(|wrong| panic!("{wrong}"));
    }

    /// The whole history is what was checked piece by piece.
    pub(crate) async fn check_all(&self, stubs: &mut Stubs) {
        let mut read = 0;
        read_commits(stubs, 0, |commit| {
            assert_eq!(digest(&commit), self.digests[read], "revision {} has changed", commit.revision);
            read += 1;
        })
        .await;
        assert_eq!(read, self.digests.len(), "the end of the history is gone");
    }
}

/// Reads the commits after a revision.
async fn read_commits(stubs: &mut Stubs, after_revision: u64, mut take: impl FnMut(Commit)) {
    let mut request = v1::ListCommitsRequest { page_size: 1_000, after_revision, ..Default::default() };
    loop {
        let page = stubs.registry.list_commits(request.clone()).await.unwrap().into_inner();
        page.commits.into_iter().for_each(&mut take);
        if page.next_page_token.is_empty() {
            return;
        }
        request.page_token = page.next_page_token;
    }
}

/// A digest of a commit as `ListCommits` tells it. Maps are encoded in order.
pub(crate) fn digest(commit: &Commit) -> u64 {
    let changes = commit.changes.iter().map(|change| Change { before: None, ..change.clone() }).collect();
    let mut hasher = DefaultHasher::new();
    hasher.write(&Commit { changes, ..commit.clone() }.encode_to_vec());
    hasher.finish()
}
