//! Tests of reading a contract: the real one, and small ones that say what the registry does not support.

use partnership_registry::FILE_DESCRIPTOR_SET;
use prost_reflect::DescriptorPool;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, File, FileResolver};

use partnership_registry::v1::Format;

use super::*;
use crate::kinds::{self, KindRules};

/// The tables of the real contract.
pub(crate) fn contract() -> Schemas {
    Schemas::new(partnership_registry::descriptors(), kinds::ALL).unwrap()
}

/// The tables of the real contract, in which a field of a kind is immutable that is not so there.
pub(crate) fn contract_with_immutable(collection: &str, field: &str) -> Schemas {
    let mut schemas = contract();
    let shape = schemas.kind(kind_of(&schemas, collection)).shape;
    let fields = schemas.shapes.get_mut(shape.0).map(|shape| &mut shape.fields);
    fields.into_iter().flatten().find(|known| known.name == field).unwrap().immutable = true;
    schemas
}

/// The kind of a collection of the real contract.
pub(crate) fn kind_of(schemas: &Schemas, collection: &str) -> KindId {
    schemas.by_collection(collection).unwrap()
}

const FIELD_RULE: &str = "partnership/registry/v1/field_rule.proto";

/// Files by their names, in front of those of the real contract.
struct Sources(Vec<(&'static str, String)>);

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.iter().find(|(known, _)| *known == name) {
            Some((_, source)) => File::from_source(name, source),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// A contract of one kind, `Thing`, with these fields and these further messages.
fn small(fields: &str, messages: &str) -> DescriptorPool {
    let contract = format!(
        r#"
        syntax = "proto3";
        package partnership.registry.v1;
        import "google/api/field_behavior.proto";
        import "google/api/resource.proto";
        import "google/protobuf/duration.proto";
        import "google/protobuf/timestamp.proto";
        import "partnership/registry/v1/field_rule.proto";
        message Thing {{
          option (google.api.resource) = {{ type: "partnership.registry/Thing" pattern: "things/{{thing}}" }};
          {fields}
        }}
        message Resource {{ oneof kind {{ Thing thing = 7; }} }}
        {messages}
        "#
    );
    // A format that a later contract may have, and this registry does not.
    let field_rule = include_str!("../../../../proto/partnership/registry/v1/field_rule.proto");
    let field_rule = field_rule.replace("FORMAT_LABEL_KEY = 11;", "FORMAT_LABEL_KEY = 11; FORMAT_OF_TOMORROW = 999;");
    let mut resolver = ChainFileResolver::new();
    resolver.add(Sources(vec![("contract.proto", contract), (FIELD_RULE, field_rule)]));
    resolver.add(DescriptorSetFileResolver::decode(FILE_DESCRIPTOR_SET).unwrap());
    resolver.add(protox::file::GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).open_file("contract.proto").unwrap();
    compiler.descriptor_pool()
}

fn rules() -> KindRules {
    KindRules { singular: "thing", ..*kinds::ALL.first().unwrap() }
}

/// The tables of a contract of one kind, `things`, with these fields and these further messages.
pub(crate) fn small_contract(fields: &str, messages: &str) -> Schemas {
    read_small(fields, messages).unwrap()
}

fn read_small(fields: &str, messages: &str) -> Result<Schemas, String> {
    Schemas::new(&small(fields, messages), &[rules()])
}

#[test]
fn the_contract_is_read_whole() {
    let schemas = contract();
    assert_eq!(schemas.kinds.len(), kinds::ALL.len());
    for id in schemas.kind_ids() {
        let kind = schemas.kind(id);
        assert_eq!(schemas.by_collection(&kind.collection), Some(id));
        assert_eq!(schemas.by_tag(kind.tag), Some(id));
        assert!(schemas.shape_of(id).strips, "every kind has fields that the server writes: {}", kind.collection);
        let labels = schemas.shape_of(id).by_name("labels").map(|field| field.label);
        assert_eq!(labels, Some(Label::Map { items_max: 64, key_format: Format::LabelKey }), "{}", kind.collection);
    }
}

#[test]
fn what_the_annotations_say_is_in_the_tables() {
    let schemas = read_small(
        r#"
        string name = 1 [(google.api.field_behavior) = IDENTIFIER];
        string code = 3 [(google.api.field_behavior) = REQUIRED, (google.api.field_behavior) = IMMUTABLE,
                         (rule).format = FORMAT_REGION_CODE, (rule).max_length = 2];
        repeated string others = 2 [(google.api.field_behavior) = OPTIONAL,
                                    (google.api.resource_reference).type = "partnership.registry/Thing"];
        string anything = 4 [(google.api.field_behavior) = OPTIONAL, (google.api.resource_reference).type = "*"];
        optional int32 score = 5 [(rule).min = -1.5, (rule).max = 5, (google.api.field_behavior) = OPTIONAL];
        Part part = 6 [(google.api.field_behavior) = OPTIONAL];
        google.protobuf.Timestamp time = 8 [(google.api.field_behavior) = OPTIONAL, (rule).set_at_creation = true];
        repeated string several = 9 [(google.api.field_behavior) = OPTIONAL, (google.api.resource_reference).type = "*",
                                     (rule).reference_types = "partnership.registry/Thing"];
        string parent = 10 [(google.api.field_behavior) = OPTIONAL,
                            (google.api.resource_reference).type = "partnership.registry/Thing",
                            (rule).ancestors_max = 7];
        "#,
        r#"message Part { double weight = 1 [(google.api.field_behavior) = OUTPUT_ONLY];
                         uint64 count = 2 [(google.api.field_behavior) = OPTIONAL]; }"#,
    )
    .unwrap();
    let kind = schemas.by_collection("things").unwrap();
    assert_eq!((schemas.kind(kind).tag, schemas.by_tag(7)), (7, Some(kind)));
    let thing = schemas.shape_of(kind);
    let expected = [
        ("name", "Single", "Text { format: Unspecified, length_max: 4096 }", "identifier"),
        ("others", "List { items_max: 1000 }", "Reference(Kind(KindId(0)))", ""),
        ("code", "Single", "Text { format: RegionCode, length_max: 2 }", "required immutable"),
        ("anything", "Single", "Reference(Any)", ""),
        ("score", "Single", "Number { number: Signed, min: Some(-1.5), max: Some(5.0) }", ""),
        ("part", "Single", "Message(ShapeId(0))", ""),
        ("time", "Single", "Message(ShapeId(1))", "set_at_creation"),
        ("several", "List { items_max: 1000 }", "Reference(OneOf([KindId(0)]))", ""),
        ("parent", "Single", "Reference(Kind(KindId(0)))", ""),
    ];
    let parent =
        schemas.kind(kind).parent.as_ref().map(|field| (field.number, field.name.as_str(), field.ancestors_max));
    assert_eq!(parent, Some((10, "parent", 7)));
    assert_eq!(thing.fields.len(), expected.len());
    for (field, (name, label, value, behaviours)) in thing.fields.iter().zip(expected) {
        let said = [
            (field.required, "required"),
            (field.immutable, "immutable"),
            (field.output_only, "output_only"),
            (field.identifier, "identifier"),
            (field.set_at_creation, "set_at_creation"),
        ];
        let said: Vec<_> = said.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        let read = (field.name.as_str(), format!("{:?}", field.label), format!("{:?}", field.value), said.join(" "));
        assert_eq!(read, (name, label.to_owned(), value.to_owned(), behaviours.to_owned()));
    }
    let part = thing.by_name("part").and_then(Field::single_message).map(|id| schemas.shape(id)).unwrap();
    assert!(part.strips && thing.strips, "an output-only field is seen from above");
    let time = thing.by_name("time").and_then(Field::single_message).map(|id| schemas.shape(id)).unwrap();
    assert_eq!(time.shared, Some(SharedValue::Timestamp));
}

#[test]
fn what_the_registry_would_not_enforce_is_refused_when_the_contract_is_read() {
    let table = [
        ("uint32 x = 1;", "", "Thing.x is of the type uint32"),
        ("sint64 x = 1;", "", "Thing.x is of the type sint64"),
        ("fixed32 x = 1;", "", "Thing.x is of the type fixed32"),
        ("float x = 1;", "", "Thing.x is of the type float"),
        ("bytes x = 1;", "", "Thing.x is of the type bytes"),
        ("repeated int32 x = 1;", "", "Thing.x is a list of numbers"),
        ("repeated bool x = 1;", "", "Thing.x is a list of numbers, truths"),
        (
            "repeated Mode x = 1 [(google.api.field_behavior) = OUTPUT_ONLY];",
            "enum Mode { MODE_UNSPECIFIED = 0; }",
            "Thing.x is a list of numbers, truths or enum values",
        ),
        (
            "repeated Mode x = 1 [packed = false];",
            "enum Mode { MODE_UNSPECIFIED = 0; }",
            "Thing.x is a list of numbers, truths or enum values",
        ),
        ("map<string, int32> x = 1;", "", "Thing.x is a map other than of texts by texts"),
        ("map<int32, string> x = 1;", "", "Thing.x is a map other than of texts by texts"),
        ("oneof x { string a = 1; string b = 2; }", "", "Thing has a oneof"),
        ("Part x = 1;", "message Part { Part part = 1; }", "Part holds itself"),
        ("google.protobuf.Duration x = 1;", "", "google.protobuf.Duration is a message of another package"),
        (
            "string x = 1 [(google.api.field_behavior) = INPUT_ONLY];",
            "",
            "Thing.x has the behaviour 4 (INPUT_ONLY), which the registry does not enforce",
        ),
        (
            "string x = 1 [(rule).format = FORMAT_OF_TOMORROW];",
            "",
            "Thing.x has the format 999, which the registry cannot check",
        ),
        ("int32 x = 1 [(rule).format = FORMAT_URI];", "", "Thing.x has a length or a format, and is no text"),
        ("bool x = 1 [(rule).max_length = 5];", "", "Thing.x has a length or a format, and is no text"),
        ("string x = 1 [(rule).min = 5];", "", "Thing.x has a bound, and is no number"),
        ("string x = 1 [(rule).max_items = 5];", "", "Thing.x has a number of items, and is no list"),
        (
            r#"string x = 1 [(google.api.resource_reference).type = "partnership.registry/Other"];"#,
            "",
            "Thing.x refers to partnership.registry/Other, no kind",
        ),
        (r#"int32 x = 1 [(google.api.resource_reference).type = "*"];"#, "", "Thing.x is a reference, and no string"),
        (
            r#"string x = 1 [(google.api.resource_reference).type = "*", (rule).reference_types = "other/Thing"];"#,
            "",
            "Thing.x refers to other/Thing, no kind",
        ),
        (
            r#"string x = 1 [(google.api.resource_reference).type = "partnership.registry/Thing",
                             (rule).reference_types = "partnership.registry/Thing"];"#,
            "",
            "Thing.x has types of references, and no resource_reference of the type *",
        ),
        (
            r#"string x = 1 [(rule).reference_types = "partnership.registry/Thing"];"#,
            "",
            "Thing.x has types of references, and no resource_reference of the type *",
        ),
        (
            "string x = 1 [(google.api.field_behavior) = OPTIONAL, (rule).ancestors_max = 5];",
            "",
            "Thing.x has a number of ancestors, and is no single reference",
        ),
        (
            r#"string x = 1 [(google.api.field_behavior) = OPTIONAL, (google.api.resource_reference).type = "*", (rule).ancestors_max = 5];"#,
            "",
            "Thing.x has a number of ancestors, and is no single reference to the same kind",
        ),
        (
            r#"repeated string x = 1 [(google.api.field_behavior) = OPTIONAL, (google.api.resource_reference).type = "partnership.registry/Thing",
                                      (rule).ancestors_max = 5];"#,
            "",
            "Thing.x has a number of ancestors, and is no single reference to the same kind",
        ),
        (
            r#"string x = 1 [(google.api.field_behavior) = OPTIONAL, (google.api.resource_reference).type = "partnership.registry/Thing", (rule).ancestors_max = 5];
               string y = 2 [(google.api.field_behavior) = OPTIONAL, (google.api.resource_reference).type = "partnership.registry/Thing", (rule).ancestors_max = 5];"#,
            "",
            "Thing has two fields with a number of ancestors",
        ),
        (
            "Part x = 1;",
            r#"message Part { string y = 1 [(google.api.field_behavior) = OPTIONAL, (google.api.resource_reference).type = "partnership.registry/Thing",
                                             (rule).ancestors_max = 5]; }"#,
            "Part.y has a number of ancestors, and is no field of a kind",
        ),
        (
            "Part x = 1;",
            "message Part { string y = 1 [(google.api.field_behavior) = IMMUTABLE]; }",
            "Part.y is immutable, an identifier or set at creation, and no field of a kind",
        ),
        ("string x = 1;", "", "Thing.x does not say how it behaves"),
        ("string x = 1 [(rule).max_length = 5];", "", "Thing.x does not say how it behaves"),
        (
            "Part x = 1 [(google.api.field_behavior) = OPTIONAL];",
            "message Part { string y = 1; }",
            "Part.y does not say how it behaves",
        ),
    ];
    for (fields, messages, expected) in table {
        let error = read_small(fields, messages).expect_err(fields);
        assert!(error.contains(expected), "{fields} {messages}: {error}");
    }
}

#[test]
fn a_kind_without_rules_or_names_is_refused() {
    let pool = small("string name = 1;", "");
    let error = Schemas::new(&pool, &[]).unwrap_err();
    assert_eq!(error, "the kind thing has no rules");
    let error = Schemas::new(&DescriptorPool::new(), &[rules()]).unwrap_err();
    assert_eq!(error, "there is no message partnership.registry.v1.Resource");
}
