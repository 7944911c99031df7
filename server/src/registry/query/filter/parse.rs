//! From tokens to the tree of a filter: the grammar of AIP-160, by recursive descent.
//!
//! ```text
//! expression  = sequence { AND sequence }
//! sequence    = factor { factor }
//! factor      = term { OR term }
//! term        = [ NOT | "-" ] ( restriction | "(" expression ")" )
//! restriction = operand [ comparator argument ]
//! argument    = operand | "(" expression ")"
//! operand     = word | quotation | name "(" [ argument { "," argument } ] ")"
//! ```

use super::error::Error;
use super::lex::{Comparator, Segment, Token, TokenValue, shown};
use super::tree::{Argument, Node, Operand, OperandValue, Restriction};

/// How deep parentheses may stand in one another.
const DEPTH_MAX: usize = 32;
/// What stands behind a comparator, as errors call it.
const VALUE: &str = "a value";

/// Reads a filter; `end` is its length, to which errors about what is missing point. `None`: it says nothing.
pub(super) fn parse(tokens: &[Token], end: usize) -> Result<Option<Node>, Error> {
    let mut parser = Parser { tokens, end, depth: 0 };
    if tokens.is_empty() {
        return Ok(None);
    }
    let node = parser.expression("the filter")?;
    match parser.peek() {
        None => Ok(Some(node)),
        Some(token) => Err(unexpected("AND, OR or the end", token)),
    }
}

