//! A command line with a server of its own, and what its commands did.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::harness::process::{self, Process};

pub(super) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| process::build("partnerctl"))
}

/// A command line with a server, or without one.
pub(super) struct Shell {
    pub(super) server: String,
    /// Where files are written; the configuration is kept here too.
    pub(super) dir: TempDir,
    pub(super) _process: Option<(Process, TempDir)>,
}

/// What a command did.
pub(super) struct Done {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Done {
    #[track_caller]
    pub(super) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(super) fn prints(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{text:?} is not in {}", self.out);
        self
    }

    #[track_caller]
    pub(super) fn complains(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not in {}", self.err);
        self
    }
}

impl Shell {
    pub(super) fn start() -> Shell {
        let data = TempDir::new().unwrap();
        let process = Process::start(data.path());
        Shell {
            server: format!("http://{}", process.address),
            dir: TempDir::new().unwrap(),
            _process: Some((process, data)),
        }
    }

    pub(super) fn without_server() -> Shell {
        // Nothing listens on the discard port.
        Shell { server: "http://127.0.0.1:9".into(), dir: TempDir::new().unwrap(), _process: None }
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.dir.path()).env("NO_COLOR", "1");
        command.env("PARTNERCTL_SERVER", &self.server).env("PARTNERCTL_ACTOR", "tests");
        command.env("PARTNERCTL_CONFIG", self.dir.path().join("config.toml"));
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "")
    }

    pub(super) fn run_with(&self, arguments: &[&str], input: &str) -> Done {
        self.finish(&mut self.command(arguments), input)
    }

    /// Runs a command with this input.
    pub(super) fn finish(&self, command: &mut Command, input: &str) -> Done {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input has closed it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Done {
            code: output.status.code().expect("it was not killed"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    pub(super) fn head(&self) -> u64 {
        let done = self.run(&["export", "-f", "head.ndjson"]).exits(0);
        let (_, revision) = done.err.trim_end().rsplit_once(' ').unwrap();
        revision.parse().unwrap()
    }
}
