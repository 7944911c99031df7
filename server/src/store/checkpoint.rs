//! The checkpoint: a file beside the journal with what was derived from it up to some commit, so that a start need not
//! read all of it. It is never needed: whatever is wrong with it, the journal is read from its first commit on.
//!
//! What was derived is saved while commits go on, so that no part of it is older than the commit `from`, and none newer
//! than the commit `until`. Whoever loads it applies the commits behind `from` again, up to `until` at least.
//!
//! `magic 8`, then blocks: `kind u32 | len u32 | crc32 u32 | bytes`, little endian. The checksum also covers the kind and
//! the number of the block. First the [`Header`], then a [`Segment`] for each of the journal, what was derived in blocks
//! that mean nothing here, and the [`Trailer`].

use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use bytes::{Buf as _, BufMut as _};
use prost::Message;
use uuid::Uuid;

use super::disk::{self, DiskError, failed};
use super::journal::{JournalError, JournalReader, Known, KnownSegment};
use super::record::{Hash, Head, Revision};

const FILE: &str = "checkpoint";
const PROVISIONAL_FILE: &str = "checkpoint.new";
const MAGIC: [u8; 8] = *b"PRTNCKPT";
const BLOCK_HEADER_BYTES: usize = 12;
/// The version of the layouts in this file.
const FORMAT: u32 = 1;
/// No block is larger: far above what is written, and a damaged length takes no more memory than this.
const BLOCK_BYTES_MAX: usize = 64 << 20;
/// So much is written between two syncs. One sync of the whole would keep the disk from the journal for seconds.
const SYNC_EVERY_BYTES: usize = 8 << 20;

/// What a block is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Header = 1,
    Segment = 2,
    Derived = 3,
    Trailer = 4,
}

#[derive(Clone, PartialEq, Message)]
struct Header {
    #[prost(uint32, tag = "1")]
    format: u32,
    /// That of what was derived.
    #[prost(string, tag = "2")]
    version: String,
    #[prost(bytes = "vec", tag = "3")]
    store_id: Vec<u8>,
    #[prost(uint64, tag = "4")]
    epoch: u64,
    #[prost(uint64, tag = "5")]
    from: u64,
    #[prost(bytes = "vec", tag = "6")]
    from_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "7")]
    from_parent_hash: Vec<u8>,
    #[prost(uint32, tag = "8")]
    segments: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Segment {
    #[prost(uint64, tag = "1")]
    first: u64,
    #[prost(uint64, tag = "2")]
    end: u64,
    #[prost(fixed32, repeated, tag = "3")]
    offsets: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Trailer {
    #[prost(uint64, tag = "1")]
    until: u64,
    #[prost(bytes = "vec", tag = "2")]
    until_hash: Vec<u8>,
}

/// Why a checkpoint is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// It could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It is not what was written, or not for this store and this version of the server.
    #[error("{0}")]
    Not(String),
}

/// Why a checkpoint was not saved.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The file of the checkpoint in a data directory.
pub(super) fn path_in(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// Removes the checkpoint, and what a crash may have left of one.
pub(super) fn remove(data_dir: &Path) -> Result<(), DiskError> {
    disk::remove(&data_dir.join(PROVISIONAL_FILE))?;
    disk::remove(&path_in(data_dir))
}

/// Removes what a crash may have left of a checkpoint.
pub(super) fn remove_unfinished(data_dir: &Path) -> Result<(), DiskError> {
    disk::remove(&data_dir.join(PROVISIONAL_FILE))
}

/// Saves what is derived from `journal`: `derived` gives block after block, each with nothing older than the commit
/// `from`, and nothing that is not in the journal; it is `None` if it is not to be saved after all. Takes the place of the
/// checkpoint before once it is whole and durable. Answers how many bytes it has.
pub(super) fn save(
    data_dir: &Path,
    journal: &JournalReader,
    version: String,
    from: Revision,
    derived: &mut dyn Iterator<Item = Option<Vec<u8>>>,
) -> Result<Option<u64>, CheckpointError> {
    let provisional = data_dir.join(PROVISIONAL_FILE);
    let written = write(&provisional, journal, version, from, derived);
    match written {
        Ok(Some(_)) => disk::publish(&provisional, &path_in(data_dir))?,
        // What is not a checkpoint takes no room on a disk that may be full.
        Ok(None) | Err(_) => disk::remove(&provisional)?,
    }
    written
}

/// Writes a checkpoint, and makes it durable under its provisional name.
fn write(
    provisional: &Path,
    journal: &JournalReader,
    version: String,
    from: Revision,
    derived: &mut dyn Iterator<Item = Option<Vec<u8>>>,
) -> Result<Option<u64>, CheckpointError> {
    let mut writing = Writing::begin(provisional)?;
    let begins = journal.read_head(from)?;
    let segments = journal.known_up_to(from).count();
    let header = Header {
        format: FORMAT,
        version,
        store_id: journal.store_id().as_bytes().to_vec(),
        epoch: journal.epoch(),
        from,
        from_hash: begins.hash.to_vec(),
        from_parent_hash: begins.parent_hash.to_vec(),
        segments: u32::try_from(segments).unwrap_or(u32::MAX),
    };
    writing.put(Kind::Header, &header.encode_to_vec())?;
    for KnownSegment { first, end, offsets } in journal.known_up_to(from) {
        writing.put(Kind::Segment, &Segment { first, end, offsets }.encode_to_vec())?;
    }
    for block in derived {
        let Some(block) = block else { return Ok(None) };
        writing.put(Kind::Derived, &block)?;
    }
    // Whatever was derived is in the journal by now.
    let until = journal.head_with_hash();
    writing.put(Kind::Trailer, &Trailer { until: until.revision, until_hash: until.hash.to_vec() }.encode_to_vec())?;
    let bytes = writing.bytes;
    writing.end()?;
    Ok(Some(bytes))
}

struct Writing<'a> {
    file: File,
    path: &'a Path,
    blocks: u32,
    bytes: u64,
    unsynced: usize,
}

