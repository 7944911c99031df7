//! Journals on the disk: written, looked at, copied, and held against what they should hold.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::super::frame::FrameHeader;
use super::super::segment::SEGMENT_HEADER_BYTES;
use super::super::witness;
use super::*;

/// Where the frames of a segment begin and end.
pub(super) fn frames(bytes: &[u8]) -> Vec<(usize, usize, FrameHeader)> {
    let mut frames = Vec::new();
    let mut at = SEGMENT_HEADER_BYTES;
    while let Some(header) = bytes.get(at..).and_then(|rest| FrameHeader::decode(rest.first_chunk()?)) {
        let end = at + usize::try_from(header.frame_bytes()).unwrap();
        frames.push((at, end, header));
        at = end;
    }
    frames
}

/// All files below a directory.
pub(super) fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

/// Why the journal is refused. Nothing is changed by that.
pub(super) fn refused(data: &Path, what: &str) -> JournalError {
    let before = contents(data);
    let error = open_in(data, 4096).err().unwrap_or_else(|| panic!("not refused: {what}"));
    assert!(contents(data) == before, "{what}: something was changed");
    error
}

pub(super) fn forget_witness(data: &Path) {
    fs::remove_file(witness::path_in(data)).unwrap();
}

/// A closed journal and what it holds.
pub(super) fn written(segment_bytes: u64, write: impl FnOnce(&mut Opened)) -> (TempDir, Vec<Record>) {
    let data = TempDir::new().unwrap();
    let mut opened = open_in(data.path(), segment_bytes).unwrap();
    write(&mut opened);
    let records = opened.records();
    (data, records)
}

/// Opens a journal, holds that it has these commits, and that it goes on.
pub(super) fn holds(data: &Path, records: &[Record], what: &str) {
    let mut opened = open_in(data, 4096).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(opened.visited == records, "{what}: {} commits and not {}", opened.visited.len(), records.len());
    opened.append(&[&[9], &[8, 1]]).unwrap();
    drop(opened);
    let opened = open_in(data, 4096).unwrap_or_else(|error| panic!("{what}, written on: {error}"));
    assert_eq!(opened.visited.len(), records.len() + 2, "{what}: written on");
}

pub(super) fn copy_of(data: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for (path, bytes) in contents(data) {
        let to = copy.path().join(path.strip_prefix(data).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
    copy
}
