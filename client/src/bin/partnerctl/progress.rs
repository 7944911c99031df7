//! A progress bar on standard error, if that is a terminal.

use std::io::{self, Read};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over bytes of a known length, or a running count.
pub(crate) fn bar(bytes: Option<u64>) -> ProgressBar {
    // indicatif draws on standard error, and not at all if that is no terminal.
    let (bar, template) = match bytes {
        Some(bytes) => (ProgressBar::new(bytes), "{bar:30} {percent:>3}%  {msg}  {elapsed}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// A reader that moves a bar.
pub(crate) struct Counted<R> {
    text: R,
    bar: ProgressBar,
}

impl<R> Counted<R> {
    pub(crate) fn new(text: R, bar: ProgressBar) -> Self {
        Self { text, bar }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(buffer)?;
        self.bar.inc(read as u64);
        Ok(read)
    }
}
