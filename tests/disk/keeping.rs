//! Where data is kept: by whom it can be read, and what is there before anything is made.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::create;
use crate::harness::process::{Process, server_binary};
use crate::harness::until_sled_serves;

/// Everything in and below a directory, with the permissions of all users.
fn modes(dir: &Path) -> Vec<(String, bool, u32)> {
    let entries = dir.read_dir().unwrap().map(Result::unwrap);
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.path()).chain([dir.to_owned()]) {
        let data = path.metadata().unwrap();
        found.push((path.display().to_string(), data.is_dir(), data.permissions().mode() & 0o777));
        if data.is_dir() && path != dir {
            found.extend(modes(&path));
        }
    }
    found
}

#[tokio::test]
async fn all_that_is_kept_is_for_the_owner_alone() {
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("above/data");
    for round in 0..2 {
        let server = Process::start(&data);
        let channel = server.channel().await;
        for number in 0..300 {
            create(&channel, &format!("c{round}-{number}"), 8_000).await.unwrap();
        }
        until_sled_serves(&channel).await;
        assert!(server.stop().status.success());
        let found = modes(&data);
        assert!(found.len() > 6, "{found:?}");
        for (path, is_dir, mode) in found {
            assert_eq!(mode, if is_dir { 0o700 } else { 0o600 }, "{path}");
        }
        // As an earlier version made it.
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[tokio::test]
async fn where_the_port_is_taken_no_directory_is_made() {
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Command::new(server_binary()).args(["--listen", &address, "--data"]).arg(&data).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains(&format!("cannot listen on {address}")), "{ended:?}");
    assert!(!data.exists());
}

#[tokio::test]
async fn the_command_that_asks_after_the_health_tells_a_server_from_none() {
    let data = TempDir::new().unwrap();
    let server = Process::start(data.path());
    let port = server.address.port();
    let ask = |flags: &[&str], listen: String| {
        let mut command = Command::new(server_binary());
        command.arg("health").args(flags).env("PARTNERSHIP_LISTEN", listen).output().unwrap()
    };
    for flags in [[].as_slice(), &["--writes"]] {
        for listen in [server.address.to_string(), format!("0.0.0.0:{port}")] {
            let asked = ask(flags, listen);
            assert_eq!(asked.status.code(), Some(0), "{asked:?}");
        }
    }
    assert_eq!(ask(&["--address", "nowhere"], String::new()).status.code(), Some(64));
    server.kill();
    let asked = ask(&[], format!("127.0.0.1:{port}"));
    assert_eq!(asked.status.code(), Some(69), "{asked:?}");
    // One that takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let asked = ask(&[], silent.local_addr().unwrap().to_string());
    assert_eq!(asked.status.code(), Some(69), "{asked:?}");
}

/// A command that becomes a process to which the permissions of files apply, also where the tests are root.
fn without_privileges(owner: u32) -> Command {
    if owner != 0 {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all"]);
    command
}

#[test]
fn a_directory_that_may_not_be_written_is_refused_with_whose_it_is() {
    let dir = TempDir::new().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let owner = dir.path().metadata().unwrap().uid();
    let mut command = without_privileges(owner);
    command.arg(server_binary());
    let Err(ended) = Process::try_start_as(command, dir.path(), |_| {}) else { panic!("it starts") };
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    let dir = dir.path().display();
    let told = format!(
        "error: could not create {dir}/journal; this process is user {owner}, and {dir} is of user {owner} and mode 0500"
    );
    assert!(ended.log.contains(&told) && ended.log.contains("Permission denied"), "{}", ended.log);
}
