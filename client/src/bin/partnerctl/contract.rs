//! What the descriptors say beside types: options of fields, and comments.

use prost_reflect::{FieldDescriptor, FileDescriptor, Value};

use crate::kinds;

/// An option of a field by the full name of its extension; `None` if it is not set.
pub(crate) fn option(field: &FieldDescriptor, extension: &str) -> Option<Value> {
    let extension = field.parent_pool().get_extension_by_name(extension)?;
    let options = field.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// What the rule of a field says under this name; `None` if it says nothing.
pub(crate) fn option_field(field: &FieldDescriptor, name: &str) -> Option<Value> {
    let rule = option(field, "partnership.registry.v1.rule")?;
    let rule = rule.as_message()?;
    rule.has_field_by_name(name).then(|| rule.get_field_by_name(name).map(|value| value.into_owned()))?
}

/// The collections that a field may name a resource of; none: it is no reference.
pub(crate) fn reference_targets(field: &FieldDescriptor) -> Vec<&'static str> {
    let Some(reference) = option(field, "google.api.resource_reference") else { return Vec::new() };
    let one = reference.as_message().and_then(|reference| reference.get_field_by_name("type"));
    let one = one.as_deref().and_then(Value::as_str).unwrap_or_default().to_owned();
    let several = option_field(field, "reference_types");
    let several = several.iter().filter_map(Value::as_list).flatten().filter_map(Value::as_str);
    let types = several.map(str::to_owned).chain([one]);
    types.filter_map(|of| kinds::collection(of.rsplit('/').next()?).ok()).collect()
}

/// The comment in front of a part of the schemas, in one line.
pub(crate) fn comment(file: FileDescriptor, path: &[i32]) -> String {
    let locations = file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location);
    let found =
        locations.filter(|location| location.path == path).find_map(|location| location.leading_comments.clone());
    found.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first sentence of a comment, without its full stop.
pub(crate) fn sentence(comment: &str) -> String {
    let first = comment.split(". ").next().unwrap_or_default();
    first.strip_suffix('.').unwrap_or(first).to_owned()
}
