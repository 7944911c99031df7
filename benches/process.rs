//! The contestants as child processes: started, found by the address they tell, looked at, and ended with their handle.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Ticks of `/proc/<pid>/stat` in a second, on every Linux there is.
const TICKS_PER_SECOND: f64 = 100.0;

/// How long a contestant may work on behind its answers.
const SETTLE_AT_LEAST: Duration = Duration::from_millis(150);
const SETTLE_AT_MOST: Duration = Duration::from_secs(1);

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

/// What a program says of its version.
pub(crate) fn version(program: &Path) -> String {
    let said = Command::new(program).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned()
}

/// A running contestant. Dropped, it is killed, and its directory removed.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
    /// The signal by which it is asked to end before it is killed: it may have children of its own.
    asked: Option<&'static str>,
    dir: Option<TempDir>,
}

impl Process {
    /// Starts the server on `data` and a free port, and waits until it says where it listens.
    pub(crate) fn server(binary: &Path, data: &Path) -> Process {
        let mut command = Command::new(binary);
        command.arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]).env("NO_COLOR", "1");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = child.stderr.take().unwrap();
        let address = told_address(log, "address=");
        Process { child, address, asked: None, dir: None }
    }

    /// Starts this binary as the echo.
    pub(crate) fn echo() -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.arg("--echo").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let address = told_address(out, "address=");
        Process { child, address, asked: None, dir: None }
    }

    /// Starts another database, which does not tell when it listens. With this process it ends by `signal`, even if this
    /// one is killed: `command` is run by `setpriv`, as `user` if one is given, and becomes the database.
    pub(crate) fn other(command: &[&str], user: Option<&str>, signal: &'static str, address: String) -> Process {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--pdeathsig", signal]);
        if let Some(user) = user {
            setpriv.args(["--reuid", user, "--regid", user, "--clear-groups"]);
        }
        setpriv.arg("--").args(command).current_dir("/");
        let child = setpriv.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Process { child, address, asked: Some(signal), dir: None }
    }

    /// With the directory that is its own.
    pub(crate) fn with(mut self, dir: TempDir) -> Process {
        self.dir = Some(dir);
        self
    }

    /// Its directory, if it has one.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.dir.as_ref().map(TempDir::path)
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The processor time that it and its children have used, in seconds. Not a number where the system does not tell.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        cpu_seconds_with_children(self.child.id())
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
        if let Some(signal) = self.asked {
            let _ = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status();
            let until = Instant::now() + Duration::from_secs(10);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time of this process, in seconds.
pub(crate) fn own_cpu_seconds() -> f64 {
    stat(std::process::id()).map_or(f64::NAN, |stat| stat.own_seconds)
}

/// What `/proc` tells of a process.
struct Stat {
    parent: u32,
    own_seconds: f64,
    /// Of its children that have ended.
    ended_seconds: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the parent is the second field behind it, and from the twelfth on come
    // user and system time, its own and that of its children that have ended.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<_> = rest.split(' ').collect();
    let seconds = |at: usize| Some(fields.get(at)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    // Many processes with a single thread are often on for less than a tick each; of these it tells more exactly.
    let exact = (*fields.get(17)? == "1").then(|| exact_seconds(pid)).flatten();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own_seconds: exact.unwrap_or(seconds(11)? + seconds(12)?),
        ended_seconds: seconds(13)? + seconds(14)?,
    })
}

/// How long the first thread of a process was on a processor.
fn exact_seconds(pid: u32) -> Option<f64> {
    let schedstat = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    Some(schedstat.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

/// The processor time of a process and of all below it.
fn cpu_seconds_with_children(pid: u32) -> f64 {
    let Ok(all) = std::fs::read_dir("/proc") else { return f64::NAN };
    let all = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut stats: HashMap<u32, Stat> = all.filter_map(|pid| Some((pid, stat(pid)?))).collect();
    let Some(top) = stats.remove(&pid) else { return f64::NAN };
    let mut seconds = top.own_seconds + top.ended_seconds;
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for (pid, child) in stats.extract_if(|_, stat| stat.parent == parent) {
            seconds += child.own_seconds + child.ended_seconds;
            parents.push(pid);
        }
    }
    seconds
}

/// Who had the processors, from a beginning on.
pub(crate) struct Processors {
    began: Instant,
    busy_seconds: f64,
}

impl Processors {
    pub(crate) fn watch() -> Processors {
        Processors { began: Instant::now(), busy_seconds: busy_seconds() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The share of them that went to others than this process and its children, which have all ended.
    pub(crate) fn others(&self) -> f64 {
        let own = stat(std::process::id()).map_or(f64::NAN, |stat| stat.own_seconds + stat.ended_seconds);
        let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
        let others = busy_seconds() - self.busy_seconds - own;
        (others / cores / self.elapsed().as_secs_f64()).max(0.0)
    }
}

/// How long all processors together were busy since the system began.
fn busy_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks: Vec<f64> =
        stat.lines().next().unwrap_or_default().split_whitespace().flat_map(str::parse).take(8).collect();
    // The fourth and fifth are idle, or waiting for a disk.
    (ticks.iter().sum::<f64>() - ticks.iter().skip(3).take(2).sum::<f64>()) / TICKS_PER_SECOND
}

/// So many ports of the loopback that nobody listens on, for those who cannot choose one themselves.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    // All are held until the last is found: none is given twice.
    let listeners = [(); COUNT].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
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

/// Lets a contestant finish what it does behind its answers: so that it counts as its own, and does not weigh on the next.
pub(crate) async fn settle(contestant: &Process) {
    tokio::time::sleep(SETTLE_AT_LEAST).await;
    let until = Instant::now() + SETTLE_AT_MOST;
    let mut before = contestant.cpu_seconds();
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = contestant.cpu_seconds();
        // A tenth of a core is what a database does when it has nothing to do.
        if now.is_nan() || now - before < 0.005 {
            return;
        }
        before = now;
    }
}
