//! What is done to files, and made durable: make a directory, publish a file, write and sync, hold a directory for one
//! server. Nothing here knows what the files hold. Invariant: what a function says is durable is on the disk, under its
//! name, when it returns.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::faults;

/// What Linux says of a disk that does not answer, and of descriptors: the system has none left, or the process has none.
const EIO: i32 = 5;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

/// A file operation that the operating system refused.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} {}; {}", path.display(), advice(.source, .path))]
pub struct DiskError {
    /// What was tried, as a verb: "open", "write".
    pub doing: &'static str,
    /// The file or directory it was tried on.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

/// What keeps bytes from being written, while nothing is wrong with what is there. It may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The disk, or a share of it, is full, or a limit of the process says so.
    Full,
    /// The process or the system has no descriptor left.
    NoDescriptors,
    /// The file system, the directory or the file may only be read.
    ReadOnly,
    /// Anything else: the disk answers with errors, or something is in the way.
    Failing,
}

impl Obstacle {
    pub(super) fn of(cause: &io::Error) -> Obstacle {
        match (cause.kind(), cause.raw_os_error()) {
            (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge, _) => {
                Obstacle::Full
            }
            (io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied, _) => Obstacle::ReadOnly,
            (_, Some(ENFILE | EMFILE)) => Obstacle::NoDescriptors,
            _ => Obstacle::Failing,
        }
    }
}

/// What to look at. A directory of another user is the usual mistake with the volume of a container, where nobody can look.
fn advice(cause: &io::Error, path: &Path) -> String {
    let kind = cause.kind();
    if kind == io::ErrorKind::PermissionDenied {
        whose(path)
    } else if kind == io::ErrorKind::ReadOnlyFilesystem {
        "its file system may only be read".to_owned()
    } else {
        "look at the cause, the space left on the disk and the permissions".to_owned()
    }
}

/// Whose a file is, or what is above it and can be looked at.
fn whose(path: &Path) -> String {
    let user = rustix::process::geteuid();
    let found = path.ancestors().find_map(|path| Some((path, fs::metadata(path).ok()?)));
    match found {
        Some((path, data)) => {
            let (path, owner, mode) = (path.display(), data.uid(), data.mode() & 0o7777);
            format!("this process is user {user}, and {path} is of user {owner} and mode {mode:04o}")
        }
        None => format!("this process is user {user}"),
    }
}

impl DiskError {
    /// What kept the operation from being done.
    pub(super) fn obstacle(&self) -> Obstacle {
        Obstacle::of(&self.source)
    }

    /// Whether a file is shorter than it was when bytes were written there: nothing failed, the bytes are gone.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.source.kind() == io::ErrorKind::UnexpectedEof
    }

    /// The same error once more, for another caller that it concerns.
    pub(super) fn again(&self) -> DiskError {
        let source = match self.source.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(self.source.kind(), self.source.to_string()),
        };
        DiskError { doing: self.doing, path: self.path.clone(), source }
    }
}

/// Says of an `io::Error` what was being done to which file.
pub(super) fn failed<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> DiskError + 'a {
    move |source| DiskError { doing, path: path.to_path_buf(), source }
}

/// The directory that holds `path`; the working directory for a bare name.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Makes every name in `dir` durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), DiskError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("sync", dir))
}

/// Makes the bytes of a file durable, and what is needed to read them.
pub(super) fn sync_data(file: &File, path: &Path) -> Result<(), DiskError> {
    while faults::planted("stuck-fdatasync").is_some_and(|file| Path::new(file).exists()) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // While a file exists.
    if faults::planted("syncs-fail").is_some_and(|file| Path::new(file).exists()) {
        return Err(failed("sync", path)(io::Error::from_raw_os_error(EIO)));
    }
    file.sync_data().map_err(failed("sync", path))
}

/// Makes a file durable with all that the system notes of it.
pub(super) fn sync_all(file: &File, path: &Path) -> Result<(), DiskError> {
    file.sync_all().map_err(failed("sync", path))
}

/// Writes all of `bytes` at `offset`. They are not durable yet.
pub(super) fn write_at(file: &File, path: &Path, bytes: &[u8], offset: u64) -> Result<(), DiskError> {
    file.write_all_at(bytes, offset).map_err(failed("write", path))
}

/// Writes of `bytes` at `offset` as far as it goes: how many were written, and why not all.
pub(super) fn write_as_far(file: &File, path: &Path, bytes: &[u8], offset: u64) -> (usize, Option<DiskError>) {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        let error = match file.write_at(rest, offset + written as u64) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(more) => {
                written += more;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        return (written, Some(failed("write", path)(error)));
    }
    (written, None)
}

