//! Wildcards: a text in which each star stands for any text, the empty one too.

use super::text::Text;
use crate::values::text::nfc;

/// A text with at least one star.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// What stands before the first star, and what behind the last one.
    first: String,
    last: String,
    /// What stands between two stars.
    between: Vec<String>,
}

impl Pattern {
    /// The pattern that a text of a filter is. `None`: it has no wildcard.
    pub(super) fn new(text: &Text) -> Option<Self> {
        let normal = |part: &String| nfc(part).into_owned();
        let (first, rest) = text.parts().split_first()?;
        let (last, between) = rest.split_last()?;
        Some(Self {
            first: normal(first),
            last: normal(last),
            // Two stars side by side are one.
            between: between.iter().filter(|part| !part.is_empty()).map(normal).collect(),
        })
    }

    /// How every text of this form begins.
    pub(crate) fn beginning(&self) -> &str {
        &self.first
    }

    /// Whether a text in Unicode's normal form C is of this form.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let inner = text.strip_prefix(self.first.as_str()).and_then(|rest| rest.strip_suffix(self.last.as_str()));
        let Some(mut rest) = inner else { return false };
        // The first place at which a part is found leaves the most for those behind it.
        self.between.iter().all(|part| match rest.split_once(part.as_str()) {
            Some((_, behind)) => {
                rest = behind;
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_for_none() {
        let table = [
            ("*", "", true),
            ("**", "abc", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*a", "aa", true),
            ("a*a", "a", false),
            ("*b*", "abc", true),
            ("*b*", "ac", false),
            ("a*b*c*d", "abcd", true),
            ("a*b*c*d", "axxbxcxd", true),
            ("a*b*c*d", "acbd", false),
            ("a*bc*bc", "abc", false),
            ("a*bc*bc", "abcbc", true),
            ("\u{d55c}*", "\u{d55c}\u{ad6d}", true),
            ("\u{1112}\u{1161}\u{11ab}*", "\u{d55c}\u{ad6d}", true),
        ];
        for (pattern, text, expected) in table {
            let mut written = Text::default();
            for letter in pattern.chars() {
                if letter == '*' { written.push_star() } else { written.push(letter) }
            }
            let found = Pattern::new(&written).is_some_and(|pattern| pattern.matches(text));
            assert_eq!(found, expected, "{pattern} {text}");
        }
        assert_eq!(Pattern::new(&Text::default()), None, "a text without a star is no pattern");
    }
}
