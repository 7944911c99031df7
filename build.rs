//! Turns `proto/` into Rust, in Rust alone: protox reads the schemas (no protoc is needed), tonic-build's generator
//! writes the services, and the descriptors are kept with all their annotations, since the server enforces them.
//!
//! It also writes the table of kinds, `for_each_kind!`, the table of services, `for_each_service!`, and for every method
//! what `proto/method.rs` promises of it. A kind is whatever message has a `google.api.resource`; a method of its service
//! with the name of a standard method must have that method's fields, and every other one is the kind's own.

use std::collections::HashSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{DescriptorPool, Kind as Type, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

/// The package of the contract.
const PACKAGE: &str = "partnership.registry.v1";

/// The number of `google.api.FieldBehavior.REQUIRED`.
const REQUIRED: i32 = 2;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Where the contract lies, and what it imports: the first is the one that others generate from.
const SCHEMAS: [&str; 2] = ["proto", "googleapis"];

fn main() -> Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for folder in SCHEMAS {
        println!("cargo::rerun-if-changed={folder}");
    }

    let mut compiler = protox::Compiler::new(SCHEMAS)?;
    compiler.include_imports(true).include_source_info(true).open_files(schemas(Path::new("proto/partnership"))?)?;
    // prost's own FileDescriptorSet would drop the annotations, which are extensions: the bytes keep them.
    let descriptors = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptors.bin"), &descriptors)?;

    let mut files = compiler.file_descriptor_set();
    files.file.retain(|file| file.package() != "google.api");
    tonic_prost_build::configure()
        // One order of map entries: equal resources have equal bytes.
        .btree_map(".")
        // The envelope is moved rather than copied; its size is that of its largest kind.
        .type_attribute(".partnership.registry.v1", "#[allow(clippy::large_enum_variant)]")
        // Requests are counted before they are decoded.
        .codec_path("crate::BoundedCodec")
        .compile_fds(files)?;

    let pool = DescriptorPool::decode(descriptors.as_slice())?;
    let kinds = kinds(&pool)?;
    fs::write(out.join("kinds.rs"), table_of_kinds(&kinds)?)?;
    fs::write(out.join("methods.rs"), methods(&pool, &kinds)?)?;
    Ok(())
}

/// All `.proto` files below `folder`, relative to `proto`, in a stable order.
fn schemas(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(schemas(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path.strip_prefix("proto")?.to_path_buf());
        }
    }
    found.sort();
    Ok(found)
}

/// A kind, and what it is called where.
struct Kind {
    /// Such as `FocusArea`.
    name: String,
    /// Such as `focus_area`.
    singular: String,
    /// Such as `focus_areas`.
    plural: String,
    /// Such as `focusAreas`.
    collection: String,
    tag: u32,
}

/// All kinds, in the order of the `Resource` envelope.
fn kinds(pool: &DescriptorPool) -> Result<Vec<Kind>> {
    let envelope = pool.get_message_by_name(&format!("{PACKAGE}.Resource")).ok_or("no message Resource")?;
    let mut kinds = Vec::new();
    for field in envelope.fields() {
        let field_kind = field.kind();
        let message = field_kind.as_message().ok_or("the envelope holds messages only")?;
        let collection = collection(pool, message)?;
        kinds.push(Kind {
            name: message.name().to_owned(),
            singular: field.name().to_owned(),
            plural: collection.to_snake_case(),
            collection,
            tag: field.number(),
        });
    }
    Ok(kinds)
}

/// The collection of a kind: what stands before the slash in its `google.api.resource` pattern.
fn collection(pool: &DescriptorPool, message: &MessageDescriptor) -> Result<String> {
    let extension = pool.get_extension_by_name("google.api.resource").ok_or("no google.api.resource")?;
    let options = message.options();
    let resource = options.get_extension(&extension);
    let pattern = resource
        .as_message()
        .and_then(|resource| resource.get_field_by_name("pattern"))
        .and_then(|patterns| patterns.as_list().and_then(|list| list.first().cloned()))
        .and_then(|pattern| pattern.as_str().map(str::to_owned))
        .ok_or_else(|| format!("{} has no pattern", message.name()))?;
    let (collection, _) = pattern.split_once('/').ok_or("a pattern without a slash")?;
    Ok(collection.to_owned())
}

/// `for_each_kind!` hands the table of kinds to another macro, a row for each.
fn table_of_kinds(kinds: &[Kind]) -> Result<String> {
    let mut rows = String::new();
    for Kind { name, singular, plural, collection, tag } in kinds {
        writeln!(rows, "            {{ {name} {singular} {plural} \"{collection}\" {tag} }}")?;
    }
    Ok(table("for_each_kind", "Hands the names of all kinds to the macro that is named.", &rows))
}

