//! A library that is loaded into the server before all others (LD_PRELOAD) and writes down, in one order, every change
//! that it makes below one directory, and every call that makes changes durable.
//!
//! It is no part of the registry: the power-cut test compiles this one file by itself. Each call is made and written down
//! under one lock, so that the log has the order in which things happened. `sync_file_range` is not written down: it
//! promises nothing.
//!
//! A record is `length u32 | kind u8 | fd i32 | number u64 | text`, little endian; the length is that of all after it.

#![allow(
    clippy::missing_safety_doc,
    non_camel_case_types,
    reason = "the names and the safety are those of the C library"
)]

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::sync::{Mutex, MutexGuard, OnceLock};

type off_t = i64;
type ssize_t = isize;

const RTLD_NEXT: *mut c_void = -1_isize as *mut c_void;
const O_WRONLY: c_int = 1;
const O_CREAT: c_int = 0o100;
const O_TRUNC: c_int = 0o1000;
const O_APPEND: c_int = 0o2000;
const AT_FDCWD: c_int = -100;
const AT_REMOVEDIR: c_int = 0x200;
const SEEK_CUR: c_int = 1;
const SEEK_END: c_int = 2;
const F_OK: c_int = 0;

const BEGIN: u8 = 0;
const OPEN: u8 = 1;
const CREATE: u8 = 2;
const TRUNCATE: u8 = 3;
const WRITE: u8 = 4;
const SYNC: u8 = 5;
const RENAME: u8 = 6;
const REMOVE: u8 = 7;
const MAKE_DIR: u8 = 8;

#[repr(C)]
pub struct iovec {
    base: *mut c_void,
    len: usize,
}

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
    fn readlink(path: *const c_char, buffer: *mut c_char, size: usize) -> ssize_t;
    fn access(path: *const c_char, mode: c_int) -> c_int;
    fn lseek(fd: c_int, offset: off_t, whence: c_int) -> off_t;
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
}

/// The real function of a name.
macro_rules! real {
    ($name:literal as $type:ty) => {{
        static REAL: OnceLock<usize> = OnceLock::new();
        let function: $type = found(&REAL, concat!($name, "\0"));
        function
    }};
}

fn found<T: Copy>(cell: &OnceLock<usize>, name: &str) -> T {
    let found = cell.get_or_init(|| unsafe { dlsym(RTLD_NEXT, name.as_ptr().cast()) } as usize);
    assert!(size_of::<T>() == size_of::<usize>() && *found != 0);
    unsafe { std::mem::transmute_copy(found) }
}

type Open = unsafe extern "C" fn(*const c_char, c_int, ...) -> c_int;
type OpenAt = unsafe extern "C" fn(c_int, *const c_char, c_int, ...) -> c_int;
type Write = unsafe extern "C" fn(c_int, *const c_void, usize) -> ssize_t;

struct Recorder {
    log: c_int,
    root: Vec<u8>,
    /// Open files and directories below the root, by what they are called in the log now.
    open: HashMap<c_int, Vec<u8>>,
}

impl Recorder {
    fn record(&mut self, kind: u8, fd: c_int, number: u64, text: &[u8]) {
        let mut bytes = Vec::with_capacity(text.len() + 17);
        bytes.extend_from_slice(&u32::try_from(text.len() + 13).unwrap_or(u32::MAX).to_le_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&fd.to_le_bytes());
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(text);
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let written = unsafe { real!("write" as Write)(self.log, rest.as_ptr().cast(), rest.len()) };
            match usize::try_from(written) {
                Ok(written) => at += written,
                // A log with a hole would make the test a lie.
                Err(_) => std::process::abort(),
            }
        }
    }

    /// The path below the root, without it.
    fn below(&self, path: &[u8]) -> Option<Vec<u8>> {
        let rest = path.strip_prefix(self.root.as_slice())?;
        match rest {
            [] => Some(Vec::new()),
            [b'/', rest @ ..] => Some(rest.to_vec()),
            _ => None,
        }
    }

    /// What is open as `fd`, by the system's own account.
    fn path_of(&self, fd: c_int) -> Option<Vec<u8>> {
        self.below(&linked(fd)?)
    }

    /// An open file below the root that the log knows.
    fn known(&mut self, fd: c_int) -> bool {
        let Some(path) = self.path_of(fd) else { return false };
        if self.open.get(&fd) != Some(&path) {
            // It came by another way than `open`, or was renamed: the log hears of it now.
            self.record(OPEN, fd, 0, &path);
            self.open.insert(fd, path);
        }
        true
    }
}

