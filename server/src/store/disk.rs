//! The durable verbs: make a directory, publish a file, hold a directory for one server. Every
//! file or directory that this module makes is on the disk, under its name, before it returns.
//! It knows nothing of what the files hold. Appending to a journal segment is `journal.rs`.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A file operation that the operating system refused.
#[derive(Debug, thiserror::Error)]
#[error("The server could not {doing} {}. Look at the cause, the space left on the disk and the permissions, then start again.", path.display())]
pub struct DiskError {
    /// What was tried, as a verb: "open", "write".
    pub doing: &'static str,
    /// The file or directory it was tried on.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
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
        // A parent that we may not even read is the operator's, and so is making our name in it durable.
        Err(error) if !made && error.source.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// Writes a new file under a provisional name, and gives it its real one once it is durable: a
/// file called `path` is therefore never half-written. `content` is told the milliseconds since 1970 by
/// the file system's clock (the server reads the system's in one place, and this is not it).
/// Returns the file open for reading and writing, its cursor at the end.
pub(super) fn publish(
    provisional: &Path,
    path: &Path,
    content: impl FnOnce(u64) -> Vec<u8>,
) -> Result<File, DiskError> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(provisional)
        .map_err(failed("create", provisional))?;
    let made = file.metadata().and_then(|made| made.modified()).ok();
    let age = made.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    let millis = age.and_then(|age| u64::try_from(age.as_millis()).ok());
    file.write_all(&content(millis.unwrap_or(0)))
        .and_then(|()| file.sync_all())
        .map_err(failed("write", provisional))?;
    fs::rename(provisional, path).map_err(failed("rename", provisional))?;
    sync_dir(parent_of(path))?;
    Ok(file)
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

/// A directory held by this process, for as long as the value lives. The operating system lets
/// go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the lock file at `path`, making it if needed; `None` when another process holds it.
    pub(super) fn take(path: &Path) -> Result<Option<DirLock>, DiskError> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed("open", path))?;
        match file.try_lock() {
            Ok(()) => {
                sync_dir(parent_of(path))?;
                Ok(Some(DirLock { _file: file }))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed("lock", path)(source)),
        }
    }
}
