//! Transcripts: what a person sees of the command line, command for command, in `transcripts/*.txt`.
//!
//! Each file is a session with a server of its own that holds the demonstration. A line `$ …` is a command for the shell, `> …`
//! goes on with it. Below it stands what it printed, each line of standard error behind `! `, and its exit code if that is not
//! 0. In a file that begins with `# In a terminal`, commands run in one of 80 columns and with colour, of which ␛ begins the
//! marks. What differs from run to run is masked.
//!
//! With `PARTNERSHIP_TEST_BLESS=1` the files are written anew: then read the difference.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::shell::binary;
use crate::harness::process::Process;
use crate::harness::pty;

const TERMINAL: &str = "# In a terminal";

macro_rules! transcripts {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*
    };
}

transcripts! { counting explain files help importing reach reading recording standing terminal writing }

#[test]
fn every_file_is_a_transcript_that_is_checked() {
    let mut files: Vec<_> = folder().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files, NAMES.iter().map(|name| path(name)).collect::<Vec<_>>());
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/transcripts")
}

fn path(name: &str) -> PathBuf {
    folder().join(format!("{name}.txt"))
}

fn check(name: &str) {
    let kept = std::fs::read_to_string(path(name)).unwrap();
    let seen = session(&kept);
    if std::env::var_os("PARTNERSHIP_TEST_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path(name), seen).unwrap();
        return;
    }
    let differs = kept.lines().zip(seen.lines()).position(|(kept, seen)| kept != seen);
    if kept != seen {
        let line = differs.unwrap_or(kept.lines().count().min(seen.lines().count()));
        let from = |text: &str| text.lines().skip(line).take(12).collect::<Vec<_>>().join("\n");
        let (kept, seen) = (from(&kept), from(&seen));
        panic!("{name}.txt, from line {}:\n{kept}\n--- but it was ---\n{seen}\n---", line + 1);
    }
}

/// Runs all commands of a transcript, and writes it as it is now.
fn session(kept: &str) -> String {
    let (data, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let process = Process::start_with(data.path(), |command| {
        command.arg("--demo");
    });
    let server = format!("http://{}", process.address);
    let shell = |line: &str| {
        let mut command = Command::new("sh");
        let path = format!("{}:{}", binary().parent().unwrap().display(), std::env::var("PATH").unwrap());
        command.args(["-c", line]).current_dir(home.path()).env_clear().env("PATH", path).env("HOME", home.path());
        command.env("PARTNERCTL_SERVER", &server).env("PARTNERCTL_ACTOR", "tests").env("TERM", "xterm");
        command
    };
    let mut text = String::new();
    let mut lines = kept.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("$ ") else {
            // What was printed last time is left out, and comments stay.
            if line.starts_with("# ") {
                writeln!(text, "{line}").unwrap();
            }
            continue;
        };
        let mut command = first.to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
            write!(command, "\n{}", more.strip_prefix("> ").unwrap()).unwrap();
        }
        let before = if text.is_empty() { "" } else { "\n" };
        writeln!(text, "{before}$ {}", command.replace('\n', "\n> ")).unwrap();
        let begun = today();
        let (code, printed) = if kept.starts_with(TERMINAL) {
            let (code, shown) = pty::run(shell(&command), 80);
            (code, shown.replace('\u{1b}', "␛"))
        } else {
            piped(shell(&command))
        };
        text.push_str(&masked(&printed, &server, &[begun, today()]));
        if code != 0 {
            writeln!(text, "[exit code {code}]").unwrap();
        }
    }
    text
}

fn piped(mut command: Command) -> (i32, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let mut printed = String::from_utf8(output.stdout).unwrap();
    if !printed.is_empty() && !printed.ends_with('\n') {
        printed.push('\n');
    }
    for line in String::from_utf8(output.stderr).unwrap().lines() {
        writeln!(printed, "{}", format!("! {line}").trim_end()).unwrap();
    }
    (output.status.code().expect("it was not killed"), printed)
}

/// The day, in UTC.
fn today() -> String {
    let date = Command::new("date").args(["-u", "+%F"]).output().unwrap();
    String::from_utf8(date.stdout).unwrap().trim().to_owned()
}

/// Without what differs from run to run, but as wide as it was, so that columns stand where they stood.
fn masked(text: &str, server: &str, days: &[String]) -> String {
    let (_, port) = server.rsplit_once(':').unwrap();
    let text = text.replace(&format!(":{port}"), &format!(":{}", "P".repeat(port.len())));
    let text = mask(&text, "2026-01-31T00:00:00", |rest| {
        // Of a time with parts of a second their number differs, too.
        rest.strip_prefix('.').map_or(rest, |parts| parts.trim_start_matches(|letter: char| letter.is_ascii_digit()))
    });
    let text = days.iter().fold(text, |text, day| text.replace(day, "2026-01-31"));
    let text = mask(&text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", |rest| rest);
    mask(&text, "0-xxxxxxxx", |rest| rest).replace(env!("CARGO_PKG_VERSION"), "V.V.V")
}

/// Puts the pattern wherever the text has its form: `0` to `9` stand for a digit, `x` for a hexadecimal one. `behind` may
/// leave out more.
fn mask(text: &str, pattern: &str, behind: fn(&str) -> &str) -> String {
    let fits = |rest: &str| {
        let mut letters = rest.chars();
        pattern.chars().all(|form| {
            letters.next().is_some_and(|letter| match form {
                '0'..='9' => letter.is_ascii_digit(),
                'x' => letter.is_ascii_hexdigit(),
                _ => letter == form,
            })
        })
    };
    let mut masked = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if fits(rest) {
            masked.push_str(pattern);
            rest = behind(&rest[pattern.len()..]);
        } else {
            masked.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    masked
}