fn table(name: &str, about: &str, rows: &str) -> String {
    format!(
        "/// {about}\n#[macro_export]\nmacro_rules! {name} {{\n    ($then:path) => {{\n        $then! {{\n{rows}        }}\n    }};\n}}\n"
    )
}

/// A standard method: its name without the kind's, whether that is in the plural, and the fields of its request and, if
/// that is a message of its own, of its response. `resource`, `resources` and `id` stand for the fields that are called
/// after the kind.
struct Standard {
    name: &'static str,
    plural: bool,
    request: &'static [&'static str],
    /// The fields that only the requests of some kinds have: of those whose resources stand differently from day to day.
    dated: &'static [&'static str],
    response: Option<(&'static str, &'static [&'static str])>,
}

const STANDARD: &[Standard] = &[
    Standard {
        name: "Get",
        plural: false,
        request: &["name", "read_revision", "read_time", "if_none_match", "read_mask"],
        dated: &["valid_date"],
        response: None,
    },
    Standard {
        name: "List",
        plural: true,
        request: &[
            "page_size",
            "page_token",
            "filter",
            "order_by",
            "show_deleted",
            "read_revision",
            "read_time",
            "read_mask",
            "explain",
        ],
        dated: &["valid_date"],
        response: Some(("Listed", &["resources", "next_page_token", "revision", "total_size", "plan"])),
    },
    Standard {
        name: "Create",
        plural: false,
        request: &["id", "resource", "request_id", "validate_only"],
        dated: &[],
        response: None,
    },
    Standard {
        name: "Update",
        plural: false,
        request: &["resource", "update_mask", "allow_missing", "request_id", "validate_only"],
        dated: &[],
        response: None,
    },
    Standard {
        name: "Delete",
        plural: false,
        request: &["name", "etag", "allow_missing", "request_id", "validate_only"],
        dated: &[],
        response: None,
    },
    Standard {
        name: "Undelete",
        plural: false,
        request: &["name", "etag", "request_id", "validate_only"],
        dated: &[],
        response: None,
    },
    Standard {
        name: "Rollback",
        plural: false,
        request: &["name", "etag", "request_id", "validate_only"],
        dated: &[],
        response: None,
    },
    Standard {
        name: "BatchGet",
        plural: true,
        request: &["names", "read_revision", "read_time", "read_mask"],
        dated: &["valid_date"],
        response: Some(("BatchRead", &["resources", "revision"])),
    },
];

impl Standard {
    /// The name of the method of a kind, such as `BatchGetFocusAreas`.
    fn method(&self, kind: &Kind) -> String {
        if self.plural {
            format!("{}{}", self.name, kind.plural.to_upper_camel_case())
        } else {
            format!("{}{}", self.name, kind.name)
        }
    }

    /// The type of the uniform request.
    fn uniform(&self, kind: &Kind) -> String {
        if self.request.contains(&"resource") {
            format!("crate::{}<v1::{}>", self.name, kind.name)
        } else {
            format!("crate::{}", self.name)
        }
    }
}

/// Implements `Method` for every request, `Standard` for every kind, and every service for whoever answers its methods.
fn methods(pool: &DescriptorPool, kinds: &[Kind]) -> Result<String> {
    let (mut out, mut rows) = (String::new(), String::new());
    let mut requests = HashSet::new();
    for service in pool.services().filter(|service| service.package_name() == PACKAGE) {
        let kind = kinds.iter().find(|kind| service.name() == format!("{}Service", kind.name));
        for method in service.methods() {
            if method.is_client_streaming() {
                return Err(format!("{} takes a stream; methods take one request", method.full_name()).into());
            }
            if !requests.insert(method.input().full_name().to_owned()) {
                let (method, request) = (method.full_name().to_owned(), method.input().name().to_owned());
                return Err(
                    format!("{method} takes {request}, as another method does; give it a request of its own").into()
                );
            }
            let standard = kind.and_then(|kind| {
                let standard = STANDARD.iter().find(|standard| standard.method(kind) == method.name())?;
                Some((standard, kind))
            });
            self::method(&method, standard, &mut out)?;
        }
        if let Some(kind) = kind {
            standard_methods(&service, kind, &mut out)?;
        }
        self::service(&service, &mut out)?;
        let (name, module) = (service.name(), service.name().to_snake_case());
        writeln!(rows, "            {{ {module}_server {name}Server }}")?;
    }
    for kind in kinds {
        if pool.get_service_by_name(&format!("{PACKAGE}.{}Service", kind.name)).is_none() {
            return Err(format!("the kind {} has no service; it needs a {0}Service", kind.name).into());
        }
    }
    Ok(out
        + &table(
            "for_each_service",
            "Hands the module and the server of all services to the macro that is named.",
            &rows,
        ))
}

/// Implements `Method` for the request of a method, and for a standard one the ways to and from its uniform request.
fn method(method: &MethodDescriptor, standard: Option<(&Standard, &Kind)>, out: &mut String) -> Result<()> {
    let input = method.input();
    let (request, response) = (type_of(&input)?, type_of(&method.output())?);
    let name = format!("{}/{}", method.parent_service().full_name(), method.name());
    let (uniform, body) = match standard {
        Some((standard, kind)) => {
            let uniform = standard.uniform(kind);
            alike(&uniform, &input, standard.request, standard.dated, kind, out)?;
            if let Some((uniform, fields)) = standard.response {
                numbered(&method.output(), fields.len())?;
                alike(&format!("crate::{uniform}<v1::{}>", kind.name), &method.output(), fields, &[], kind, out)?;
            } else if method.output().name() != kind.name {
                return Err(format!("{name} must answer a {}", kind.name).into());
            }
            (format!("crate::Of<v1::{}, {uniform}>", kind.name), "crate::Of::new(self)")
        }
        None => ("Self".to_owned(), "self"),
    };
    writeln!(
        out,
        "impl crate::Method for {request} {{\n    \
         type Response = {response};\n    \
         type Uniform = {uniform};\n    \
         const NAME: &'static str = \"{name}\";\n    \
         const PATH: &'static str = \"/{name}\";\n    \
         fn uniform(self) -> Self::Uniform {{ {body} }}"
    )?;
    missing(&input, out)?;
    for (field, value) in [("request_id", "String"), ("validate_only", "bool")] {
        if input.get_field_by_name(field).is_some() {
            writeln!(out, "    fn {field}_mut(&mut self) -> Option<&mut {value}> {{ Some(&mut self.{field}) }}")?;
        }
    }
    writeln!(out, "}}")?;
    Ok(())
}

/// Fails on a response whose fields are not numbered as they are listed: the server puts it together from bytes, for all
/// kinds alike.
fn numbered(response: &MessageDescriptor, fields: usize) -> Result<()> {
    let numbers: Vec<usize> = response.fields().map(|field| field.number() as usize).collect();
    if (1..=fields).eq(numbers.iter().copied()) {
        return Ok(());
    }
    Err(format!("{} has the numbers {numbers:?}, and must have 1 to {fields} in this order", response.name()).into())
}

/// Implements `Method::missing` for a request that has REQUIRED fields.
fn missing(input: &MessageDescriptor, out: &mut String) -> Result<()> {
    let behavior = input.parent_pool().get_extension_by_name("google.api.field_behavior");
    let behavior = behavior.ok_or("no google.api.field_behavior")?;
    let mut body = String::new();
    for field in input.fields() {
        let options = field.options();
        let said = options.get_extension(&behavior);
        let mut said = said.as_list().into_iter().flatten().filter_map(|value| value.as_enum_number());
        if !said.any(|number| number == REQUIRED) {
            continue;
        }
        let (name, full_name) = (field.name(), field.full_name());
        let lacks = match field.kind() {
            _ if field.containing_oneof().is_some() => {
                return Err(
                    format!("{full_name} is REQUIRED, and may be left out for another field of its oneof").into()
                );
            }
            _ if field.is_list() || field.is_map() => "is_empty()",
            Type::String => "is_empty()",
            Type::Message(_) => "is_none()",
            Type::Enum(_) | Type::Int32 | Type::Int64 | Type::Uint64 => "eq(&0)",
            other @ (Type::Bool
            | Type::Bytes
            | Type::Double
            | Type::Float
            | Type::Uint32
            | Type::Sint32
            | Type::Sint64
            | Type::Fixed32
            | Type::Fixed64
            | Type::Sfixed32
            | Type::Sfixed64) => {
                return Err(format!("{full_name} is REQUIRED, and of a {other:?} nobody can tell if it is set").into());
            }
        };
        writeln!(body, "        if self.{name}.{lacks} {{ missing.push(\"{name}\"); }}")?;
    }
    if !body.is_empty() {
        writeln!(
            out,
            "    fn missing(&self) -> Vec<&'static str> {{\n        let mut missing = Vec::new();\n{body}        missing\n    }}"
        )?;
    }
    Ok(())
}

/// The Rust type of a message of the contract.
fn type_of(message: &MessageDescriptor) -> Result<String> {
    if message.package_name() != PACKAGE || message.parent_message().is_some() {
        return Err(format!("{} is asked for or answered, and is no message of {PACKAGE}", message.full_name()).into());
    }
    Ok(format!("v1::{}", message.name().to_upper_camel_case()))
}

/// Implements the ways between a message and its uniform twin, which must have the same fields; but for those that only
/// some kinds have.
fn alike(
    uniform: &str,
    message: &MessageDescriptor,
    fields: &[&str],
    dated: &[&'static str],
    kind: &Kind,
    out: &mut String,
) -> Result<()> {
    let own = |field: &str| match field {
        "id" => format!("{}_id", kind.singular),
        "resource" => kind.singular.clone(),
        "resources" => kind.plural.clone(),
        field => field.to_owned(),
    };
    let (has, lacks): (Vec<&str>, Vec<&str>) =
        dated.iter().copied().partition(|field| message.get_field_by_name(field).is_some());
    let fields = [fields, has.as_slice()].concat();
    let names: Vec<String> = fields.iter().map(|field| own(field)).collect();
    if let Some(missing) = names.iter().find(|name| message.get_field_by_name(name).is_none()) {
        return Err(format!("{} lacks the field {missing}, which it must have for every kind", message.name()).into());
    }
    if let Some(more) = message.fields().find(|field| !names.iter().any(|name| name == field.name())) {
        let (message, more) = (message.name(), more.name());
        return Err(format!(
            "{message} has the field {more}, which no standard method has; add it to all kinds, to STANDARD in build.rs and \
             to proto/method.rs"
        )
        .into());
    }
    let into: Vec<String> = fields.iter().zip(&names).map(|(field, name)| format!("{name}: it.{field}")).collect();
    let from = fields.iter().zip(&names).map(|(field, name)| format!("{field}: it.{name}"));
    let from: Vec<String> = from.chain(lacks.iter().map(|field| format!("{field}: None"))).collect();
    let message = type_of(message)?;
    writeln!(
        out,
        "impl From<{uniform}> for {message} {{\n    fn from(it: {uniform}) -> Self {{ Self {{ {} }} }}\n}}\n\
         impl From<{message}> for {uniform} {{\n    fn from(it: {message}) -> Self {{ Self {{ {} }} }}\n}}",
        into.join(", "),
        from.join(", ")
    )?;
    Ok(())
}

/// Implements `Standard` for a kind, whose service must have all standard methods.
fn standard_methods(service: &ServiceDescriptor, kind: &Kind, out: &mut String) -> Result<()> {
    let get = service.methods().find(|method| method.name() == format!("Get{}", kind.name));
    let dated = get.is_some_and(|get| get.input().get_field_by_name("valid_date").is_some());
    writeln!(out, "impl crate::Standard for v1::{} {{\n    const DATED: bool = {dated};", kind.name)?;
    for standard in STANDARD {
        let name = standard.method(kind);
        let method = service.methods().find(|method| method.name() == name);
        let method = method.ok_or_else(|| format!("{} lacks the standard method {name}", service.name()))?;
        writeln!(out, "    type {} = {};", standard.name, type_of(&method.input())?)?;
    }
    writeln!(out, "}}")?;
    Ok(())
}

/// Implements a service for whoever answers its methods: `Unary` and `Streaming` are the only way in.
fn service(service: &ServiceDescriptor, out: &mut String) -> Result<()> {
    let (name, module) = (service.name(), service.name().to_snake_case());
    let (mut bounds, mut methods) = (String::new(), String::new());
    for method in service.methods() {
        let (request, response) = (type_of(&method.input())?, type_of(&method.output())?);
        let rust_name = method.name().to_snake_case();
        let (way, answer) = if method.is_server_streaming() {
            let stream = format!("{}Stream", method.name());
            writeln!(methods, "    type {stream} = <D as crate::Streaming<{request}>>::Answers;")?;
            ("Streaming", format!("Self::{stream}"))
        } else {
            ("Unary", response)
        };
        let call = way.to_snake_case();
        write!(bounds, " + crate::{way}<{request}>")?;
        // As `tonic::async_trait` would write it, but for the room that its future would keep for the request.
        writeln!(
            methods,
            "    fn {rust_name}<'a, 'b>(&'a self, request: tonic::Request<{request}>) \
             -> crate::method::BoxFuture<'b, Result<tonic::Response<{answer}>, tonic::Status>> where 'a: 'b, Self: 'b {{\n        \
             Box::pin(crate::{way}::{call}(self, request))\n    }}"
        )?;
    }
    writeln!(out, "impl<D: Send + Sync + 'static{bounds}> v1::{module}_server::{name} for D {{\n{methods}}}")?;
    Ok(())
}
