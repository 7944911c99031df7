//! The command line: commands, arguments and options.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use partnership_registry_client::Point;
use partnership_registry_client::v1::{AgreementEventType, AgreementTerminationGround, PartialDate};

use crate::address::address;
use crate::output::Format;
use crate::time::{date, day, duration, event_date, point};
use crate::words::{self, Words};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  there are differences (diff)
  2  the command line is wrong
  3  not found
  4  refused: invalid, already exists, or a precondition does not hold
  5  conflict: it was changed in the meantime; read it again before retrying
  6  the server cannot be reached, or did not respond in time
  7  another error of the server
  8  the import is complete, and rows were refused
  9  done, and values of fields that cannot be changed were ignored: see the warnings (import, apply)
130  the import was interrupted; it has said where to go on";

const FILTERS: &str = "\
Filters: tests with AND, OR and NOT; OR binds tighter than AND, and parentheses tighter than both
  state = in-force                      a value of an enum, short or in full
  display_name = \"*korea*\"              a text, compared whole; * stands for any text
  region_code = KR OR capital != Busan  either holds, or both; quotes where there are spaces
  conclusion_date >= 1990               a date, certainly in that year or later; or 2025-10
  conclusion_date.year = 2025           a part of a date, or of another message
  budgets.amount > \"1000000 USD\"        an amount, compared with those of its currency
  parties.country = \"countries/kr\"      some item of the list has it
  NOT parties.country = \"countries/kr\"  none has it
  labels.region = asia                  a label; labels:region for whether there is one
  findings:*                            whether there is any
  party(\"countries/kr\")                 who takes part, in whichever field it stands
  under(\"focusAreas/technology\")        that focus area, or one below it
  inForce(1950-01-01)                   in force on that day; mayBeInForce also where that is not known
  partyOn(\"countries/kr\", 1950-01-01)   who was bound on that day
docs/filter.md tells all of it; `partnerctl explain KIND` shows the fields.

Examples:
  partnerctl list agreements --filter 'party(\"countries/kr\")' --order-by 'conclusion_date desc'
  partnerctl list projects --order-by 'state, update_time desc' --limit 10 -o wide
  partnerctl list countries --fields capital,labels.region --show-deleted
  partnerctl list agreements --filter 'state = in-force AND conclusion_date < 1990' --explain";

const COUNTS: &str = "\
What has several values, such as several parties, counts once for each, and in (total) once. (none)
is what has no value, and uncertain a date that is not certainly within one year or decade.
`partnerctl explain KIND` shows the fields, and `partnerctl list --help` the grammar of filters.

Examples:
  partnerctl count agreements --by type,'year(conclusion_date)'
  partnerctl count agreements --filter 'state = in-force' --by parties.country --groups-max 10
  partnerctl count projects --by state --sum budgets.amount
  partnerctl count agreements --by 'decade(conclusion_date)' --at 2026-01-31 -o csv";

/// The command line of the Partnership Registry.
#[derive(Debug, Parser)]
#[command(name = "partnerctl", version, after_help = EXIT_CODES, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Address of the server [default: that of the context, or http://127.0.0.1:50051]
    #[arg(long, short, global = true, value_parser = address, env = "PARTNERCTL_SERVER", hide_env_values = true,
          value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The context to use, instead of the current one
    #[arg(long, global = true, env = "PARTNERCTL_CONTEXT", hide_env_values = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The actor: who makes the change [default: that of the context, or user@host]
    #[arg(long, global = true, env = "PARTNERCTL_ACTOR", hide_env_values = true, value_name = "WHO")]
    pub(crate) actor: Option<String>,
    /// The reason: stored with the change
    #[arg(long, short = 'm', global = true, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Output format
    #[arg(long, short, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// Timeout of a call, such as 500ms, 30s or 2m
    #[arg(long, global = true, value_parser = duration, env = "PARTNERCTL_TIMEOUT", hide_env_values = true,
          default_value = "30s", value_name = "TIME")]
    pub(crate) timeout: Duration,
    /// No colour, even on a terminal; as does the environment variable NO_COLOR
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show resources by name, or all of a kind
    Get(GetArgs),
    /// List resources of a kind
    #[command(after_help = FILTERS)]
    List(ListArgs),
    /// Count resources of a kind, by the values of its fields
    #[command(after_help = COUNTS)]
    Count(CountArgs),
    /// Create a resource
    Create(CreateArgs),
    /// Change fields of a resource
    Update(UpdateArgs),
    /// Mark resources as deleted; they can be restored
    Delete(DeleteArgs),
    /// Restore deleted resources
    Undelete(UndeleteArgs),
    /// Make a resource what it was in an earlier revision
    #[command(
        after_help = "The resource gets the fields that it had in that revision, as a new revision; nothing is taken from \
its history. A deleted resource is brought back. `history` shows the revisions.

Examples:
  partnerctl revert agreements/x -m 'the last change was a mistake'
  partnerctl revert agreements/x --to 12 --dry-run"
    )]
    Revert(RevertArgs),
    /// Record what happened to an agreement
    #[command(
        after_help = "An event is never rewritten: one that is wrong is voided, with `void`, or here with --instead-of. Events \
have ids such as e3; `get` shows them, and `explain agreement.events.type` the types and what they mean.

