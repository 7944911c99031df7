//! Starting: a checkpoint saves the reading of the journal, and is never believed for more than it is. Whatever is wrong
//! with it, what is served is what the journal says; and what a start has passed over is verified behind the serving.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use partnership_registry::v1::{self, Country};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use partnership_registry_server::serve::HEALTH_OF_JOURNAL;

use crate::crash::load::Stubs;
use crate::crash::oracle::Observed;
use crate::crash::seed;
use crate::damage::{Image, journal_files, journal_frames};
use crate::harness::process::{Process, is_from_checkpoint, with_checkpoints};
use crate::harness::{until, within};

const CHECKPOINT: &str = "checkpoint";
const NOT_USED: &str = "the checkpoint is not used; the whole journal is read instead";

/// Creates countries of about this size.
async fn create(stubs: &mut Stubs, prefix: &str, count: usize, bytes: usize) {
    for number in 0..count {
        let description = "wells and pumps ".repeat(bytes / 16);
        let country = Some(Country { display_name: format!("{prefix} {number}"), description, ..Country::default() });
        let country_id = format!("{prefix}-{number}");
        let request = v1::CreateCountryRequest { country_id, country, ..Default::default() };
        within(stubs.countries.create_country(request)).await.unwrap();
    }
}

/// Waits until a checkpoint is there that begins so late that a start from it passes over the commits so far.
async fn until_saved(server: &Process, stubs: &mut Stubs, prefix: &str) {
    let head = stubs.observe().await.commits.len() as u64;
    let mut more = 0;
    until("a checkpoint", async || {
        let log = server.log();
        let saved = log.lines().filter(|line| line.contains("saved a checkpoint"));
        let from = saved.filter_map(|line| line.split_once("from=")?.1.split_whitespace().next()?.parse::<u64>().ok());
        if from.max().is_some_and(|from| from >= head) {
            return Some(());
        }
        // One is due only after some bytes of commits.
        create(stubs, &format!("{prefix}-more{more}"), 1, 2_000).await;
        more += 1;
        None
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_while_it_builds_its_indexes_stops() {
    let data = TempDir::new().unwrap();
    let server = start(data.path());
    let mut registry = v1::registry_service_client::RegistryServiceClient::new(server.channel().await);
    // More than are read ahead of those that are taken in, by far.
    for commit in 0..30 {
        let create = |number: usize| {
            let country = Country {
                name: format!("countries/c{commit}-{number}"),
                display_name: "C".into(),
                ..Country::default()
            };
            let resource = Some(v1::Resource { kind: Some(v1::resource::Kind::Country(country)) });
            let create = v1::CreateMutation { resource };
            v1::Mutation { operation: Some(v1::mutation::Operation::Create(create)) }
        };
        let request = v1::CommitRequest { mutations: (0..1_000).map(create).collect(), ..Default::default() };
        within(registry.commit(request)).await.unwrap();
    }
    drop(registry);
    server.stop();
    for _ in 0..3 {
        let ended = start(data.path()).stop();
        assert!(ended.status.success() && !ended.log.contains("the indexes are there"), "{}", ended.log);
    }
}

fn start(data: &Path) -> Process {
    Process::start_with(data, with_checkpoints)
}

/// Starts the server without checkpoints, so that the one that is there stays as it is.
fn start_and_save_none(data: &Path) -> Process {
    Process::start(data)
}

async fn observe(server: &Process) -> Observed {
    Stubs::new(&server.channel().await).observe().await
}

/// Everything that is told, and the listings in every order with the index behind them.
async fn told(server: &Process) -> (Observed, Vec<Vec<String>>, Vec<Option<Country>>) {
    let mut stubs = Stubs::new(&server.channel().await);
    let observed = stubs.observe().await;
    let mut listings = Vec::new();
    for order_by in ["name", "display_name desc", "create_time", "update_time desc"] {
        for back in [0, 1, 5] {
            let request = v1::ListCountriesRequest {
                order_by: order_by.into(),
                page_size: 1000,
                read_revision: (observed.commits.len() as u64).saturating_sub(back),
                ..Default::default()
            };
            let page = within(stubs.countries.list_countries(request)).await.unwrap().into_inner();
            listings.push(page.countries.into_iter().map(|country| country.name).collect());
        }
    }
    let mut found = Vec::new();
    for resource in &observed.resources {
        let request = v1::GetCountryRequest { name: resource.name().to_owned(), ..Default::default() };
        found.push(within(stubs.countries.get_country(request)).await.ok().map(tonic::Response::into_inner));
    }
    (observed, listings, found)
}

/// A directory with a checkpoint that passes over most of its journal.
async fn saved(prefix: &str) -> TempDir {
    let data = TempDir::new().unwrap();
    let server = start(data.path());
    let mut stubs = Stubs::new(&server.channel().await);
    create(&mut stubs, prefix, 20, 500).await;
    until_saved(&server, &mut stubs, prefix).await;
    assert!(server.stop().status.success());
    data
}

fn checkpoint_of(data: &Path) -> PathBuf {
    data.join(CHECKPOINT)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_with_a_checkpoint_the_journal_is_served() {
    let mut dice = StdRng::seed_from_u64(seed());
    let data = saved("one").await;
    let foreign = saved("other").await;
    let good = fs::read(checkpoint_of(data.path())).unwrap();
    let image = Image::of(data.path());

    let whole = image.write_new();
    fs::remove_file(checkpoint_of(whole.path())).unwrap();
    let server = start_and_save_none(whole.path());
    assert!(!is_from_checkpoint(&server.log()) && !server.log().contains(NOT_USED), "{}", server.log());
    let expected = told(&server).await;
    server.kill();

    let mut cases: Vec<(String, Option<Vec<u8>>)> = vec![
        ("as it was saved".into(), None),
        ("empty".into(), Some(Vec::new())),
        ("of another store".into(), Some(fs::read(checkpoint_of(foreign.path())).unwrap())),
        ("without its end".into(), Some(good[..good.len() - 1].to_vec())),
        ("cut in its midst".into(), Some(good[..dice.random_range(1..good.len())].to_vec())),
        ("of another version".into(), Some(of_another_version(&good))),
        ("of another commit".into(), Some(of_another_commit(&good))),
        ("anything".into(), Some((0..5_000).map(|_| dice.random()).collect())),
    ];
    for _ in 0..3 {
        let (byte, bit) = (dice.random_range(0..good.len()), dice.random_range(0..8));
        let mut flipped = good.clone();
        flipped[byte] ^= 1 << bit;
        cases.push((format!("with bit {bit} of byte {byte} flipped"), Some(flipped)));
    }
    for (what, bytes) in cases {
        let case = image.write_new();
        if let Some(bytes) = &bytes {
            fs::write(checkpoint_of(case.path()), bytes).unwrap();
            // What a crash leaves of one that was being saved.
            fs::write(case.path().join("checkpoint.new"), &good[..good.len() / 2]).unwrap();
        }
        let server = start_and_save_none(case.path());
        let log = server.log();
        assert_eq!(is_from_checkpoint(&log), bytes.is_none(), "{what}: {log}");
        assert_eq!(log.contains(NOT_USED), bytes.is_some(), "{what}: {log}");
        assert!(told(&server).await == expected, "a checkpoint {what}: another answer than without it");
        assert!(!case.path().join("checkpoint.new").exists());
        server.kill();
    }
    // A server that does not compare the hash is found out by the same look at its log.
    let case = image.write_new();
    fs::write(checkpoint_of(case.path()), of_another_commit(&good)).unwrap();
    let believing = |command: &mut Command| {
        command.env("PARTNERSHIP_TEST_FAULTS", "believe-checkpoint");
    };
    assert!(is_from_checkpoint(&Process::start_with(case.path(), believing).log()), "the fault is not planted");
}

/// The same checkpoint with another header, under a checksum that is right.
fn forged(good: &[u8], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let len = u32::from_le_bytes(good[12..16].try_into().unwrap()) as usize;
    let mut bytes = good.to_vec();
    change(&mut bytes[20..20 + len]);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[8..12]);
    hasher.update(&0_u32.to_le_bytes());
    hasher.update(&bytes[20..20 + len]);
    let crc = hasher.finalize();
    bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn of_another_version(good: &[u8]) -> Vec<u8> {
    forged(good, |header| {
        let at = header.windows(5).position(|window| window == b"index").unwrap();
        header[at..at + 5].copy_from_slice(b"INDEX");
    })
}

/// The hash of the commit from which it goes on is another one.
fn of_another_commit(good: &[u8]) -> Vec<u8> {
    forged(good, |header| {
        // Fields 6 and 7, of 32 bytes each.
        let at = header.windows(36).position(|it| it[..2] == [0x32, 32] && it[34..] == [0x3a, 32]).unwrap();
        header[at + 2] ^= 1;
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_of_commits_that_the_journal_does_not_have_is_not_believed() {
    let data = TempDir::new().unwrap();
    let server = start_and_save_none(data.path());
    create(&mut Stubs::new(&server.channel().await), "before", 5, 100).await;
    assert!(server.stop().status.success());
    let mut before = Image::of(data.path());
    // These know of what comes after too.
    before.0.retain(|path, _| path.starts_with("journal"));

    // Two futures of the same journal, and the checkpoint of one of them in the other, and in the past.
    let checkpoint = {
        let server = start(data.path());
        let mut stubs = Stubs::new(&server.channel().await);
        create(&mut stubs, "one-future", 8, 500).await;
        until_saved(&server, &mut stubs, "one-future").await;
        assert!(server.stop().status.success());
        fs::read(checkpoint_of(data.path())).unwrap()
    };
    let past = before.write_new();
    let other = before.write_new();
    let server = start_and_save_none(other.path());
    create(&mut Stubs::new(&server.channel().await), "other-future", 60, 500).await;
    assert!(server.stop().status.success());

    for (what, data) in [("the past", past), ("another future", other)] {
        let server = start_and_save_none(data.path());
        let expected = observe(&server).await;
        assert!(server.stop().status.success());
        fs::write(checkpoint_of(data.path()), &checkpoint).unwrap();
        let server = start_and_save_none(data.path());
        assert!(server.log().contains(NOT_USED), "{what}: {}", server.log());
        assert!(observe(&server).await == expected, "{what}");
        server.kill();
    }
}

/// Damage before the checkpoint: what it hit is refused, all else is served, and the scrub finds it and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_that_a_start_has_passed_over_is_found_behind_the_serving() {
    let data = saved("one").await;
    let file = journal_files(data.path()).swap_remove(0);
    let frame = journal_frames(&file)[3];
    // In the document, behind the head of the commit.
    let byte = frame.end - 40;
    let open = fs::File::options().read(true).write(true).open(&file).unwrap();
    let mut found = [0];
    open.read_exact_at(&mut found, byte).unwrap();
    open.write_all_at(&[found[0] ^ 4], byte).unwrap();
    drop(open);
    // What sled has is answered from there.
    fs::remove_dir_all(data.path().join("sled")).unwrap();

    let server = start(data.path());
    assert!(is_from_checkpoint(&server.log()), "{}", server.log());
    let channel = server.channel().await;
    let mut stubs = Stubs::new(&channel);
    let mut get = async |id: &str| {
        let request = v1::GetCountryRequest { name: format!("countries/{id}"), ..Default::default() };
        within(stubs.countries.get_country(request)).await
    };
    assert_eq!(get("one-3").await.unwrap_err().code(), Code::DataLoss);
    assert!(get("one-2").await.is_ok() && get("one-4").await.is_ok());
    let told = format!("the journal is damaged in {} at byte {}", file.display(), frame.offset);
    let mut health = HealthClient::new(channel.clone());
    until("the damage to be told", async || {
        let request = HealthCheckRequest { service: HEALTH_OF_JOURNAL.into() };
        let status = within(health.check(request)).await.unwrap().into_inner().status;
        (status == ServingStatus::NotServing as i32 && server.log().contains(&told)).then_some(())
    })
    .await;
    until("the checkpoint to go", async || (!checkpoint_of(data.path()).exists()).then_some(())).await;
    // It goes on, and saves no checkpoint that would let another start pass over the damage.
    let mut stubs = Stubs::new(&channel);
    create(&mut stubs, "after", 20, 1_000).await;
    assert!(get("one-2").await.is_ok());
    server.stop();
    assert!(!checkpoint_of(data.path()).exists());
    let ended = Process::try_start(data.path(), with_checkpoints).err().expect("a damaged journal is refused");
    assert!(ended.log.contains(&told), "{}", ended.log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_journal_is_verified_behind_the_serving() {
    let data = saved("one").await;
    let server = start(data.path());
    assert!(is_from_checkpoint(&server.log()), "{}", server.log());
    until("the journal to be verified", async || {
        server.log().contains("the journal before the checkpoint is verified").then_some(())
    })
    .await;
    let mut health = HealthClient::new(server.channel().await);
    let request = HealthCheckRequest { service: HEALTH_OF_JOURNAL.into() };
    let status = within(health.check(request)).await.unwrap().into_inner().status;
    assert_eq!(status, ServingStatus::Serving as i32);
}

/// A segment that a start passes over must be there, and be the one that it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_that_were_removed_cut_or_swapped_are_refused_with_a_checkpoint_too() {
    let data = TempDir::new().unwrap();
    let server = start(data.path());
    let mut stubs = Stubs::new(&server.channel().await);
    create(&mut stubs, "large", 140, 19_000).await;
    until_saved(&server, &mut stubs, "large").await;
    assert!(server.stop().status.success());
    let used = journal_files(data.path()).into_iter().filter(|file| !journal_frames(file).is_empty()).count();
    assert!(used >= 3, "{used} segments");
    let name = |number: usize| format!("journal/{number:010}.seg");
    type Harm<'a> = &'a dyn Fn(&Path);
    let deeds: [(&str, Harm<'_>); 4] = [
        ("the first removed", &|data| fs::remove_file(data.join(name(0))).unwrap()),
        ("the second removed", &|data| fs::remove_file(data.join(name(1))).unwrap()),
        ("two swapped", &|data| {
            fs::rename(data.join(name(0)), data.join("aside")).unwrap();
            fs::rename(data.join(name(1)), data.join(name(0))).unwrap();
            fs::rename(data.join("aside"), data.join(name(1))).unwrap();
        }),
        ("one cut off", &|data| {
            let file = fs::File::options().write(true).open(data.join(name(1))).unwrap();
            file.set_len(700_000).unwrap();
        }),
    ];
    let image = Image::of(data.path());
    for (what, harm) in deeds {
        let case = image.write_new();
        harm(case.path());
        let ended =
            Process::try_start(case.path(), with_checkpoints).err().unwrap_or_else(|| panic!("{what}: it starts"));
        assert!(ended.log.contains(NOT_USED), "{what}: {}", ended.log);
        assert!(ended.log.contains("nothing was changed; restore that file"), "{what}: {}", ended.log);
    }
    let case = image.write_new();
    assert!(is_from_checkpoint(&start(case.path()).log()), "nothing was done to this one");
}
