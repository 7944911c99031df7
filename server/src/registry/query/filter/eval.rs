//! Expressions, asked of documents: over the bytes as they are stored, of which nothing is decoded that is not compared.

use std::cell::OnceCell;

use super::expression::{Check, Expression, Step, Subject, Test};
use crate::kinds::timeline::{Timeline, on};
use crate::registry::resource::standing_part;
use crate::registry::resource::value::leaf;
use crate::registry::resource::wire::{self, WireField};
use crate::registry::schema::{ENTRY_KEY, ENTRY_VALUE, Field, KindId, Schemas, Shape, Value};
use crate::values::text::nfc;
use crate::values::truth::Truth;

/// Who stands above whom in the trees of resources.
pub(crate) trait Ancestry {
    /// Whether the resource `name` is `root`, or below it.
    fn is_under(&self, name: &str, root: &str) -> bool;
}

/// What is asked, of which message, and who knows the trees.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) schemas: &'a Schemas,
    pub(super) kind: KindId,
    pub(super) shape: &'a Shape,
    pub(super) document: &'a [u8],
    pub(super) ancestry: &'a dyn Ancestry,
    /// How the resource stands from day to day, once that has been asked. `None` in it: that cannot be told.
    pub(super) timeline: &'a OnceCell<Option<Timeline>>,
}

impl Asked<'_> {
    /// What is known of an expression's holding.
    pub(super) fn expression(self, expression: &Expression) -> Truth {
        match expression {
            // What is false stays so, whatever comes behind it; likewise below, what is true.
            Expression::All(each) => fold(each, Truth::True, Truth::False, |one| self.expression(one), Truth::and),
            Expression::Any(each) => fold(each, Truth::False, Truth::True, |one| self.expression(one), Truth::or),
            Expression::Test(test) => self.test(test),
        }
    }

    fn test(self, test: &Test) -> Truth {
        let truth = match &test.subject {
            Subject::Field { path, check } => {
                self.any(path, &mut |field, found| holds(self.schemas, check, field, found))
            }
            Subject::Party { paths, name } => self.refers(paths, |target| target == name),
            Subject::Under { paths, root, .. } => self.refers(paths, |target| self.ancestry.is_under(target, root)),
            Subject::InForce { day, perhaps } => {
                let dated = self.schemas.kind(self.kind).rules.dated;
                let states = self.timeline().and_then(|timeline| on(&timeline.states, *day));
                match dated.zip(states).map(|(dated, states)| standing_part::in_force(states, &dated)) {
                    Some(truth) if *perhaps => (truth != Truth::False).into(),
                    Some(truth) => truth,
                    None => Truth::Unknown,
                }
            }
            Subject::PartyOn { name, day } => match self.timeline() {
                Some(timeline) => {
                    let steps = timeline.parties.iter().find(|(party, _)| party == name);
                    steps.and_then(|(_, steps)| on(steps, *day)).unwrap_or(Truth::False)
                }
                None => Truth::Unknown,
            },
        };
        if test.negated { truth.not() } else { truth }
    }

    /// How the resource stands from day to day.
    fn timeline(&self) -> Option<&Timeline> {
        let work_out = || {
            let rules = &self.schemas.kind(self.kind).rules;
            let resource = (rules.decode)(self.document).ok()?;
            rules.dated.map(|dated| (dated.timeline)(&resource))
        };
        self.timeline.get_or_init(work_out).as_ref()
    }

    /// Whether one of the paths leads to a reference of which `is` holds.
    fn refers(self, paths: &[Vec<Step>], is: impl Fn(&str) -> bool) -> Truth {
        let mut asked = |_: &Field, found: Option<WireField<'_>>| {
            let target = found.map_or("", |found| found.text());
            Truth::from(!target.is_empty() && is(target))
        };
        fold(paths, Truth::False, Truth::True, |path| self.any(path, &mut asked), Truth::or)
    }

    /// Whether `holds` of some value at the path. What is not there, and is in a message that is, is asked too.
    fn any(self, path: &[Step], holds: Holds<'_>) -> Truth {
        any(self.schemas, self.shape, self.document, path, holds)
    }
}

/// Asks a value of a field.
type Holds<'h> = &'h mut dyn FnMut(&Field, Option<WireField<'_>>) -> Truth;

fn any(schemas: &Schemas, shape: &Shape, message: &[u8], path: &[Step], holds: Holds<'_>) -> Truth {
    let Some((step, below)) = path.split_first() else { return Truth::False };
    let Some(field) = shape.by_number(step.number) else { return Truth::False };
    if let Some(key) = &step.key {
        return entry(message, step.number, key).map_or(Truth::False, |entry| {
            // An entry without a value has the empty one.
            holds(field, Some(wire::field(entry.value, ENTRY_VALUE).unwrap_or(EMPTY)))
        });
    }
    let mut one = |found: Option<WireField<'_>>| match (&field.value, found) {
        _ if below.is_empty() => holds(field, found),
        (Value::Message(id), Some(found)) => any(schemas, schemas.shape(*id), found.value, below, holds),
        // A message that is not there has no fields.
        _ => Truth::False,
    };
    if !step.repeated {
        return one(wire::field(message, step.number));
    }
    let mut truth = Truth::False;
    for found in wire::fields(message).filter(|found| found.number == step.number) {
        truth = truth.or(one(Some(found)));
        if truth == Truth::True {
            break;
        }
    }
    truth
}

/// A text of no letters.
const EMPTY: WireField<'_> = WireField { number: ENTRY_VALUE, value: &[], whole: &[] };

fn entry<'a>(message: &'a [u8], number: u32, key: &str) -> Option<WireField<'a>> {
    wire::fields(message)
        .filter(|field| field.number == number)
        .find(|entry| nfc(wire::field(entry.value, ENTRY_KEY).map_or("", |found| found.text())) == key)
}

/// Whether a value is as the check asks. One that is absent is nothing.
fn holds(schemas: &Schemas, check: &Check, field: &Field, found: Option<WireField<'_>>) -> Truth {
    match (check, found) {
        // Of a message of several fields there is no single value, and yet it may be there.
        (Check::Set, found) => found.is_some().into(),
        (check, found) => leaf(schemas, field, found).map_or(Truth::False, |value| check.truth(&value)),
    }
}

/// Joins what is known of each, up to the first that decides.
fn fold<T>(
    each: &[T],
    begin: Truth,
    decides: Truth,
    mut known: impl FnMut(&T) -> Truth,
    join: impl Fn(Truth, Truth) -> Truth,
) -> Truth {
    let mut truth = begin;
    for one in each {
        truth = join(truth, known(one));
        if truth == decides {
            break;
        }
    }
    truth
}
