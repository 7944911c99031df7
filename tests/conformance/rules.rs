//! The rules of fields: for each annotated field of each kind, however deep, what breaks its rule is refused by the path
//! of the field, and what just keeps it is not.
//!
//! Each fault is put into a resource that is good otherwise, so that nothing else can be what is refused.

use partnership_registry::descriptors;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as Type, MapKey, MessageDescriptor, Value};
use tonic::Code;

use super::coverage::Coverage;
use super::kind::{Kind, PACKAGE, Rules, is_settable, rules};
use super::sample::{Fill, counterexamples, freed, is_like_another, with_room};
use super::suite::Suite;
use crate::harness::dynamic::{message, string, text};
use crate::harness::refused;

/// A field somewhere in a resource.
pub(crate) struct Site {
    /// How to get to the message that has the field: fields, and for lists which item.
    steps: Vec<(FieldDescriptor, Option<usize>)>,
    pub(crate) field: FieldDescriptor,
    /// The path of the field.
    pub(crate) path: String,
}

/// Something that a field must not be.
struct Fault {
    what: String,
    /// `None`: the field is left out.
    value: Option<Value>,
    /// The path that must be named.
    path: String,
    code: Code,
    reason: &'static str,
}

impl Site {
    /// The resource with another value here.
    pub(crate) fn with(&self, resource: &DynamicMessage, value: Option<Value>) -> DynamicMessage {
        let mut resource = resource.clone();
        let mut at = &mut resource;
        for (field, index) in &self.steps {
            let inner = at.get_field_mut(field);
            at = match index {
                None => inner.as_message_mut().unwrap(),
                Some(index) => inner.as_list_mut().unwrap()[*index].as_message_mut().unwrap(),
            };
        }
        match value {
            Some(value) => at.set_field(&self.field, value),
            None => at.clear_field(&self.field),
        }
        resource
    }

    /// The value of the field in a resource; of a list the first item.
    pub(crate) fn value(&self, resource: &DynamicMessage) -> Value {
        let mut at = resource.clone();
        for (field, index) in &self.steps {
            let inner = at.get_field(field).into_owned();
            at = match index {
                None => inner.as_message().unwrap().clone(),
                Some(index) => inner.as_list().unwrap()[*index].as_message().unwrap().clone(),
            };
        }
        match at.get_field(&self.field).into_owned() {
            Value::List(items) => items[0].clone(),
            value => value,
        }
    }

    /// One value of the field in whatever the field needs: itself or a list.
    pub(crate) fn wrap(&self, value: Value) -> Value {
        if self.field.is_list() { Value::List(vec![value]) } else { value }
    }

    /// The path of one value.
    pub(crate) fn item_path(&self) -> String {
        if self.field.is_list() { format!("{}[0]", self.path) } else { self.path.clone() }
    }

    fn fault(&self, what: impl Into<String>, value: Option<Value>, path: String) -> Fault {
        Fault { what: what.into(), value, path, code: Code::InvalidArgument, reason: "INVALID_FIELDS" }
    }

    fn bad(&self, what: impl Into<String>, value: Value) -> Fault {
        self.fault(what, Some(self.wrap(value)), self.item_path())
    }
}

/// Every field of a resource, however deep, that a caller sets. In a list it is that of the first item which has it.
pub(crate) fn sites(resource: &DynamicMessage, descriptor: &MessageDescriptor, prefix: &str) -> Vec<Site> {
    let mut found = Vec::new();
    visit(&[resource], descriptor, &[], prefix, &mut found);
    found
}

type Steps = [(FieldDescriptor, Option<usize>)];

fn visit(
    items: &[&DynamicMessage],
    descriptor: &MessageDescriptor,
    steps: &Steps,
    prefix: &str,
    found: &mut Vec<Site>,
) {
    for field in descriptor.fields().filter(is_settable) {
        let index = items.iter().position(|item| item.has_field(&field)).unwrap_or(0);
        let mut steps = steps.to_vec();
        let mut path = prefix.to_owned();
        if let Some((_, Some(last))) = steps.last_mut() {
            *last = index;
            path = format!("{prefix}[{index}]");
        }
        let path = format!("{path}.{}", field.name());
        if let Type::Message(inner) = field.kind()
            && inner.package_name() == PACKAGE
            && !field.is_map()
        {
            let value = items[index].get_field(&field).into_owned();
            let below: Vec<&DynamicMessage> = match &value {
                Value::List(items) => items.iter().filter_map(Value::as_message).collect(),
                value => value.as_message().into_iter().collect(),
            };
            assert!(!below.is_empty(), "the full sample has nothing in {}", field.full_name());
            let mut steps = steps.clone();
            steps.push((field.clone(), field.is_list().then_some(0)));
            visit(&below, &inner, &steps, &path, found);
        }
        found.push(Site { steps, field, path });
    }
}

