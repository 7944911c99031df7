//! From the text of a filter to its tokens, each with the bytes where it stands: words, quotations, comparators, parentheses.

use super::error::Error;
use super::text::Text;

/// What a filter is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The byte of the filter at which it begins.
    pub(crate) at: usize,
    /// The byte behind it.
    pub(crate) end: usize,
    pub(crate) value: TokenValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenValue {
    /// A path, a number, a name or a keyword: what stands between its dots.
    Word(Vec<Segment>),
    /// What stands between quotation marks.
    Quoted(Text),
    Comparator(Comparator),
    Open,
    Close,
    Comma,
}

/// What stands between two dots of a word. All but the first may be in quotation marks: `labels."unit/a.b"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) at: usize,
    pub(crate) text: Text,
    pub(crate) quoted: bool,
}

/// How a time begins; `0` is any digit.
const TIME_BEGINS: &[u8] = b"0000-00-00T";

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
}

impl Comparator {
    /// The one way to write a comparison.
    pub(crate) fn between(self, field: &str, value: &str) -> String {
        match self {
            Self::Has => format!("{field}:{value}"),
            Self::Equal | Self::NotEqual | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => {
                format!("{field} {} {value}", self.text())
            }
        }
    }

    /// As it is written.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Has => ":",
        }
    }
}

impl Token {
    /// As it is shown in errors.
    pub(crate) fn shown(&self) -> String {
        match &self.value {
            TokenValue::Word(segments) => shown(segments),
            TokenValue::Quoted(text) => text.shown(),
            TokenValue::Comparator(comparator) => comparator.text().to_owned(),
            TokenValue::Open => "(".to_owned(),
            TokenValue::Close => ")".to_owned(),
            TokenValue::Comma => ",".to_owned(),
        }
    }

    /// Whether it is this keyword. Keywords are upper case, as the AIP has them.
    pub(crate) fn is_keyword(&self, keyword: &str) -> bool {
        match &self.value {
            TokenValue::Word(segments) => match segments.as_slice() {
                [segment] => !segment.quoted && segment.text.plain() == Some(keyword),
                _ => false,
            },
            TokenValue::Quoted(_)
            | TokenValue::Comparator(_)
            | TokenValue::Open
            | TokenValue::Close
            | TokenValue::Comma => false,
        }
    }

    /// The keyword that it is.
    pub(crate) fn keyword(&self) -> Option<&'static str> {
        ["AND", "OR", "NOT"].into_iter().find(|keyword| self.is_keyword(keyword))
    }
}

/// A word as it is shown in errors.
pub(crate) fn shown(segments: &[Segment]) -> String {
    segments.iter().map(|segment| segment.text.shown()).collect::<Vec<_>>().join(".")
}

/// Fails on a character that begins no token, and on a quotation that does not close.
pub(crate) fn lex(source: &str) -> Result<Vec<Token>, Error> {
    let mut letters = Letters { source, at: 0 };
    let mut tokens = Vec::new();
    while let Some(letter) = letters.peek() {
        let at = letters.at;
        if letter.is_whitespace() {
            letters.next();
            continue;
        }
        let value = letters.token(letter)?;
        tokens.push(Token { at, end: letters.at, value });
    }
    Ok(tokens)
}

struct Letters<'a> {
    source: &'a str,
    /// The byte of the next one.
    at: usize,
}

impl Letters<'_> {
    fn peek(&self) -> Option<char> {
        self.source.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let is = self.peek() == Some(wanted);
        if is {
            self.next();
        }
        is
    }

    fn token(&mut self, letter: char) -> Result<TokenValue, Error> {
        if is_of_word(letter) {
            return self.word();
        }
        let at = self.at;
        self.next();
        Ok(match letter {
            '"' | '\'' => TokenValue::Quoted(self.quoted(at, letter)?),
            '(' => TokenValue::Open,
            ')' => TokenValue::Close,
            ',' => TokenValue::Comma,
            ':' => TokenValue::Comparator(Comparator::Has),
            '=' => TokenValue::Comparator(Comparator::Equal),
            '<' if self.next_if('=') => TokenValue::Comparator(Comparator::LessOrEqual),
            '<' => TokenValue::Comparator(Comparator::Less),
            '>' if self.next_if('=') => TokenValue::Comparator(Comparator::GreaterOrEqual),
            '>' => TokenValue::Comparator(Comparator::Greater),
            '!' if self.next_if('=') => TokenValue::Comparator(Comparator::NotEqual),
            _ => return Err(Error::new(at, format!("must not have {letter:?} outside of quotation marks"))),
        })
    }

    fn word(&mut self) -> Result<TokenValue, Error> {
        let word = self.at;
        let mut segments = Vec::new();
        loop {
            let at = self.at;
            let mark = self.peek().filter(|letter| matches!(letter, '"' | '\'') && !segments.is_empty());
            let segment = match mark {
                Some(mark) => {
                    self.next();
                    Segment { at, text: self.quoted(at, mark)?, quoted: true }
                }
                None => Segment { at, text: self.bare(word), quoted: false },
            };
            segments.push(segment);
            if !self.next_if('.') {
                return Ok(TokenValue::Word(segments));
            }
        }
    }

    /// What is not quoted, up to the next dot, of a word that begins at `word`.
    fn bare(&mut self, word: usize) -> Text {
        let mut text = Text::default();
        while let Some(letter) = self.peek() {
            match letter {
                '*' => text.push_star(),
                // Of a time of day the colons belong to the value: 2025-10-15T09:30:00+09:00.
                ':' if self.is_in_time(word) => text.push(letter),
                _ if is_of_word(letter) && letter != '.' => text.push(letter),
                _ => break,
            }
            self.next();
        }
        text
    }

    /// Whether the colon that comes next stands in a time: in a word that begins as one, and before a digit.
    fn is_in_time(&self, word: usize) -> bool {
        let begins = self.source.as_bytes().get(word..self.at).unwrap_or_default();
        let as_time = begins.len() > TIME_BEGINS.len()
            && begins.iter().zip(TIME_BEGINS).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                shape => byte.eq_ignore_ascii_case(shape),
            });
        as_time && self.source.as_bytes().get(self.at + 1).is_some_and(u8::is_ascii_digit)
    }

    /// The rest of a quotation that opened at `open` with `mark`.
    fn quoted(&mut self, open: usize, mark: char) -> Result<Text, Error> {
        let mut text = Text::default();
        loop {
            let at = self.at;
            match self.next() {
                Some(letter) if letter == mark => return Ok(text),
                Some('*') => text.push_star(),
                Some('\\') => match self.next() {
                    Some(escaped @ ('"' | '\'' | '\\' | '*')) => text.push(escaped),
                    Some(_) | None => return Err(Error::new(at, "must have only \", ', * or \\ after \\")),
                },
                Some(letter) => text.push(letter),
                None => return Err(Error::new(open, "must close the quotation that opens here")),
            }
        }
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_-./+*@".contains(letter)
}
