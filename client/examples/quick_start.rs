//! The quick start of the crate's front page, as a program:
//! `cargo run --example quick_start -- http://127.0.0.1:50051`

use partnership_registry_client::v1::{Agreement, PartialDate};
use partnership_registry_client::{Error, ListOptions, Registry, TypedWatchEvent};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:50051".to_owned());
    let registry = Registry::builder(address).actor("jane@ministry.example").reason("a first look").connect().await?;
    let agreements = registry.agreements();

    // Create one under an id of your own. Calls are built, and sent when they are awaited.
    let memorandum = Agreement {
        display_name: "Memorandum of understanding on hydrogen".into(),
        conclusion_date: Some(PartialDate::month(2025, 10)),
        labels: [("programme".to_owned(), "hydrogen".to_owned())].into(),
        ..Agreement::default()
    };
    match agreements.create(memorandum).id("hydrogen").await {
        Ok(created) => println!("created {} in revision {}", created.name, created.revision),
        Err(error) if error.is_already_exists() => println!("it is there from the last time"),
        Err(error) => return Err(error),
    }

    // Watch agreements from now on. The watch finds its way back after a lost connection.
    let mut watch = agreements.watch().await?;

    // Read one, and change it: the fields that the mask names, and only if nobody has changed it since it was read.
    let mut memorandum = agreements.get("agreements/hydrogen").await?;
    memorandum.note = format!("read in revision {}", memorandum.revision);
    memorandum = agreements.update(memorandum, ["note"]).await?;
    println!("{}", memorandum.note);

    // List what a filter selects. Pages are fetched as they are needed; all show the registry as of one revision.
    let mut listed = agreements.list(ListOptions::new().filter("labels.programme = \"hydrogen\""));
    while let Some(agreement) = listed.next().await {
        let agreement = agreement?;
        let date = agreement.conclusion_date.map(|date| date.to_string());
        println!("{} of {}", agreement.display_name, date.unwrap_or_default());
    }

    // A refusal names every field that breaks a rule.
    if let Err(error) = agreements.create(Agreement::default()).await {
        for violation in error.field_violations() {
            println!("{} {}", violation.field, violation.description);
        }
    }

    // The watch tells of the change above: who, and the agreement before and after.
    while let Some(event) = watch.next().await {
        if let TypedWatchEvent::Commit(commit) = event? {
            for change in commit.changes {
                let [before, after] = [change.before, change.after].map(|agreement| agreement.unwrap_or_default().note);
                println!("{} changed the note of {} from {before:?} to {after:?}", commit.actor, change.name);
            }
            break;
        }
    }
    Ok(())
}