Dates may be known in part: 2020-05-17, 2020-05 or 2020, with ~ behind what is approximate and ? behind what is uncertain, \
or unknown. Without --effect, an event has effect on the day of the act.

Examples:
  partnerctl record agreements/y ratification --party kr --date 2020-05 -m 'note 12 of the ministry'
  partnerctl record agreements/y entry-into-force --date 2020-06-01
  partnerctl record y ratification --party kr --date 2020-04 --instead-of e3 -m 'a slip'
  partnerctl record agreements/y denunciation --party ir --date 2021-01-10 --effect 2022-01-10
  partnerctl record y termination --date 2022 --ground later-agreement --agreement agreements/z"
    )]
    Record(RecordArgs),
    /// Void an event of an agreement that was recorded by mistake
    #[command(after_help = "The event stays visible, with the reason, and does not count any more.

Examples:
  partnerctl void agreements/y e3 -m 'it was another agreement'
  partnerctl void agreements/y e3 -m 'it was another agreement' --dry-run")]
    Void(VoidArgs),
    /// Create resources from files, or update those that differ
    #[command(
        after_help = "Up to 1,000 resources of at most 3 MiB are one commit, all or none; more take several commits, and may \
refer to each other all the same. A resource that has a deleteTime is deleted. With --merge, a list that the file has \
replaces the whole list; of maps, such as labels, entries that the file does not have stay. Events of agreements are \
recorded and voided, as import does."
    )]
    Apply(ApplyArgs),
    /// Show what apply would change
    Diff(FileArgs),
    /// Show the revisions of a resource: who changed it, when and why
    History(HistoryArgs),
    /// Show where an agreement and its parties stand on a day, and what decides it
    #[command(after_help = "Examples:
  partnerctl status agreements/x
  partnerctl status agreements/x --on 1990-01-01
  partnerctl status agreements/x --on 1990-01-01 --at 2020-01-01    # as it was known then")]
    Status(StatusArgs),
    /// Show what happened when, in a partnership or to one agreement
    #[command(
        after_help = "Of a country it shows the dates of all resources in which it takes part. What nobody knows the date of \
comes last; a window leaves it out.

Examples:
  partnerctl timeline kr
  partnerctl timeline kr --from 1990 --to 1999 --only agreements,projects
  partnerctl timeline agreements/x -o csv"
    )]
    Timeline(TimelineArgs),
    /// Show changes as they happen
    Watch(WatchArgs),
    /// Import many resources from NDJSON, a resource on each line
    #[command(
        after_help = "Each resource is created, or replaced. One that is already equal makes no revision: after an \
interruption, simply run the same import again. Lines may refer to later lines. Each refused line is reported on standard \
error as file:line: reason, and what is strange about an accepted one as file:line: warning.

A line whose name an earlier line has is refused. A state can be given only at creation: another one than that of the \
registry is ignored, told as a warning, and makes the exit code 9.

Events of agreements are never rewritten. One that is new is recorded; one that the line has otherwise is voided, and \
recorded as it is now; what somebody voided is not recorded again. An event is known again by its sourceId, or else by its \
type, its parties and the date of the act. One that the line has no more stays, with a warning, or is voided with --void-gone.

