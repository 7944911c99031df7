//! Turns `proto/` into Rust, in Rust alone: protox reads the schemas (no protoc is needed), tonic-build's generator
//! writes the services, and the descriptors are kept with all their annotations, since the server enforces them.
//!
//! It also writes the table of kinds, `for_each_kind!`: a kind is whatever message has a `google.api.resource`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_reflect::{DescriptorPool, MessageDescriptor};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=proto");

    let mut compiler = protox::Compiler::new(["proto"])?;
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
        .compile_fds(files)?;

    let pool = DescriptorPool::decode(descriptors.as_slice())?;
    fs::write(out.join("kinds.rs"), kinds(&pool)?)?;
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

/// Two macros that hand the table of kinds to another macro, a row for each kind in the order of the `Resource` envelope:
/// `for_each_kind!` with the names of the kind, `for_each_service!` with those of its service, requests and methods too.
fn kinds(pool: &DescriptorPool) -> Result<String> {
    let envelope = pool.get_message_by_name("partnership.registry.v1.Resource").ok_or("no message Resource")?;
    let (mut kinds, mut services) = (String::new(), String::new());
    for field in envelope.fields() {
        let field_kind = field.kind();
        let message = field_kind.as_message().ok_or("the envelope holds messages only")?;
        let collection = collection(pool, message)?;
        let (tag, singular, kind) = (field.number(), field.name(), message.name());
        let plural = snake_case(&collection);
        let kinds_plural = pascal_case(&plural);
        writeln!(kinds, "            {{ {kind} {singular} {plural} \"{collection}\" {tag} }}")?;
        writeln!(
            services,
            "            {{\n                {kind} {singular} {singular}_id {plural}\n                \
             service {kind}Service {singular}_service_server {kind}ServiceServer\n                \
             client {singular}_service_client {kind}ServiceClient\n                \
             get get_{singular} Get{kind}Request\n                \
             list list_{plural} List{kinds_plural}Request List{kinds_plural}Response\n                \
             create create_{singular} Create{kind}Request\n                \
             update update_{singular} Update{kind}Request\n                \
             delete delete_{singular} Delete{kind}Request\n                \
             undelete undelete_{singular} Undelete{kind}Request\n                \
             batch_get batch_get_{plural} BatchGet{kinds_plural}Request BatchGet{kinds_plural}Response\n            }}"
        )?;
    }
    let table = |name: &str, about: &str, rows: &str| {
        format!(
            "/// {about}\n#[macro_export]\nmacro_rules! {name} {{\n    ($then:path) => {{\n        $then! {{\n{rows}        }}\n    }};\n}}\n"
        )
    };
    Ok(table("for_each_kind", "Hands the names of all kinds to the macro that is named.", &kinds)
        + &table("for_each_service", "Hands the names of all kinds' services to the macro that is named.", &services))
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

fn snake_case(camel: &str) -> String {
    let mut snake = String::new();
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn pascal_case(snake: &str) -> String {
    snake
        .split('_')
        .map(|word| {
            word.chars().take(1).map(|first| first.to_ascii_uppercase()).chain(word.chars().skip(1)).collect::<String>()
        })
        .collect()
}
