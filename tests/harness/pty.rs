//! A terminal of 80 columns, for what a program shows to people.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Runs a command in a terminal of this many columns; returns its exit code and what the terminal got.
pub(crate) fn run(mut command: Command, columns: u16) -> (i32, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let inside = ioctl_tiocgptpeer(&terminal, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    tcsetwinsize(&inside, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    command.stdin(Stdio::null()).stdout(inside.try_clone().unwrap()).stderr(inside);
    let mut child = command.spawn().unwrap();
    // What is left of the inside is the child's: the terminal ends with it.
    drop(command);
    let (mut outside, mut shown) = (File::from(terminal), Vec::new());
    // Of a terminal that ended, Linux makes an error.
    let _ = outside.read_to_end(&mut shown);
    let code = child.wait().unwrap().code().expect("it was not killed");
    (code, String::from_utf8(shown).unwrap().replace("\r\n", "\n"))
}
