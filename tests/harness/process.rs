//! The real binary as a child process: built once, started on a directory, and ended gently or not.
//!
//! What it writes to standard error is kept, and shown when a test fails.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

/// Nothing that is waited for here takes nearly so long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Lets a server save a checkpoint after every few commits, so that also a small journal has one.
pub(crate) fn with_checkpoints(command: &mut Command) {
    command.env("PARTNERSHIP_TEST_FAULTS", "checkpoint-bytes=4096;scrub-at-full-speed");
}

/// Whether a server was started from a checkpoint.
pub(crate) fn is_from_checkpoint(log: &str) -> bool {
    log.contains("started from the checkpoint")
}

/// The server's binary, as the sources are now. It is built with the profile and into the directory of this test.
pub(crate) fn server_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| build("partnership-server"))
}

/// Builds a binary of the workspace.
pub(crate) fn build(name: &str) -> PathBuf {
    build_target("--bin", name).join(name)
}

/// Builds an example of the client crate.
pub(crate) fn build_example(name: &str) -> PathBuf {
    build_target("--example", name).join("examples").join(name)
}

/// Builds a target of the workspace, and answers where its profile lies.
fn build_target(kind: &str, name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    // {target directory}/{profile}/deps/{test}
    let profile_dir = test.ancestors().nth(2).expect("a test lies two directories deep");
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    // With the tests among the targets, features are those that this test was built with: nothing is built twice.
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--workspace", "--tests", kind, name, "--profile", profile, "--target-dir"])
        .arg(profile_dir.parent().expect("a profile lies in the target directory"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo runs");
    assert!(built.success(), "{name} does not build");
    profile_dir.to_owned()
}

/// How a server ended that was not asked to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// What it wrote to standard error.
    pub(crate) log: String,
}

/// A running server. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    lines: Arc<Mutex<String>>,
    /// Hangs up when the log ends.
    serving: Receiver<SocketAddr>,
    reading: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts the server on a directory, and returns when it serves.
    pub(crate) fn start(data: &Path) -> Process {
        Self::start_with(data, |_| {})
    }

    /// As `start`, with a server that was built elsewhere.
    pub(crate) fn start_binary(binary: &Path, data: &Path) -> Process {
        Self::start_binary_with(binary, data, |_| {})
    }

    /// As `start`, with more arguments or variables.
    pub(crate) fn start_with(data: &Path, adapt: impl FnOnce(&mut Command)) -> Process {
        Self::try_start(data, adapt)
            .unwrap_or_else(|ended| panic!("the server ended, {}:\n{}", ended.status, ended.log))
    }

    /// As `start_with`, with a server that was built elsewhere.
    pub(crate) fn start_binary_with(binary: &Path, data: &Path, adapt: impl FnOnce(&mut Command)) -> Process {
        Starting::spawn_as(Command::new(binary), data, adapt)
            .serving()
            .unwrap_or_else(|ended| panic!("the server ended, {}:\n{}", ended.status, ended.log))
    }

    /// As `start_with`, where the server may refuse to start.
    pub(crate) fn try_start(data: &Path, adapt: impl FnOnce(&mut Command)) -> Result<Process, Ended> {
        Starting::spawn(data, adapt).serving()
    }

    /// As `try_start`, by a command that becomes the server with the arguments that follow.
    pub(crate) fn try_start_as(
        command: Command,
        data: &Path,
        adapt: impl FnOnce(&mut Command),
    ) -> Result<Process, Ended> {
        Starting::spawn_as(command, data, adapt).serving()
    }

    /// As `start_with`, with a server that is told of a file that may not grow by an error, and not by a signal that
    /// ends it.
    pub(crate) fn start_ignoring_file_size_signals(data: &Path, adapt: impl FnOnce(&mut Command)) -> Process {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(server_binary());
        Starting::spawn_as(shell, data, adapt)
            .serving()
            .unwrap_or_else(|ended| panic!("the server ended, {}:\n{}", ended.status, ended.log))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A new connection.
    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).expect("an address is a URI");
        endpoint.tcp_nodelay(true).connect().await.expect("the server announced that it serves")
    }

    /// What it has written to standard error.
    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().clone()
    }

    /// Ends it as a crash does: it gets no chance to do anything.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
        self.log_to_end()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(self) -> Ended {
        self.ask_to_stop();
        self.ended_within(DEADLINE).unwrap_or_else(|server| panic!("the server does not stop:\n{}", server.log()))
    }

    /// Asks it to stop.
    pub(crate) fn ask_to_stop(&self) {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(asked.success());
    }

    /// Waits until it has ended, and no longer than this; if it has not, it is answered.
    pub(crate) fn ended_within(mut self, max: Duration) -> Result<Ended, Process> {
        // Its log ends when it does.
        if self.serving.recv_timeout(max) != Err(RecvTimeoutError::Disconnected) {
            return Err(self);
        }
        let status = self.child.wait().expect("a child can be waited for");
        Ok(Ended { status, log: self.log_to_end() })
    }

    fn log_to_end(&mut self) -> String {
        if let Some(reading) = self.reading.take() {
            reading.join().expect("the log is read to its end");
        }
        self.log()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that may not serve yet.
pub(crate) struct Starting {
    child: Child,
    lines: Arc<Mutex<String>>,
    serving: Receiver<SocketAddr>,
    reading: JoinHandle<()>,
}

impl Starting {
    /// Starts the server, and does not wait for anything.
    pub(crate) fn spawn(data: &Path, adapt: impl FnOnce(&mut Command)) -> Starting {
        Self::spawn_as(Command::new(server_binary()), data, adapt)
    }

    fn spawn_as(mut command: Command, data: &Path, adapt: impl FnOnce(&mut Command)) -> Starting {
        command.arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]).env("NO_COLOR", "1");
        // By a variable, which an argument overrides. A server takes two segments from the disk at once.
        command.env("PARTNERSHIP_SEGMENT_MIB", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        adapt(&mut command);
        let mut child = command.spawn().expect("the binary runs");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let lines = Arc::new(Mutex::new(String::new()));
        let (announce, serving) = channel();
        let kept = lines.clone();
        let reading = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    let _ = announce.send(address);
                }
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Starting { child, lines, serving, reading }
    }

    /// Waits until it serves, or has refused to.
    fn serving(self) -> Result<Process, Ended> {
        let Starting { mut child, lines, serving, reading } = self;
        match serving.recv_timeout(DEADLINE) {
            Ok(address) => Ok(Process { child, address, lines, serving, reading: Some(reading) }),
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait().expect("a child can be waited for");
                reading.join().expect("the log is read to its end");
                Err(Ended { status, log: lines.lock().unwrap().clone() })
            }
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                panic!("the server does not serve:\n{}", lines.lock().unwrap());
            }
        }
    }

    /// Ends it as a crash does, wherever it is.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
        self.reading.join().expect("the log is read to its end");
        self.lines.lock().unwrap().clone()
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once("serving address=")?;
    after.split_whitespace().next()?.parse().ok()
}
