//! Damage to the journal: it is refused, says what is wrong, where and what to do, and nothing is changed.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::files::{FileImage, Image, journal_frames};
use super::store::{COMMITS, Outcome, contents, fixture, open, outcome};
use super::{cuts, flips, for_each_case, random_bits};
use crate::crash::seed;

/// Holds that a refusal says what is wrong, where, and what to do, and has changed nothing.
fn assert_refused_well(what: &str, told: &str, dir: &Path, before: &Image) {
    let where_it_is = dir.join("journal").display().to_string();
    assert!(told.contains(&where_it_is), "{what}: does not say where: {told}");
    assert!(told.contains("; nothing was changed; "), "{what}: {told}");
    assert!(
        told.contains("; restore ") || told.contains("; start the newer version"),
        "{what}: does not say what to do: {told}"
    );
    let after = Image::of(dir);
    assert!(after.only("journal") == before.only("journal"), "{what}: the journal was changed");
    assert!(after.0.get(Path::new("HEAD")) == before.0.get(Path::new("HEAD")), "{what}: the witness was changed");
    // The state that knows more than the journal had to be opened to be asked.
    if !told.contains("has lost its end") {
        assert!(after.only("sled") == before.only("sled"), "{what}: the state was changed");
    }
}

/// The segments that hold anything: not the one that was made ahead of time.
fn segments(image: &Image) -> Vec<PathBuf> {
    let mut files = image.files_in("journal");
    files.retain(|path| !image.0[path].live().is_empty());
    files
}

/// An image without what knows how far the journal had come: as a power cut may leave it.
fn unwitnessed(image: &Image) -> Image {
    let files = image.files_in("sled");
    files.iter().fold(image.without(Path::new("HEAD")), |image, file| image.without(file))
}

/// A file whose bytes from `from` on are zeros.
fn zeroed(file: &FileImage, from: usize) -> FileImage {
    let mut bytes = file.bytes();
    bytes[from..].fill(0);
    FileImage::new(&bytes)
}

#[test]
fn damage_to_any_file_of_the_journal_is_refused_and_changes_nothing() {
    let fixture = fixture();
    let image = &fixture.closed;
    let files = segments(image);
    let mut cases = Vec::new();
    let none = image.files_in("journal").iter().fold(image.clone(), |image, file| image.without(file));
    let all_older =
        fixture.older.only("journal").0.into_iter().fold(none.clone(), |image, (path, file)| image.with(&path, file));
    cases.push(("no journal at all".to_owned(), none));
    cases.push(("all of the journal as it was earlier".to_owned(), all_older));
    let other = files[0].with_file_name("copy.seg");
    cases.push(("a file that is no segment".to_owned(), image.with(&other, FileImage::new(b"hello"))));
    for (at, path) in files.iter().enumerate() {
        let (whole, told) = (&image.0[path], path.display());
        for (witnesses, image) in [("with", image.clone()), ("without", unwitnessed(image))] {
            // Without anything else that knows of it, a single segment would be the whole journal.
            cases.push((format!("{told} deleted, {witnesses} witnesses"), image.without(path)));
            cases.push((format!("{told} emptied, {witnesses} witnesses"), image.with(path, FileImage::new(b""))));
            cases.push((format!("{told} is zeros, {witnesses} witnesses"), image.with(path, zeroed(whole, 0))));
            for cut in cuts(whole) {
                cases.push((format!("{told} cut at {cut}, {witnesses} witnesses"), image.with(path, whole.cut(cut))));
            }
        }
        cases.push((format!("{told} is garbage"), image.with(path, FileImage::new(&[0xa5; 5000]))));
        if let Some(older) = fixture.older.0.get(path).filter(|older| *older != whole) {
            cases.push((format!("{told} as it was earlier"), image.with(path, older.clone())));
        }
        let next = &files[(at + 1) % files.len()];
        cases.push((format!("{told} holds {}", next.display()), image.with(path, image.0[next].clone())));
        let twice = [whole.bytes(), whole.bytes()[512..].to_vec()].concat();
        cases.push((format!("{told} has all commits twice"), image.with(path, FileImage::new(&twice))));
    }
    for_each_case(&cases, |(what, image)| {
        let dir = image.write_new();
        match outcome(dir.path(), &fixture.contents) {
            Outcome::Refused(told) => assert_refused_well(what, &told, dir.path(), image),
            other => panic!("{what}: {other:?}"),
        }
        // The way out that the message names: what was damaged comes back, and so does everything.
        if dir.path().join("journal").exists() {
            fs::remove_dir_all(dir.path().join("journal")).unwrap();
        }
        fixture.closed.only("journal").write(dir.path());
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole, "{what}: restored");
    });
    println!("{} ways to damage the journal", cases.len());
}

