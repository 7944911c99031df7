//! Which output formats a command prints. Another one is refused before anything is done, never ignored.

use crate::args::{Command, ConfigCommand};
use crate::failure::Failure;
use crate::output::Format::{self, Csv, Json, Name, Ndjson, Table, Wide, Yaml};

const ALL: &[Format] = &[Table, Wide, Json, Yaml, Ndjson, Csv, Name];
const PLANS: &[Format] = &[Table, Wide, Json, Yaml, Ndjson];
const OUTCOMES: &[Format] = &[Table, Wide, Name];

/// Refuses a format that the command does not print.
pub(crate) fn check(command: &Command, format: Format) -> Result<(), Failure> {
    let (name, formats) = formats(command);
    if formats.contains(&format) {
        return Ok(());
    }
    let known: Vec<_> = formats.iter().map(|format| format.name()).collect();
    let [others @ .., last] = known.as_slice() else { return Ok(()) };
    let known = if others.is_empty() { (*last).to_owned() } else { format!("{} or {last}", others.join(", ")) };
    Err(Failure::usage(format!("{name} prints no {}; with --output it takes {known}", format.name())))
}

/// The name of a command, and the formats that it prints.
fn formats(command: &Command) -> (&'static str, &'static [Format]) {
    match command {
        Command::Get(_) => ("get", ALL),
        Command::List(args) if args.explain => ("list --explain", PLANS),
        Command::List(_) => ("list", ALL),
        Command::Count(args) if args.explain => ("count --explain", PLANS),
        Command::Count(_) => ("count", &[Table, Wide, Json, Yaml, Ndjson, Csv]),
        Command::Create(_) => ("create", ALL),
        Command::Update(_) => ("update", ALL),
        // Of several that are only checked there is nothing to print but what would become of them.
        Command::Delete(args) if args.dry_run && args.names.len() > 1 => ("a dry run of several", OUTCOMES),
        Command::Undelete(args) if args.dry_run && args.names.len() > 1 => ("a dry run of several", OUTCOMES),
        Command::Delete(_) => ("delete", ALL),
        Command::Undelete(_) => ("undelete", ALL),
        Command::Revert(_) => ("revert", ALL),
        Command::Record(_) => ("record", ALL),
        Command::Void(_) => ("void", ALL),
        Command::Apply(_) => ("apply", OUTCOMES),
        Command::Diff(_) => ("diff", OUTCOMES),
        Command::History(args) if args.diff => ("history --diff", &[Table, Wide]),
        Command::History(_) => ("history", ALL),
        Command::Status(_) => ("status", &[Table, Wide, Json, Yaml, Ndjson]),
        Command::Timeline(_) => ("timeline", ALL),
        Command::Watch(_) => ("watch", &[Table, Wide, Json, Ndjson]),
        // Its numbers are for people, on standard error.
        Command::Import(_) => ("import", &[Table]),
        // The default of all commands stands for that of the command.
        Command::Export(_) => ("export", &[Ndjson, Table]),
        Command::Explain(_) => ("explain", &[Table]),
        Command::Config(args) => match args.command {
            ConfigCommand::List => ("config list", ALL),
            ConfigCommand::Set { .. } => ("config set", OUTCOMES),
            ConfigCommand::Use { .. } => ("config use", OUTCOMES),
            ConfigCommand::Delete { .. } => ("config delete", OUTCOMES),
        },
        Command::Kinds => ("kinds", ALL),
        Command::Completion { .. } => ("completion", &[Table]),
        Command::Version => ("version", ALL),
    }
}
