//! What all clients of a soak share: what they know, how much they did, and whether the server's end is expected.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rand::RngExt as _;
use rand::rngs::StdRng;
use tonic::{Code, Status};

use crate::crash::oracle::{Answer, Asked, Request, Witness};

/// How many requests are kept, to be sent again.
const KEPT_MAX: usize = 400;

/// What clients share.
#[derive(Default)]
pub(crate) struct Board {
    pub(crate) witness: Mutex<Witness>,
    /// Grows before each check: what was answered before one must be there in it.
    pub(crate) checks: AtomicU64,
    /// Set before the server is ended: from then on calls may fail.
    pub(crate) ending: AtomicBool,
    /// Writes that were acknowledged.
    pub(crate) writes: AtomicU64,
    /// Reads that were answered; each page and each message of an export is one.
    pub(crate) reads: AtomicU64,
    /// Requests that were sent again, and answered as before.
    pub(crate) repeats: AtomicU64,
    /// Calls that a limit refused.
    pub(crate) pushed_back: AtomicU64,
    /// Some requests of any age, with their answers.
    kept: Mutex<Vec<(Request, Answer)>>,
}

impl Board {
    /// Notes what is about to be asked.
    pub(crate) fn ask(&self, request: &Request) {
        let asked = Asked { request: request.clone(), answer: None };
        self.witness.lock().unwrap().asked.insert(request.id().to_owned(), asked);
    }

    /// Notes what was answered.
    pub(crate) fn learn(&self, request: &Request, answer: &Answer, dice: &mut StdRng) {
        let position = self.checks.load(Ordering::SeqCst);
        let mut witness = self.witness.lock().unwrap();
        let asked = witness.asked.get_mut(request.id()).expect("what has no answer is kept");
        asked.answer = Some((answer.clone(), position));
        drop(witness);
        if matches!(answer, Answer::Refused(_)) {
            return;
        }
        self.writes.fetch_add(1, Ordering::SeqCst);
        let mut kept = self.kept.lock().unwrap();
        if kept.len() < KEPT_MAX {
            kept.push((request.clone(), answer.clone()));
        } else if dice.random_bool(0.2) {
            let place = dice.random_range(0..KEPT_MAX);
            kept[place] = (request.clone(), answer.clone());
        }
    }

    /// A request that was done, and its answer.
    pub(crate) fn earlier(&self, dice: &mut StdRng) -> Option<(Request, Answer)> {
        let kept = self.kept.lock().unwrap();
        if kept.is_empty() { None } else { Some(kept[dice.random_range(0..kept.len())].clone()) }
    }

    /// Takes a call that failed. Answers whether it is worth going on: a limit refused it. Panics unless the server is
    /// about to end otherwise.
    pub(crate) fn goes_on_after(&self, what: &str, status: &Status) -> bool {
        if self.ending.load(Ordering::SeqCst) {
            return false;
        }
        assert!(
            status.code() == Code::ResourceExhausted && !status.details().is_empty(),
            "{what} fails while the server should serve: {status:?}"
        );
        self.pushed_back.fetch_add(1, Ordering::SeqCst);
        true
    }
}
