//! A filter as it is written: what stands in which parentheses, by AIP-160 alone. What it means for a kind, `check` says.

use super::lex::{Comparator, Segment};
use super::text::Text;

/// An expression, or a part of one.
#[derive(Debug)]
pub(super) enum Node {
    /// All of these: joined by AND, or only by spaces.
    All(Vec<Node>),
    /// One of these.
    Any(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    Restriction(Restriction),
}

/// A field that is compared, or what stands alone.
#[derive(Debug)]
pub(super) struct Restriction {
    /// The byte at which it begins.
    pub(super) at: usize,
    pub(super) subject: Operand,
    pub(super) comparison: Option<(Comparator, Argument)>,
}

/// With what a field is compared, or what a function is given.
#[derive(Debug)]
pub(super) enum Argument {
    One(Operand),
    /// What stands in parentheses: several values.
    Several {
        at: usize,
        end: usize,
        node: Box<Node>,
    },
}

/// A field, a value or a function. The bytes say where it stands.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) value: OperandValue,
}

#[derive(Debug)]
pub(super) enum OperandValue {
    Word(Vec<Segment>),
    Quoted(Text),
    Function { name: String, arguments: Vec<Argument> },
}

impl Argument {
    /// The byte at which it begins.
    pub(super) fn at(&self) -> usize {
        match self {
            Self::One(operand) => operand.at,
            Self::Several { at, .. } => *at,
        }
    }

    /// The byte behind it.
    pub(super) fn end(&self) -> usize {
        match self {
            Self::One(operand) => operand.end,
            Self::Several { end, .. } => *end,
        }
    }
}

impl Restriction {
    /// The byte behind it.
    pub(super) fn end(&self) -> usize {
        self.comparison.as_ref().map_or(self.subject.end, |(_, argument)| argument.end())
    }
}

/// The one way to write an expression: with all parentheses, and AND wherever it is meant. It is read again as the same.
#[cfg(any(test, feature = "fuzzing"))]
mod canonical {
    use std::fmt::{self, Display, Formatter};

    use super::{Argument, Node, Operand, OperandValue, Restriction};
    use crate::registry::query::filter::lex::Segment;

    impl Display for Node {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            match self {
                Self::All(nodes) => joined(f, nodes, " AND "),
                Self::Any(nodes) => joined(f, nodes, " OR "),
                // Two do not stand side by side.
                Self::Not(inner) if matches!(**inner, Self::Not(_)) => write!(f, "NOT ({inner})"),
                Self::Not(inner) => write!(f, "NOT {inner}"),
                Self::Restriction(restriction) => restriction.fmt(f),
            }
        }
    }

    fn joined(f: &mut Formatter<'_>, nodes: &[Node], between: &str) -> fmt::Result {
        let nodes: Vec<_> = nodes.iter().map(Node::to_string).collect();
        write!(f, "({})", nodes.join(between))
    }

    impl Display for Restriction {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            match &self.comparison {
                None => self.subject.fmt(f),
                Some((comparator, argument)) => {
                    f.write_str(&comparator.between(&self.subject.to_string(), &argument.to_string()))
                }
            }
        }
    }

    impl Display for Argument {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            match self {
                Self::One(operand) => operand.fmt(f),
                // They have their parentheses.
                Self::Several { node, .. } if matches!(**node, Node::All(_) | Node::Any(_)) => node.fmt(f),
                Self::Several { node, .. } => write!(f, "({node})"),
            }
        }
    }

    impl Display for Operand {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            match &self.value {
                OperandValue::Word(segments) => {
                    let written = |segment: &Segment| match segment.quoted {
                        true => segment.text.quoted(),
                        false => segment.text.written(),
                    };
                    f.write_str(&segments.iter().map(written).collect::<Vec<_>>().join("."))
                }
                OperandValue::Quoted(text) => f.write_str(&text.quoted()),
                OperandValue::Function { name, arguments } => {
                    let arguments: Vec<_> = arguments.iter().map(Argument::to_string).collect();
                    write!(f, "{name}({})", arguments.join(", "))
                }
            }
        }
    }
}
