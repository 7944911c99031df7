//! Checking a body by every rule of its kind, and finding what it refers to.
//!
//! Every broken rule is noted, each with the path of its field. Whether what is referred to exists is asked elsewhere.

use partnership_registry::v1::Format;

use super::DOCUMENT_BYTES_MAX;
use super::name::{Name, short};
use super::wire::{self, WireField};
use crate::registry::schema::{
    ENTRY_KEY, ENTRY_VALUE, Field, KindId, Label, NumberType, Reference, Schemas, Shape, ShapeId, SharedValue, Value,
};
use crate::values::{Broken, format, money, partial_date, period, timestamp};
use crate::violations::Violations;

/// A reference from one resource to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Referral {
    /// The path of the field that refers.
    pub(crate) field: String,
    /// What it refers to.
    pub(crate) target: Name,
}

/// Checks a body by the annotations and by the rules of its kind, and says what it refers to.
pub(crate) fn check(
    schemas: &Schemas,
    kind: KindId,
    name: &str,
    body: &[u8],
    violations: &mut Violations,
) -> Vec<Referral> {
    let referrals = check_annotations(schemas, kind, body, violations);
    if body.len() <= DOCUMENT_BYTES_MAX {
        schemas.kind(kind).rules.check_encoded(name, body, violations);
    }
    referrals
}

/// Checks a body by the annotations of its kind, and says what it refers to. Of one that is too large, nothing else is
/// said.
pub(crate) fn check_annotations(
    schemas: &Schemas,
    kind: KindId,
    body: &[u8],
    violations: &mut Violations,
) -> Vec<Referral> {
    if body.len() > DOCUMENT_BYTES_MAX {
        violations.add("", format!("must have at most {DOCUMENT_BYTES_MAX} bytes, and has {}", body.len()));
        return Vec::new();
    }
    let mut check = Check { schemas, violations, referrals: Vec::new() };
    check.message(schemas.kind(kind).shape, body, &Path::Root);
    check.referrals
}

/// What a body that has been checked refers to.
pub(crate) fn referrals(schemas: &Schemas, kind: KindId, body: &[u8]) -> Vec<Referral> {
    check_annotations(schemas, kind, body, &mut Violations::new())
}

/// Where a value stands, written out only when somebody has to be told.
enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, &'a str, usize),
    Entry(&'a Path<'a>, &'a str, &'a str),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (parent, name) = match self {
            Self::Root => return Ok(()),
            Self::Field(parent, name) | Self::Item(parent, name, _) | Self::Entry(parent, name, _) => (parent, name),
        };
        match parent {
            Self::Root => write!(f, "{name}")?,
            Self::Field(..) | Self::Item(..) | Self::Entry(..) => write!(f, "{parent}.{name}")?,
        }
        match self {
            Self::Root | Self::Field(..) => Ok(()),
            Self::Item(_, _, index) => write!(f, "[{index}]"),
            Self::Entry(_, _, key) => write!(f, "[{:?}]", short(key)),
        }
    }
}

struct Check<'a> {
    schemas: &'a Schemas,
    violations: &'a mut Violations,
    referrals: Vec<Referral>,
}