fn linked(fd: c_int) -> Option<Vec<u8>> {
    let link = CString::new(format!("/proc/self/fd/{fd}")).ok()?;
    let mut buffer = [0_u8; 4096];
    let len = unsafe { readlink(link.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
    Some(buffer.get(..usize::try_from(len).ok()?)?.to_vec())
}

fn recorder() -> MutexGuard<'static, Option<Recorder>> {
    static RECORDER: OnceLock<Mutex<Option<Recorder>>> = OnceLock::new();
    let recorder = RECORDER.get_or_init(|| {
        let log = std::env::var("RECORDER_LOG").ok().and_then(|log| CString::new(log).ok());
        let root = std::env::var("RECORDER_ROOT").ok();
        let (Some(log), Some(root)) = (log, root) else { return Mutex::new(None) };
        let log = unsafe { real!("open" as Open)(log.as_ptr(), O_WRONLY | O_CREAT | O_APPEND, 0o644) };
        let mut recorder = Recorder { log, root: root.into_bytes(), open: HashMap::new() };
        recorder.record(BEGIN, 0, 0, &[]);
        Mutex::new(Some(recorder))
    });
    recorder.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The whole path of a name as seen from a directory.
fn whole(dir: c_int, path: *const c_char) -> Vec<u8> {
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    if path.first() == Some(&b'/') {
        return path.to_vec();
    }
    let mut whole = if dir == AT_FDCWD {
        std::env::current_dir().map(|dir| dir.into_os_string().into_encoded_bytes()).unwrap_or_default()
    } else {
        linked(dir).unwrap_or_default()
    };
    whole.push(b'/');
    whole.extend_from_slice(path);
    whole
}

fn opening(dir: c_int, path: *const c_char, flags: c_int, open: impl FnOnce() -> c_int) -> c_int {
    let mut guard = recorder();
    let Some(recorder) = guard.as_mut() else { return open() };
    let whole = whole(dir, path);
    let Some(below) = recorder.below(&whole) else { return open() };
    let there = CString::new(whole).is_ok_and(|whole| unsafe { access(whole.as_ptr(), F_OK) } == 0);
    let fd = open();
    if fd >= 0 {
        let kind = if flags & O_CREAT != 0 && !there { CREATE } else { OPEN };
        recorder.record(kind, fd, 0, &below);
        if flags & O_TRUNC != 0 && there {
            recorder.record(TRUNCATE, fd, 0, &[]);
        }
        recorder.open.insert(fd, below);
    }
    fd
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    opening(AT_FDCWD, path, flags, || unsafe { real!("open" as Open)(path, flags, mode) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    opening(AT_FDCWD, path, flags, || unsafe { real!("open64" as Open)(path, flags, mode) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn openat(dir: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    opening(dir, path, flags, || unsafe { real!("openat" as OpenAt)(dir, path, flags, mode) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn openat64(dir: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    opening(dir, path, flags, || unsafe { real!("openat64" as OpenAt)(dir, path, flags, mode) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn creat(path: *const c_char, mode: c_uint) -> c_int {
    unsafe { open(path, O_WRONLY | O_CREAT | O_TRUNC, mode) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn creat64(path: *const c_char, mode: c_uint) -> c_int {
    unsafe { open64(path, O_WRONLY | O_CREAT | O_TRUNC, mode) }
}

/// A write of `bytes` behind `offset`, or where the file's cursor stands.
fn writing(
    fd: c_int,
    offset: Option<off_t>,
    bytes: &dyn Fn(usize) -> Vec<u8>,
    write: impl FnOnce() -> ssize_t,
) -> ssize_t {
    let mut guard = recorder();
    let Some(recorder) = guard.as_mut() else { return write() };
    if fd == recorder.log || !recorder.known(fd) {
        drop(guard);
        return write();
    }
    const F_GETFL: c_int = 3;
    let offset = match offset {
        Some(offset) => offset,
        None if unsafe { fcntl(fd, F_GETFL) } & O_APPEND != 0 => {
            let (at, end) = unsafe { (lseek(fd, 0, SEEK_CUR), lseek(fd, 0, SEEK_END)) };
            unsafe { lseek(fd, at, 0) };
            end
        }
        None => unsafe { lseek(fd, 0, SEEK_CUR) },
    };
    let written = write();
    if let (Ok(written), Ok(offset)) = (usize::try_from(written), u64::try_from(offset)) {
        recorder.record(WRITE, fd, offset, &bytes(written));
    }
    written
}

unsafe fn copied(data: *const c_void, len: usize) -> Vec<u8> {
    unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) }.to_vec()
}

unsafe fn gathered(parts: *const iovec, count: c_int, len: usize) -> Vec<u8> {
    let parts = unsafe { std::slice::from_raw_parts(parts, usize::try_from(count).unwrap_or(0)) };
    let mut all = Vec::new();
    for part in parts {
        all.extend(unsafe { copied(part.base, part.len) });
    }
    all.truncate(len);
    all
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, data: *const c_void, len: usize) -> ssize_t {
    writing(fd, None, &|len| unsafe { copied(data, len) }, || unsafe { real!("write" as Write)(fd, data, len) })
}

type PWrite = unsafe extern "C" fn(c_int, *const c_void, usize, off_t) -> ssize_t;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(fd: c_int, data: *const c_void, len: usize, offset: off_t) -> ssize_t {
    let real = real!("pwrite" as PWrite);
    writing(fd, Some(offset), &|len| unsafe { copied(data, len) }, || unsafe { real(fd, data, len, offset) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(fd: c_int, data: *const c_void, len: usize, offset: off_t) -> ssize_t {
    let real = real!("pwrite64" as PWrite);
    writing(fd, Some(offset), &|len| unsafe { copied(data, len) }, || unsafe { real(fd, data, len, offset) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    let real = real!("writev" as unsafe extern "C" fn(c_int, *const iovec, c_int) -> ssize_t);
    writing(fd, None, &|len| unsafe { gathered(parts, count, len) }, || unsafe { real(fd, parts, count) })
}

type PWriteV = unsafe extern "C" fn(c_int, *const iovec, c_int, off_t) -> ssize_t;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwritev(fd: c_int, parts: *const iovec, count: c_int, offset: off_t) -> ssize_t {
    let real = real!("pwritev" as PWriteV);
    writing(fd, Some(offset), &|len| unsafe { gathered(parts, count, len) }, || unsafe {
        real(fd, parts, count, offset)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwritev64(fd: c_int, parts: *const iovec, count: c_int, offset: off_t) -> ssize_t {
    let real = real!("pwritev64" as PWriteV);
    writing(fd, Some(offset), &|len| unsafe { gathered(parts, count, len) }, || unsafe {
        real(fd, parts, count, offset)
    })
}

/// A call on an open file that is written down if it succeeds.
fn calling(fd: c_int, kind: u8, number: u64, call: impl FnOnce() -> c_int) -> c_int {
    let mut guard = recorder();
    let Some(recorder) = guard.as_mut() else { return call() };
    let known = recorder.known(fd);
    let done = call();
    if known && done == 0 {
        recorder.record(kind, fd, number, &[]);
    }
    done
}

type Truncate = unsafe extern "C" fn(c_int, off_t) -> c_int;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate(fd: c_int, len: off_t) -> c_int {
    calling(fd, TRUNCATE, u64::try_from(len).unwrap_or(0), || unsafe { real!("ftruncate" as Truncate)(fd, len) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(fd: c_int, len: off_t) -> c_int {
    calling(fd, TRUNCATE, u64::try_from(len).unwrap_or(0), || unsafe { real!("ftruncate64" as Truncate)(fd, len) })
}

type Sync = unsafe extern "C" fn(c_int) -> c_int;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    calling(fd, SYNC, 0, || unsafe { real!("fsync" as Sync)(fd) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    calling(fd, SYNC, 0, || unsafe { real!("fdatasync" as Sync)(fd) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(fd: c_int) -> c_int {
    let mut guard = recorder();
    if let Some(recorder) = guard.as_mut() {
        recorder.open.remove(&fd);
    }
    unsafe { real!("close" as Sync)(fd) }
}

/// A call on names: written down if it succeeds, with the names below the root.
fn naming(kind: u8, names: &[Vec<u8>], call: impl FnOnce() -> c_int) -> c_int {
    let mut guard = recorder();
    let Some(recorder) = guard.as_mut() else { return call() };
    let below: Option<Vec<_>> = names.iter().map(|name| recorder.below(name)).collect();
    let done = call();
    if let (Some(below), 0) = (below, done) {
        recorder.record(kind, 0, 0, &below.join(&0));
    }
    done
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let real = real!("rename" as unsafe extern "C" fn(*const c_char, *const c_char) -> c_int);
    naming(RENAME, &[whole(AT_FDCWD, from), whole(AT_FDCWD, to)], || unsafe { real(from, to) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn renameat(from_dir: c_int, from: *const c_char, to_dir: c_int, to: *const c_char) -> c_int {
    let real = real!("renameat" as unsafe extern "C" fn(c_int, *const c_char, c_int, *const c_char) -> c_int);
    naming(RENAME, &[whole(from_dir, from), whole(to_dir, to)], || unsafe { real(from_dir, from, to_dir, to) })
}

type Named = unsafe extern "C" fn(*const c_char) -> c_int;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    naming(REMOVE, &[whole(AT_FDCWD, path)], || unsafe { real!("unlink" as Named)(path) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rmdir(path: *const c_char) -> c_int {
    naming(REMOVE, &[whole(AT_FDCWD, path)], || unsafe { real!("rmdir" as Named)(path) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlinkat(dir: c_int, path: *const c_char, flags: c_int) -> c_int {
    let real = real!("unlinkat" as unsafe extern "C" fn(c_int, *const c_char, c_int) -> c_int);
    debug_assert!(flags & !AT_REMOVEDIR == 0);
    naming(REMOVE, &[whole(dir, path)], || unsafe { real(dir, path, flags) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdir(path: *const c_char, mode: c_uint) -> c_int {
    let real = real!("mkdir" as unsafe extern "C" fn(*const c_char, c_uint) -> c_int);
    naming(MAKE_DIR, &[whole(AT_FDCWD, path)], || unsafe { real(path, mode) })
}