struct Parser<'a> {
    /// Those that are not read yet.
    tokens: &'a [Token],
    end: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.first()
    }

    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn next_if(&mut self, wanted: impl Fn(&Token) -> bool) -> Option<&'a Token> {
        if self.peek().is_some_and(wanted) { self.next() } else { None }
    }

    /// `place` is behind what it stands.
    fn expression(&mut self, place: &str) -> Result<Node, Error> {
        let mut nodes = Vec::new();
        self.sequence(place, &mut nodes)?;
        while self.next_if(|token| token.is_keyword("AND")).is_some() {
            self.sequence("AND", &mut nodes)?;
        }
        Ok(one_or(Node::All, nodes))
    }

    /// At least one factor. Spaces between them mean AND.
    fn sequence(&mut self, place: &str, nodes: &mut Vec<Node>) -> Result<(), Error> {
        nodes.push(self.factor(place)?);
        while self.peek().is_some_and(|token| match &token.value {
            TokenValue::Word(_) => !matches!(token.keyword(), Some("AND" | "OR")),
            TokenValue::Quoted(_) | TokenValue::Open => true,
            TokenValue::Comparator(_) | TokenValue::Close | TokenValue::Comma => false,
        }) {
            nodes.push(self.factor(place)?);
        }
        Ok(())
    }

    fn factor(&mut self, place: &str) -> Result<Node, Error> {
        let mut nodes = vec![self.term(place)?];
        while self.next_if(|token| token.is_keyword("OR")).is_some() {
            nodes.push(self.term("OR")?);
        }
        Ok(one_or(Node::Any, nodes))
    }

    fn term(&mut self, place: &str) -> Result<Node, Error> {
        if self.next_if(|token| token.is_keyword("NOT")).is_some() {
            return Ok(Node::Not(Box::new(self.simple("NOT", None)?)));
        }
        let Some(token) = self.peek() else { return self.simple(place, None) };
        let TokenValue::Word(segments) = &token.value else { return self.simple(place, None) };
        let Some(rest) = without_minus(segments) else { return self.simple(place, None) };
        self.next();
        let rest = match rest.as_slice() {
            // The minus stands by itself, before a parenthesis.
            [only] if only.text.plain() == Some("") => None,
            _ => Some(Token { at: token.at + 1, end: token.end, value: TokenValue::Word(rest) }),
        };
        let close = self.peek().is_some_and(|next| next.at == token.end);
        if rest.is_none() && !close {
            return Err(Error::new(token.end, "must have a term directly behind '-'"));
        }
        Ok(Node::Not(Box::new(self.simple("'-'", rest)?)))
    }

    /// What stands in parentheses, or a restriction. `first`: its first word, if it is read already.
    fn simple(&mut self, place: &str, first: Option<Token>) -> Result<Node, Error> {
        let token = match first {
            Some(token) => token,
            None => self.next().ok_or_else(|| Error::new(self.end, format!("must have a term after {place}")))?.clone(),
        };
        match &token.value {
            TokenValue::Open => return self.parenthesis(token.at).map(|(node, _)| node),
            TokenValue::Word(segments) if without_minus(segments).is_some() => {
                return Err(Error::new(token.at, format!("must not have '-' behind {place}")));
            }
            TokenValue::Word(_)
            | TokenValue::Quoted(_)
            | TokenValue::Comparator(_)
            | TokenValue::Close
            | TokenValue::Comma => {}
        }
        let subject = self.operand(token, "a term")?;
        let comparator = self.peek().and_then(|token| match token.value {
            TokenValue::Comparator(comparator) => Some(comparator),
            TokenValue::Word(_) | TokenValue::Quoted(_) | TokenValue::Open | TokenValue::Close | TokenValue::Comma => {
                None
            }
        });
        let comparison = match comparator {
            None => None,
            Some(comparator) => {
                self.next();
                Some((comparator, self.argument(&subject, comparator)?))
            }
        };
        Ok(Node::Restriction(Restriction { at: subject.at, subject, comparison }))
    }

    /// The rest of a parenthesis that opened at `open`, and the byte behind it.
    fn parenthesis(&mut self, open: usize) -> Result<(Node, usize), Error> {
        self.enter(open)?;
        let node = self.expression("'('")?;
        let end = self.close(open)?;
        Ok((node, end))
    }

    fn enter(&mut self, open: usize) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::new(open, format!("must have at most {DEPTH_MAX} parentheses in one another")));
        }
        Ok(())
    }

    /// Reads the end of the parenthesis that opened at `open`, and answers the byte behind it.
    fn close(&mut self, open: usize) -> Result<usize, Error> {
        self.depth -= 1;
        match self.next() {
            Some(token) if token.value == TokenValue::Close => Ok(token.end),
            Some(token) => Err(unexpected("AND, OR or ')'", token)),
            None => Err(Error::new(open, "must close the parenthesis that opens here")),
        }
    }

    fn argument(&mut self, subject: &Operand, comparator: Comparator) -> Result<Argument, Error> {
        let missing = || {
            let subject = match &subject.value {
                OperandValue::Word(segments) => shown(segments),
                OperandValue::Quoted(text) => text.shown(),
                OperandValue::Function { name, .. } => name.clone(),
            };
            Error::new(self.end, format!("must have a value after \"{subject} {}\"", comparator.text()))
        };
        let token = self.peek().ok_or_else(missing)?.clone();
        self.next();
        self.argument_from(token)
    }

    fn argument_from(&mut self, token: Token) -> Result<Argument, Error> {
        if token.value == TokenValue::Open {
            let (node, end) = self.parenthesis(token.at)?;
            return Ok(Argument::Several { at: token.at, end, node: Box::new(node) });
        }
        self.operand(token, VALUE).map(Argument::One)
    }

    /// What begins with `token`, which is none of the parenthesis.
    fn operand(&mut self, token: Token, what: &str) -> Result<Operand, Error> {
        if let Some(keyword) = token.keyword() {
            return Err(Error::new(
                token.at,
                match what {
                    VALUE => format!("must have {what} here, and has {keyword}, which needs quotation marks to be one"),
                    _ => format!("must have {what} here, and has {keyword}"),
                },
            ));
        }
        let Token { at, end, value } = token;
        match value {
            TokenValue::Word(segments) => match self.next_if(|next| next.value == TokenValue::Open && next.at == end) {
                Some(open) => self.function(at, &segments, open.at),
                None => Ok(Operand { at, end, value: OperandValue::Word(segments) }),
            },
            TokenValue::Quoted(text) => Ok(Operand { at, end, value: OperandValue::Quoted(text) }),
            value @ (TokenValue::Comparator(_) | TokenValue::Open | TokenValue::Close | TokenValue::Comma) => {
                Err(unexpected(what, &Token { at, end, value }))
            }
        }
    }

    /// The rest of a function, whose parenthesis opened at `open`.
    fn function(&mut self, at: usize, name: &[Segment], open: usize) -> Result<Operand, Error> {
        if name.iter().any(|segment| segment.quoted || segment.text.plain().is_none_or(str::is_empty)) {
            return Err(Error::new(at, format!("must have a function before '(', and {:?} is none", shown(name))));
        }
        self.enter(open)?;
        let mut arguments = Vec::new();
        if self.peek().is_some_and(|token| token.value != TokenValue::Close) {
            loop {
                let missing = || Error::new(self.end, format!("must have a value in {}(…)", shown(name)));
                let token = self.peek().ok_or_else(missing)?.clone();
                self.next();
                arguments.push(self.argument_from(token)?);
                if self.next_if(|token| token.value == TokenValue::Comma).is_none() {
                    break;
                }
            }
        }
        self.depth -= 1;
        let end = match self.next() {
            Some(token) if token.value == TokenValue::Close => token.end,
            Some(token) => return Err(unexpected("',' or ')'", token)),
            None => return Err(Error::new(open, "must close the parenthesis that opens here")),
        };
        let name = name.iter().map(|segment| segment.text.written()).collect::<Vec<_>>().join(".");
        let value = OperandValue::Function { name, arguments };
        Ok(Operand { at, end, value })
    }
}

/// The word without the minus that it begins with, if it does.
fn without_minus(segments: &[Segment]) -> Option<Vec<Segment>> {
    let (first, rest) = segments.split_first()?;
    let text = first.text.without_minus()?;
    Some([&[Segment { at: first.at + 1, text, quoted: false }], rest].concat())
}

/// The only node, or all of them together.
fn one_or(together: impl Fn(Vec<Node>) -> Node, mut nodes: Vec<Node>) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        last => {
            nodes.extend(last);
            together(nodes)
        }
    }
}

fn unexpected(what: &str, found: &Token) -> Error {
    let hint = match found.value {
        TokenValue::Comparator(comparator) => {
            format!("; a value that has '{}' in it needs quotation marks", comparator.text())
        }
        TokenValue::Word(_) | TokenValue::Quoted(_) | TokenValue::Open | TokenValue::Close | TokenValue::Comma => {
            String::new()
        }
    };
    Error::new(found.at, format!("must have {what} here, and has {:?}{hint}", found.shown()))
}