/// Fills `bytes` from `offset` on.
pub(super) fn read_at(file: &File, path: &Path, bytes: &mut [u8], offset: u64) -> Result<(), DiskError> {
    // While a file exists.
    if faults::planted("reads-fail").is_some_and(|file| Path::new(file).exists()) {
        return Err(failed("read", path)(io::Error::from_raw_os_error(EIO)));
    }
    file.read_exact_at(bytes, offset).map_err(failed("read", path))
}

/// The length of a file.
pub(super) fn len_of(file: &File, path: &Path) -> Result<u64, DiskError> {
    Ok(file.metadata().map_err(failed("look at", path))?.len())
}

/// When a file was last written, in milliseconds since 1970 by the clock of the file system: the server reads the
/// system's clock in one place, and this is not it.
pub(super) fn written_millis(file: &File) -> u64 {
    let written = file.metadata().and_then(|data| data.modified()).ok();
    let age = written.and_then(|written| written.duration_since(UNIX_EPOCH).ok());
    age.and_then(|age| u64::try_from(age.as_millis()).ok()).unwrap_or(0)
}

/// Makes `dir` and whatever above it is missing. They are durable when this returns, also if an
/// earlier run made them and was cut off before it could sync.
pub(super) fn ensure_dir(dir: &Path) -> Result<(), DiskError> {
    let parent = parent_of(dir);
    let made = if dir.is_dir() {
        false
    } else {
        if parent != dir && !parent.is_dir() {
            ensure_dir(parent)?;
        }
        match fs::create_dir(dir) {
            Ok(()) => true,
            Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => false,
            Err(source) => return Err(failed("create", dir)(source)),
        }
    };
    sync_dir(dir)?;
    match sync_dir(parent) {
        // Who made a parent that this process may not read also has to make the names in it durable.
        Err(error) if !made && error.source.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// Lets nobody but the owner into a directory. Only said if it cannot be: it may belong to somebody else, who knows why.
pub(super) fn keep_to_owner(dir: &Path) {
    let kept = fs::metadata(dir).and_then(|data| {
        let open_to_others = data.mode() & 0o077 != 0;
        if open_to_others {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map(|()| true)
        } else {
            Ok(false)
        }
    });
    match kept {
        Ok(false) => {}
        Ok(true) => {
            tracing::info!(dir = %dir.display(), "the directory was open to others, and is its owner's alone now")
        }
        Err(cause) => tracing::warn!(dir = %dir.display(), %cause, "the directory is open to others"),
    }
}

/// Gives a durable file its real name, in place of a provisional one: a file called `path` is therefore never half-written.
pub(super) fn publish(provisional: &Path, path: &Path) -> Result<(), DiskError> {
    fs::rename(provisional, path).map_err(failed("rename", provisional))?;
    sync_dir(parent_of(path))
}

/// Removes a file, or a directory with all it holds; one that is not there is as good as removed.
pub(super) fn remove(path: &Path) -> Result<(), DiskError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The paths in `dir`; none if there is no such directory.
pub(super) fn list(dir: &Path) -> Result<Vec<PathBuf>, DiskError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("list", dir)(error)),
    };
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed("list", dir))).collect()
}

/// What the system knows a file or directory by, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// That of an open file or directory.
    pub(super) fn of(file: &File, path: &Path) -> Result<Identity, DiskError> {
        Ok(Identity::from(&file.metadata().map_err(failed("look at", path))?))
    }

    /// Whether `path` leads to this file or directory.
    pub(super) fn is_at(self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|found| Identity::from(&found) == self)
    }

    fn from(metadata: &fs::Metadata) -> Identity {
        Identity { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// A directory held by this process, for as long as the value lives. The operating system lets
/// go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct DirLock {
    dir: File,
    path: PathBuf,
    identity: Identity,
}

impl DirLock {
    /// Takes the directory, which must exist; `None` when another process holds it.
    pub(super) fn take(path: &Path) -> Result<Option<DirLock>, DiskError> {
        let dir = File::open(path).map_err(failed("open", path))?;
        match dir.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(failed("lock", path)(source)),
        }
        let identity = Identity::of(&dir, path)?;
        Ok(Some(DirLock { dir, path: path.to_path_buf(), identity }))
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes every name in it durable. Needs no new descriptor.
    pub(super) fn sync(&self) -> Result<(), DiskError> {
        sync_all(&self.dir, &self.path)
    }

    /// Whether its path still leads to it. If not, another server may have taken what lies there now.
    pub(super) fn is_in_place(&self) -> bool {
        self.identity.is_at(&self.path)
    }
}