impl Writing<'_> {
    fn begin(path: &Path) -> Result<Writing<'_>, DiskError> {
        let file =
            File::options().write(true).create(true).truncate(true).open(path).map_err(failed("create", path))?;
        let mut writing = Writing { file, path, blocks: 0, bytes: 0, unsynced: 0 };
        writing.write(&MAGIC)?;
        Ok(writing)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.write_all(bytes).map_err(failed("write", self.path))?;
        self.bytes += bytes.len() as u64;
        self.unsynced += bytes.len();
        if self.unsynced >= SYNC_EVERY_BYTES {
            self.unsynced = 0;
            disk::sync_data(&self.file, self.path)?;
        }
        Ok(())
    }

    fn put(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), DiskError> {
        let mut block = Vec::with_capacity(BLOCK_HEADER_BYTES + bytes.len());
        block.put_u32_le(kind as u32);
        block.put_u32_le(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        block.put_u32_le(crc(kind as u32, self.blocks, bytes));
        block.put_slice(bytes);
        self.blocks += 1;
        self.write(&block)
    }

    fn end(self) -> Result<(), DiskError> {
        disk::sync_all(&self.file, self.path)
    }
}

fn crc(kind: u32, number: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&kind.to_le_bytes());
    hasher.update(&number.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// A checkpoint, of which what concerns the journal has been read.
pub(super) struct Reading {
    file: BufReader<File>,
    path: PathBuf,
    blocks: u32,
    /// Of what was derived.
    pub(super) version: String,
    pub(super) known: Known,
    pub(super) epoch: u64,
}

impl Reading {
    /// Begins to read the checkpoint in a data directory; `None` if there is none.
    pub(super) fn begin(data_dir: &Path) -> Result<Option<Reading>, Unfit> {
        let path = path_in(data_dir);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", &path)(error).into()),
        };
        let known = Known { store_id: Uuid::nil(), head: Head::NONE, parent_hash: [0; 32], segments: Vec::new() };
        let file = BufReader::with_capacity(1 << 20, file);
        let mut reading = Reading { file, path, blocks: 0, version: String::new(), known, epoch: 0 };
        let mut magic = [0; MAGIC.len()];
        reading.fill(&mut magic)?;
        if magic != MAGIC {
            return Err(not("it does not begin as one does"));
        }
        let header: Header = reading.message(Kind::Header)?;
        if header.format != FORMAT {
            return Err(not("another version of the server wrote it"));
        }
        reading.version = header.version;
        reading.epoch = header.epoch;
        reading.known.store_id = Uuid::from_slice(&header.store_id).map_err(|_| not("it names no store"))?;
        reading.known.head = Head { revision: header.from, hash: hash(&header.from_hash)? };
        reading.known.parent_hash = hash(&header.from_parent_hash)?;
        for _ in 0..header.segments {
            let Segment { first, end, offsets } = reading.message(Kind::Segment)?;
            reading.known.segments.push(KnownSegment { first, end, offsets });
        }
        Ok(Some(reading))
    }

    /// Hands what was derived to `load`, block after block, and returns the commit that must be in the journal for it to
    /// hold.
    pub(super) fn derived(&mut self, load: &mut dyn FnMut(&[u8]) -> Result<(), String>) -> Result<Head, Unfit> {
        loop {
            let (kind, bytes) = self.block()?;
            if kind == Kind::Derived as u32 {
                load(&bytes).map_err(Unfit::Not)?;
            } else if kind == Kind::Trailer as u32 {
                let trailer = Trailer::decode(bytes.as_slice()).map_err(|_| not("its end cannot be read"))?;
                return Ok(Head { revision: trailer.until, hash: hash(&trailer.until_hash)? });
            } else {
                return Err(not("its blocks are out of order"));
            }
        }
    }

    fn message<M: Message + Default>(&mut self, expected: Kind) -> Result<M, Unfit> {
        let (kind, bytes) = self.block()?;
        let message = (kind == expected as u32).then(|| M::decode(bytes.as_slice()).ok()).flatten();
        message.ok_or_else(|| not("its blocks are out of order"))
    }

    fn block(&mut self) -> Result<(u32, Vec<u8>), Unfit> {
        let mut header = [0; BLOCK_HEADER_BYTES];
        self.fill(&mut header)?;
        let mut rest = header.as_slice();
        let (kind, len, expected) = (rest.get_u32_le(), rest.get_u32_le() as usize, rest.get_u32_le());
        if len > BLOCK_BYTES_MAX {
            return Err(not("a block does not match its checksum"));
        }
        let mut bytes = vec![0; len];
        self.fill(&mut bytes)?;
        if crc(kind, self.blocks, &bytes) != expected {
            return Err(not("a block does not match its checksum"));
        }
        self.blocks += 1;
        Ok((kind, bytes))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Unfit> {
        match self.file.read_exact(bytes) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(not("it is cut off")),
            Err(error) => Err(failed("read", &self.path)(error).into()),
        }
    }
}

pub(super) fn not(what: &str) -> Unfit {
    Unfit::Not(what.to_owned())
}

fn hash(bytes: &[u8]) -> Result<Hash, Unfit> {
    bytes.try_into().map_err(|_| not("a hash in it is none"))
}
