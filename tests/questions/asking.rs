//! One question: how it is put to the server, what must be answered, and what is the least of it that is answered wrongly.

use std::sync::Arc;

use partnership_registry::descriptors;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};
use prost_types::FieldMask;
use tonic::Status;

use super::calendar::civil;
use super::expression::{Expression, Truth};
use super::memory::View;
use super::order::{self, Term};
use super::row::Row;
use super::shape::Shape;
use crate::harness::dynamic::{Caller, get, message, messages, number, string, text};

/// A listing that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) expression: Option<Expression>,
    pub(crate) order: Vec<Term>,
    pub(crate) page_size: i32,
    pub(crate) show_deleted: bool,
    /// 0: the head.
    pub(crate) read_revision: u64,
    /// The day that it is about. `None`: the settled one.
    pub(crate) valid: Option<i64>,
    /// All of each resource, and not its name alone.
    pub(crate) whole: bool,
}

/// A day as a message.
pub(crate) fn date(day: i64) -> Value {
    let (year, month, day) = civil(day);
    let date = descriptors().get_message_by_name("partnership.registry.v1.PartialDate").unwrap();
    let mut date = DynamicMessage::new(date);
    for (part, number) in [("year", year), ("month", month), ("day", day)] {
        date.set_field_by_name(part, Value::I32(number as i32));
    }
    Value::Message(date)
}

/// All pages of a listing.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) resources: Vec<DynamicMessage>,
    pub(crate) revision: u64,
    total_size: i32,
}

impl Question {
    fn filter(&self) -> String {
        self.expression.as_ref().map(Expression::text).unwrap_or_default()
    }

    fn order_by(&self) -> String {
        let term = |term: &Term| format!("{}{}", term.written, if term.descending { " desc" } else { "" });
        self.order.iter().map(term).collect::<Vec<_>>().join(", ")
    }

    /// As a failure tells it.
    pub(crate) fn told(&self, shape: &Shape) -> String {
        let Question { page_size, show_deleted, read_revision, valid, .. } = self;
        let valid = valid.map(|day| format!(", on {:?}", civil(day))).unwrap_or_default();
        format!(
            "{} where {} by {:?}, {page_size} a page, {}revision {read_revision}{valid}",
            shape.kind.collection,
            self.filter(),
            self.order_by(),
            if *show_deleted { "deleted too, " } else { "" }
        )
    }

    /// Asks for page after page.
    pub(crate) async fn ask(&self, caller: &Caller, shape: &Shape) -> Result<Answer, String> {
        let list = &shape.kind.list;
        let mut request = message(
            &list.input(),
            [
                ("page_size", Value::I32(self.page_size)),
                ("filter", string(self.filter())),
                ("order_by", string(self.order_by())),
                ("show_deleted", Value::Bool(self.show_deleted)),
                ("read_revision", Value::U64(self.read_revision)),
            ],
        );
        if let Some(day) = self.valid {
            request.set_field_by_name("valid_date", date(day));
        }
        if !self.whole {
            let mut mask = DynamicMessage::new(FieldMask::default().descriptor());
            mask.set_field_by_name("paths", Value::List(vec![string("name")]));
            request.set_field_by_name("read_mask", Value::Message(mask));
        }
        let mut answer: Option<Answer> = None;
        loop {
            let refused = |status: Status| format!("it is refused: {}", status.message());
            let page = caller.call(list, request.clone()).await.map_err(refused)?;
            let resources = messages(&page, &shape.kind.plural);
            let (revision, total_size) = (number(&page, "revision"), get(&page, "total_size").as_i32().unwrap());
            let token = text(&page, "next_page_token");
            if resources.len() > self.page_size as usize || (resources.is_empty() && !token.is_empty()) {
                return Err(format!("a page has {} resources", resources.len()));
            }
            let so_far = answer.get_or_insert(Answer { resources: Vec::new(), revision, total_size });
            if (so_far.revision, so_far.total_size) != (revision, total_size) {
                return Err(format!(
                    "one page is of revision {revision}, with {total_size} in all, and others of {so_far:?}"
                ));
            }
            so_far.resources.extend(resources);
            if so_far.resources.len() > total_size as usize {
                let names: Vec<_> = so_far.resources.iter().map(|resource| text(resource, "name")).collect();
                let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
                return Err(format!(
                    "its pages have more than the {total_size} that it says; again there is {twice:?}"
                ));
            }
            if token.is_empty() {
                return Ok(answer.unwrap());
            }
            request.set_field_by_name("page_token", string(token));
        }
    }