With --merge, fields that a line does not have stay as they are, and so do entries of maps, such as labels, that it does \
not have; a list that it has replaces the whole list.

A line with a deleteTime, as export --show-deleted writes it, says that its resource is deleted: what is live is deleted as \
it is, what is deleted stays so, and what does not exist is created and then deleted, at the end, when nothing refers to it.

Ctrl-C completes the commit that was sent, and says where to go on; a second one ends it at once."
    )]
    Import(ImportArgs),
    /// Export resources as NDJSON, all as of one revision
    Export(ExportArgs),
    /// Show the fields of a kind: their types, rules and values
    #[command(after_help = "Examples:
  partnerctl explain agreements
  partnerctl explain agreement.parties
  partnerctl explain agreement.state")]
    Explain(ExplainArgs),
    /// Manage contexts: servers under short names
    Config(ConfigArgs),
    /// List the kinds of resources, with their short names
    Kinds,
    /// Print a completion script for a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print the version
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Names such as countries/kr; or a kind, and ids such as: countries kr ir
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Only these fields, such as display_name,labels.programme; a table has a column for each
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    pub(crate) fields: Vec<String>,
    /// As of a revision, or of a time such as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_parser = point, value_name = "REV|TIME")]
    pub(crate) at: Option<Point>,
    /// As they stand on this day, such as 1990-01-01, by what is recorded of them; of agreements
    #[arg(long, value_parser = day, value_name = "DAY")]
    pub(crate) on: Option<PartialDate>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The kind, such as agreements
    pub(crate) kind: String,
    /// Only what the filter selects, such as 'state = in-force AND conclusion_date >= 1990'
    #[arg(long, short, default_value = "", hide_default_value = true)]
    pub(crate) filter: String,
    /// Fields with commas between them, and desc behind those that descend, such as 'conclusion_date desc, display_name'
    #[arg(long, default_value = "", hide_default_value = true, value_name = "FIELDS")]
    pub(crate) order_by: String,
    /// List at most this many
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Include deleted resources
    #[arg(long)]
    pub(crate) show_deleted: bool,
    /// Only these fields, such as display_name,labels.programme; a table has a column for each
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    pub(crate) fields: Vec<String>,
    /// As of a revision, or of a time such as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_parser = point, value_name = "REV|TIME")]
    pub(crate) at: Option<Point>,
    /// As they stand on this day, such as 1990-01-01, by what is recorded of them; of agreements
    #[arg(long, value_parser = day, value_name = "DAY")]
    pub(crate) on: Option<PartialDate>,
    /// Show how the resources would be found and what that costs, and list nothing
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CountArgs {
    /// The kind, such as agreements
    pub(crate) kind: String,
    /// Only what the filter selects, such as 'state = in-force'; list --help has the grammar
    #[arg(long, short, default_value = "", hide_default_value = true)]
    pub(crate) filter: String,
    /// By what to count: one or two fields, or year(FIELD) or decade(FIELD) of a date or a time
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    pub(crate) by: Vec<String>,
    /// Also add up these amounts of money, by currency, such as budgets.amount
    #[arg(long, value_name = "FIELD")]
    pub(crate) sum: Option<String>,
    /// Show at most so many groups, the largest [default: 100]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=10_000), value_name = "N")]
    pub(crate) groups_max: Option<u16>,
    /// Include deleted resources
    #[arg(long)]
    pub(crate) show_deleted: bool,
    /// As of a revision, or of a time such as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_parser = point, value_name = "REV|TIME")]
    pub(crate) at: Option<Point>,
    /// As they stand on this day, such as 1990-01-01, by what is recorded of them; of agreements
    #[arg(long, value_parser = day, value_name = "DAY")]
    pub(crate) on: Option<PartialDate>,
    /// Show how the resources would be found and what that costs, and count nothing
    #[arg(long)]
    pub(crate) explain: bool,
}

