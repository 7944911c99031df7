//! A write that finds no room, as some file systems say even of space that a file has. A limit on the size of files says
//! the same; it is one of the process, so the tests run in one of their own.

use std::process::Command;

use tempfile::TempDir;

use super::super::frame::SEAL_BYTES;
use super::super::segment::path_of;
use super::*;

const CHILD: &str = "PARTNERSHIP_TEST_WITH_A_LIMIT";

/// Runs a test again, in a process that is not ended by the signal that goes with the limit.
fn in_a_process_of_its_own(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let ended = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("store::journal::tests::no_room::{test}")])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&ended.stderr));
    false
}

/// Lets no file of this process be written beyond `bytes`.
fn limit(bytes: &str) {
    let pid = std::process::id().to_string();
    let done = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")]).status();
    assert!(done.unwrap().success());
}

/// What lies in the first segment from `from` on.
fn bytes_from(data: &Path, from: u64) -> Vec<u8> {
    fs::read(path_of(&data.join("journal"), 0)).unwrap().split_off(usize::try_from(from).unwrap())
}

/// A journal of segments of 8 KiB with three commits, the next segment ready.
fn begun(data: &Path) -> Opened {
    let mut opened = open_in(data, 8192).unwrap();
    opened.fill(2, 100);
    let blank = opened.writer.standby.take().unwrap();
    opened.writer.standby.put_back(blank);
    opened
}

#[test]
fn a_group_for_which_there_is_no_room_leaves_nothing_behind() {
    if !in_a_process_of_its_own("a_group_for_which_there_is_no_room_leaves_nothing_behind") {
        return;
    }
    let data = TempDir::new().unwrap();
    let mut opened = begun(data.path());
    let end = opened.writer.current.end;
    for written in [0, 1, 500] {
        limit(&(end + written).to_string());
        let error = opened.append(&[&[700], &[10]]).unwrap_err();
        assert!(matches!(error, JournalError::Unwritten { .. }), "{error}");
        assert_eq!((opened.writer.head().revision, opened.reader.head()), (3, 3));
        assert!(bytes_from(data.path(), end).iter().all(|byte| *byte == 0), "{written} bytes are still there");
    }
    // What there is room for is written.
    opened.append(&[&[10]]).unwrap();
    limit("unlimited");
    opened.append(&[&[700], &[10]]).unwrap();
    opened.fill(30, 100);
    let before = opened.records();
    drop(opened);
    assert_eq!(open_in(data.path(), 8192).unwrap().visited, before);
}

#[test]
fn a_seal_for_which_there_is_no_room_is_written_later() {
    if !in_a_process_of_its_own("a_seal_for_which_there_is_no_room_is_written_later") {
        return;
    }
    let data = TempDir::new().unwrap();
    let mut opened = begun(data.path());
    let end = opened.writer.current.end;
    for written in [0, 1, SEAL_BYTES - 1] {
        limit(&(end + written).to_string());
        let error = opened.append(&[&[7000]]).unwrap_err();
        assert!(matches!(error, JournalError::Unwritten { .. }), "{error}");
        assert!(bytes_from(data.path(), end).iter().all(|byte| *byte == 0), "{written} bytes are still there");
    }
    // A smaller commit still fits, and comes before the seal.
    limit("unlimited");
    opened.append(&[&[10]]).unwrap();
    opened.append(&[&[7000]]).unwrap();
    opened.fill(30, 100);
    let before = opened.records();
    drop(opened);
    assert_eq!(open_in(data.path(), 8192).unwrap().visited, before);
}