    /// What must be answered, in its order.
    pub(crate) fn expected(&self, shape: &Shape, view: &View) -> Vec<Arc<Row>> {
        let selected = |row: &&Arc<Row>| {
            let truth = self.expression.as_ref().map(|expression| expression.truth(shape, view, row));
            (self.show_deleted || !row.deleted) && truth.is_none_or(|truth| truth == Truth::True)
        };
        let mut rows: Vec<_> = view.rows.iter().filter(selected).cloned().collect();
        order::sort(&mut rows, &self.order);
        rows
    }

    /// What is wrong with an answer.
    pub(crate) fn check(&self, answer: &Answer, shape: &Shape, view: &View) -> Result<(), String> {
        let expected = self.expected(shape, view);
        let names: Vec<_> = answer.resources.iter().map(|resource| text(resource, "name")).collect();
        let expected_names: Vec<_> = expected.iter().map(|row| row.name.clone()).collect();
        if names != expected_names {
            let without = |some: &[String], others: &[String]| -> Vec<String> {
                some.iter().filter(|name| !others.contains(name)).take(3).cloned().collect()
            };
            let (missing, more) = (without(&expected_names, &names), without(&names, &expected_names));
            if missing.is_empty() && more.is_empty() {
                let at = names.iter().zip(&expected_names).position(|(a, b)| a != b).unwrap_or(0);
                let keys = |name: Option<&String>| {
                    let row = expected.iter().find(|row| Some(&row.name) == name);
                    row.map(|row| format!("{}, by {}", row.name, self.keys(row).join(" and ")))
                };
                let (found, should) = (keys(names.get(at)), keys(expected_names.get(at)));
                let twice: Vec<_> = names.iter().enumerate().filter(|(at, name)| names[..*at].contains(name)).collect();
                return Err(format!("number {at} is {found:?}, and should be {should:?}; listed again: {twice:?}"));
            }
            let one = missing.first().or(more.first());
            let told = view.rows.iter().find(|row| Some(&row.name) == one).map(|row| row.message.to_string());
            return Err(format!("{missing:?} are missing, and {more:?} should not be there: {told:?}"));
        }
        if answer.total_size as usize != expected.len() {
            return Err(format!("there are {} in all, and it says {}", expected.len(), answer.total_size));
        }
        let mut pairs = answer.resources.iter().zip(&expected).filter(|_| self.whole);
        match pairs.find(|(found, row)| **found != row.listed()) {
            Some((found, row)) => Err(format!("{found} is answered, and not {}", row.listed())),
            _ => Ok(()),
        }
    }

    fn keys(&self, row: &Row) -> Vec<String> {
        let key = |term: &Term| format!("{:?}", row.values(term.path, term.key.as_deref()));
        self.order.iter().map(key).collect()
    }

    /// Questions that are simpler than this one, and might be answered as wrongly.
    pub(crate) fn simpler(&self) -> Vec<Question> {
        let mut simpler = Vec::new();
        if self.page_size != 1_000 {
            simpler.push(Question { page_size: 1_000, ..self.clone() });
        }
        if self.whole {
            simpler.push(Question { whole: false, ..self.clone() });
        }
        if self.valid.is_some() {
            simpler.push(Question { valid: None, ..self.clone() });
        }
        for at in 0..self.order.len() {
            let mut order = self.order.clone();
            order.remove(at);
            simpler.push(Question { order, ..self.clone() });
        }
        if let Some(expression) = &self.expression {
            simpler.push(Question { expression: None, ..self.clone() });
            let one = |expression| Question { expression: Some(expression), ..self.clone() };
            simpler.extend(expression.simpler().into_iter().map(one));
        }
        simpler
    }
}