/// What the field must not be, by its annotations.
async fn faults(suite: &Suite, site: &Site) -> Vec<Fault> {
    let mut found = Vec::new();
    let (field, rules) = (&site.field, rules(&site.field));
    if rules.required {
        found.push(site.fault("left out", None, site.path.clone()));
    }
    if field.is_map() {
        map_faults(site, &rules, &mut found);
        return found;
    }
    if field.is_list() {
        let items = (0..=rules.max_items).map(|n| suite.sampler.item(field, Fill::Least, n % 7)).collect();
        found.push(site.fault("one item too many", Some(Value::List(items)), site.path.clone()));
    }
    match field.kind() {
        Type::String => match &rules.reference {
            Some(_) => reference_faults(suite, site, &rules, &mut found).await,
            None => {
                // Of a free text and of a link nothing but the length is refused.
                let formed = !matches!(rules.format.as_str(), "FORMAT_UNSPECIFIED" | "FORMAT_URI");
                for bad in counterexamples(&rules.format).iter().filter(|_| formed) {
                    found.push(site.bad(format!("{bad:?} as a {}", rules.format), string(*bad)));
                }
                let long = string("x".repeat(rules.max_length + 1));
                found.push(site.bad("one character too many", long));
            }
        },
        Type::Enum(_) => found.push(site.bad("a value without a meaning", Value::EnumNumber(9_999))),
        Type::Message(inner) => {
            for (what, part, value) in bad_shared_values(&inner) {
                let bad = site.bad(what, Value::Message(value));
                let path = if part.is_empty() { bad.path } else { format!("{}.{part}", bad.path) };
                found.push(Fault { path, ..bad });
            }
        }
        Type::Double => {
            found.push(site.bad("no number", Value::F64(f64::NAN)));
            found.push(site.bad("no end", Value::F64(f64::INFINITY)));
        }
        _ => {}
    }
    for (what, bound) in [("too low", rules.min.map(|min| min - 1.0)), ("too high", rules.max.map(|max| max + 1.0))] {
        if let Some(bound) = bound {
            found.push(site.bad(what, numeric(field, bound)));
        }
    }
    found
}

fn map_faults(site: &Site, rules: &Rules, found: &mut Vec<Fault>) {
    let entry =
        |key: &str, value: String| Some(Value::Map([(MapKey::String(key.into()), Value::String(value))].into()));
    let path = |key: &str| format!("{}[{key:?}]", site.path);
    let many = (0..=rules.max_items).map(|n| (MapKey::String(format!("key-{n}")), string("value"))).collect();
    found.push(site.fault("one entry too many", Some(Value::Map(many)), site.path.clone()));
    found.push(site.fault("no key", entry("", "value".into()), path("")));
    found.push(site.fault("a value too long", entry("key", "x".repeat(rules.max_length + 1)), path("key")));
    for bad in counterexamples(&rules.format) {
        found.push(site.fault(format!("the key {bad:?}"), entry(bad, "value".into()), path(bad)));
    }
}

async fn reference_faults(suite: &Suite, site: &Site, rules: &Rules, found: &mut Vec<Fault>) {
    let kind = suite.kind(rules.target().unwrap());
    let collection = &kind.collection;
    for bad in [
        "nonsense",
        "/",
        "ships/one",
        &format!("{collection}/"),
        &format!("{collection}/A B"),
        &format!("{collection}/a/b"),
    ] {
        found.push(site.bad(format!("the reference {bad:?}"), string(bad)));
    }
    for other in suite.kinds.iter().filter(|other| !rules.refers_to(&other.resource_type)) {
        let other = suite.sampler.name(&other.resource_type, 0);
        found.push(site.bad(format!("the reference {other:?}"), string(other)));
    }
    if site.field.is_list() {
        found.push(site.bad("a reference to nothing", string("")));
    }
    if is_like_another(&site.field) {
        // A name that the other field does not have is refused for that, whether there is such a resource or not.
        return;
    }
    let dangling = |what: &str, name: String| Fault {
        code: Code::FailedPrecondition,
        reason: "REFERENCE_NOT_FOUND",
        ..site.bad(what, string(name))
    };
    found.push(dangling("a reference to what is not there", format!("{collection}/{}", suite.id())));
    found.push(dangling("a reference to what is deleted", deleted(suite, kind).await));
}

