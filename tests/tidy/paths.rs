//! The paths in a source: what its `use` declarations import, and what it names in full.

use super::tokens::Token;

/// A path that a source names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its parts, such as `crate`, `store`, `Record`. A glob ends with `*`.
    pub(crate) path: Vec<String>,
    /// The inline modules around it, from the outside.
    pub(crate) within: Vec<String>,
    /// How it is known here, if a `pub use` hands it on.
    pub(crate) handed_on_as: Option<String>,
}

/// All paths of a source.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Named> {
    let mut reader = Reader { tokens, at: 0, found: Vec::new(), depth: 0, modules: Vec::new() };
    reader.read();
    reader.found
}

/// Keywords behind which a path may begin with its separator.
const BEFORE_A_PATH: &[&str] = &["as", "dyn", "else", "for", "if", "impl", "in", "match", "mut", "return", "where"];

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    found: Vec<Named>,
    depth: usize,
    /// The inline modules that are open, each with the depth of its braces.
    modules: Vec<(String, usize)>,
}

impl Reader<'_> {
    fn read(&mut self) {
        // Whether the item at hand began with `pub`.
        let mut public = false;
        while let Some(token) = self.tokens.get(self.at) {
            match token {
                Token::Word(word) if word == "pub" => {
                    public = true;
                    self.at += 1;
                    if self.sign('(') {
                        while self.at < self.tokens.len() && !self.sign(')') {
                            self.at += 1;
                        }
                        self.at += 1;
                    }
                    continue;
                }
                // `use<'a>` in a bound captures lifetimes and imports nothing.
                Token::Word(word) if word == "use" && !self.tokens.get(self.at + 1).is_some_and(|t| t.is_sign('<')) => {
                    self.at += 1;
                    self.tree(&[], public);
                }
                Token::Word(word) if word == "mod" => {
                    self.at += 1;
                    if let Some(Token::Word(name)) = self.tokens.get(self.at) {
                        self.at += 1;
                        if self.sign('{') {
                            self.modules.push((name.clone(), self.depth));
                        }
                    }
                }
                Token::Word(_) => self.inline(),
                Token::Sign('{') => {
                    self.depth += 1;
                    self.at += 1;
                }
                Token::Sign('}') => {
                    self.depth = self.depth.saturating_sub(1);
                    self.at += 1;
                    if self.modules.last().is_some_and(|(_, depth)| *depth == self.depth) {
                        self.modules.pop();
                    }
                }
                Token::Text(_) | Token::Separator | Token::Sign(_) => self.at += 1,
            }
            public = false;
        }
    }

    fn sign(&self, sign: char) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is_sign(sign))
    }

    fn separator(&mut self) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Separator);
        self.at += usize::from(found);
        found
    }

    fn note(&mut self, path: Vec<String>, handed_on_as: Option<String>) {
        let within = self.modules.iter().map(|(name, _)| name.clone()).collect();
        self.found.push(Named { path, within, handed_on_as });
    }

    /// A path of two parts or more in the midst of code.
    fn inline(&mut self) {
        if self.tokens.get(self.at).is_some_and(|token| BEFORE_A_PATH.iter().any(|word| token.is_word(word))) {
            self.at += 1;
            self.separator();
        }
        let mut path = Vec::new();
        while let Some(Token::Word(word)) = self.tokens.get(self.at) {
            path.push(word.clone());
            self.at += 1;
            if !self.separator() {
                break;
            }
        }
        if path.len() > 1 {
            self.note(path, None);
        }
    }

    /// A tree of a `use` declaration, behind the path before it.
    fn tree(&mut self, before: &[String], public: bool) {
        let mut path = before.to_vec();
        self.separator();
        loop {
            match self.tokens.get(self.at) {
                Some(Token::Word(word)) => {
                    path.push(word.clone());
                    self.at += 1;
                    if !self.separator() {
                        break;
                    }
                }
                Some(Token::Sign('*')) => {
                    self.at += 1;
                    path.push("*".to_owned());
                    break;
                }
                Some(Token::Sign('{')) => {
                    self.at += 1;
                    while self.at < self.tokens.len() && !self.sign('}') {
                        let begun = self.at;
                        self.tree(&path, public);
                        self.at += usize::from(self.sign(',') || self.at == begun);
                    }
                    self.at += 1;
                    return;
                }
                _ => break,
            }
        }
        // `a::{self}` is `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut known_as = path.last().cloned();
        if self.tokens.get(self.at).is_some_and(|token| token.is_word("as")) {
            if let Some(Token::Word(alias)) = self.tokens.get(self.at + 1) {
                known_as = Some(alias.clone());
            }
            self.at += 2;
        }
        self.note(path, known_as.filter(|_| public));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens;
    use super::*;

    fn named(text: &str) -> Vec<String> {
        paths(&tokens::read(text).tokens).into_iter().map(|named| named.path.join("::")).collect()
    }

    #[test]
    fn trees_of_imports_are_read_over_several_lines() {
        assert_eq!(named("use a;"), ["a"]);
        assert_eq!(named("use ::a::b as c;"), ["a::b"]);
        assert_eq!(
            named("use crate::a::{self, b, c::{D, E as F}, g::*,\n};\nuse super::h;"),
            ["crate::a", "crate::a::b", "crate::a::c::D", "crate::a::c::E", "crate::a::g::*", "super::h"]
        );
        assert_eq!(named("use {a::b, c};"), ["a::b", "c"]);
    }

    #[test]
    fn paths_in_the_midst_of_code_are_read() {
        let text = "fn f<T: crate::a::B>() -> impl C + use<T> { super::d(self::e::<u8>(), |x| x.y) as ::sled::Db }";
        assert_eq!(named(text), ["crate::a::B", "super::d", "self::e", "sled::Db"]);
        assert_eq!(named("macro!(v1::$Kind, a::b!())"), ["a::b"], "what a macro fills in is not known");
    }

    #[test]
    fn what_is_handed_on_is_known_by_its_name_here() {
        let found = paths(&tokens::read("pub use a::{B, C as D}; pub(super) use e::f; use g::h;").tokens);
        let handed: Vec<_> = found.iter().map(|named| named.handed_on_as.as_deref()).collect();
        assert_eq!(handed, [Some("B"), Some("D"), Some("f"), None]);
    }

    #[test]
    fn inline_modules_are_told() {
        let found =
            paths(&tokens::read("use a::b; mod c { use super::d; fn f() { e::g() } } fn h() { i::j() }").tokens);
        let within: Vec<_> = found.iter().map(|named| named.within.join("::")).collect();
        assert_eq!(within, ["", "c", "c", ""]);
    }
}
