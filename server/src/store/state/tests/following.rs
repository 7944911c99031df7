//! The state goes with the journal, also after it fell behind, and a call that sled keeps keeps nobody else.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::model::Model;
use super::{Dice, PATIENCE, append, commit, open_in, open_settled, options, settle, wait_for};
use crate::store::open::SLED_DIR;
use crate::store::state::calls::{Call, PlantedStall, READS_MAX};
use crate::store::state::health::StateHealth;
use crate::store::{Opened, Options, StateReader, open};

/// A stall that can be planted. It ends when this is dropped, so that a test that fails does not hang.
struct Stall(PathBuf);

impl Stall {
    fn begin(&self) {
        fs::write(&self.0, b"").unwrap();
    }

    fn end(&self) {
        fs::remove_file(&self.0).unwrap();
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A store in which a call can be stalled.
fn open_with_stall(data: &TempDir, call: Call) -> (Opened, Stall) {
    let file = data.path().join("stall");
    let stall = PlantedStall::parse(&format!("{call}:{}", file.display()));
    (open(data.path(), &Options { stall, ..options() }, &mut |_: crate::store::Record| {}).unwrap(), Stall(file))
}

#[test]
fn a_new_store_is_empty_and_stays_so() {
    let data = TempDir::new().unwrap();
    let dir = data.path().join("deep/er");
    for _ in 0..2 {
        Model::default().assert_is(&open_settled(&dir));
    }
}

#[test]
fn what_is_written_is_there_at_once_and_after_a_restart() {
    let data = TempDir::new().unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(1));
    for _ in 0..3 {
        let mut opened = open_settled(data.path());
        commit(&mut opened, &mut model, &mut dice, 60);
        model.assert_is(&opened);
    }
    model.assert_is(&open_settled(data.path()));
}

#[test]
fn a_state_that_is_behind_catches_up() {
    let data = TempDir::new().unwrap();
    let (mut model, mut dice) = (Model::default(), Dice(2));
    let mut opened = open_in(data.path()).unwrap();
    commit(&mut opened, &mut model, &mut dice, 20);
    drop(opened);
    let sled = super::copy_of(&data.path().join(SLED_DIR));
    let mut opened = open_in(data.path()).unwrap();
    let records = (0..300).map(|_| model.next(&mut dice)).collect();
    append(&mut opened, records);
    drop(opened);
    fs::remove_dir_all(data.path().join(SLED_DIR)).unwrap();
    super::copy_dir(sled.path(), &data.path().join(SLED_DIR));
    model.assert_is(&open_settled(data.path()));
}

#[test]
fn the_handles_go_to_other_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<crate::store::JournalReader>();
    shared::<crate::store::StateReader>();
}

#[test]
fn the_journal_goes_on_while_sled_takes_nothing_and_sled_catches_up_after() {
    for call in [Call::Apply, Call::Flush] {
        let data = TempDir::new().unwrap();
        let (mut opened, stall) = open_with_stall(&data, call);
        let (mut model, mut dice) = (Model::default(), Dice(3));
        commit(&mut opened, &mut model, &mut dice, 5);
        settle(&opened);
        stall.begin();
        commit(&mut opened, &mut model, &mut dice, 50);
        let stalled = wait_for(&opened.follower, |health| !health.is_well());
        assert!(matches!(stalled, StateHealth::Stalled { call: found, .. } if found == call), "{stalled}");
        commit(&mut opened, &mut model, &mut dice, 50);
        assert!(!opened.follower.shared.can_be_read(), "readers do not wait for it");
        stall.end();
        model.assert_is(&opened);
    }
}

