//! Damage to sled: it heals from the journal, with nothing lost.

use std::path::Path;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::files::FileImage;
use super::store::{Outcome, fixture, outcome};
use super::{cuts, flips, for_each_case, random_bits};
use crate::crash::seed;

#[test]
fn a_store_opens_whole_after_a_clean_end_and_after_a_kill() {
    let fixture = fixture();
    for image in [&fixture.closed, &fixture.killed] {
        let dir = image.write_new();
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole);
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole, "opened once more");
    }
}

#[test]
fn damage_to_any_file_of_sled_heals_with_nothing_lost() {
    let fixture = fixture();
    let mut cases = Vec::new();
    for (state, image) in [("closed", &fixture.closed), ("killed", &fixture.killed)] {
        let files = image.files_in("sled");
        let none = files.iter().fold(image.clone(), |image, file| image.without(file));
        cases.push((format!("{state}: no sled at all"), none.clone()));
        let all_older =
            fixture.older.only("sled").0.into_iter().fold(none, |image, (path, file)| image.with(&path, file));
        cases.push((format!("{state}: all of sled as it was earlier"), all_older));
        let unfinished = Path::new("sled/snap.0000000000000000.generating");
        cases.push((format!("{state}: an unfinished snapshot"), image.with(unfinished, FileImage::new(b"half"))));
        for path in files {
            let (whole, told) = (&image.0[&path], path.display());
            cases.push((format!("{state}: {told} deleted"), image.without(&path)));
            cases.push((format!("{state}: {told} emptied"), image.with(&path, FileImage::new(b""))));
            cases.push((format!("{state}: {told} is garbage"), image.with(&path, FileImage::new(&[0xa5; 5000]))));
            for cut in cuts(whole) {
                cases.push((format!("{state}: {told} cut at {cut}"), image.with(&path, whole.cut(cut))));
            }
            if let Some(older) = fixture.older.0.get(&path) {
                cases.push((format!("{state}: {told} as it was earlier"), image.with(&path, older.clone())));
            }
        }
    }
    for_each_case(&cases, |(what, image)| {
        let dir = image.write_new();
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole, "{what}");
        assert_eq!(outcome(dir.path(), &fixture.contents), Outcome::Whole, "{what}: opened once more");
    });
    println!("{} ways to damage sled", cases.len());
}

#[test]
fn any_flipped_bit_in_sled_heals_with_nothing_lost() {
    let fixture = fixture();
    let mut dice = StdRng::seed_from_u64(seed());
    let mut cases = Vec::new();
    for (state, image) in [("closed", &fixture.closed), ("killed", &fixture.killed)] {
        cases.extend(random_bits(image, "sled", flips() / 2, &mut dice).into_iter().map(|bit| (state, image, bit)));
    }
    for_each_case(&cases, |(state, image, (path, byte, bit))| {
        let mut image = (*image).clone();
        image.0.get_mut(path).unwrap().flip(*byte, *bit);
        let dir = image.write_new();
        let outcome = outcome(dir.path(), &fixture.contents);
        assert_eq!(outcome, Outcome::Whole, "{state}: bit {bit} of byte {byte} of {}", path.display());
    });
}