#[test]
fn the_segment_made_ahead_of_time_and_the_witness_can_be_lost() {
    let fixture = fixture();
    let image = &fixture.closed;
    let (used, all) = (segments(image), image.files_in("journal"));
    let next = used[used.len() - 1].with_file_name(format!("{:010}.seg", used.len()));
    assert!(all.iter().all(|file| used.contains(file) || *file == next), "{all:?}");
    let witness = Path::new("HEAD");
    let noted = image.0[witness].bytes();
    let mut torn = noted.clone();
    torn[40..].fill(0);
    let cases = [
        ("no next segment", image.without(&next)),
        ("an empty next segment", image.with(&next, FileImage::new(b""))),
        ("half a next segment", image.with(&next, FileImage::new(&[0; 5000]))),
        ("no witness", image.without(witness)),
        ("an empty witness", image.with(witness, FileImage::new(b""))),
        ("half a witness", image.with(witness, FileImage::new(&noted[..40]))),
        ("a torn witness", image.with(witness, FileImage::new(&torn))),
        ("an older witness", image.with(witness, fixture.older.0[witness].clone())),
        ("no witness at all", unwitnessed(image)),
    ];
    for (what, image) in cases {
        let dir = image.write_new();
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole, "{what}");
    }
}

#[test]
fn any_flipped_bit_in_the_journal_is_refused_and_changes_nothing() {
    let fixture = fixture();
    let mut dice = StdRng::seed_from_u64(seed());
    let mut cases = Vec::new();
    for (state, image) in [("closed", &fixture.closed), ("killed", &fixture.killed)] {
        let image = unwitnessed(image);
        let mut bits = random_bits(&image, "journal", flips() / 2, &mut dice);
        // The last commit is where damage looks most like a crash.
        let last = segments(&image).pop().unwrap();
        let live = image.0[&last].live();
        bits.extend(
            (0..40).map(|_| (last.clone(), live[live.len() - dice.random_range(1..200)], dice.random_range(0..8))),
        );
        cases.extend(bits.into_iter().map(|bit| (state, image.clone(), bit)));
    }
    for_each_case(&cases, |(state, image, (path, byte, bit))| {
        let mut image = image.clone();
        image.0.get_mut(path).unwrap().flip(*byte, *bit);
        let dir = image.write_new();
        let what = format!("{state}: bit {bit} of byte {byte} of {}", path.display());
        match outcome(dir.path(), &fixture.contents) {
            Outcome::Refused(told) => {
                assert_refused_well(&what, &told, dir.path(), &image);
                // A flipped bit in the version of a segment looks like a newer one.
                assert!(told.contains("at byte") || told.contains("in format"), "{what}: {told}");
                assert!(told.contains(&dir.path().join(path).display().to_string()), "{what}: {told}");
            }
            other => panic!("{what}: {other:?}"),
        }
    });
}

/// A crash leaves the same, but for the witness: it was told of every commit that was acknowledged.
#[test]
fn commits_that_are_cut_off_or_zeroed_after_a_kill_are_missed() {
    let fixture = fixture();
    let image = &fixture.killed;
    let last = segments(image).pop().unwrap();
    let whole = &image.0[&last];
    let dir = image.write_new();
    let frames = journal_frames(&dir.path().join(&last));
    assert!(!frames.is_empty(), "the last segment has commits");
    let mut cases = Vec::new();
    for frame in frames {
        for from in [frame.offset, frame.offset + 9, frame.end - 1].map(|from| usize::try_from(from).unwrap()) {
            let what = format!("from {from}, in revision {}", frame.revision);
            cases.push((format!("zeroed {what}"), frame.revision, zeroed(whole, from)));
            cases.push((format!("cut {what}"), frame.revision, whole.cut(from)));
        }
    }
    for_each_case(&cases, |(what, revision, file)| {
        let image = image.with(&last, file.clone());
        let dir = image.write_new();
        match outcome(dir.path(), &fixture.contents) {
            Outcome::Refused(told) => assert_refused_well(what, &told, dir.path(), &image),
            other => panic!("{what}: {other:?}"),
        }
        // After a power cut nobody knows of it: zeros were never promised to anybody, a shorter file is no crash.
        let dir = unwitnessed(&image).write_new();
        match outcome(dir.path(), &fixture.contents) {
            Outcome::Refused(told) => assert!(file.bytes().len() < whole.len, "{what}: {told}"),
            Outcome::Shorter(count) => assert_eq!(count as u64, revision - 1, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    });
}

#[test]
fn the_check_notices_commits_that_are_lost_or_changed() {
    let fixture = fixture();
    let image = unwitnessed(&fixture.closed);
    let last = segments(&image).pop().unwrap();
    let end = image.0[&last].live().pop().unwrap();
    let dir = image.with(&last, zeroed(&image.0[&last], end)).write_new();
    assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Shorter(COMMITS - 1));
    let mut other = contents(&open(fixture.closed.write_new().path()).unwrap()).unwrap();
    other.past.pop();
    let dir = fixture.closed.write_new();
    assert!(matches!(outcome(dir.path(), &other), Outcome::Wrong(_)));
}
