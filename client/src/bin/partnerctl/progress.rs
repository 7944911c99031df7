//! [`Progress`] on standard error: a bar if that is a terminal, and otherwise a line every few seconds.

use std::io::{self, IsTerminal as _, Read};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The time between two lines.
const INTERVAL: Duration = Duration::from_secs(3);

/// How far something has come.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When the last line was printed; `None`: there is a bar.
    last_line: Option<Instant>,
}

impl Progress {
    /// Over bytes of a known length, or as a running count.
    pub(crate) fn new(bytes: Option<u64>) -> Self {
        if !io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), last_line: Some(Instant::now()) };
        }
        let (bar, template) = match bytes {
            Some(bytes) => (ProgressBar::new(bytes), "{bar:30} {percent:>3}%  {msg}  {elapsed}, {eta} left"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, last_line: None }
    }

    /// Says how far it has come.
    pub(crate) fn say(&mut self, text: &str) {
        match &mut self.last_line {
            None => {
                self.bar.set_message(text.to_owned());
                self.bar.tick();
            }
            Some(last) if last.elapsed() >= INTERVAL => {
                *last = Instant::now();
                eprintln!("{text}");
            }
            Some(_) => {}
        }
    }

    /// Prints lines without the bar in between.
    pub(crate) fn print(&self, lines: impl IntoIterator<Item = String>) {
        self.bar.suspend(|| lines.into_iter().for_each(|line| eprintln!("{line}")));
    }

    /// A reader that moves the bar.
    pub(crate) fn counted<R: Read>(&self, text: R) -> Counted<R> {
        Counted { text, bar: self.bar.clone() }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A reader that moves a bar.
pub(crate) struct Counted<R> {
    text: R,
    bar: ProgressBar,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(buffer)?;
        self.bar.inc(read as u64);
        Ok(read)
    }
}
