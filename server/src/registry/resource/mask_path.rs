//! The grammar of paths in field masks (AIP-161): names of fields and keys of maps, with dots between them.
//!
//! A key with other letters than `a-z`, `A-Z`, `0-9` and `_` stands in backticks, and a backtick in it is doubled. What
//! a path leads to is not known here.

use std::borrow::Cow;

/// Takes the first part off a path; the rest is `None` at its end. Fails with what is wrong.
pub(super) fn split(path: &str) -> Result<(Cow<'_, str>, Option<&str>), &'static str> {
    let (part, rest) = match path.strip_prefix('`') {
        Some(quoted) => quoted_part(quoted)?,
        None => {
            let (part, rest) = path.split_at(path.find('.').unwrap_or(path.len()));
            (part.into(), rest)
        }
    };
    match rest.strip_prefix('.') {
        None if rest.is_empty() => Ok((part, None)),
        Some(rest) => Ok((part, Some(rest))),
        None => Err("only a dot may follow a backtick that closes"),
    }
}

/// The key that `quoted` begins with, up to the backtick that closes it, and what follows that.
fn quoted_part(quoted: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut from = 0;
    loop {
        let Some((before, rest)) = quoted.get(from..).and_then(|rest| rest.split_once('`')) else {
            return Err("a backtick in it is not closed");
        };
        from += before.len() + 1;
        if !rest.starts_with('`') {
            let key = quoted.get(..from - 1).unwrap_or_default();
            return Ok((if key.contains('`') { key.replace("``", "`").into() } else { key.into() }, rest));
        }
        from += 1;
    }
}

/// Whether a key may stand in a path without backticks.
pub(super) fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first step of a path, and the rest; or why it has none.
    type Split = Result<(&'static str, Option<&'static str>), &'static str>;

    #[test]
    fn a_path_is_split_at_dots_that_do_not_stand_in_backticks() {
        let table: [(&str, Split); 13] = [
            ("a", Ok(("a", None))),
            ("a.b.c", Ok(("a", Some("b.c")))),
            ("a.", Ok(("a", Some("")))),
            ("", Ok(("", None))),
            ("`a.b`", Ok(("a.b", None))),
            ("`a/b`.c", Ok(("a/b", Some("c")))),
            ("`a``b`", Ok(("a`b", None))),
            ("````.c", Ok(("`", Some("c")))),
            ("``", Ok(("", None))),
            ("`a", Err("a backtick in it is not closed")),
            ("`a``", Err("a backtick in it is not closed")),
            ("`", Err("a backtick in it is not closed")),
            ("`a`b", Err("only a dot may follow a backtick that closes")),
        ];
        for (path, expected) in table {
            let read = split(path);
            assert_eq!(
                read.as_ref().map(|(part, rest)| (part.as_ref(), *rest)).map_err(|rule| *rule),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn a_key_is_plain_if_it_needs_no_backticks() {
        for (key, plain) in [("a_1Z", true), ("", false), ("a-b", false), ("a/b", false), ("ü", false), ("*", false)] {
            assert_eq!(is_plain(key), plain, "{key}");
        }
    }
}