/// A deleted resource of a kind: one for all.
async fn deleted(suite: &Suite, kind: &Kind) -> String {
    let name = format!("{}/{}-deleted", kind.collection, suite.sampler.run);
    if suite.get(kind, &name).await.is_err() {
        let id = name.split('/').next_back().unwrap();
        suite.create(kind, id, suite.sampler.resource(kind, Fill::Least, 0)).await.unwrap();
        suite.delete(kind, &name).await.unwrap();
    }
    name
}

/// What the values that several kinds share must not be, and which of their fields is then named.
fn bad_shared_values(descriptor: &MessageDescriptor) -> Vec<(&'static str, &'static str, DynamicMessage)> {
    let date = |year, month, day| {
        let fields = [("year", Value::I32(year)), ("month", Value::I32(month)), ("day", Value::I32(day))];
        message(descriptor, fields)
    };
    match descriptor.full_name() {
        "partnership.registry.v1.PartialDate" => vec![
            ("a month of three digits", "month", date(2024, 100, 0)),
            ("a day of three digits", "day", date(2024, 1, 100)),
            ("a negative month", "month", date(2024, -1, 0)),
            ("a negative day", "day", date(2024, 1, -1)),
            ("the year 10000", "year", date(10_000, 0, 0)),
            ("a negative year", "year", date(-1, 0, 0)),
            ("a month without a year", "month", date(0, 5, 0)),
            ("a day without a month", "day", date(2024, 0, 5)),
            ("a date that says nothing", "", date(0, 0, 0)),
            ("an unknown date with a year", "unknown", {
                let mut unknown = date(2024, 0, 0);
                unknown.set_field_by_name("unknown", Value::Bool(true));
                unknown
            }),
        ],
        "partnership.registry.v1.DateInterval" => {
            let year = |field: &str, year| {
                let date = descriptor.get_field_by_name(field).unwrap().kind();
                Value::Message(message(date.as_message().unwrap(), [("year", Value::I32(year))]))
            };
            let fields = [("start_date", year("start_date", 2001)), ("end_date", year("end_date", 2000))];
            vec![("an end before the start", "end_date", message(descriptor, fields))]
        }
        "google.type.Money" => {
            let money = |currency: &str, units, nanos| {
                message(
                    descriptor,
                    [("currency_code", string(currency)), ("units", Value::I64(units)), ("nanos", Value::I32(nanos))],
                )
            };
            vec![
                ("money of no currency", "currency_code", money("", 1, 0)),
                ("money of a bad currency", "currency_code", money("euro", 1, 0)),
                ("too many nanos", "nanos", money("EUR", 1, 1_000_000_000)),
                ("two signs", "nanos", money("EUR", 1, -1)),
            ]
        }
        "google.protobuf.Timestamp" => vec![
            ("negative nanos", "nanos", message(descriptor, [("seconds", Value::I64(1)), ("nanos", Value::I32(-1))])),
            ("a second and a half in nanos", "nanos", message(descriptor, [("nanos", Value::I32(1_500_000_000))])),
            ("the year 10000", "", message(descriptor, [("seconds", Value::I64(253_402_300_800))])),
        ],
        _ => Vec::new(),
    }
}

