//! Damage, as the real binary meets it: before it starts, and while it runs.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use partnership_registry::v1::{self, Country};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::files::{FileImage, Image, journal_files, journal_frames};
use super::store::{Outcome, fixture, outcome};
use crate::crash::load::Stubs;
use crate::crash::seed;
use crate::harness::process::Process;
use crate::harness::until_sled_serves;

/// What the binary says when it does not start on a directory.
fn refused(data: &Path) -> String {
    let ended = Process::try_start(data, |_| {}).err().expect("the server refuses to start");
    assert_eq!(ended.status.code(), Some(1));
    assert!(!ended.log.contains("panicked"), "{}", ended.log);
    ended.log
}

#[test]
fn other_formats_are_refused_untouched() {
    let fixture = fixture();
    let first = journal_files(fixture.closed.write_new().path()).swap_remove(0);
    let path = Path::new("journal").join(first.file_name().unwrap());
    let mut bytes = fixture.closed.0[&path].bytes();
    bytes[8] = 3;
    let newer = fixture.closed.with(&path, FileImage::new(&bytes));
    let mut bytes = b"PRTNJRNL\x01\0\0\0".to_vec();
    bytes.resize(200, 7);
    let mut older = Image::default();
    older.0.insert("journal/00000000000000000001.seg".into(), FileImage::new(&bytes));
    for (what, image) in [("newer version of this server, in format 3", newer), ("older version of this server", older)]
    {
        let dir = image.write_new();
        let log = refused(dir.path());
        assert!(
            log.contains(&format!("was written by a{} {what}", if what.starts_with('o') { "n" } else { "" })),
            "{log}"
        );
        assert!(Image::of(dir.path()).only("journal") == image.only("journal"), "the {what} was changed");
    }
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let dir = fixture().closed.write_new();
    let first = Process::start(dir.path());
    let log = refused(dir.path());
    let told = format!("the data directory {} is in use by another server", dir.path().display());
    assert!(log.contains(&told), "{log}");
    let stopped = first.stop();
    assert!(stopped.status.success(), "{}", stopped.log);
    assert_eq!(outcome(dir.path(), &fixture().contents), Outcome::Whole);
}

#[test]
fn the_binary_refuses_a_damaged_journal_with_what_is_wrong_where_and_what_to_do() {
    let fixture = fixture();
    let path = fixture.closed.files_in("journal").swap_remove(1);
    let mut image = fixture.closed.clone();
    image.0.get_mut(&path).unwrap().flip(700, 3);
    let dir = image.write_new();
    let log = refused(dir.path());
    let told = format!("error: the journal is damaged in {} at byte 512: ", dir.path().join(&path).display());
    assert!(log.contains(&told), "{log}");
    assert!(log.contains("nothing was changed; restore that file from a backup"), "{log}");
    assert!(Image::of(dir.path()).only("journal") == image.only("journal"));
}

/// Creates a country, and answers its revision.
async fn create(stubs: &mut Stubs, id: &str) -> Result<u64, tonic::Status> {
    let country = Some(Country { display_name: id.into(), ..Country::default() });
    let request = v1::CreateCountryRequest { country_id: id.into(), country, ..Default::default() };
    stubs.countries.create_country(request).await.map(|country| country.into_inner().revision)
}

