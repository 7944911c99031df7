//! `diff`: what `apply` would change, as a unified diff of YAML.

use partnership_registry_client::v1::{
    Agreement, ChangeAction, Mutation, Reconciliation, Resource, UpdateMutation, mutation, resource,
};
use partnership_registry_client::{Mask, ReadOptions, Registry, json};
use prost_reflect::Value;
use serde_json::Value as Json;
use similar::TextDiff;

use crate::args::{FileArgs, Globals};
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::output::{self, Format};
use crate::style::{Style, paint};

pub(crate) async fn diff(globals: &Globals, args: FileArgs) -> Result<Exit, Failure> {
    let wanted = files::read(&args)?;
    let registry = connect(globals)?;
    let mut differences = false;
    for files::Found { resource, .. } in wanted {
        let collection = resource.collection().unwrap_or_default();
        let handle = registry.collection(collection).ok_or_else(|| Failure::usage("the resource has no kind"))?;
        let current = match handle.get(resource.name(), ReadOptions::default()).await {
            Ok(current) => Some(current),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        let name = resource.name().to_owned();
        let text = unified(&name, current.as_ref(), Some(&resource), Keep::SetAtCreation)?;
        let events = match &current {
            Some(_) => events_change(&registry, &resource).await?,
            None => false,
        };
        differences |= !text.is_empty() || events;
        if events && globals.output != Format::Name {
            output::line(&format!(
                "events of {name} would be recorded and voided; `apply --dry-run` warns of what is gone"
            ))?;
        }
        if globals.output != Format::Name {
            output::write(&text)?;
        } else if !text.is_empty() || events {
            output::line(&name)?;
        }
    }
    Ok(if differences { Exit::Differences } else { Exit::Success })
}

/// Whether `apply` would record or void events of a resource that exists: that is told by the server alone.
async fn events_change(registry: &Registry, resource: &Resource) -> Result<bool, Failure> {
    let Some(resource::Kind::Agreement(agreement)) = &resource.kind else { return Ok(false) };
    let agreement =
        Agreement { name: agreement.name.clone(), events: agreement.events.clone(), ..Agreement::default() };
    let update = UpdateMutation {
        resource: Some(agreement.into()),
        update_mask: Mask::from(["events"]).into(),
        reconciliation: Reconciliation::Record.into(),
        ..UpdateMutation::default()
    };
    let mutation = Mutation { operation: Some(mutation::Operation::Update(update)) };
    match registry.commit().mutation(mutation).validate_only(true).await {
        Ok(checked) => Ok(checked.results.iter().any(|one| one.action() != ChangeAction::Unchanged)),
        // What is wrong with them is told when they are applied.
        Err(error) if error.is_from_server() && !error.is_unavailable() => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Which fields of the old resource are assumed to be in the new one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Those that an update keeps: the fields that are only set at creation.
    SetAtCreation,
    /// Nothing.
    Nothing,
}

/// The differences of two resources in what a client wrote, as a unified diff of their YAML; empty if there are none.
pub(crate) fn unified(
    name: &str,
    before: Option<&Resource>,
    after: Option<&Resource>,
    keep: Keep,
) -> Result<String, Failure> {
    let old = before.map(json::without_server_fields).transpose()?;
    let mut new = after.map(json::without_server_fields).transpose()?;
    let old_value = old.as_ref().map(json::to_value).transpose()?;
    let mut new_value = new.take().as_ref().map(json::to_value).transpose()?;
    if let (Keep::SetAtCreation, Some(old), Some(new)) = (keep, &old_value, &mut new_value) {
        keep_creation_fields(old, new);
    }
    let yaml = |value: &Option<Json>| value.as_ref().map(json::to_yaml).transpose().map(Option::unwrap_or_default);
    Ok(paint_diff(name, &yaml(&old_value)?, &yaml(&new_value)?))
}

/// Copies the fields that only a creation sets, in the order of the schema.
fn keep_creation_fields(old: &Json, new: &mut Json) {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object_mut()) else { return };
    let pool = partnership_registry::descriptors();
    let Some(envelope) = pool.get_message_by_name("partnership.registry.v1.Resource") else { return };
    for field in envelope.fields() {
        let (Some(old), Some(new)) = (old.get(field.json_name()), new.get_mut(field.json_name())) else { continue };
        let (Some(old), Some(new)) = (old.as_object(), new.as_object_mut()) else { continue };
        let kind = field.kind();
        let Some(message) = kind.as_message() else { continue };
        let mut ordered = serde_json::Map::new();
        for field in message.fields() {
            let from = if is_set_at_creation(&field) { old } else { &*new };
            if let Some(value) = from.get(field.json_name()) {
                ordered.insert(field.json_name().to_owned(), value.clone());
            }
        }
        *new = ordered;
    }
}

fn is_set_at_creation(field: &prost_reflect::FieldDescriptor) -> bool {
    let pool = partnership_registry::descriptors();
    let Some(extension) = pool.get_extension_by_name("partnership.registry.v1.rule") else { return false };
    let options = field.options();
    let rule = options.get_extension(&extension);
    let set = rule.as_message().and_then(|rule| rule.get_field_by_name("set_at_creation").map(|set| set.into_owned()));
    set == Some(Value::Bool(true))
}

fn paint_diff(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let side = |text: &str| if text.is_empty() { "/dev/null".to_owned() } else { name.to_owned() };
    let diff = TextDiff::from_lines(old, new);
    let text = diff.unified_diff().context_radius(3).header(&side(old), &side(new)).to_string();
    let mut painted = String::new();
    for line in text.lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') => Some(Style::Added),
            Some(b'-') => Some(Style::Removed),
            Some(b'@') => Some(Style::Place),
            Some(_) | None => None,
        };
        painted.push_str(&style.map_or_else(|| line.to_owned(), |style| paint(style, line)));
        painted.push('\n');
    }
    painted
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use partnership_registry_client::v1::{Country, CountryState};

    use super::*;

    fn korea(capital: &str, state: CountryState, revision: u64) -> Resource {
        let (name, display_name) = ("countries/kr".to_owned(), "Korea".to_owned());
        let country = Country { name, display_name, capital: capital.to_owned(), revision, ..Country::default() };
        Country { state: state.into(), etag: format!("e{revision}"), ..country }.into()
    }

    #[test]
    fn what_only_the_server_writes_is_not_a_difference() {
        let (old, new) = (korea("Seoul", CountryState::Active, 7), korea("Seoul", CountryState::Unspecified, 0));
        assert_eq!(unified("countries/kr", Some(&old), Some(&new), Keep::SetAtCreation).unwrap(), "");
        assert!(unified("countries/kr", Some(&old), Some(&new), Keep::Nothing).unwrap().contains("-  state:"));
    }

    #[test]
    fn a_difference_is_shown_line_by_line() {
        let (old, new) = (korea("Busan", CountryState::Active, 7), korea("Seoul", CountryState::Dormant, 0));
        let text = unified("countries/kr", Some(&old), Some(&new), Keep::SetAtCreation).unwrap();
        assert!(text.contains("-  capital: Busan\n+  capital: Seoul\n"), "{text}");
        assert!(!text.contains("DORMANT"), "{text}");
        let created = unified("countries/kr", None, Some(&new), Keep::SetAtCreation).unwrap();
        assert!(created.starts_with("--- /dev/null\n+++ countries/kr\n"), "{created}");
    }
}
