//! `partnerctl`, the command line of the Partnership Registry.
//!
//! It parses and prints; the work is done by the library. Results go to standard output, everything else to standard
//! error; the exit code says how it ended.

mod address;
mod apply;
mod args;
mod change;
mod columns;
mod completion;
mod config;
mod connect;
mod contract;
mod count;
mod diff;
mod draft;
mod events;
mod expected;
mod explain;
mod export;
mod failure;
mod files;
mod findings;
mod formats;
mod get;
mod history;
mod import;
mod interrupt;
mod kinds;
mod list_kinds;
mod money;
mod output;
mod plan;
mod progress;
mod rejects;
mod report;
mod revert;
mod set;
mod status;
mod style;
mod table;
mod time;
mod timeline;
mod usage;
mod values;
mod watch;
mod words;
mod write;
mod written;

use std::process::ExitCode;

use args::{Cli, Command};
use failure::Exit;
use output::Format;
use table::{Column, Cut};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = match usage::read() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version are not mistakes. If printing fails, the output is closed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Success.code() });
        }
    };
    style::decide(cli.globals.no_color);
    match run(cli).await {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.exit().code())
        }
    }
}

fn version(format: Format) -> Result<Exit, failure::Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if format.is_table() {
        output::line(&format!("partnerctl {version}"))?;
    } else {
        let columns = ["NAME", "VERSION"].map(|title| Column::new(title, Cut::Never)).to_vec();
        output::print_rows(format, columns, &[vec!["partnerctl".to_owned(), version.to_owned()]], "NAME")?;
    }
    Ok(Exit::Success)
}

async fn run(cli: Cli) -> Result<Exit, failure::Failure> {
    let globals = cli.globals;
    formats::check(&cli.command, globals.output)?;
    match cli.command {
        Command::Get(args) => get::get(&globals, args).await,
        Command::List(args) => get::list(&globals, args).await,
        Command::Count(args) => count::count(&globals, args).await,
        Command::Create(args) => write::create(&globals, args).await,
        Command::Update(args) => write::update(&globals, args).await,
        Command::Delete(args) => write::delete(&globals, args).await,
        Command::Undelete(args) => write::undelete(&globals, args).await,
        Command::Revert(args) => revert::revert(&globals, args).await,
        Command::Record(args) => events::record(&globals, args).await,
        Command::Void(args) => events::void(&globals, args).await,
        Command::Apply(args) => apply::apply(&globals, args).await,
        Command::Diff(args) => diff::diff(&globals, args).await,
        Command::Status(args) => status::status(&globals, args).await,
        Command::Timeline(args) => timeline::timeline(&globals, args).await,
        Command::History(args) => history::history(&globals, args).await,
        Command::Watch(args) => watch::watch(&globals, args).await,
        Command::Import(args) => import::import(&globals, args).await,
        Command::Export(args) => export::export(&globals, args).await,
        Command::Config(args) => config::config(&globals, args),
        Command::Completion { shell } => completion::completion(shell),
        Command::Kinds => list_kinds::list_kinds(globals.output),
        Command::Explain(args) => explain::explain(&args),
        Command::Version => version(globals.output),
    }
}
