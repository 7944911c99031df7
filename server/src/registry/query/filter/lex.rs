//! From the text of a filter to its tokens: words, quotations and operators, each with the byte at which it begins.

use super::error::Error;

/// A word, a quotation or an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The byte of the filter at which it begins.
    pub(super) at: usize,
    pub(super) value: TokenValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenValue {
    /// A name, a path, a number or a keyword.
    Word(String),
    /// What stands between quotation marks.
    Quoted(String),
    Operator(Operator),
    /// `*`, which stands for any value.
    Star,
}

/// How a restriction compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Has,
}

impl Operator {
    /// As it is written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Has => ":",
        }
    }
}

/// Fails on a character that begins no token, and on a quotation that does not close.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let value = match letter {
            _ if letter.is_whitespace() => continue,
            '=' => TokenValue::Operator(Operator::Equal),
            ':' => TokenValue::Operator(Operator::Has),
            '*' => TokenValue::Star,
            '!' if letters.next_if(|(_, next)| *next == '=').is_some() => TokenValue::Operator(Operator::NotEqual),
            '"' => TokenValue::Quoted(quoted(at, &mut letters)?),
            _ if is_of_word(letter) => {
                let mut word = String::from(letter);
                while let Some((_, letter)) = letters.next_if(|(_, letter)| is_of_word(*letter)) {
                    word.push(letter);
                }
                TokenValue::Word(word)
            }
            _ => return Err(Error::new(at, format!("must not have {letter:?} outside of quotation marks"))),
        };
        tokens.push(Token { at, value });
    }
    Ok(tokens)
}

/// The rest of a quotation that opened at `open`.
fn quoted(open: usize, letters: &mut impl Iterator<Item = (usize, char)>) -> Result<String, Error> {
    let mut value = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok(value),
            '\\' => match letters.next() {
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                Some(_) | None => return Err(Error::new(at, "must have only \" or \\ after \\")),
            },
            letter => value.push(letter),
        }
    }
    Err(Error::new(open, "must close the quotation that opens here"))
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_-./+".contains(letter)
}
