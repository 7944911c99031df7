//! A kind as the descriptors tell of it: its message, its methods, and what the annotations say of each field.
//!
//! This reads the annotations anew, and shares no code with the server, which is held to them.

use partnership_registry::descriptors;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor, ReflectMessage as _};

/// The package of the contract.
pub(crate) const PACKAGE: &str = "partnership.registry.v1";

/// A kind of resource.
#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) message: MessageDescriptor,
    /// `partnership.registry/FocusArea`.
    pub(crate) resource_type: String,
    /// `focusAreas`.
    pub(crate) collection: String,
    /// `focus_area`: the field of requests and of the envelope.
    pub(crate) singular: String,
    /// `focus_areas`: the field of answers with many.
    pub(crate) plural: String,
    pub(crate) get: MethodDescriptor,
    pub(crate) list: MethodDescriptor,
    pub(crate) create: MethodDescriptor,
    pub(crate) update: MethodDescriptor,
    pub(crate) delete: MethodDescriptor,
    pub(crate) undelete: MethodDescriptor,
    pub(crate) rollback: MethodDescriptor,
    pub(crate) batch_get: MethodDescriptor,
    /// The methods that other kinds do not have, in the order in which one can be done after the other.
    pub(crate) verbs: Vec<MethodDescriptor>,
}

/// What the annotations say of a field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) required: bool,
    pub(crate) output_only: bool,
    pub(crate) immutable: bool,
    pub(crate) identifier: bool,
    /// The resource type that it refers to, or `*`.
    pub(crate) reference: Option<String>,
    /// The most characters.
    pub(crate) max_length: usize,
    /// The most items.
    pub(crate) max_items: usize,
    /// The name of the format, such as `FORMAT_URI`.
    pub(crate) format: String,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) set_at_creation: bool,
    /// The resource types that it may refer to, if several.
    pub(crate) reference_types: Vec<String>,
    /// How many ancestors a resource may have, if the field leads to its parent. 0: it does not.
    pub(crate) ancestors_max: usize,
}

impl Rules {
    /// The resource type that a reference is made to where any would do.
    pub(crate) fn target(&self) -> Option<&str> {
        match (self.reference.as_deref(), self.reference_types.first()) {
            (Some("*"), Some(first)) => Some(first),
            (Some("*"), None) => Some("partnership.registry/Organization"),
            (reference, _) => reference,
        }
    }

    /// Whether a reference may be to a resource of this type.
    pub(crate) fn refers_to(&self, resource_type: &str) -> bool {
        match self.reference.as_deref() {
            Some("*") => self.reference_types.is_empty() || self.reference_types.iter().any(|one| one == resource_type),
            reference => reference == Some(resource_type),
        }
    }
}

/// Every message of the contract that is a resource, in the order of the envelope.
pub(crate) fn kinds() -> Vec<Kind> {
    let envelope = descriptors().get_message_by_name("partnership.registry.v1.Resource").unwrap();
    envelope.fields().map(|field| kind(field.kind().as_message().unwrap(), field.name())).collect()
}

fn kind(message: &MessageDescriptor, singular: &str) -> Kind {
    let resource =
        resource(message).unwrap_or_else(|| panic!("{} is in the envelope, and no resource", message.name()));
    let pattern = list(&resource, "pattern").remove(0);
    let collection = pattern.split_once('/').unwrap().0.to_owned();
    let name = message.name();
    let service = descriptors()
        .services()
        .find(|service| {
            service.name().ends_with("Service") && service.methods().any(|method| method.name() == format!("Get{name}"))
        })
        .unwrap_or_else(|| panic!("no service gets {name}"));
    let method = |name: String| {
        let found = service.methods().find(|method| method.name() == name);
        found.unwrap_or_else(|| panic!("{} has no method {name}", service.name()))
    };
    let list = service
        .methods()
        .find(|method| {
            method.name().starts_with("List") && method.output().name() == format!("{}Response", method.name())
        })
        .unwrap_or_else(|| panic!("{} lists nothing", service.name()));
    let plural = list.output().fields().next().unwrap().name().to_owned();
    let is_standard = |method: &MethodDescriptor| {
        let rest = method.name().strip_prefix("BatchGet").unwrap_or(method.name());
        let standard = ["Get", "List", "Create", "Update", "Delete", "Undelete", "Rollback"];
        method == &list
            || rest == list.name().strip_prefix("List").unwrap()
            || standard.iter().any(|verb| rest == format!("{verb}{name}"))
    };
    Kind {
        verbs: service.methods().filter(|method| !is_standard(method)).collect(),
        resource_type: text(&resource, "type"),
        collection,
        singular: singular.to_owned(),
        plural,
        get: method(format!("Get{name}")),
        create: method(format!("Create{name}")),
        update: method(format!("Update{name}")),
        delete: method(format!("Delete{name}")),
        undelete: method(format!("Undelete{name}")),
        rollback: method(format!("Rollback{name}")),
        batch_get: method(format!("BatchGet{}", list.name().strip_prefix("List").unwrap())),
        list,
        message: message.clone(),
    }
}

