//! How a run can end, and how a failure is printed.

use std::fmt;
use std::io;

use partnership_registry_client::{Code, Error};

use crate::change::{Change, with_places};

/// The exit codes. They are part of the interface: `--help` lists them, and they do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    Differences = 1,
    Usage = 2,
    NotFound = 3,
    Refused = 4,
    Conflict = 5,
    Unavailable = 6,
    Failed = 7,
    RowsRefused = 8,
    Ignored = 9,
    /// As a shell says of what SIGINT ended.
    Interrupted = 130,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    fn of(error: &Error) -> Self {
        let code = error.code();
        if error.is_not_found() {
            Self::NotFound
        } else if error.is_conflict() {
            Self::Conflict
        } else if error.is_unavailable() || code == Code::DeadlineExceeded {
            Self::Unavailable
        } else if error.is_already_exists()
            || [Code::InvalidArgument, Code::FailedPrecondition, Code::OutOfRange].contains(&code)
        {
            Self::Refused
        } else {
            Self::Failed
        }
    }
}

/// Why a run failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// A call that writes nothing failed.
    Call(Error),
    /// A write failed.
    Write {
        /// Why.
        error: Error,
        /// What was to be changed.
        changes: Vec<Change>,
        /// Nothing was to be written.
        dry_run: bool,
        /// The fields of its request, and the options that they come from.
        options: Options,
    },
    /// Reading or writing locally failed.
    Local(String),
    /// The reader of the output has closed it, which is not an error.
    OutputClosed,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// A write failed, or what would have been one in a dry run.
    pub(crate) fn write(error: Error, changes: Vec<Change>, dry_run: bool) -> Self {
        Self::Write { error, changes, dry_run, options: &[] }
    }

    /// The same, of a request whose fields come from these options.
    pub(crate) fn with_options(self, options: Options) -> Self {
        match self {
            Self::Write { error, changes, dry_run, .. } => Self::Write { error, changes, dry_run, options },
            other @ (Self::Usage(_) | Self::Call(_) | Self::Local(_) | Self::OutputClosed) => other,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Call(error) | Self::Write { error, .. } => Exit::of(error),
            Self::Local(_) => Exit::Failed,
            Self::OutputClosed => Exit::Success,
        }
    }

    /// Prints it to standard error: the message, and every violation on a line of its own.
    pub(crate) fn print(&self) {
        if !matches!(self, Self::OutputClosed) {
            eprint!("{self}");
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Local(message) => writeln!(f, "error: {message}"),
            Self::Call(error) => describe(error, f, &[], &[]),
            Self::Write { error, changes, dry_run, options } => {
                describe(error, f, changes, options)?;
                if error.is_uncertain() && !dry_run { not_known(f, changes) } else { Ok(()) }
            }
            Self::OutputClosed => Ok(()),
        }
    }
}

/// Says that a write may have happened, and how to find out.
fn not_known(f: &mut fmt::Formatter<'_>, changes: &[Change]) -> fmt::Result {
    let known = changes.iter().find(|change| change.name.contains('/'));
    let collection = changes.first().map_or("", |change| change.name.split('/').next().unwrap_or_default());
    let look = match known {
        Some(Change { name, .. }) => format!("partnerctl history {name}"),
        None => format!("partnerctl list {collection} --order-by 'create_time desc' --limit 5"),
    };
    let all = if changes.len() > 1 { ", all or none of it" } else { "" };
    writeln!(f, "  the change may have been made all the same{all}; this shows whether it was: {look}")
}

/// How fields of requests begin that are wrong, and the options that they come from.
pub(crate) type Options = &'static [(&'static str, &'static str)];

/// The fields of requests, and the options that they come from.
const OPTIONS: Options = &[
    ("filter: ", "--filter: "),
    ("order_by: ", "--order-by: "),
    ("group_by: ", "--by: "),
    ("group_by[0]: ", "--by, the first: "),
    ("group_by[1]: ", "--by, the second: "),
    ("sum: ", "--sum: "),
    ("groups_max: ", "--groups-max: "),
    ("read_mask: ", "--fields: "),
    ("update_mask: ", "--mask: "),
];

fn as_option(text: &str, options: Options) -> String {
    let found = options
        .iter()
        .chain(OPTIONS)
        .find_map(|(field, option)| Some(format!("{option}{}", text.strip_prefix(field)?)));
    found.unwrap_or_else(|| text.to_owned())
}

fn describe(error: &Error, f: &mut fmt::Formatter<'_>, changes: &[Change], options: Options) -> fmt::Result {
    let place = |text: &str| as_option(&with_places(text, changes), options);
    let message = place(error.message());
    let violations: Vec<_> =
        error.field_violations().iter().map(|one| place(&format!("{}: {}", one.field, one.description))).collect();
    // The message tells the first of several.
    let tells_first = violations.first().is_some_and(|first| message.starts_with(first.as_str()));
    if violations.len() > 1 && tells_first {
        writeln!(f, "error: {} fields break rules", violations.len())?;
    } else {
        writeln!(f, "error: {message}")?;
    }
    for violation in violations.iter().filter(|violation| **violation != message) {
        writeln!(f, "  {violation}")?;
    }
    for violation in error.precondition_violations() {
        let description = place(&violation.description);
        let line = place(&format!("{}: {}", violation.subject, violation.description));
        // Of those that refer to a resource, the message names the first.
        let named = violation.kind == "REFERRED_TO" && message.contains(&violation.subject);
        if description != message && line != message && !named {
            writeln!(f, "  {line}")?;
        }
    }
    if error.is_unavailable() && !error.is_from_server() {
        writeln!(
            f,
            "  is the server running? its address comes from --server, PARTNERCTL_SERVER or `partnerctl config`"
        )?;
    }
    if error.is_conflict() && !message.contains("read it again") {
        writeln!(f, "  it was changed in the meantime; read it again before retrying")?;
    }
    Ok(())
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::OutputClosed } else { Self::Local(error.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    #[test]
    fn each_code_has_its_exit() {
        type Make = fn(&'static str) -> Status;
        let cases: [(Make, u8); 11] = [
            (Status::not_found, 3),
            (Status::invalid_argument, 4),
            (Status::already_exists, 4),
            (Status::failed_precondition, 4),
            (Status::out_of_range, 4),
            (Status::aborted, 5),
            (Status::unavailable, 6),
            (Status::deadline_exceeded, 6),
            (Status::internal, 7),
            (Status::data_loss, 7),
            (Status::resource_exhausted, 7),
        ];
        for (status, exit) in cases {
            assert_eq!(Failure::from(Error::from(status("x"))).exit().code(), exit);
        }
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).exit(), Exit::Success);
    }
}
