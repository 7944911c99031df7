//! Functions of filters: what they are given, and which references they ask.

use super::error::Error;
use super::expression::Subject;
use super::path::{closest, references};
use super::tree::{Argument, Operand, OperandValue};
use crate::registry::resource::name::{Name, short};
use crate::registry::schema::{KindId, Reference, Schemas};

/// Some reference that says who takes part is this name.
const PARTY: &str = "party";
/// Some reference is this resource, or one below it.
const UNDER: &str = "under";

/// What a function asks. Fails on one that there is not, and on arguments that it cannot have.
pub(super) fn check(
    schemas: &Schemas,
    kind: KindId,
    function: &Operand,
    name: &str,
    arguments: &[Argument],
) -> Result<Subject, Error> {
    match name {
        PARTY => party(schemas, kind, function, arguments),
        UNDER => under(schemas, kind, function, arguments),
        _ => {
            let hint = closest(name, [PARTY, UNDER].into_iter());
            let hint = hint.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            let rule = format!("must use one of the functions party and under, and {:?} is none{hint}", short(name));
            Err(Error::new(function.at, rule))
        }
    }
}

fn party(schemas: &Schemas, kind: KindId, function: &Operand, arguments: &[Argument]) -> Result<Subject, Error> {
    let paths = references(schemas, kind, &|field, _| field.party);
    if paths.is_empty() {
        return Err(asks_nothing(schemas, kind, function, PARTY, "says who takes part"));
    }
    let takes_part = |target: &KindId| {
        !references(schemas, kind, &|field, reference| field.party && leads_to(reference, *target)).is_empty()
    };
    let kinds: Vec<_> = schemas.kind_ids().filter(takes_part).collect();
    let name = name(schemas, &kinds, function, PARTY, arguments)?;
    Ok(Subject::Party { paths, name: name.as_str().to_owned() })
}

fn under(schemas: &Schemas, kind: KindId, function: &Operand, arguments: &[Argument]) -> Result<Subject, Error> {
    let trees: Vec<_> = schemas.kind_ids().filter(|kind| schemas.kind(*kind).parent.is_some()).collect();
    let root = name(schemas, &trees, function, UNDER, arguments)?;
    let paths = references(schemas, kind, &|_, reference| leads_to(reference, root.kind()));
    if paths.is_empty() {
        let collection = &schemas.kind(root.kind()).collection;
        return Err(asks_nothing(schemas, kind, function, UNDER, &format!("refers to {collection}")));
    }
    Ok(Subject::Under { paths, kind: root.kind(), root: root.as_str().to_owned() })
}

fn leads_to(reference: &Reference, target: KindId) -> bool {
    match reference {
        Reference::Any => true,
        Reference::Kind(kind) => *kind == target,
        Reference::OneOf(kinds) => kinds.contains(&target),
    }
}

fn asks_nothing(schemas: &Schemas, kind: KindId, function: &Operand, name: &str, what: &str) -> Error {
    let kind = schemas.shape_of(kind).short_name();
    Error::new(function.at, format!("must not ask {name}(…) of {kind}, in which no field {what}"))
}

/// The one argument, which must be the name of a resource of one of these kinds.
fn name(
    schemas: &Schemas,
    kinds: &[KindId],
    function: &Operand,
    called: &str,
    arguments: &[Argument],
) -> Result<Name, Error> {
    let rule = || {
        let collection = kinds.first().map_or("", |kind| &schemas.kind(*kind).collection);
        format!("must give {called} one name, as in {called}(\"{collection}/{{id}}\")")
    };
    let [argument] = arguments else {
        return Err(Error::new(function.at, format!("{}, and gives it {}", rule(), arguments.len())));
    };
    let text = match argument {
        Argument::One(Operand { value: OperandValue::Quoted(text), .. }) => text.written(),
        Argument::One(Operand { value: OperandValue::Word(segments), .. }) => {
            segments.iter().map(|segment| segment.text.written()).collect::<Vec<_>>().join(".")
        }
        Argument::One(Operand { value: OperandValue::Function { .. }, .. }) | Argument::Several { .. } => {
            return Err(Error::new(argument.at(), rule()));
        }
    };
    Name::parse_one_of(schemas, kinds, &text)
        .map_err(|rule| Error::new(argument.at(), format!("must give {called} a name, which {rule}")))
}