impl Kind {
    /// The kind, such as `FocusArea`.
    pub(crate) fn name(&self) -> &str {
        self.message.name()
    }

    /// The fields that a caller sets: neither the name nor the etag nor what the server writes.
    pub(crate) fn settable(&self) -> Vec<FieldDescriptor> {
        self.message.fields().filter(is_settable).collect()
    }

    /// The fields that the server alone writes, but for the name.
    pub(crate) fn output_only(&self) -> Vec<FieldDescriptor> {
        self.message.fields().filter(|field| rules(field).output_only).collect()
    }
}

/// Whether a caller sets this field of a resource.
pub(crate) fn is_settable(field: &FieldDescriptor) -> bool {
    let rules = rules(field);
    let etag = field.name() == "etag" && resource(field.parent_message()).is_some();
    !(rules.output_only || rules.identifier || etag)
}

/// The `google.api.resource` of a message.
pub(crate) fn resource(message: &MessageDescriptor) -> Option<DynamicMessage> {
    let extension = descriptors().get_extension_by_name("google.api.resource").unwrap();
    let options = message.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).as_message().unwrap().clone())
}

/// What the annotations say of a field.
pub(crate) fn rules(field: &FieldDescriptor) -> Rules {
    let options = field.options();
    let extension = |name: &str| descriptors().get_extension_by_name(name).unwrap();
    let mut rules =
        Rules { max_length: 4_096, max_items: 1_000, format: "FORMAT_UNSPECIFIED".into(), ..Rules::default() };

    let behavior = extension("google.api.field_behavior");
    for value in options.get_extension(&behavior).as_list().unwrap() {
        match value.as_enum_number() {
            Some(2) => rules.required = true,
            Some(3) => rules.output_only = true,
            Some(5) => rules.immutable = true,
            Some(8) => rules.identifier = true,
            _ => {}
        }
    }
    let reference = extension("google.api.resource_reference");
    if options.has_extension(&reference) {
        rules.reference = Some(text(options.get_extension(&reference).as_message().unwrap(), "type"));
    }
    let rule = extension("partnership.registry.v1.rule");
    if options.has_extension(&rule) {
        let said = options.get_extension(&rule);
        let said = said.as_message().unwrap();
        let limit = |name: &str| said.get_field_by_name(name).unwrap().as_u32().unwrap() as usize;
        let bound =
            |name: &str| said.has_field_by_name(name).then(|| said.get_field_by_name(name).unwrap().as_f64().unwrap());
        if limit("max_length") > 0 {
            rules.max_length = limit("max_length");
        }
        if limit("max_items") > 0 {
            rules.max_items = limit("max_items");
        }
        let formats = said.descriptor().get_field_by_name("format").unwrap();
        let number = said.get_field_by_name("format").unwrap().as_enum_number().unwrap();
        rules.format = formats.kind().as_enum().unwrap().get_value(number).unwrap().name().to_owned();
        (rules.min, rules.max) = (bound("min"), bound("max"));
        rules.reference_types = list(said, "reference_types");
        rules.ancestors_max = limit("ancestors_max");
        rules.set_at_creation = said.get_field_by_name("set_at_creation").unwrap().as_bool().unwrap();
    }
    rules
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).unwrap().as_str().unwrap().to_owned()
}

fn list(message: &DynamicMessage, field: &str) -> Vec<String> {
    message
        .get_field_by_name(field)
        .unwrap()
        .as_list()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}
