//! Functions of filters: what they are given, and which references or days they ask.

use super::error::Error;
use super::expression::Subject;
use super::literal;
use super::path::{closest, references};
use super::tree::{Argument, Operand, OperandValue};
use crate::registry::resource::name::{Name, short};
use crate::registry::schema::{KindId, Reference, Schemas};
use crate::time::Day;

/// Some reference that says who takes part is this name.
const PARTY: &str = "party";
/// Some reference is this resource, or one below it.
const UNDER: &str = "under";
/// It is in force on a day.
const IN_FORCE: &str = "inForce";
/// It may be in force on a day.
const MAY_BE_IN_FORCE: &str = "mayBeInForce";
/// A country or an organization takes part on a day.
const PARTY_ON: &str = "partyOn";

const ALL: [&str; 5] = [PARTY, UNDER, IN_FORCE, MAY_BE_IN_FORCE, PARTY_ON];

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
        IN_FORCE => in_force(schemas, kind, function, IN_FORCE, arguments),
        MAY_BE_IN_FORCE => in_force(schemas, kind, function, MAY_BE_IN_FORCE, arguments),
        PARTY_ON => party_on(schemas, kind, function, arguments),
        _ => {
            let hint = closest(name, ALL.into_iter());
            let hint = hint.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            let rule = format!("must use one of the functions {}; {:?} is none{hint}", ALL.join(", "), short(name));
            Err(Error::new(function.at, rule))
        }
    }
}

fn party(schemas: &Schemas, kind: KindId, function: &Operand, arguments: &[Argument]) -> Result<Subject, Error> {
    let paths = references(schemas, kind, &|field, _| field.party);
    if paths.is_empty() {
        return Err(asks_nothing(schemas, kind, function, PARTY, "says who takes part"));
    }
    let name = name(schemas, &parties(schemas, kind), function, PARTY, arguments)?;
    Ok(Subject::Party { paths, name: name.as_str().to_owned() })
}

/// The kinds of which some resource can take part.
fn parties(schemas: &Schemas, kind: KindId) -> Vec<KindId> {
    let takes_part = |target: &KindId| {
        !references(schemas, kind, &|field, reference| field.party && leads_to(reference, *target)).is_empty()
    };
    schemas.kind_ids().filter(takes_part).collect()
}

fn in_force(
    schemas: &Schemas,
    kind: KindId,
    function: &Operand,
    called: &str,
    arguments: &[Argument],
) -> Result<Subject, Error> {
    check_dated(schemas, kind, function, called)?;
    let [argument] = arguments else {
        let rule = format!("must give {called} one day, as in {called}(1950-01-01), and gives it {}", arguments.len());
        return Err(Error::new(function.at, rule));
    };
    Ok(Subject::InForce { day: day(called, argument)?, perhaps: called == MAY_BE_IN_FORCE })
}

fn party_on(schemas: &Schemas, kind: KindId, function: &Operand, arguments: &[Argument]) -> Result<Subject, Error> {
    check_dated(schemas, kind, function, PARTY_ON)?;
    let [party, on] = arguments else {
        let rule = "must give partyOn a name and a day, as in partyOn(\"countries/{id}\", 1950-01-01), and gives it";
        return Err(Error::new(function.at, format!("{rule} {}", arguments.len())));
    };
    let name = name(schemas, &parties(schemas, kind), function, PARTY_ON, std::slice::from_ref(party))?;
    Ok(Subject::PartyOn { name: name.as_str().to_owned(), day: day(PARTY_ON, on)? })
}

/// Fails for a kind of which nothing follows from days.
fn check_dated(schemas: &Schemas, kind: KindId, function: &Operand, called: &str) -> Result<(), Error> {
    let kind = schemas.kind(kind);
    if kind.rules.dated.is_some() {
        return Ok(());
    }
    let rule = format!("must not ask {called}(…) of {}, which stand alike on all days", kind.collection);
    Err(Error::new(function.at, rule))
}

/// An argument that must be a whole day.
fn day(called: &str, argument: &Argument) -> Result<Day, Error> {
    let text = text(argument).unwrap_or_default();
    match literal::days(&text) {
        Some((first, last)) if first == last => Ok(Day(first)),
        Some(_) | None => {
            let rule = format!("must give {called} a whole day such as 1950-01-01, and {:?} is none", short(&text));
            Err(Error::new(argument.at(), rule))
        }
    }
}

/// What is written as an argument. `None`: it is no single value.
fn text(argument: &Argument) -> Option<String> {
    match argument {
        Argument::One(Operand { value: OperandValue::Quoted(text), .. }) => Some(text.written()),
        Argument::One(Operand { value: OperandValue::Word(segments), .. }) => {
            Some(segments.iter().map(|segment| segment.text.written()).collect::<Vec<_>>().join("."))
        }
        Argument::One(Operand { value: OperandValue::Function { .. }, .. }) | Argument::Several { .. } => None,
    }
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
    let text = text(argument).ok_or_else(|| Error::new(argument.at(), rule()))?;
    Name::parse_one_of(schemas, kinds, &text)
        .map_err(|rule| Error::new(argument.at(), format!("must give {called} a name, which {rule}")))
}
