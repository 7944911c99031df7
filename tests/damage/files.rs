//! The files of a data directory as values: written out, read back, cut, and changed bit by bit.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const PAGE_BYTES: usize = 4096;

/// A commit in a file of the journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) revision: u64,
    pub(crate) offset: u64,
    pub(crate) end: u64,
}

/// The files of the journal below a data directory, oldest first.
pub(crate) fn journal_files(data: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(data.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The whole commits in a file of the journal, by its written layout.
pub(crate) fn journal_frames(file: &Path) -> Vec<Frame> {
    let bytes = fs::read(file).unwrap();
    let mut frames = Vec::new();
    let mut at = 512;
    while let Some(header) = bytes.get(at..at + 72).filter(|header| header.starts_with(b"COMM")) {
        let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap()) as usize;
        let revision = u64::from_le_bytes(header[20..28].try_into().unwrap());
        let end = at + 72 + number(8) + number(16) + 4;
        if end > bytes.len() {
            break;
        }
        frames.push(Frame { revision, offset: at as u64, end: end as u64 });
        at = end;
    }
    frames
}

/// The bytes of a file, without the pages that hold nothing but zeros.
#[derive(Clone, PartialEq)]
pub(crate) struct FileImage {
    pub(super) len: usize,
    pages: BTreeMap<usize, Vec<u8>>,
}

impl FileImage {
    pub(crate) fn new(bytes: &[u8]) -> FileImage {
        let full = bytes.chunks(PAGE_BYTES).enumerate().filter(|(_, page)| **page != [0; PAGE_BYTES][..page.len()]);
        FileImage { len: bytes.len(), pages: full.map(|(at, page)| (at * PAGE_BYTES, page.to_vec())).collect() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        for (at, page) in &self.pages {
            bytes[*at..at + page.len()].copy_from_slice(page);
        }
        bytes
    }

    pub(super) fn cut(&self, len: usize) -> FileImage {
        FileImage::new(&self.bytes()[..len])
    }

    /// Where its bytes are that are not zero.
    pub(super) fn live(&self) -> Vec<usize> {
        let live = |(at, page): (&usize, &Vec<u8>)| {
            let at = *at;
            page.iter()
                .enumerate()
                .filter(|(_, byte)| **byte != 0)
                .map(move |(within, _)| at + within)
                .collect::<Vec<_>>()
        };
        self.pages.iter().flat_map(live).collect()
    }

    pub(super) fn flip(&mut self, byte: usize, bit: u32) {
        let page = self.pages.get_mut(&(byte / PAGE_BYTES * PAGE_BYTES)).unwrap();
        page[byte % PAGE_BYTES] ^= 1 << bit;
    }
}

/// All files below a directory, by their relative paths.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Image(pub(crate) BTreeMap<PathBuf, FileImage>);

impl Image {
    pub(crate) fn of(dir: &Path) -> Image {
        let mut image = Image::default();
        image.add(dir, Path::new(""));
        image
    }

    fn add(&mut self, dir: &Path, below: &Path) {
        for entry in fs::read_dir(dir.join(below)).unwrap() {
            let entry = entry.unwrap();
            let path = below.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                self.add(dir, &path);
            } else if let Ok(bytes) = fs::read(entry.path()) {
                // A file that is gone by now belongs to a store in use.
                self.0.insert(path, FileImage::new(&bytes));
            }
        }
    }

    /// Makes a directory of it.
    pub(crate) fn write(&self, dir: &Path) {
        for (path, file) in &self.0 {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let written = File::create(&path).unwrap();
            written.set_len(file.len as u64).unwrap();
            for (at, page) in &file.pages {
                written.write_all_at(page, *at as u64).unwrap();
            }
        }
    }

    pub(crate) fn write_new(&self) -> TempDir {
        let dir = TempDir::new().unwrap();
        self.write(dir.path());
        dir
    }

    /// The files in one of its directories.
    pub(super) fn files_in(&self, dir: &str) -> Vec<PathBuf> {
        self.0.keys().filter(|path| path.starts_with(dir)).cloned().collect()
    }

    pub(super) fn only(&self, dir: &str) -> Image {
        Image(
            self.0
                .iter()
                .filter(|(path, _)| path.starts_with(dir))
                .map(|(path, file)| (path.clone(), file.clone()))
                .collect(),
        )
    }

    pub(super) fn with(&self, path: &Path, file: FileImage) -> Image {
        let mut image = self.clone();
        image.0.insert(path.to_path_buf(), file);
        image
    }

    pub(super) fn without(&self, path: &Path) -> Image {
        let mut image = self.clone();
        image.0.remove(path);
        image
    }
}