fn numeric(field: &FieldDescriptor, number: f64) -> Value {
    match field.kind() {
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => Value::I32(number as i32),
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => Value::I64(number as i64),
        Type::Float => Value::F32(number as f32),
        Type::Double => Value::F64(number),
        other => panic!("{} has bounds, and is a {other:?}", field.full_name()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_rule_of_a_field_is_refused_by_its_path() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let good = suite.sampler.resource(kind, Fill::All, 0);
        suite.try_create(kind, good.clone()).await.unwrap();
        let mut seen = 0;
        for site in sites(&good, &kind.message, &kind.singular) {
            let good = with_room(&freed(&good, &site.field), &site.path);
            for fault in faults(&suite, &site).await {
                seen += 1;
                let told = refused(suite.try_create(kind, site.with(&good, fault.value)).await);
                let what = format!("{}: {}", site.path, fault.what);
                assert_eq!((told.code, told.reason.as_str()), (fault.code, fault.reason), "{what}: {}", told.message);
                assert!(told.names(&fault.path), "{what}: it names others than {}: {told:?}", fault.path);
            }
        }
        assert!(seen > 60, "{}: few rules: {seen}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_just_keeps_the_rule_of_a_field_is_accepted() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let good = suite.sampler.resource(kind, Fill::All, 0);
        for site in sites(&good, &kind.message, &kind.singular) {
            let (field, rules) = (&site.field, rules(&site.field));
            let good = with_room(&freed(&good, field), &site.path);
            let mut edges: Vec<(String, Value, bool)> = Vec::new();
            if matches!(field.kind(), Type::String) && rules.reference.is_none() && rules.format == "FORMAT_UNSPECIFIED"
            {
                // Characters are counted, not bytes.
                let longest = site.wrap(string("ü".repeat(rules.max_length)));
                // A party's id must be that of the party, whatever its length.
                // So must a weighed country be one that the project names.
                // And events have ids of a form of their own, which others name; another date is that of a field.
                let of_event = ["event_id", "revoked_event_id", "succeeded_party_id"].contains(&field.name());
                let by_kind = field.name().starts_with("party_id")
                    || ["unresolved_country", "field"].contains(&field.name())
                    || of_event;
                edges.push(("the most characters".into(), longest, by_kind));
                edges.push(("a text of lines".into(), site.wrap(string("a\tb\r\nc")), by_kind));
            }
            if field.is_map() {
                let entries = (0..rules.max_items).map(|n| (MapKey::String(format!("key-{n}")), string("")));
                edges.push(("the most entries".into(), Value::Map(entries.collect()), false));
            }
            if field.is_list() && matches!(field.kind(), Type::String) && field.name() != "party_ids" {
                let item = suite.sampler.item(field, Fill::All, 0);
                edges.push(("the most items".into(), Value::List(vec![item; rules.max_items]), false));
            }
            for (what, bound) in [("the least", rules.min), ("the most", rules.max)] {
                if let Some(bound) = bound {
                    edges.push((what.into(), site.wrap(numeric(field, bound)), false));
                }
            }
            for (what, value, by_kind) in edges {
                match suite.try_create(kind, site.with(&good, Some(value))).await {
                    Ok(_) => {}
                    Err(status) if by_kind => assert!(!status.message().contains("at most"), "{}", status.message()),
                    Err(status) => panic!("{}: {what}: {}", site.path, status.message()),
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_date_and_an_original_text_are_dates() {
    let suite = Suite::start().await;
    let mut seen = 0;
    for kind in &suite.kinds {
        let good = suite.sampler.resource(kind, Fill::All, 0);
        for site in sites(&good, &kind.message, &kind.singular) {
            let Type::Message(inner) = site.field.kind() else { continue };
            if inner.name() != "PartialDate" {
                continue;
            }
            seen += 1;
            for date in [
                message(&inner, [("unknown", Value::Bool(true))]),
                message(&inner, [("original_text", string("some time in the spring"))]),
                message(&inner, [("year", Value::I32(1896))]),
                message(&inner, [("year", Value::I32(2024)), ("month", Value::I32(2)), ("day", Value::I32(29))]),
            ] {
                let good = with_room(&good, &site.path);
                let dated = site.with(&good, Some(site.wrap(Value::Message(date.clone()))));
                if let Err(status) = suite.try_create(kind, dated).await {
                    // Not for the date itself, but for what it says beside another.
                    let told = crate::harness::refusal(&status);
                    let order = told.fields.iter().all(|(_, why)| why.contains("before") || why.contains("after"));
                    assert!(order, "{} {date:?}: {told:?}", site.path);
                }
            }
        }
    }
    assert!(seen > 10, "few dates: {seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_is_told_at_once() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let mut bad = suite.sampler.resource(kind, Fill::Least, 0);
        bad.clear_field_by_name("display_name");
        let labels = [(MapKey::String("Bad Key".into()), string("value"))];
        bad.set_field_by_name("labels", Value::Map(labels.into()));
        let documents = kind.message.get_field_by_name("documents").unwrap();
        let inner = documents.kind().as_message().unwrap().clone();
        let document = message(&inner, [("sha256", string("no hash")), ("media_type", string("no type"))]);
        bad.set_field(&documents, Value::List(vec![Value::Message(document)]));
        let told = refused(suite.try_create(kind, bad).await);
        for path in [
            "display_name",
            "labels[\"Bad Key\"]",
            "documents[0].title",
            "documents[0].sha256",
            "documents[0].media_type",
        ] {
            assert!(told.names(&format!("{}.{path}", kind.singular)), "{} {path}: {told:?}", kind.name());
        }
        assert_eq!(told.fields.len(), 5, "{}: {told:?}", kind.name());
    }
}

/// Trailers are small in all of gRPC: 8 KiB are what every client takes. A refusal must fit, whatever is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_very_much_still_arrives() {
    let suite = Suite::start().await;
    for kind in &suite.kinds {
        let long = |n: usize| format!("Bad {n} {}", "ü".repeat(90));
        let mut bad = suite.sampler.resource(kind, Fill::Least, 0);
        let labels = (0..64).map(|n| (MapKey::String(long(n)), string("value"))).collect();
        bad.set_field_by_name("labels", Value::Map(labels));
        let told = refused(suite.try_create(kind, bad.clone()).await);
        assert_eq!(told.code, Code::InvalidArgument, "{}: {}", kind.name(), told.message);
        assert!(!told.fields.is_empty());
        let left_out: usize = told.metadata["violationsLeftOut"].parse().unwrap();
        assert_eq!(told.fields.len() + left_out, 64, "{}: all are counted", kind.name());

        let mutations = (0..200).map(|n| suite.creation(kind, &format!("{}/Bad-{n}", kind.collection), bad.clone()));
        let told = refused(suite.commit(mutations.collect()).await);
        assert_eq!(told.code, Code::InvalidArgument, "{}: {}", kind.name(), told.message);

        let mut dangling = suite.sampler.resource(kind, Fill::Least, 0);
        let many = kind.settable().into_iter().find(|field| field.is_list() && rules(field).reference.is_some());
        let Some(many) = many else { continue };
        let target = suite.kind(
            match rules(&many).reference.unwrap().as_str() {
                "*" => "partnership.registry/Organization",
                reference => reference,
            }
            .to_owned()
            .as_str(),
        );
        let names =
            (0..rules(&many).max_items).map(|n| string(format!("{}/{:a<40}{n}", target.collection, suite.sampler.run)));
        dangling.set_field(&many, Value::List(names.collect()));
        let told = refused(suite.try_create(kind, dangling).await);
        assert_eq!(
            (told.code, told.reason.as_str()),
            (Code::FailedPrecondition, "REFERENCE_NOT_FOUND"),
            "{}",
            kind.name()
        );
        assert!(
            text(&suite.create_least(kind, 0).await, "name").starts_with(&kind.collection),
            "the connection lives on"
        );
    }
}

/// For every field that may refer to several types: each of them is taken, and what is refused says which they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_reference_may_be_to_every_type_that_its_field_names_and_to_no_other() {
    let suite = Suite::start().await;
    let fields = descriptors().all_messages().filter(|message| message.package_name() == PACKAGE);
    let fields = fields.flat_map(|message| message.fields().collect::<Vec<_>>());
    let several = fields.filter(|field| !rules(field).reference_types.is_empty());
    let mut coverage = Coverage::of(
        "124 references of several types",
        "fields",
        several.map(|field| field.full_name().to_owned()).collect::<Vec<_>>(),
    );
    for kind in &suite.kinds {
        let good = suite.sampler.resource(kind, Fill::All, 0);
        for site in sites(&good, &kind.message, &kind.singular) {
            let rules = rules(&site.field);
            if rules.reference_types.is_empty() {
                continue;
            }
            coverage.held(site.field.full_name());
            let allowed: Vec<_> = rules.reference_types.iter().map(|one| suite.kind(one).collection.as_str()).collect();
            for target in &suite.kinds {
                let name = suite.sampler.name(&target.resource_type, 1);
                let answer = suite.try_create(kind, site.with(&good, Some(site.wrap(string(&name))))).await;
                let what = format!("{} of {name}", site.path);
                if allowed.contains(&target.collection.as_str()) {
                    assert!(answer.is_ok(), "{what}: {answer:?}");
                    continue;
                }
                let told = refused(answer);
                let rule =
                    told.fields.iter().find(|(field, _)| *field == site.item_path()).map(|(_, rule)| rule.as_str());
                let expected = format!("must be of one of {}, and is of {:?}", allowed.join(", "), target.collection);
                assert_eq!((told.code, rule), (Code::InvalidArgument, Some(expected.as_str())), "{what}: {told:?}");
            }
        }
    }
    coverage.complete();
}
