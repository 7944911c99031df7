//! Rust as tokens, as far as the rules need it: names, texts and signs. Comments are left out, and what stands under
//! `#[cfg(test)]`.

/// A token of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or a keyword.
    Word(String),
    /// The inside of a string literal, as it is written.
    Text(String),
    /// A path separator.
    Separator,
    /// Any other sign, or a number.
    Sign(char),
}

impl Token {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own == word)
    }

    pub(crate) fn is_sign(&self, sign: char) -> bool {
        *self == Token::Sign(sign)
    }
}

/// What a source says outside of its tests, and the names of its modules that are tests as a whole.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) tokens: Vec<Token>,
    pub(crate) test_modules: Vec<String>,
}

/// Reads a source.
pub(crate) fn read(text: &str) -> Code {
    without_tests(&tokens(text))
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let (mut tokens, mut index) = (Vec::new(), 0);
    while index < chars.len() {
        match (at(index), at(index + 1)) {
            ('/', '/') => index = find(&chars, index, "\n"),
            ('/', '*') => {
                // Comments nest.
                let mut depth = 0;
                loop {
                    match (at(index), at(index + 1)) {
                        ('/', '*') => (depth, index) = (depth + 1, index + 2),
                        ('*', '/') => (depth, index) = (depth - 1, index + 2),
                        _ => index += 1,
                    }
                    if depth == 0 || index >= chars.len() {
                        break;
                    }
                }
            }
            ('"', _) => {
                let end = end_of_string(&chars, index + 1);
                tokens.push(Token::Text(chars[index + 1..end].iter().collect()));
                index = end + 1;
            }
            // A character, rather than a lifetime.
            ('\'', '\\') => index = find(&chars, index + 3, "'") + 1,
            ('\'', _) if at(index + 2) == '\'' => index += 3,
            ('\'', _) => index += 1,
            (':', ':') => {
                tokens.push(Token::Separator);
                index += 2;
            }
            (first, _) if word(first) => {
                let end = (index..chars.len()).find(|&index| !word(chars[index])).unwrap_or(chars.len());
                let name: String = chars[index..end].iter().collect();
                let hashes = (end..).take_while(|&index| at(index) == '#').count();
                index = match name.as_str() {
                    "r" | "br" | "cr" if at(end + hashes) == '"' => {
                        let start = end + hashes + 1;
                        let end = find(&chars, start, &format!("\"{}", "#".repeat(hashes)));
                        tokens.push(Token::Text(chars[start..end].iter().collect()));
                        end + 1 + hashes
                    }
                    // A raw name such as `r#type`: what follows is the name.
                    "r" if hashes == 1 => end + 1,
                    // The prefix of a string or a character: that follows.
                    "b" | "c" if matches!(at(end), '"' | '\'') => end,
                    _ if first.is_ascii_digit() => {
                        tokens.push(Token::Sign('0'));
                        end
                    }
                    _ => {
                        tokens.push(Token::Word(name));
                        end
                    }
                };
            }
            (space, _) if space.is_whitespace() => index += 1,
            (sign, _) => {
                tokens.push(Token::Sign(sign));
                index += 1;
            }
        }
    }
    tokens
}

/// Where `wanted` stands next, or the end.
fn find(chars: &[char], from: usize, wanted: &str) -> usize {
    let wanted: Vec<char> = wanted.chars().collect();
    (from..chars.len()).find(|&index| chars[index..].starts_with(&wanted)).unwrap_or(chars.len())
}

fn end_of_string(chars: &[char], mut index: usize) -> usize {
    while index < chars.len() && chars[index] != '"' {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    index.min(chars.len())
}

fn without_tests(tokens: &[Token]) -> Code {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let is_mark = |tokens: &[Token]| {
        tokens.len() >= mark.len()
            && mark.iter().zip(tokens).all(|(wanted, token)| match token {
                Token::Word(word) => word == wanted,
                Token::Sign(sign) => wanted.chars().eq([*sign]),
                Token::Text(_) | Token::Separator => false,
            })
    };
    let (mut code, mut index) = (Code::default(), 0);
    while index < tokens.len() {
        if !is_mark(&tokens[index..]) {
            code.tokens.push(tokens[index].clone());
            index += 1;
            continue;
        }
        let start = after_attributes(tokens, index);
        let end = end_of_item(tokens, start);
        if let Some(at) = tokens[start..end].iter().position(|token| token.is_word("mod"))
            && let (Some(Token::Word(name)), Some(Token::Sign(';'))) =
                (tokens.get(start + at + 1), tokens.get(start + at + 2))
        {
            code.test_modules.push(name.clone());
        }
        index = end;
    }
    code
}

/// Behind the attributes that stand at `index`.
fn after_attributes(tokens: &[Token], mut index: usize) -> usize {
    while tokens.get(index).is_some_and(|token| token.is_sign('#')) {
        index = end_of_group(tokens, index + 1);
    }
    index
}

/// Behind the brackets that open at `index`.
fn end_of_group(tokens: &[Token], mut index: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(index) {
        index += 1;
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    index
}

/// Behind the item that begins at `index`: at its semicolon, or where its braces close.
fn end_of_item(tokens: &[Token], mut index: usize) -> usize {
    let ends_with_semicolon = tokens[index..].iter().find_map(|token| match token {
        Token::Word(word) => match word.as_str() {
            "use" | "static" | "type" => Some(true),
            "fn" | "mod" | "struct" | "enum" | "impl" | "trait" | "macro_rules" => Some(false),
            _ => None,
        },
        _ => None,
    });
    while let Some(token) = tokens.get(index) {
        match token {
            Token::Sign(';') => return index + 1,
            Token::Sign('{') if ends_with_semicolon != Some(true) => return end_of_group(tokens, index),
            Token::Sign('(' | '[' | '{') => index = end_of_group(tokens, index),
            _ => index += 1,
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let word = |token| match token {
            Token::Word(word) => Some(word),
            _ => None,
        };
        read(text).tokens.into_iter().filter_map(word).collect()
    }

    #[test]
    fn comments_texts_characters_and_lifetimes_are_no_words() {
        let text = r##"a // b
            /* c /* d */ e */ f "g \" h" 'i' '\'' r#"j " k"# b"l" fn m<'n>() {} r#type 1u8"##;
        assert_eq!(words(text), ["a", "f", "fn", "m", "n", "type"]);
        let texts: Vec<_> = read(text).tokens.into_iter().filter(|token| matches!(token, Token::Text(_))).collect();
        assert_eq!(texts, [r#"g \" h"#, r#"j " k"#, "l"].map(|text| Token::Text(text.to_owned())));
    }

    #[test]
    fn what_is_only_for_tests_is_left_out_and_what_follows_is_not() {
        let text = "a #[cfg(test)] mod tests { fn x() { y } } b
            #[cfg(test)] use c::{d, e}; f
            #[cfg(test)] #[allow(g, reason = \"h\")] pub(crate) fn i(j: [u8; 1]) -> K { l } m
            #[cfg(test)] mod oracle; n";
        assert_eq!(words(text), ["a", "b", "f", "m", "n"]);
        assert_eq!(read(text).test_modules, ["oracle"]);
        assert_eq!(words("#[cfg(unix)] fn a() {}"), ["cfg", "unix", "fn", "a"]);
    }
}