/// A file of resources.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// File with resources as JSON, NDJSON or YAML; - is standard input. May be repeated
    #[arg(long = "file", short, required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The kind of the resources, if they have no envelope
    #[arg(long)]
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The kind, such as countries, or the name, such as countries/kr
    #[arg(required_unless_present = "files")]
    pub(crate) name: Option<String>,
    /// File with resources as JSON, NDJSON or YAML; - is standard input. May be repeated
    #[arg(long = "file", short, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// A field and its value, such as display_name=Korea, labels.region=asia or 'parties=[{"country": "countries/kr"}]'
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<String>,
    /// Check everything and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// The name, such as countries/kr
    #[arg(required_unless_present = "files")]
    pub(crate) name: Option<String>,
    /// File with resources as JSON, NDJSON or YAML; - is standard input. May be repeated
    #[arg(long = "file", short, value_name = "FILE", conflicts_with = "set")]
    pub(crate) files: Vec<PathBuf>,
    /// A field and its value, such as capital=Seoul or conclusion_date=2025-10; an empty value clears it. May be repeated
    #[arg(long, value_name = "FIELD=VALUE", required_unless_present = "files")]
    pub(crate) set: Vec<String>,
    /// The fields of the file to change, such as display_name,term; * is all [default: those that it has]
    #[arg(long, value_delimiter = ',', requires = "files", value_name = "FIELDS")]
    pub(crate) mask: Vec<String>,
    /// Create it if it does not exist
    #[arg(long)]
    pub(crate) allow_missing: bool,
    /// Check everything and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Names such as countries/kr; or a kind, and ids. Several are deleted in one commit: all or none
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Only if this is the current etag; for a single name
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) etag: String,
    /// Ignore names that do not exist or are already deleted
    #[arg(long)]
    pub(crate) allow_missing: bool,
    /// Check everything and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UndeleteArgs {
    /// Names such as countries/kr; or a kind, and ids. Several are restored in one commit: all or none
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Check everything and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RevertArgs {
    /// The name, such as countries/kr; or a kind and an id
    #[arg(required = true, num_args = 1..=2, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// The revision to go back to, in which the resource changed [default: the one before its last change]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), value_name = "REV")]
    pub(crate) to: Option<u64>,
    /// Only if this is the current etag
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) etag: String,
    /// Check everything and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// The agreement, such as agreements/y
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What happened, such as signature, ratification or entry-into-force
    #[arg(value_name = "TYPE", hide_possible_values = true,
          value_parser = Words { of: "AgreementEventType", read: words::event_type })]
    pub(crate) event_type: AgreementEventType,
    /// Whose act it is: a party by its party_id, or by the name or the id of its country or organization. May be repeated
    /// [default: all]
    #[arg(long, value_delimiter = ',', value_name = "PARTY")]
    pub(crate) party: Vec<String>,
    /// The day, the month or the year of the act
    #[arg(long, short, value_parser = event_date, value_name = "DATE", required_unless_present = "effect")]
    pub(crate) date: Option<PartialDate>,
    /// The first day of its effect [default: that of the act]
    #[arg(long, value_parser = event_date, value_name = "DATE")]
    pub(crate) effect: Option<PartialDate>,
    /// The paper it was done by, such as 'Note No. 12'
    #[arg(long, value_name = "TEXT")]
    pub(crate) instrument: Option<String>,
    /// Anything else about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Why it ended or was suspended; a termination needs it, and not-recorded is one
    #[arg(long, value_name = "GROUND", hide_possible_values = true,
          value_parser = Words { of: "AgreementTerminationGround", read: words::ground })]
    pub(crate) ground: Option<AgreementTerminationGround>,
    /// The agreement that did it, such as the one that amends or replaces this one
    #[arg(long, value_name = "NAME")]
    pub(crate) agreement: Option<String>,
    /// Of a renewal: the last day of the term that begins
    #[arg(long, value_parser = event_date, value_name = "DATE")]
    pub(crate) until: Option<PartialDate>,
    /// Of a succession: the party whose place is taken
    #[arg(long, value_name = "PARTY")]
    pub(crate) succeeds: Option<String>,
    /// Of a revocation: the denunciation, withdrawal or non-renewal that is taken back, such as e3
    #[arg(long, value_name = "EVENT")]
    pub(crate) revokes: Option<String>,
    /// In place of this event, such as e3, which is voided in the same step; needs a reason. May be repeated
    #[arg(long, value_delimiter = ',', value_name = "EVENT")]
    pub(crate) instead_of: Vec<String>,
    /// Only if this is the current etag
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) etag: String,
    /// Check everything and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VoidArgs {
    /// The agreement, such as agreements/y
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The event, such as e3
    #[arg(value_name = "EVENT")]
    pub(crate) event_id: String,
    /// Only if this is the current etag
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) etag: String,
    /// Check everything and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) existing: ExistingArgs,
    /// Check everything and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The name, such as countries/kr; or a kind and an id
    #[arg(required = true, num_args = 1..=2, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// Show what changed
    #[arg(long)]
    pub(crate) diff: bool,
    /// Show at most this many revisions, newest first
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The agreement, such as agreements/x
    #[arg(required = true, num_args = 1..=2, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// On this day, such as 1990-01-01; without it, on the day up to which time has been let pass
    #[arg(long, value_parser = day, value_name = "DAY")]
    pub(crate) on: Option<PartialDate>,
    /// As it was known at a revision, or at a time such as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_parser = point, value_name = "REV|TIME")]
    pub(crate) at: Option<Point>,
}

