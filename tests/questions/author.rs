//! Thinks up questions: filters that part the resources that there are, orders, pages, and revisions.

use std::sync::Arc;

use rand::RngExt as _;
use rand::rngs::StdRng;

use super::calendar::{NANOS_OF_DAY, NANOS_OF_SECOND, civil, day, days_of_month, rfc3339};
use super::expression::{Expression, Joint, Literal, Meaning, Negation, Operator, Place};
use super::memory::View;
use super::order::Term;
use super::row::{Row, Value, nfc};
use super::shape::{Leaf, Shape};
use super::texts::TEXTS;

/// How deep the expressions are, and how many parts each has.
const DEPTH: usize = 4;
const PARTS: usize = 4;

/// What follows from days, and is in an index.
const DAY_PATHS: [&str; 5] = ["state", "status.state", "status.possible_states", "status.in_force", "status.since"];

pub(crate) struct Author<'a> {
    pub(crate) dice: &'a mut StdRng,
    pub(crate) shape: &'a Shape,
    pub(crate) view: &'a View,
    /// The days that are asked about.
    pub(crate) days: &'a [i64],
}

impl Author<'_> {
    fn chance(&mut self, share: f64) -> bool {
        self.dice.random_bool(share)
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.dice.random_range(0..all.len())].clone()
    }

    /// One of the resources, if there are any.
    fn row(&mut self) -> Option<Arc<Row>> {
        (!self.view.rows.is_empty()).then(|| self.view.rows[self.dice.random_range(0..self.view.rows.len())].clone())
    }

    pub(crate) fn expression(&mut self) -> Expression {
        let depth = self.dice.random_range(0..=DEPTH);
        self.part(depth)
    }

    fn part(&mut self, depth: usize) -> Expression {
        if depth == 0 {
            return self.test();
        }
        let parts = |author: &mut Self| {
            let count = author.dice.random_range(2..=PARTS);
            (0..count).map(|_| author.part(depth - 1)).collect()
        };
        match self.dice.random_range(0..10) {
            0..3 => Expression::All(parts(self), self.one_of(&[Joint::And, Joint::And, Joint::Space])),
            3..6 => Expression::Any(parts(self)),
            6..8 => {
                let part = Box::new(self.part(depth - 1));
                Expression::Not(part, self.one_of(&[Negation::Word, Negation::Word, Negation::Minus]))
            }
            _ => self.test(),
        }
    }

    fn test(&mut self) -> Expression {
        match self.dice.random_range(0..30) {
            0 | 1 if self.shape.paths.iter().any(|path| path.party) => {
                let from_row = self.named(|shape, path| shape.paths[path].party);
                Expression::Party(from_row.unwrap_or("countries/nobody".to_owned()))
            }
            2 | 3 if self.has_trees() => {
                let of_tree = |shape: &Shape, path: usize| shape.paths[path].targets.iter().any(|to| is_tree(to));
                match self.named(of_tree).filter(|name| is_tree(super::memory::collection(name))) {
                    Some(name) => Expression::Under(self.view.some_ancestor(&name, self.dice.random_range(0..3))),
                    None => self.comparison(),
                }
            }
            4..8 => self.presence(),
            8..11 if self.shape.is_dated() => self.of_a_day(),
            _ => self.comparison(),
        }
    }

    fn of_a_day(&mut self) -> Expression {
        let (day, quoted) = (self.one_of(self.days), self.chance(0.5));
        if self.chance(0.6) {
            return Expression::InForce { day, perhaps: self.chance(0.3), quoted };
        }
        let name = self.named(|shape, path| shape.paths[path].party).unwrap_or("countries/nobody".to_owned());
        Expression::PartyOn { name, day, quoted }
    }

    fn has_trees(&self) -> bool {
        self.shape.paths.iter().flat_map(|path| &path.targets).any(|to| is_tree(to))
    }

    /// A name that some resource refers to by one of these paths.
    fn named(&mut self, which: impl Fn(&Shape, usize) -> bool) -> Option<String> {
        let paths: Vec<_> = (0..self.shape.paths.len()).filter(|path| which(self.shape, *path)).collect();
        for _ in 0..20 {
            let (row, path) = (self.row()?, self.one_of(&paths));
            let names: Vec<_> = row.texts(path).filter(|name| !name.is_empty()).collect();
            if !names.is_empty() {
                return Some(self.one_of(&names).to_owned());
            }
        }
        None
    }

    /// A path for which this holds, mostly one at the end of which something is.
    fn path(&mut self, which: impl Fn(&Leaf) -> bool) -> usize {
        if self.shape.is_dated() && self.chance(0.15) {
            let path = self.one_of(&DAY_PATHS);
            return self.shape.path(path);
        }
        let mut chosen = None;
        for _ in 0..20 {
            let path = self.dice.random_range(0..self.shape.paths.len());
            if !which(&self.shape.paths[path].leaf) {
                continue;
            }
            chosen = Some(path);
            if self.row().is_some_and(|row| row.has(path, None)) || self.chance(0.02) {
                break;
            }
        }
        chosen.unwrap_or_else(|| self.shape.path("display_name"))
    }

    /// Where a test looks: of a map, behind a key.
    fn place(&mut self, path: usize) -> Place {
        let mut written = self.shape.paths[path].text();
        let key = (self.shape.paths[path].leaf == Leaf::Map).then(|| {
            let keys = self.view.keys(path);
            if keys.is_empty() || self.chance(0.05) { "nobody-has-it".to_owned() } else { self.one_of(&keys) }
        });
        if let Some(key) = &key {
            written = format!("{written}.{}", self.key(key));
        }
        Place { path, key, written }
    }

    /// A key, in quotation marks if it needs some.
    fn key(&mut self, key: &str) -> String {
        let plain = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if plain && self.chance(0.8) { key.to_owned() } else { quoted(key, '"') }
    }

    fn presence(&mut self) -> Expression {
        let path = self.path(|_| true);
        let shape = &self.shape.paths[path];
        let text = shape.text();
        if shape.leaf == Leaf::Map && self.chance(0.7) {
            let place = self.place(path);
            let written = match self.chance(0.5) {
                true => format!("{}:*", place.written),
                false => format!("{text}:{}", self.key(place.key.as_ref().unwrap())),
            };
            return Expression::Has { place, written };
        }
        // `message:field` is `message.field:*`. A date is compared with dates.
        let of_date = shape.fields.last().unwrap().parent_message().name() == "PartialDate";
        let of_message = !of_date && shape.fields.len() > 1 && !shape.many && !shape.fields.last().unwrap().is_list();
        let written = match text.rsplit_once('.') {
            Some((message, field)) if of_message && self.chance(0.4) => format!("{message}:{field}"),
            _ => format!("{text}:*"),
        };
        Expression::Has { place: Place { path, key: None, written: text }, written }
    }

    fn comparison(&mut self) -> Expression {
        let path = self.path(|leaf| *leaf != Leaf::Message);
        let place = self.place(path);
        let ordered = !matches!(self.shape.paths[path].leaf, Leaf::Bool | Leaf::Enum(_));
        // Of a list, one item may differ and another not: that is not asked so.
        let different = !self.shape.paths[path].many;
        let operator = match self.dice.random_range(0..10) {
            0 if different => Operator::NotEqual,
            1 | 2 if ordered => Operator::Less,
            3 | 4 if ordered => Operator::LessEqual,
            5 if ordered => Operator::Greater,
            6 if ordered => Operator::GreaterEqual,
            _ => Operator::Equal,
        };
        let written = match operator {
            Operator::Equal => self.one_of(&[" = ", "=", ":", " = "]),
            Operator::NotEqual => self.one_of(&[" != ", "!="]),
            Operator::Less => self.one_of(&[" < ", "<"]),
            Operator::LessEqual => self.one_of(&[" <= ", "<="]),
            Operator::Greater => self.one_of(&[" > ", ">"]),
            Operator::GreaterEqual => self.one_of(&[" >= ", ">="]),
        };
        // Whether each is to differ or one, nobody would know.
        if operator != Operator::NotEqual && self.chance(0.1) {
            let count = self.dice.random_range(2..4);
            let mut literals: Vec<_> = (0..count).map(|_| self.literal(&place, operator)).collect();
            // Among several values a minus is a NOT.
            for literal in literals.iter_mut().filter(|literal| literal.written.starts_with('-')) {
                literal.written = format!("\"{}\"", literal.written);
            }
            let all = self.one_of(&[None, None, Some(Joint::And), Some(Joint::Space)]);
            return Expression::CompareEach { place, operator, written, literals, all };
        }
        let literal = self.literal(&place, operator);
        Expression::Compare { place, operator, written, literal }
    }

    /// What some resource has there, or something near it; now and then anything.
    fn literal(&mut self, place: &Place, operator: Operator) -> Literal {
        let mut value = None;
        for _ in 0..10 {
            let Some(row) = self.row() else { break };
            let values = row.values(place.path, place.key.as_deref());
            let values: Vec<_> = values.iter().flatten().cloned().collect();
            if !values.is_empty() {
                value = Some(self.one_of(&values));
                break;
            }
        }
        match self.shape.paths[place.path].leaf.clone() {
            Leaf::Text | Leaf::Map => {
                let text = match value {
                    Some(Value::Text(text)) if self.chance(0.9) => text,
                    _ => self.one_of(&TEXTS).to_owned(),
                };
                self.text(text, operator)
            }
            Leaf::Bool => {
                let value = self.chance(0.5);
                Literal { meaning: Meaning::Bool(value), written: value.to_string() }
            }
            Leaf::Enum(values) => {
                let value = match value {
                    Some(Value::Enum(number)) if self.chance(0.7) => values.get_value(number).unwrap(),
                    _ => values.get_value(self.dice.random_range(0..values.values().len() as i32)).unwrap(),
                };
                let zero = values.get_value(0).unwrap();
                let short = value.name().strip_prefix(zero.name().strip_suffix("UNSPECIFIED").unwrap()).unwrap();
                let name = if self.chance(0.4) { value.name() } else { short };
                let written = match self.dice.random_range(0..4) {
                    0 => name.to_lowercase().replace('_', "-"),
                    1 => name.to_lowercase(),
                    2 => format!("\"{name}\""),
                    _ => name.to_owned(),
                };
                Literal { meaning: Meaning::Enum(value.number()), written }
            }
            Leaf::Whole => {
                let near = self.dice.random_range(-1..=1);
                let number = match value {
                    Some(Value::Whole(number)) => number + near,
                    _ => self.dice.random_range(-2..3000),
                };
                // A field that has no negative numbers is not compared with one.
                let number = number.max(0);
                Literal { meaning: Meaning::Whole(number), written: number.to_string() }
            }
            Leaf::Double => {
                let number = match value {
                    Some(Value::Double(number)) if self.chance(0.7) => number,
                    _ => self.one_of(&[0.5, -1.25, 0.1, 3.0, -0.001, 1e10]),
                };
                Literal { meaning: Meaning::Double(number), written: number.to_string() }
            }
            Leaf::Date => {
                let near = match value {
                    Some(Value::Date(Some((first, last)))) => self.one_of(&[first, last]),
                    _ => self.dice.random_range(day(2015, 1, 1)..day(2024, 1, 1)),
                };
                let (first, last, written) = self.days(near);
                Literal { meaning: Meaning::Days(first, last), written: self.maybe_quoted(written) }
            }
            Leaf::Time => {
                let near = match value {
                    Some(Value::Time(time)) => time,
                    _ => i128::from(self.dice.random_range(day(2019, 1, 1)..day(2022, 1, 1))) * NANOS_OF_DAY,
                };
                self.time(near)
            }
            Leaf::Money => {
                let (currency, nanos) = match value {
                    Some(Value::Money(currency, nanos)) if self.chance(0.9) => (currency, nanos),
                    _ => ("USD".to_owned(), NANOS_OF_SECOND * 500),
                };
                let near = self.one_of(&[0, 0, 1, -1, NANOS_OF_SECOND]);
                self.money(currency, (nanos + near).max(0))
            }
            leaf @ Leaf::Message => panic!("nothing is compared with a {leaf:?}"),
        }
    }

    /// A text as it is, or with gaps where anything can stand.
    fn text(&mut self, text: String, operator: Operator) -> Literal {
        let letters: Vec<char> = nfc(&text).chars().collect();
        let with_gaps = matches!(operator, Operator::Equal | Operator::NotEqual);
        if with_gaps && self.chance(0.4) {
            let (from, to) = {
                let mut ends = [self.dice.random_range(0..=letters.len()), self.dice.random_range(0..=letters.len())];
                ends.sort_unstable();
                (ends[0], ends[1])
            };
            let piece = |letters: &[char]| letters.iter().collect::<String>();
            let pieces = match self.dice.random_range(0..4) {
                0 => vec![piece(&letters[..to]), String::new()],
                1 => vec![String::new(), piece(&letters[from..])],
                2 => vec![String::new(), piece(&letters[from..to]), String::new()],
                _ => vec![piece(&letters[..from]), piece(&letters[to..])],
            };
            // Nothing but a star asks whether something is there. And what is cut must not grow together.
            let cut_well = pieces.iter().all(|piece| nfc(piece) == *piece);
            if pieces.iter().any(|piece| !piece.is_empty()) && cut_well {
                let inner: Vec<_> = pieces.iter().map(|piece| escaped(piece, '"')).collect();
                let written = format!("\"{}\"", inner.join("*"));
                return Literal { meaning: Meaning::Like(pieces), written };
            }
        }
        let meaning = Meaning::Text(nfc(&text));
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let keyword = matches!(text.as_str(), "AND" | "OR" | "NOT" | "");
        let written = match self.dice.random_range(0..4) {
            0 if !keyword && text.chars().all(plain) => text,
            1 => quoted(&text, '\''),
            _ => quoted(&text, '"'),
        };
        Literal { meaning, written }
    }

    fn maybe_quoted(&mut self, text: String) -> String {
        if self.chance(0.5) { format!("\"{text}\"") } else { text }
    }

    /// A year, a month or a day near this one: its first day, its last, and as it is written.
    fn days(&mut self, near: i64) -> (i64, i64, String) {
        let last = day(9999, 12, 31);
        let near = (near + self.one_of(&[0, 0, 0, 1, -1, 40, -400])).clamp(day(1, 1, 1), last);
        let (year, month, of_month) = civil(near);
        match self.dice.random_range(0..3) {
            0 => (day(year, 1, 1), day(year, 12, 31), format!("{year:04}")),
            1 => {
                let end = day(year, month, days_of_month(year, month));
                (day(year, month, 1), end, format!("{year:04}-{month:02}"))
            }
            _ => (near, near, format!("{year:04}-{month:02}-{of_month:02}")),
        }
    }

    fn time(&mut self, near: i128) -> Literal {
        if self.chance(0.4) {
            let (first, last, written) = self.days(near.div_euclid(NANOS_OF_DAY) as i64);
            let times = Meaning::Times(i128::from(first) * NANOS_OF_DAY, (i128::from(last) + 1) * NANOS_OF_DAY - 1);
            return Literal { meaning: times, written: self.maybe_quoted(written) };
        }
        let time = near + self.one_of(&[0, 0, 1, -1, NANOS_OF_SECOND]);
        let written = rfc3339(time, self.one_of(&[0, 0, 540, -210, 1]));
        Literal { meaning: Meaning::Times(time, time), written: format!("\"{written}\"") }
    }

    fn money(&mut self, currency: String, nanos: i128) -> Literal {
        let (units, fraction) = (nanos / NANOS_OF_SECOND, nanos % NANOS_OF_SECOND);
        let fraction = format!("{fraction:09}").trim_end_matches('0').to_owned();
        let amount = match fraction.as_str() {
            "" if self.chance(0.5) => units.to_string(),
            "" => format!("{units}.00"),
            fraction => format!("{units}.{fraction}"),
        };
        let written = match self.chance(0.7) {
            true => format!("\"{amount} {currency}\""),
            false => format!("\"{currency} {amount}\""),
        };
        Literal { meaning: Meaning::Money(currency, nanos), written }
    }

    /// What a listing is ordered by.
    pub(crate) fn order(&mut self) -> Vec<Term> {
        let count = self.one_of(&[0, 1, 1, 1, 2, 2, 3]);
        let mut terms: Vec<Term> = Vec::new();
        for _ in 0..count {
            let path = self.path(|leaf| *leaf != Leaf::Message);
            let Place { path, key, written } = self.place(path);
            if terms.iter().any(|term| term.written == written) {
                continue;
            }
            terms.push(Term { path, key, descending: self.chance(0.5), written });
        }
        terms
    }
}

/// Whether a kind is a tree.
fn is_tree(collection: &str) -> bool {
    matches!(collection, "focusAreas" | "organizations" | "agreements")
}

fn escaped(text: &str, mark: char) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter == mark || matches!(letter, '\\' | '*') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn quoted(text: &str, mark: char) -> String {
    format!("{mark}{}{mark}", escaped(text, mark))
}