impl Check<'_> {
    fn add(&mut self, path: &Path<'_>, rule: impl Into<String>) {
        self.violations.add(path.to_string(), rule);
    }

    fn message(&mut self, id: ShapeId, message: &[u8], path: &Path<'_>) {
        let schemas = self.schemas;
        let shape = schemas.shape(id);
        let mut counts = vec![0_usize; shape.fields.len()];
        for wire in wire::fields(message) {
            let Ok(position) = shape.fields.binary_search_by_key(&wire.number, |field| field.number) else { continue };
            let Some(field) = shape.fields.get(position) else { continue };
            let Some(count) = counts.get_mut(position) else { continue };
            let index = *count;
            *count += 1;
            match field.label {
                Label::Single => self.value(field, &wire, &Path::Field(path, &field.name)),
                Label::List { items_max } if index < items_max => {
                    self.value(field, &wire, &Path::Item(path, &field.name, index));
                }
                Label::Map { items_max, key_format } if index < items_max => {
                    self.entry(field, key_format, wire.value, path);
                }
                Label::List { .. } | Label::Map { .. } => {}
            }
        }
        self.counts(shape, &counts, path);
        if let Some(Broken { field, rule }) = shape.shared.and_then(|shared| broken(shared, message)) {
            if field.is_empty() {
                self.add(path, rule);
            } else {
                self.add(&Path::Field(path, field), rule);
            }
        }
    }

    fn counts(&mut self, shape: &Shape, counts: &[usize], path: &Path<'_>) {
        for (field, count) in shape.fields.iter().zip(counts.iter().copied()) {
            let path = Path::Field(path, &field.name);
            match field.label {
                Label::List { items_max } | Label::Map { items_max, .. } if count > items_max => {
                    self.add(&path, format!("must have at most {items_max} items, and has {count}"));
                }
                Label::Single | Label::List { .. } | Label::Map { .. } => {}
            }
            if field.required && count == 0 {
                self.add(&path, "is required");
            }
        }
    }

    fn entry(&mut self, field: &Field, key_format: Format, entry: &[u8], path: &Path<'_>) {
        let key = wire::field(entry, ENTRY_KEY).map_or("", |key| key.text());
        let path = Path::Entry(path, &field.name, key);
        if key.is_empty() {
            self.add(&path, "must have a key");
        } else if let Some(rule) = format::check(key_format, key) {
            self.add(&path, format!("has a key that {rule}"));
        }
        if let Some(value) = wire::field(entry, ENTRY_VALUE) {
            self.value(field, &value, &path);
        }
    }

    fn value(&mut self, field: &Field, wire: &WireField<'_>, path: &Path<'_>) {
        match &field.value {
            Value::Text { format, length_max } => self.text(*format, *length_max, wire.text(), path),
            Value::Reference(reference) => self.reference(reference, field.label, wire.text(), path),
            Value::Enum { values } => {
                // Open enums let any number through; a number that means nothing is a mistake of the caller.
                let number = wire.enum_number();
                if !values.contains_key(&number) {
                    self.add(path, format!("must be one of the values of its type, and {number} is not"));
                }
            }
            Value::Number { number, min, max } => self.number(*number, *min, *max, wire, path),
            Value::Message(id) => self.message(*id, wire.value, path),
            Value::Bool => {}
        }
    }

    fn text(&mut self, format: Format, length_max: usize, text: &str, path: &Path<'_>) {
        // No text has more characters than bytes, and most are short.
        if text.len() > length_max {
            let length = text.chars().count();
            if length > length_max {
                self.add(path, format!("must have at most {length_max} characters, and has {length}"));
            }
        }
        if let Some(rule) = format::check(format, text) {
            self.add(path, rule);
        }
    }

    fn reference(&mut self, reference: &Reference, label: Label, text: &str, path: &Path<'_>) {
        if text.is_empty() {
            // A single one that is empty refers to nothing; an item of a list has to refer to something.
            if label != Label::Single {
                self.add(path, "must not be empty");
            }
            return;
        }
        let name = match reference {
            Reference::Any => Name::parse(self.schemas, text),
            Reference::Kind(kind) => Name::parse_as(self.schemas, *kind, text),
            Reference::OneOf(kinds) => Name::parse_one_of(self.schemas, kinds, text),
        };
        match name {
            Ok(target) => self.referrals.push(Referral { field: path.to_string(), target }),
            Err(rule) => self.add(path, rule),
        }
    }

    fn number(
        &mut self,
        number: NumberType,
        min: Option<f64>,
        max: Option<f64>,
        wire: &WireField<'_>,
        path: &Path<'_>,
    ) {
        let value = wire.number(number);
        if !value.is_finite() {
            self.add(path, "must be a finite number");
        } else if min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max) {
            let bound = |bound: Option<f64>, word: &str| bound.map(|bound| format!("{word} {bound}"));
            let bounds: Vec<_> = [bound(min, "at least"), bound(max, "at most")].into_iter().flatten().collect();
            self.add(path, format!("must be {}", bounds.join(" and ")));
        }
    }
}