#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    /// A country, such as kr, or an agreement, such as agreements/x
    #[arg(required = true, num_args = 1..=2, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// Only what may have happened from this day, month or year on
    #[arg(long, value_parser = date, value_name = "DATE")]
    pub(crate) from: Option<PartialDate>,
    /// Only what may have happened up to this day, month or year
    #[arg(long, value_parser = date, value_name = "DATE")]
    pub(crate) to: Option<PartialDate>,
    /// Only of these kinds
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    pub(crate) only: Vec<String>,
    /// The latest first
    #[arg(long)]
    pub(crate) newest_first: bool,
    /// Show at most this many
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// As of a revision, or of a time such as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_parser = point, value_name = "REV|TIME")]
    pub(crate) at: Option<Point>,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The kinds to watch [default: all]
    #[arg(value_name = "KIND")]
    pub(crate) kinds: Vec<String>,
    /// Start with the first commit after this revision
    #[arg(long, value_name = "REV", conflicts_with = "initial")]
    pub(crate) after: Option<u64>,
    /// Start with the current state of every resource
    #[arg(long)]
    pub(crate) initial: bool,
    /// Only what the filter selects, such as 'state = in-force'; it needs exactly one kind. list --help has the grammar
    #[arg(long, short, default_value = "", hide_default_value = true)]
    pub(crate) filter: String,
}

/// What becomes of resources that exist.
#[derive(Debug, Args)]
pub(crate) struct ExistingArgs {
    /// Keep what a resource has and the file does not: fields, and entries of maps such as labels
    #[arg(long, conflicts_with = "create_only")]
    pub(crate) merge: bool,
    /// Leave alone what exists
    #[arg(long)]
    pub(crate) create_only: bool,
    /// Void events of agreements that the file has no more; without this they stay, and a warning tells of each
    #[arg(long, conflicts_with = "create_only")]
    pub(crate) void_gone: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The files, one after the other; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) existing: ExistingArgs,
    /// Check everything and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also write the refused lines to this file, as NDJSON with file, line, name, reasons and row
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// The most resources in a commit, 1 to 1,000
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000), value_name = "N")]
    pub(crate) batch: u16,
    /// Skip the lines before this one, in the first file
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) from_line: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The kinds to export [default: all]
    #[arg(value_name = "KIND")]
    pub(crate) kinds: Vec<String>,
    /// The file to write, which appears when it is complete [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only what the filter selects, such as 'state = in-force'; it needs exactly one kind. list --help has the grammar
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) filter: String,
    /// As of a revision, or of a time such as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_parser = point, value_name = "REV|TIME")]
    pub(crate) at: Option<Point>,
    /// Include deleted resources, with their deleteTime: an import deletes them
    #[arg(long)]
    pub(crate) show_deleted: bool,
    /// Include what only the server writes: uid, etag, revision, times, creator, updater and findings; an import ignores it
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The kind, and the path of a field behind it, such as agreements or agreement.parties.country
    #[arg(value_name = "KIND[.FIELD]")]
    pub(crate) path: String,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// The commands for contexts.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Add or change the context NAME, with --server and --actor
    Set {
        /// Its name
        name: String,
    },
    /// Make a context the current one
    Use {
        /// Its name
        name: String,
    },
    /// List the contexts
    List,
    /// Delete a context
    Delete {
        /// Its name
        name: String,
    },
}
