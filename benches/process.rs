//! The contestants as child processes: started, found by the address they tell, looked at, and ended with their handle.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Ticks of `/proc/<pid>/stat` in a second, on every Linux there is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Builds the server in release and answers where it is.
pub(crate) fn build_server() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // target/release/deps/registry-0123456789abcdef
    let me = std::env::current_exe().unwrap();
    let release = me.parent().and_then(Path::parent).unwrap();
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--bin", "partnership-server"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", release.parent().unwrap())
        .status();
    assert!(built.unwrap().success(), "the server does not build");
    release.join("partnership-server")
}

/// A directory on the file system of the build, which is a disk where `/tmp` may be none.
pub(crate) fn directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// A running contestant. Dropped, it is killed.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
}

impl Process {
    /// Starts the server on `data` and a free port, and waits until it says where it listens.
    pub(crate) fn server(binary: &Path, data: &Path) -> Process {
        let mut command = Command::new(binary);
        command.arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]).env("NO_COLOR", "1");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = child.stderr.take().unwrap();
        let address = told_address(log, "address=");
        Process { child, address }
    }

    /// Starts this binary as the echo.
    pub(crate) fn echo() -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.arg("--echo").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let address = told_address(out, "address=");
        Process { child, address }
    }

    /// The processor time that it has used, in seconds. Not a number where the system does not tell.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        cpu_seconds(&self.child.id().to_string())
    }

    /// The memory that it holds, in MiB. Not a number where the system does not tell.
    pub(crate) fn resident_mib(&self) -> f64 {
        self.memory_mib("VmRSS:")
    }

    /// The most memory that it has held, in MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        self.memory_mib("VmHWM:")
    }

    fn memory_mib(&self, what: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(what));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.map_or(f64::NAN, |kib| kib / 1024.0)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.unwrap().success());
        assert!(self.child.wait().unwrap().success(), "the server did not end well");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time of a process; `self` is this one.
pub(crate) fn cpu_seconds(pid: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; user and system time are the 12th and 13th field behind it.
    let ticks =
        stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ').skip(11).take(2).flat_map(str::parse::<f64>).sum());
    ticks.map_or(f64::NAN, |ticks: f64| ticks / TICKS_PER_SECOND)
}

/// Reads what a process tells until it tells its address; what follows is read and dropped.
fn told_address(from: impl Read + Send + 'static, before: &str) -> String {
    let mut lines = BufReader::new(from).lines();
    let mut told = String::new();
    let address = loop {
        let Some(Ok(line)) = lines.next() else { panic!("the process ended before it listened:\n{told}") };
        if let Some((_, rest)) = line.split_once(before) {
            break rest.split_whitespace().next().unwrap_or_default().to_owned();
        }
        told.push_str(&line);
        told.push('\n');
    };
    std::thread::spawn(move || lines.for_each(drop));
    address
}

/// Lets a contestant finish what it does behind its answers, so that it does not weigh on the next.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(150)).await;
}
