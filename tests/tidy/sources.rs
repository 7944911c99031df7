//! The sources of a crate as its modules: which file a path leads to, and which files import each other.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{self, Named};
use super::tokens::{self, Token};

/// A source file, read.
pub(crate) struct Source {
    /// Its path in the repository.
    pub(crate) path: String,
    /// Its place in the crate, such as `registry`, `write`, `plan`; the root has none.
    module: Vec<String>,
    pub(crate) opening: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) paths: Vec<Named>,
}

/// The sources of one crate, without those that are tests as a whole.
pub(crate) struct Sources {
    /// What the crate is called by others, and by its own binary.
    name: &'static str,
    files: BTreeMap<Vec<String>, Source>,
}

/// The place of a binary's file beside a library: it is a crate of its own, and nothing is below it.
const BINARY: &str = "main.rs";

impl Sources {
    /// Reads the files of a crate, each with its path below `folder`, and its text.
    pub(crate) fn read(name: &'static str, folder: &str, texts: &[(String, String)]) -> Self {
        let has_library = texts.iter().any(|(path, _)| path == "lib.rs");
        let mut files = BTreeMap::new();
        let mut tests: Vec<Vec<String>> = Vec::new();
        for (path, text) in texts {
            let module = module(path, has_library);
            let code = tokens::read(text);
            tests.extend(code.test_modules.into_iter().map(|test| [module.clone(), vec![test]].concat()));
            let paths = paths::paths(&code.tokens);
            let opening = text.lines().next().unwrap_or_default().to_owned();
            let path = format!("{folder}/{path}");
            files.insert(module.clone(), Source { path, module, opening, tokens: code.tokens, paths });
        }
        files.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        Self { name, files }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.values()
    }

    /// A path as seen from the root of the crate; `None` if it leads out of it.
    pub(crate) fn absolute(&self, source: &Source, named: &Named) -> Option<Vec<String>> {
        let mut here = [source.module.clone(), named.within.clone()].concat();
        let mut parts = named.path.as_slice();
        match parts {
            [first, rest @ ..] if first == "crate" && source.module != [BINARY] => (here, parts) = (Vec::new(), rest),
            [first, rest @ ..] if first == self.name => (here, parts) = (Vec::new(), rest),
            [first, ..] if first == "self" || first == "super" => {
                while let [first, rest @ ..] = parts {
                    match first.as_str() {
                        "self" => {}
                        "super" => drop(here.pop()),
                        _ => break,
                    }
                    parts = rest;
                }
            }
            // A name without a beginning is a module below this one, or of another crate.
            [first, ..]
                if self.files.contains_key(&[source.module.as_slice(), std::slice::from_ref(first)].concat()) =>
            {
                here.clone_from(&source.module);
            }
            _ => return None,
        }
        Some([here, parts.to_vec()].concat())
    }

    /// The file that has what a path from the root names. What a module hands on with `pub use` is where it comes from;
    /// `None` if that is another crate.
    pub(crate) fn file(&self, absolute: &[String]) -> Option<&Source> {
        self.file_within(absolute, 16)
    }

    fn file_within(&self, absolute: &[String], hops: usize) -> Option<&Source> {
        let deepest = (0..=absolute.len()).rev().find(|&length| self.files.contains_key(&absolute[..length]))?;
        let source = self.files.get(&absolute[..deepest])?;
        let Some(name) = absolute.get(deepest) else { return Some(source) };
        let handed_on = |named: &&Named| named.within.is_empty() && named.handed_on_as.as_ref() == Some(name);
        match source.paths.iter().find(handed_on) {
            Some(named) if hops > 0 => {
                let target = [self.absolute(source, named)?, absolute[deepest + 1..].to_vec()].concat();
                self.file_within(&target, hops - 1)
            }
            _ => Some(source),
        }
    }

    /// The files that no other declares as a module: nobody compiles them.
    pub(crate) fn undeclared(&self) -> impl Iterator<Item = &Source> {
        self.files.values().filter(|source| {
            let Some((name, above)) = source.module.split_last().filter(|(name, _)| *name != BINARY) else {
                return false;
            };
            let above = self.files.get(above);
            !above.is_some_and(|above| {
                above
                    .tokens
                    .windows(3)
                    .any(|tokens| tokens[0].is_word("mod") && tokens[1].is_word(name) && tokens[2].is_sign(';'))
            })
        })
    }

