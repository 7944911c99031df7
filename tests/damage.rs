//! Damage: every file of the journal and of sled is deleted, emptied, cut, swapped and bit by bit changed. Damage to sled
//! heals from the journal; damage to the journal is refused untouched, answered as DATA_LOSS, or harmless.

mod binary;
mod files;
mod journal;
mod sled;
mod store;

use std::path::PathBuf;

use rand::RngExt as _;
use rand::rngs::StdRng;

pub(crate) use files::{FileImage, Image, journal_files, journal_frames};
pub(crate) use store::open;

use crate::crash::setting;

/// Places at which to cut a file: in its beginning, its middle and its live end.
fn cuts(file: &FileImage) -> Vec<usize> {
    let live = file.live().last().map_or(0, |last| last + 1);
    let mut cuts = vec![1, 16, 127, live / 4, live / 2, live * 3 / 4, live.saturating_sub(70), live.saturating_sub(1)];
    cuts.retain(|cut| *cut < live);
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

/// Runs a check for each case, on two threads.
pub(crate) fn for_each_case<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    let (front, back) = cases.split_at(cases.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| front.iter().for_each(&check));
        scope.spawn(|| back.iter().for_each(&check));
    });
}

/// Random bits of the live bytes of the files in a directory of an image.
fn random_bits(image: &Image, dir: &str, count: u64, dice: &mut StdRng) -> Vec<(PathBuf, usize, u32)> {
    let files = image.files_in(dir).into_iter().map(|path| (image.0[&path].live(), path));
    let live: Vec<_> = files.flat_map(|(live, path)| live.into_iter().map(move |byte| (path.clone(), byte))).collect();
    let mut bit = || {
        let (path, byte) = &live[dice.random_range(0..live.len())];
        (path.clone(), *byte, dice.random_range(0..8))
    };
    (0..count).map(|_| bit()).collect()
}

fn flips() -> u64 {
    setting("PARTNERSHIP_TEST_BIT_FLIPS").unwrap_or(300)
}