/// A server that acknowledged some commits and was killed at once: the directory, and its last revision.
async fn killed_after(commits: u64) -> (TempDir, u64) {
    let dir = TempDir::new().unwrap();
    let server = Process::start(dir.path());
    let mut stubs = Stubs::new(&server.channel().await);
    let mut revision = 0;
    for number in 0..commits {
        revision = create(&mut stubs, &format!("c{number}")).await.unwrap();
    }
    server.kill();
    (dir, revision)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_commit_cut_off_or_zeroed_after_a_kill_is_missed_with_and_without_sled() {
    for with_sled in [true, false] {
        let (dir, revision) = killed_after(20).await;
        if !with_sled {
            std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
        }
        let file = journal_files(dir.path()).swap_remove(0);
        let last = journal_frames(&file).pop().unwrap();
        let whole = std::fs::read(&file).unwrap();
        assert_eq!(last.revision, revision);
        let (offset, end) = (usize::try_from(last.offset).unwrap(), usize::try_from(last.end).unwrap());
        for from in [offset, offset + 80, end - 1] {
            let mut zeroed = whole.clone();
            zeroed[from..].fill(0);
            std::fs::write(&file, &zeroed).unwrap();
            let log = refused(dir.path());
            assert!(log.contains(&format!("goes up to revision {}, and ", revision - 1)), "{log}");
            assert!(log.contains(&format!("knows of commits up to revision {revision}; nothing was changed")), "{log}");
            assert!(std::fs::read(&file).unwrap() == zeroed);
            std::fs::write(&file, &whole[..from]).unwrap();
            let log = refused(dir.path());
            assert!(log.contains("by the segment's header") && log.contains("; restore that file"), "{log}");
        }
        std::fs::write(&file, &whole).unwrap();
        let server = Process::start(dir.path());
        let observed = Stubs::new(&server.channel().await).observe().await;
        assert_eq!(observed.commits.len() as u64, revision);
    }
}

#[test]
fn a_last_segment_that_is_removed_is_missed_with_and_without_whatever_knows_of_it() {
    let fixture = fixture();
    let dir = fixture.closed.write_new();
    let used = journal_files(dir.path()).into_iter().filter(|file| !journal_frames(file).is_empty()).count();
    for also_gone in [&[][..], &["sled"], &["HEAD"], &["sled", "HEAD"]] {
        for with_next in [true, false] {
            let dir = fixture.closed.write_new();
            let files = journal_files(dir.path());
            let first = first_revision_of(&files[used - 1]);
            for file in &files[used - 1..if with_next { used } else { files.len() }] {
                std::fs::remove_file(file).unwrap();
            }
            for gone in also_gone {
                let path = dir.path().join(gone);
                if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
            }
            let log = refused(dir.path());
            let told = format!("the journal breaks off before revision {first}");
            assert!(log.contains(&told), "without {also_gone:?}: {log}");
        }
    }
}

fn first_revision_of(file: &Path) -> u64 {
    let bytes = std::fs::read(file).unwrap();
    u64::from_le_bytes(bytes[72..80].try_into().unwrap())
}

/// What is done to the journal's directory while a server runs on it.
type Deed = fn(data: &Path);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_servers_on_a_directory_that_was_moved_about_at_most_one_acknowledges() {
    let deeds: [(&str, Deed); 5] = [
        ("nothing is moved", |_| {}),
        ("the journal is removed", |data| std::fs::remove_dir_all(data.join("journal")).unwrap()),
        ("the journal is renamed", |data| std::fs::rename(data.join("journal"), data.join("aside")).unwrap()),
        ("the journal is replaced by a copy", |data| {
            let copy = Image::of(data).only("journal");
            std::fs::rename(data.join("journal"), data.join("aside")).unwrap();
            copy.write(data);
        }),
        ("all is replaced by a copy", |data| {
            let copy = Image::of(data);
            let aside = data.with_extension("aside");
            std::fs::rename(data, &aside).unwrap();
            copy.write(data);
        }),
    ];
    for (what, deed) in deeds {
        let parent = TempDir::new().unwrap();
        let data = parent.path().join("data");
        let first = Process::start(&data);
        let mut stubs = Stubs::new(&first.channel().await);
        for number in 0..5 {
            create(&mut stubs, &format!("before-{number}")).await.unwrap();
        }
        deed(&data);
        let second = Process::try_start(&data, |_| {});
        let by_first = create(&mut stubs, "after").await;
        let by_second = match &second {
            Ok(second) => create(&mut Stubs::new(&second.channel().await), "after").await.is_ok(),
            Err(_) => false,
        };
        assert!(!(by_first.is_ok() && by_second), "{what}: both have acknowledged");
        if by_first.is_err() {
            assert!(create(&mut stubs, "later").await.is_err(), "{what}: it goes on");
        }
        match second {
            // It went on with what the first had acknowledged.
            Ok(second) => {
                assert!(by_second, "{what}: {}", second.log());
                let observed = Stubs::new(&second.channel().await).observe().await;
                assert_eq!(observed.commits.len(), 6, "{what}");
            }
            Err(ended) => assert_eq!(ended.status.code(), Some(1), "{what}: {}", ended.log),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_that_comes_while_the_server_runs_is_data_loss_for_what_it_hit_and_for_nothing_else() {
    let dir = fixture().closed.write_new();
    let server = Process::start(dir.path());
    let channel = server.channel().await;
    until_sled_serves(&channel).await;
    let mut stubs = Stubs::new(&channel);
    let good = stubs.observe().await;
    let mut files = journal_files(dir.path());
    files.retain(|file| !journal_frames(file).is_empty());
    let mut dice = StdRng::seed_from_u64(seed());
    for file in &files {
        let frames = journal_frames(file);
        let frame = frames[dice.random_range(0..frames.len())];
        let commit = &good.commits[usize::try_from(frame.revision).unwrap() - 1];
        let (byte, bit) = (dice.random_range(frame.offset..frame.end), dice.random_range(0..8));
        let what = format!("bit {bit} of byte {byte} of {}, in revision {}", file.display(), frame.revision);
        let flip = || {
            let file = File::options().read(true).write(true).open(file).unwrap();
            let mut found = [0];
            file.read_exact_at(&mut found, byte).unwrap();
            file.write_all_at(&[found[0] ^ 1 << bit], byte).unwrap();
        };
        let mut whole = Vec::new();
        for change in &commit.changes {
            whole.push(answers(&mut stubs, &change.name, frame.revision).await);
        }
        flip();
        let lost = |status: &tonic::Status| {
            assert_eq!(status.code(), Code::DataLoss, "{what}: {status}");
            let details = status.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!(info.reason, "DAMAGED", "{what}");
            assert_eq!(info.metadata["revision"], frame.revision.to_string(), "{what}");
        };
        // What is kept elsewhere, or lies in the commit where nothing was hit, is answered; all else is lost, and nothing
        // is answered that is not so.
        for (change, whole) in commit.changes.iter().zip(whole) {
            for (found, whole) in answers(&mut stubs, &change.name, frame.revision).await.into_iter().zip(whole) {
                match found {
                    Ok(found) => assert_eq!(found, whole.unwrap(), "{what}"),
                    Err(status) => lost(&status),
                }
            }
        }
        let page = v1::ListCommitsRequest { after_revision: frame.revision - 1, page_size: 1, ..Default::default() };
        lost(&stubs.registry.list_commits(page).await.unwrap_err());
        for other in good.commits.iter().filter(|other| other.revision.abs_diff(frame.revision) == 1) {
            let page =
                v1::ListCommitsRequest { after_revision: other.revision - 1, page_size: 1, ..Default::default() };
            let found = stubs.registry.list_commits(page).await.unwrap().into_inner().commits;
            assert_eq!(found, std::slice::from_ref(other), "{what}");
        }
        flip();
        assert!(stubs.observe().await.commits == good.commits, "{what}: put right");
    }
    // It goes on taking writes, also while the past is damaged.
    create(&mut stubs, "another").await.unwrap();
    let log = server.log();
    assert!(log.contains("the journal could not be read") && !log.contains("panicked"), "{log}");
}

/// What is answered of a resource: a version of it by its name and by its revision, and as it is now.
async fn answers(stubs: &mut Stubs, name: &str, revision: u64) -> [Result<String, tonic::Status>; 3] {
    let get = |read_revision| v1::GetCountryRequest { name: name.to_owned(), read_revision, ..Default::default() };
    let version = v1::GetRevisionRequest { name: format!("{name}/revisions/{revision}") };
    let version = stubs.registry.get_revision(version).await.map(|found| format!("{:?}", found.into_inner()));
    let then = stubs.countries.get_country(get(revision)).await.map(|found| format!("{:?}", found.into_inner()));
    let now = stubs.countries.get_country(get(0)).await.map(|found| format!("{:?}", found.into_inner()));
    [version, then, now]
}
