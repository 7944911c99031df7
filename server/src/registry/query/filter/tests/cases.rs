//! The cases of `tests/filter/aip_cases.txt`: by this parser, and by another one of the same grammar.

use super::*;

const CASES: &str = include_str!("../../../../../../tests/filter/aip_cases.txt");

/// Filters that the other parser reads in another way, or that only it refuses, and why that is.
const DIFFERENCES: &[(&str, &str)] = &[
    ("a = 2012-04-21T11:30:00Z", TIME),
    ("a = 2012-04-21T11:30:00-04:00", TIME),
    ("a < 2012-04-21t11:30:00.25+09:00", TIME),
    ("a = 2012-04-21T11:30:00Z AND b:c", TIME),
    (r#"a = "b\*""#, "a star that is escaped is no wildcard here, and the other tree does not tell the two apart"),
    ("NOT -a", MINUS),
    ("--a", MINUS),
    ("(a)(b)", "parentheses need no space between them here"),
    (r#"a = "b\n""#, "a backslash before a letter is refused here, since it is mostly a path or a slip"),
    ("a; b", MARK),
    ("a = b & c", MARK),
    ("a = $b", MARK),
    ("a = [b]", MARK),
    ("a = {b}", MARK),
    ("a | b", MARK),
];
const TIME: &str = "a time needs no quotation marks here";
const MARK: &str = "a mark that no value needs is refused here outside of quotation marks";
const MINUS: &str = "what has a minus too many is a slip, and no field begins with one";

/// The filters, and what is said of each.
fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    CASES.lines().filter_map(|line| line.strip_prefix('`')?.split_once('`')).map(|(text, said)| (text, said.trim()))
}

#[test]
fn each_case_has_its_parentheses_or_is_refused_where_it_says() {
    let mut wrong = Vec::new();
    for (text, expected) in cases() {
        let found = match canonical(text) {
            Ok(form) => form,
            Err(error) => match error.rsplit_once("(at column ").and_then(|(_, rest)| rest.strip_suffix(')')) {
                Some(column) => format!("refused at {column}"),
                None => error,
            },
        };
        if found != expected {
            wrong.push(format!("`{text}` is {found}, and not {expected}"));
        } else if !found.starts_with("refused at ") {
            assert_eq!(canonical(&found).as_deref(), Ok(expected), "it is read again as the same");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases().count() >= 200);
}

/// A tree without the parentheses that change nothing. A restriction is a text.
#[derive(Debug, PartialEq, Eq)]
enum Plain {
    All(Vec<Plain>),
    Any(Vec<Plain>),
    Not(Box<Plain>),
    Restriction(String),
}

fn joined(all: bool, each: impl Iterator<Item = Plain>) -> Plain {
    let mut parts = Vec::new();
    for one in each {
        match one {
            Plain::All(inner) if all => parts.extend(inner),
            Plain::Any(inner) if !all => parts.extend(inner),
            one @ (Plain::All(_) | Plain::Any(_) | Plain::Not(_) | Plain::Restriction(_)) => parts.push(one),
        }
    }
    if all { Plain::All(parts) } else { Plain::Any(parts) }
}

fn ours(node: &tree::Node) -> Plain {
    match node {
        tree::Node::All(nodes) => joined(true, nodes.iter().map(ours)),
        tree::Node::Any(nodes) => joined(false, nodes.iter().map(ours)),
        tree::Node::Not(inner) => Plain::Not(Box::new(ours(inner))),
        tree::Node::Restriction(restriction) => Plain::Restriction(restriction.to_string()),
    }
}

mod other {
    //! The trees of the other parser, written as ours are.

    use aip_160::{Arg, Comparable, Expression, Member, Value};

    use super::{Plain, joined};

    pub(super) fn plain(expression: &Expression) -> Plain {
        match expression {
            Expression::And(each) | Expression::Sequence(each) => joined(true, each.iter().map(plain)),
            Expression::Or(each) => joined(false, each.iter().map(plain)),
            Expression::Not(inner) => Plain::Not(Box::new(plain(inner))),
            Expression::Global(comparable) => Plain::Restriction(self::comparable(comparable)),
            Expression::Restriction(restriction) => {
                let (subject, argument) = (comparable(&restriction.comparable), argument(&restriction.arg));
                let between = match restriction.comparator.to_string().as_str() {
                    ":" => ":".to_owned(),
                    comparator => format!(" {comparator} "),
                };
                Plain::Restriction(format!("{subject}{between}{argument}"))
            }
        }
    }

    fn argument(argument: &Arg) -> String {
        match argument {
            Arg::Comparable(comparable) => self::comparable(comparable),
            Arg::Composite(expression) => match &**expression {
                Expression::And(_) | Expression::Sequence(_) | Expression::Or(_) => written(expression),
                Expression::Not(_) | Expression::Restriction(_) | Expression::Global(_) => {
                    format!("({})", written(expression))
                }
            },
        }
    }

    /// With all parentheses.
    fn written(expression: &Expression) -> String {
        let between =
            |each: &[Expression], word: &str| format!("({})", each.iter().map(written).collect::<Vec<_>>().join(word));
        match expression {
            Expression::And(each) | Expression::Sequence(each) => between(each, " AND "),
            Expression::Or(each) => between(each, " OR "),
            Expression::Not(inner) => format!("NOT {}", written(inner)),
            Expression::Global(comparable) => self::comparable(comparable),
            Expression::Restriction(restriction) => restriction.to_string(),
        }
    }

    fn comparable(comparable: &Comparable) -> String {
        match comparable {
            Comparable::Member(Member { value, fields }) => {
                let segments: Vec<_> = std::iter::once(value).chain(fields).map(self::value).collect();
                segments.join(".")
            }
            Comparable::Function(function) => {
                let arguments: Vec<_> = function.args.iter().map(argument).collect();
                format!("{}({})", function.name.join("."), arguments.join(", "))
            }
        }
    }

    fn value(value: &Value) -> String {
        match value {
            Value::Text(text) => text.clone(),
            Value::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

#[test]
fn another_parser_reads_the_cases_alike() {
    let mut known: Vec<_> = DIFFERENCES.iter().map(|(text, _)| *text).collect();
    let (mut wrong, mut alike) = (Vec::new(), 0);
    for (text, _) in cases() {
        let read = parse::parse(&lex::lex(text).unwrap_or_default(), text.len());
        let ours = canonical(text).ok().map(|_| read.ok().flatten().map(|node| ours(&node)));
        let other = aip_160::parse_filter(text).ok().map(|filter| filter.expression.as_ref().map(other::plain));
        let differs = known.iter().position(|known| *known == text);
        match (ours == other, differs) {
            (true, None) => alike += 1,
            (true, Some(_)) => wrong.push(format!("`{text}` is no difference any more")),
            (false, Some(place)) => drop(known.remove(place)),
            (false, None) => wrong.push(format!("`{text}` is {ours:?}\n    and in the other parser {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(known.is_empty(), "no cases: {known:?}");
    assert!(alike > 150, "{alike}");
}
