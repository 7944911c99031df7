//! The options of descriptors: what a message or a field says of itself in the `.proto`.
//!
//! Reads one option at a time, and knows nothing of tables. An option that the registry would not enforce is an error,
//! never ignored.

use partnership_registry::v1::{FieldRule, Format};
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind as Type, MessageDescriptor,
};

/// The extensions that annotate the contract.
pub(super) struct Annotations {
    resource: ExtensionDescriptor,
    reference: ExtensionDescriptor,
    behavior: ExtensionDescriptor,
    rule: ExtensionDescriptor,
}

/// What `google.api.resource` says of a kind.
pub(super) struct ResourceOption {
    /// `partnership.registry/FocusArea`.
    pub(super) resource_type: String,
    /// The part of the name pattern before the slash, such as `focusAreas`.
    pub(super) collection: String,
}

/// How a field behaves (AIP-203), as far as the registry enforces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behavior {
    Optional,
    Required,
    OutputOnly,
    Immutable,
    Identifier,
}

/// What `partnership.registry.v1.rule` says of a field. 0 and `None` are what is not said.
pub(super) struct RuleOption {
    pub(super) length_max: usize,
    pub(super) items_max: usize,
    pub(super) format: Format,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) set_at_creation: bool,
    /// The types that a reference may be of, if it may be of several.
    pub(super) reference_types: Vec<String>,
    /// How many ancestors a resource may have, of a field that leads to its parent.
    pub(super) ancestors_max: usize,
    pub(super) indexed: bool,
    pub(super) party: bool,
    /// The methods that move a field that is set at creation.
    pub(super) moved_by: Vec<String>,
    pub(super) filled_in: bool,
}

impl Annotations {
    /// Fails on a contract that does not declare one of the extensions.
    pub(super) fn new(pool: &DescriptorPool) -> Result<Self, String> {
        let get = |name: &str| pool.get_extension_by_name(name).ok_or_else(|| format!("there is no extension {name}"));
        Ok(Self {
            resource: get("google.api.resource")?,
            reference: get("google.api.resource_reference")?,
            behavior: get("google.api.field_behavior")?,
            rule: get("partnership.registry.v1.rule")?,
        })
    }

    /// Fails on a message that is no resource, or whose names are not `{collection}/{id}`.
    pub(super) fn resource(&self, message: &MessageDescriptor) -> Result<ResourceOption, String> {
        let options = message.options();
        let resource = options.get_extension(&self.resource);
        let resource = resource.as_message();
        let resource_type = resource.map(|option| text(option, "type")).unwrap_or_default();
        let patterns = resource.map(|option| texts(option, "pattern")).unwrap_or_default();
        if resource_type.is_empty() {
            return Err(format!("{} has no type in google.api.resource", message.full_name()));
        }
        match patterns.as_slice() {
            [pattern] => match pattern.split_once('/') {
                Some((collection, id)) if !collection.is_empty() && !id.contains('/') => {
                    Ok(ResourceOption { resource_type, collection: collection.to_owned() })
                }
                Some(_) | None => {
                    Err(format!("{} has the name pattern {pattern:?}, not collection/{{id}}", message.full_name()))
                }
            },
            _ => Err(format!("{} has {} name patterns, not one", message.full_name(), patterns.len())),
        }
    }

    /// The resource type that the field refers to; `*` is any.
    pub(super) fn reference(&self, field: &FieldDescriptor) -> Option<String> {
        let options = field.options();
        if !options.has_extension(&self.reference) {
            return None;
        }
        options.get_extension(&self.reference).as_message().map(|reference| text(reference, "type"))
    }

    /// Fails on a behaviour that the registry would not enforce.
    pub(super) fn behaviors(&self, field: &FieldDescriptor) -> Result<Vec<Behavior>, String> {
        let Type::Enum(names) = self.behavior.kind() else {
            return Err(format!("{} is no enum", self.behavior.full_name()));
        };
        let options = field.options();
        let value = options.get_extension(&self.behavior);
        let numbers = value.as_list().unwrap_or_default().iter().filter_map(|value| value.as_enum_number());
        numbers
            .map(|number| {
                let value = names.get_value(number);
                let name = value.as_ref().map_or("", |value| value.name());
                match name {
                    "OPTIONAL" => Ok(Behavior::Optional),
                    "REQUIRED" => Ok(Behavior::Required),
                    "OUTPUT_ONLY" => Ok(Behavior::OutputOnly),
                    "IMMUTABLE" => Ok(Behavior::Immutable),
                    "IDENTIFIER" => Ok(Behavior::Identifier),
                    _ => Err(format!(
                        "{} has the behaviour {number} ({name}), which the registry does not enforce",
                        field.full_name()
                    )),
                }
            })
            .collect()
    }

    /// Fails on a format that the registry cannot check.
    pub(super) fn rule(&self, field: &FieldDescriptor) -> Result<RuleOption, String> {
        let options = field.options();
        let rule = options.get_extension(&self.rule);
        let rule = rule.as_message().ok_or_else(|| format!("{} is no message", self.rule.full_name()))?;
        let rule = rule
            .transcode_to::<FieldRule>()
            .map_err(|error| format!("{} of {} is no FieldRule: {error}", self.rule.full_name(), field.full_name()))?;
        let format = Format::try_from(rule.format).map_err(|_| {
            format!("{} has the format {}, which the registry cannot check", field.full_name(), rule.format)
        })?;
        Ok(RuleOption {
            length_max: rule.max_length as usize,
            items_max: rule.max_items as usize,
            format,
            min: rule.min,
            max: rule.max,
            set_at_creation: rule.set_at_creation,
            reference_types: rule.reference_types,
            ancestors_max: rule.ancestors_max as usize,
            indexed: rule.indexed,
            party: rule.party,
            moved_by: rule.moved_by,
            filled_in: rule.filled_in,
        })
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn texts(message: &DynamicMessage, field: &str) -> Vec<String> {
    let value = message.get_field_by_name(field);
    let list = value.as_ref().and_then(|value| value.as_list()).unwrap_or_default();
    list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}