    /// The files that each file imports. What it only hands on does not count.
    fn imports(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let of = |source| {
            let used = self.files.get(source).into_iter().flat_map(|source: &Source| {
                let used = source.paths.iter().filter(|named| named.handed_on_as.is_none());
                used.filter_map(|named| self.file(&self.absolute(source, named)?)).map(|source| source.path.as_str())
            });
            used.collect::<BTreeSet<_>>()
        };
        self.files.iter().map(|(module, source)| (source.path.as_str(), of(module))).collect()
    }

    /// The groups of files that import each other, each with the shortest way around.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let imports = self.imports();
        let mut circles = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for &start in imports.keys() {
            if seen.contains(start) {
                continue;
            }
            if let Some(circle) = way_back(&imports, start) {
                seen.extend(&circle);
                circles.push(circle.into_iter().map(str::to_owned).collect());
            }
        }
        circles
    }
}

/// The shortest way from a file through its imports back to it.
fn way_back<'a>(imports: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut ways: Vec<Vec<&str>> = vec![vec![start]];
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last()?;
            for &next in imports.get(last).into_iter().flatten().filter(|next| *next != last) {
                if next == start {
                    return Some(way);
                }
                if reached.insert(next) {
                    longer.push([way.clone(), vec![next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// The module of a file: `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module(path: &str, has_library: bool) -> Vec<String> {
    match path {
        "lib.rs" => return Vec::new(),
        "main.rs" if has_library => return vec![BINARY.to_owned()],
        "main.rs" => return Vec::new(),
        _ => {}
    }
    let mut parts: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(texts: &[(&str, &str)]) -> Sources {
        let texts: Vec<_> = texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Sources::read("own", "src", &texts)
    }

    #[track_caller]
    fn circles(texts: &[(&str, &str)], expected: &[&str]) {
        let found: Vec<_> = sources(texts).circles().iter().map(|circle| circle.join(" ")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_circle_is_found_however_it_is_written() {
        for (one, two) in [
            ("use crate::b::B;", "use crate::a::A;"),
            ("use super::b;", "use super::{c::C, a::A};"),
            ("fn f() { crate::b::g() }", "fn g() -> super::a::A {}"),
            ("use crate::{\n    c::C,\n    b::{self, B},\n};", "mod inner { use super::super::a::A; }"),
            ("use crate::*; use crate::b::*;", "use own::a::A;"),
        ] {
            circles(
                &[("lib.rs", "mod a; mod b; mod c;"), ("a.rs", one), ("b.rs", two), ("c.rs", "")],
                &["src/a.rs src/b.rs"],
            );
        }
    }

    #[test]
    fn a_circle_through_a_third_file_is_found() {
        let texts = [("a.rs", "use crate::b::B;"), ("b.rs", "use crate::c::C;"), ("c/mod.rs", "use crate::a::A;")];
        circles(&texts, &["src/a.rs src/b.rs src/c/mod.rs"]);
    }

    #[test]
    fn a_module_and_what_is_below_it_make_a_circle_only_if_both_use_each_other() {
        let child = ("a/b.rs", "use super::A;");
        circles(&[("a.rs", "mod b; struct A; fn f() { b::g() }"), child], &["src/a.rs src/a/b.rs"]);
        circles(&[("a.rs", "mod b; struct A; pub use b::B;"), child], &[]);
        circles(&[("a.rs", "mod b; mod c; pub(crate) use c::A; use b::B;"), child, ("a/c.rs", "")], &[]);
        circles(&[("a.rs", "mod b; use b::B; #[cfg(test)] mod tests { use super::*; }"), ("a/b.rs", "")], &[]);
    }

    #[test]
    fn tests_and_other_crates_make_no_circle() {
        let texts = [("a.rs", "use crate::b::B;"), ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; } use std::b;")];
        circles(&texts, &[]);
        let texts = [("a.rs", "use crate::b::B;"), ("b.rs", "#[cfg(test)] mod c;"), ("b/c.rs", "use crate::a::A;")];
        circles(&texts, &[]);
    }

    #[test]
    fn a_binary_beside_a_library_is_above_it() {
        let texts = [("lib.rs", "pub mod a;"), ("main.rs", "use own::a::A;"), ("a.rs", "use crate::B;")];
        let sources = sources(&texts);
        assert_eq!(sources.circles(), Vec::<Vec<String>>::new());
        assert_eq!(sources.iter().count(), 3);
    }
}