#[test]
fn a_close_that_sled_keeps_is_left_behind() {
    let data = TempDir::new().unwrap();
    let (mut opened, stall) = open_with_stall(&data, Call::Close);
    let (mut model, mut dice) = (Model::default(), Dice(4));
    commit(&mut opened, &mut model, &mut dice, 5);
    settle(&opened);
    stall.begin();
    let began = Instant::now();
    opened.follower.close();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    stall.end();
    drop(opened);
    let began = Instant::now();
    let again = loop {
        match open_in(data.path()) {
            Ok(opened) => break opened,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    model.assert_is(&again);
}

/// Workers as `main` makes them for one core.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1 + READS_MAX).enable_all().build().unwrap()
}

#[test]
fn reads_answer_as_sled_has_it_and_never_of_what_it_has_not() {
    let data = TempDir::new().unwrap();
    let mut opened = open_settled(data.path());
    let (mut model, mut dice) = (Model::default(), Dice(8));
    commit(&mut opened, &mut model, &mut dice, 30);
    settle(&opened);
    let state = opened.follower.reader();
    let (name, versions) = model.history.iter().max_by_key(|(_, versions)| versions.len()).unwrap();
    let never: Arc<str> = "kinds/never".into();
    let head = model.records.len() as u64;
    runtime().block_on(async {
        let found = state.get(&[name.clone(), never.clone()]).await.unwrap();
        assert_eq!(found[0].as_ref().map(|(revision, _)| *revision), versions.last().copied());
        assert_eq!(found[1], None);
        assert_eq!(state.version_at(name, versions[0]).await, Some(Some(versions[0])));
        assert_eq!(state.version_at(name, versions[0] - 1).await, Some(None));
        assert_eq!(state.version_at(&never, head).await, Some(None));
        assert_eq!(state.version_at(name, head + 1).await, None, "it has not come so far");
    });
    opened.follower.close();
    assert_eq!(runtime().block_on(state.get(std::slice::from_ref(name))), None, "it is closed");
}

/// A task that reads whenever a packet comes, and answers whether sled did. Sends it one.
fn reads_by_network(
    runtime: &tokio::runtime::Runtime,
    state: StateReader,
    name: Arc<str>,
    call: Call,
) -> (impl Fn() + use<>, Receiver<bool>) {
    let socket = runtime.block_on(tokio::net::UdpSocket::bind("127.0.0.1:0")).unwrap();
    let address = socket.local_addr().unwrap();
    let (answer, answers) = channel();
    runtime.spawn(async move {
        while socket.recv(&mut [0]).await.is_ok() {
            let found = if call == Call::Range {
                state.version_at(&name, 1).await.is_some()
            } else {
                state.get(std::slice::from_ref(&name)).await.is_some()
            };
            answer.send(found).unwrap();
        }
    });
    let asking = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    (move || assert_eq!(asking.send_to(&[0], address).unwrap(), 1), answers)
}

#[test]
fn a_read_that_sled_keeps_is_given_up_on_and_sled_is_used_again_after() {
    for call in [Call::Get, Call::Range] {
        let data = TempDir::new().unwrap();
        let runtime = runtime();
        let (mut opened, stall) = open_with_stall(&data, call);
        let (mut model, mut dice) = (Model::default(), Dice(9));
        commit(&mut opened, &mut model, &mut dice, 30);
        settle(&opened);
        let name = model.history.keys().next().unwrap().clone();
        // In a task that the network wakes, as a handler is, and with nothing else to do for the runtime: it is then the
        // worker that has just waited for the network and the timers whom sled keeps, and nobody wakes the others.
        let (ask, answers) = reads_by_network(&runtime, opened.follower.reader(), name, call);
        let read = || {
            let began = Instant::now();
            ask();
            (answers.recv_timeout(PATIENCE).unwrap(), began.elapsed())
        };
        assert!(read().0);
        stall.begin();
        for _ in 0..20 {
            let (found, waited) = read();
            assert!(!found);
            assert!(waited < Duration::from_secs(5), "{waited:?}");
        }
        let stalled = wait_for(&opened.follower, |health| !health.is_well());
        assert!(matches!(stalled, StateHealth::Stalled { call: found, .. } if found == call), "{stalled}");
        // The follower wants to apply, and waits for the read; the journal does not.
        commit(&mut opened, &mut model, &mut dice, 30);
        stall.end();
        model.assert_is(&opened);
        assert!(read().0);
        runtime.shutdown_background();
    }
}
