//! `watch`: changes as they happen.

use partnership_registry_client::v1::{
    Change, Commit, FilterEffect, Heartbeat, Synced, WatchResponse, WatchedCommit, WatchedResource,
    watch_response::Event,
};
use partnership_registry_client::{WatchEvent, json};

use crate::args::{Globals, WatchArgs};
use crate::connect::connect_for_long;
use crate::failure::{Exit, Failure};
use crate::kinds;
use crate::output;
use crate::time;
use crate::values::Fields;

pub(crate) async fn watch(globals: &Globals, args: WatchArgs) -> Result<Exit, Failure> {
    let collections = args.kinds.iter().map(|kind| kinds::collection(kind)).collect::<Result<Vec<_>, _>>()?;
    let registry = connect_for_long(globals)?;
    let watch = registry.watch().collections(collections).filter(args.filter);
    let mut watch = match args.after {
        Some(revision) => watch.after(revision),
        None if args.initial => watch.initial_state(),
        None => watch,
    }
    .await?;
    while let Some(event) = watch.next().await {
        let event = event?;
        if let WatchEvent::Lost { reason } = &event {
            eprintln!("{reason}; connecting again");
        } else if event == WatchEvent::Resumed {
            eprintln!("connected again; nothing was missed");
        } else {
            output::write(&if globals.output.is_table() { lines(&event)? } else { document(event)? })?;
        }
    }
    Ok(Exit::Success)
}

/// An event for people: a line for each change.
fn lines(event: &WatchEvent) -> Result<String, Failure> {
    Ok(match event {
        WatchEvent::Resource(resource) => {
            let display_name = Fields::of(resource)?.text("display_name");
            format!("IS         {}  {display_name}\n", resource.name())
        }
        WatchEvent::Synced { revision } => format!("-- complete as of revision {revision}; changes follow --\n"),
        WatchEvent::Commit { commit, effects } => {
            let changes = commit.changes.iter().zip(effects.iter().map(Some).chain(std::iter::repeat(None)));
            changes.map(|(change, effect)| line(commit, change, effect)).collect()
        }
        WatchEvent::Restarted => "-- starting again: what is above is not complete --\n".to_owned(),
        WatchEvent::Heartbeat { .. } | WatchEvent::Lost { .. } | WatchEvent::Resumed => String::new(),
        _ => String::new(),
    })
}

fn line(commit: &Commit, change: &Change, effect: Option<&FilterEffect>) -> String {
    let action = change.action().as_str_name().trim_start_matches("CHANGE_ACTION_");
    let left = if effect == Some(&FilterEffect::Left) && action == "UPDATE" { "  (left the filter)" } else { "" };
    let reason = if commit.reason.is_empty() { String::new() } else { format!("  {:?}", commit.reason) };
    let (revision, time) = (commit.revision, time::text(commit.commit_time));
    format!("{action:<9}  {}  revision {revision}  {time}  {}{left}{reason}\n", change.name, commit.actor)
}

/// An event for programs: a line of JSON, as the server sent it.
fn document(event: WatchEvent) -> Result<String, Failure> {
    let event = match event {
        WatchEvent::Resource(resource) => Event::Resource(WatchedResource { resource: Some(resource) }),
        WatchEvent::Synced { revision } => Event::Synced(Synced { revision }),
        WatchEvent::Commit { commit, effects } => {
            let effects = effects.into_iter().map(i32::from).collect();
            Event::Commit(WatchedCommit { commit: Some(commit), effects })
        }
        WatchEvent::Heartbeat { revision } => Event::Heartbeat(Heartbeat { revision }),
        WatchEvent::Restarted => return Ok("{\"restarted\":{}}\n".to_owned()),
        WatchEvent::Lost { .. } | WatchEvent::Resumed => return Ok(String::new()),
        _ => return Ok(String::new()),
    };
    let response = WatchResponse { event: Some(event) };
    Ok(format!("{}\n", json::message_to_value("partnership.registry.v1.WatchResponse", &response)?))
}