/// The rule that a value shared by several kinds breaks.
fn broken(shared: SharedValue, message: &[u8]) -> Option<Broken> {
    match shared {
        SharedValue::PartialDate => decoded(message, partial_date::check),
        SharedValue::DateInterval => decoded(message, period::check),
        SharedValue::Money => decoded(message, money::check),
        SharedValue::Timestamp => decoded(message, timestamp::check),
    }
}

fn decoded<M: prost::Message + Default>(message: &[u8], check: fn(&M) -> Option<Broken>) -> Option<Broken> {
    match M::decode(message) {
        Ok(value) => check(&value),
        Err(_) => Broken::some("", "must be a message of its type"),
    }
}

#[cfg(test)]
mod tests {
    use partnership_registry::Money;
    use partnership_registry::v1::{
        Country, Document, FeasibilityStudy, FeasibilityStudyDimension, LocalizedText, PartialDate, Place, Project,
        ProjectBudget, ProjectIndicator, ProjectResult,
    };
    use prost::Message as _;

    use super::*;
    use crate::registry::schema::{contract, kind_of};

    type Change = fn(&mut Country);

    /// The broken rules of a body of `collection`, as `field: rule`, and what it refers to.
    fn checked(collection: &str, body: &[u8]) -> (Vec<String>, Vec<String>) {
        let schemas = contract();
        let mut violations = Violations::new();
        let referrals = check(&schemas, kind_of(&schemas, collection), "", body, &mut violations);
        let broken = violations.iter().map(|one| format!("{}: {}", one.field, one.description)).collect();
        let referrals = referrals.iter().map(|one| format!("{}: {}", one.field, one.target)).collect();
        (broken, referrals)
    }

    #[test]
    fn each_broken_rule_of_the_annotations_is_told_with_the_path_of_its_field() {
        let good = Country { display_name: "Korea".into(), ..Country::default() };
        let table: [(Change, &str); 14] = [
            (|_| {}, ""),
            (|it| it.display_name.clear(), "display_name: is required"),
            (|it| it.region_code = "kr".into(), "region_code: must be two capital letters (ISO 3166-1 alpha-2)"),
            (|it| it.documents = vec![Document::default()], "documents[0].title: is required"),
            (
                |it| it.short_names = vec![LocalizedText { language_code: "en".into(), text: "x".repeat(4_097) }],
                "short_names[0].text: must have at most 4096 characters, and has 4097",
            ),
            (
                // A text has fewer characters than bytes.
                |it| it.short_names = vec![LocalizedText { language_code: "ko".into(), text: "한".repeat(4_096) }],
                "",
            ),
            (|it| it.successors = vec!["countries/a".into(), String::new()], "successors[1]: must not be empty"),
            (|it| it.sovereign = "meetings/a".into(), "sovereign: must be countries/{id}, and is \"meetings/a\""),
            (
                |it| it.labels = (0..65).map(|number| (format!("key-{number}"), String::new())).collect(),
                "labels: must have at most 64 items, and has 65",
            ),
            (
                |it| it.labels = [("Key".to_owned(), String::new())].into(),
                "labels[\"Key\"]: has a key that must be a lower-case letter and then at most 62 of lower-case \
                 letters, digits, '-', '_', '.' and '/'",
            ),
            (|it| it.labels = [(String::new(), "x".to_owned())].into(), "labels[\"\"]: must have a key"),
            (
                |it| {
                    it.relations_established_date =
                        Some(PartialDate { year: 2023, month: 2, day: 29, ..Default::default() })
                },
                "relations_established_date.day: must be a day of that month, or 0 if it is not known",
            ),
            (
                |it| it.relations_established_date = Some(PartialDate::default()),
                "relations_established_date: must have a year or the original text, or be marked as unknown",
            ),
            (
                |it| it.display_name = "bell\u{7}".into(),
                "display_name: must have no control characters but tab and line breaks",
            ),
        ];
        for (change, expected) in table {
            let mut country = good.clone();
            change(&mut country);
            assert_eq!(checked("countries", &country.encode_to_vec()).0.join("; "), expected);
        }
    }

