//! File systems of a test's own, small or read-only, in a mount namespace that ends with the test: nothing is left behind.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::harness::process::{Ended, Process, server_binary};

/// A mount namespace. It lives as long as the process that holds it, which ends when this is dropped.
pub(super) struct Mounts {
    holder: Child,
    user: bool,
}

impl Mounts {
    /// A namespace in which nothing is mounted yet. `None`, and said aloud, where this machine lets nobody mount.
    pub(super) fn begin() -> Option<Mounts> {
        for user in [false, true] {
            let mut command = Command::new("unshare");
            command.args(if user { ["--mount", "--map-root-user"].as_slice() } else { &["--mount"] });
            command.args(["sh", "-c", "mount -t tmpfs none /mnt && umount /mnt && echo ready && exec cat"]);
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let Ok(mut holder) = command.spawn() else { continue };
            let mut line = String::new();
            let told = BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line);
            if told.is_ok() && line == "ready\n" {
                return Some(Mounts { holder, user });
            }
            let _ = holder.kill();
            let _ = holder.wait();
        }
        println!("NOT TESTED: this machine lets nobody mount a file system, so what needs one of its own was left out");
        None
    }

    /// A command that runs in the namespace what follows.
    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()));
        if self.user {
            command.arg(format!("--user=/proc/{}/ns/user", self.holder.id())).arg("--preserve-credentials");
        }
        command
    }

    /// Runs a script in the namespace, with `$1` as given.
    #[track_caller]
    pub(super) fn run(&self, script: &str, argument: &Path) {
        let done = self.enter().args(["sh", "-e", "-c", script, "sh"]).arg(argument).stdin(Stdio::null()).status();
        assert!(done.unwrap().success(), "{script}");
    }

    /// Mounts a new file system of so many MiB.
    pub(super) fn mount(&self, dir: &Path, mib: usize) {
        self.run(&format!("mkdir -p \"$1\"; mount -t tmpfs -o size={mib}m none \"$1\""), dir);
    }

    /// Fills a file system to its last byte by one file.
    pub(super) fn fill(&self, dir: &Path) {
        self.run("cat /dev/zero > \"$1/ballast\" 2> /dev/null || true", dir);
    }

    /// Takes that file away.
    pub(super) fn make_room(&self, dir: &Path) {
        self.run("rm \"$1/ballast\"", dir);
    }

    /// Lets a file system only be read.
    pub(super) fn make_read_only(&self, dir: &Path) {
        self.run("mount --bind \"$1\" \"$1\"; mount -o remount,bind,ro \"$1\"", dir);
    }

    /// A server in the namespace.
    #[track_caller]
    pub(super) fn start(&self, data: &Path) -> Process {
        self.try_start(data).unwrap_or_else(|ended| panic!("the server ended, {}:\n{}", ended.status, ended.log))
    }

    /// As `start`, where the server may refuse to.
    pub(super) fn try_start(&self, data: &Path) -> Result<Process, Ended> {
        let mut command = self.enter();
        command.arg(server_binary());
        Process::try_start_as(command, data, |command| {
            command.args(["--cache-mib", "16"]);
        })
    }

    /// What is at a path in the namespace.
    pub(super) fn seen(&self, path: &Path) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(path.strip_prefix("/").unwrap())
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
