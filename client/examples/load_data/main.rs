//! Converts and loads three public data sets: country codes, treaties of the United Kingdom, and projects of the World
//! Bank. Through the client crate alone, in batches; a second run changes nothing.
//!
//! ```sh
//! cargo run --release --example load_data -- ../shared/data --server http://127.0.0.1:50051
//! ```
//!
//! Every row is either accepted or refused. What could not be converted exactly is a warning, and so is what the registry
//! finds strange about an accepted row. All warnings and refused rows go to a report, their numbers to standard output.

mod countries;
mod dates;
mod names;
mod projects;
mod report;
mod text;
mod treaties;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use partnership_registry_client::Registry;
use partnership_registry_client::import::{Existing, Import};

use report::{Loader, Report, Result};

/// Loads the public data sets into a registry.
#[derive(Parser)]
struct Arguments {
    /// The folder with country_codes, uk_treaties and worldbank_projects
    #[arg(default_value = "../shared/data")]
    data: PathBuf,
    /// The registry
    #[arg(long, env = "PARTNERCTL_SERVER", default_value = "http://127.0.0.1:50051")]
    server: String,
    /// Where to write every warning and refused row, as CSV [default: in the folder for temporary files]
    #[arg(long)]
    report: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match load(Arguments::parse()).await {
        Ok(refused) => ExitCode::from(if refused == 0 { 0 } else { 8 }),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Loads everything; returns the number of refused rows.
async fn load(arguments: Arguments) -> Result<u64> {
    let registry = Registry::builder(arguments.server)
        .actor("example/load-data")
        .reason("public data: country codes, treaties of the United Kingdom, projects of the World Bank")
        .connect()
        .await?;
    let path = arguments.report.unwrap_or_else(|| std::env::temp_dir().join("load_data_report.csv"));
    let report = Report::new(&path)?;
    // The registry may know more than these files: fields and labels that they do not have stay. A list that they have, such
    // as the parties of a treaty, becomes theirs.
    let loader = Loader::new(Import::new(&registry).existing(Existing::Merge), &report);

    let names = countries::load(&loader, &arguments.data.join("country_codes/country-codes.csv")).await?;
    treaties::load(&loader, &arguments.data.join("uk_treaties/uk_treaties_records.jsonl"), &names).await?;
    projects::load(&loader, &arguments.data.join("worldbank_projects/wb_projects.csv"), &names).await?;

    let summary = report.summary();
    let refused = report.finish()?;
    write!(std::io::stdout().lock(), "{summary}\nEvery warning and refused row: {}\n", path.display())?;
    Ok(refused)
}