    #[test]
    fn numbers_enums_and_amounts_are_checked_by_their_values() {
        let dimension = |score| FeasibilityStudyDimension { score, ..FeasibilityStudyDimension::default() };
        let study = FeasibilityStudy { display_name: "x".into(), ..FeasibilityStudy::default() };
        let of_score = |score| FeasibilityStudy { dimensions: vec![dimension(score)], ..study.clone() }.encode_to_vec();
        let schemas = contract();
        let shape = schemas.shape_of(kind_of(&schemas, "feasibilityStudies"));
        let inner = match shape.by_name("dimensions").map(|field| &field.value) {
            Some(Value::Message(id)) => schemas.shape(*id),
            other => panic!("dimensions are messages: {other:?}"),
        };
        let Some(Value::Number { min: Some(min), max: Some(max), .. }) =
            inner.by_name("score").map(|field| &field.value)
        else {
            panic!("the score has bounds");
        };
        #[allow(clippy::cast_possible_truncation, reason = "small whole numbers")]
        let (min, max) = (*min as i32, *max as i32);
        let scores: Vec<_> = [min - 1, min, max, max + 1]
            .map(|score| checked("feasibilityStudies", &of_score(Some(score))).0)
            .iter()
            .map(|broken| broken.iter().filter(|one| one.contains("score")).count())
            .collect();
        assert_eq!(scores, [1, 0, 0, 1]);

        let project = Project { display_name: "x".into(), ..Project::default() };
        let of_target = |target| {
            let indicators = vec![ProjectIndicator { target, ..ProjectIndicator::default() }];
            checked(
                "projects",
                &Project { results: vec![ProjectResult { indicators, ..ProjectResult::default() }], ..project.clone() }
                    .encode_to_vec(),
            )
            .0
        };
        let not_finite = "results[0].indicators[0].target: must be a finite number".to_owned();
        assert!(of_target(Some(f64::NAN)).contains(&not_finite));
        assert!(!of_target(Some(-1e300)).contains(&not_finite));

        let state = checked("projects", &Project { state: 99, ..project.clone() }.encode_to_vec()).0;
        assert_eq!(state, ["state: must be one of the values of its type, and 99 is not"]);
        let amount = Some(Money { currency_code: "krw".into(), ..Money::default() });
        let budgets = vec![ProjectBudget { amount, ..ProjectBudget::default() }];
        let broken = checked("projects", &Project { budgets, ..project }.encode_to_vec()).0.join("; ");
        assert!(broken.contains("budgets[0].amount.currency_code: must be three capital letters"), "{broken}");
    }

    #[test]
    fn what_a_body_refers_to_is_told_with_the_paths() {
        let country = Country {
            display_name: "Korea".into(),
            sovereign: "countries/a".into(),
            successors: vec!["countries/b".into(), "countries/c".into()],
            ..Country::default()
        };
        let (broken, mut referrals) = checked("countries", &country.encode_to_vec());
        referrals.sort();
        let expected = ["sovereign: countries/a", "successors[0]: countries/b", "successors[1]: countries/c"];
        assert_eq!((broken, referrals), (vec![], expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_reference_to_one_of_some_kinds_is_refused_of_any_other() {
        let refused = |host: &str| {
            let meeting =
                partnership_registry::v1::Meeting { display_name: "x".into(), host: host.into(), ..Default::default() };
            checked("meetings", &meeting.encode_to_vec()).0.join("; ")
        };
        for good in ["", "countries/kr", "organizations/un", "officials/a"] {
            assert_eq!(refused(good), "", "{good}");
        }
        let rule = "host: must be of one of countries, organizations, officials, and is of \"courses\"";
        assert_eq!(refused("courses/a"), rule);
    }

    #[test]
    fn of_a_body_that_is_too_large_nothing_else_is_said() {
        let place = Some(Place { locality: "x".repeat(DOCUMENT_BYTES_MAX), ..Place::default() });
        let meeting = partnership_registry::v1::Meeting { place, ..Default::default() };
        let (broken, referrals) = checked("meetings", &meeting.encode_to_vec());
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(broken[0].starts_with(": must have at most 1048576 bytes, and has "), "{broken:?}");
        assert!(referrals.is_empty());
    }
}
