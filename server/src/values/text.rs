//! Text as people compare it: what looks the same may be encoded in several ways, and is one text (AIP-210).
//!
//! Text is stored and answered as it came; only comparisons and orders go by its normal form.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// The text in Unicode's normal form C. Nearly all text is in it already, and is not copied.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_look_the_same_have_one_normal_form_and_what_has_it_is_not_copied() {
        let table = [
            ("Korea", "Korea", true),
            ("\u{d55c}\u{ad6d}", "\u{d55c}\u{ad6d}", true),
            ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}", "\u{d55c}\u{ad6d}", false),
            ("Co\u{302}te d'Ivoire", "C\u{f4}te d'Ivoire", false),
            // Signs that are others in form and the same in meaning stay what they are: this is no folding.
            ("\u{ff2b}", "\u{ff2b}", true),
            // The sign of the unit and the letter are canonically one.
            ("\u{212b}", "\u{c5}", false),
            ("", "", true),
        ];
        for (text, expected, borrowed) in table {
            let normal = nfc(text);
            assert_eq!(normal, expected, "{text:?}");
            assert_eq!(matches!(normal, Cow::Borrowed(_)), borrowed, "{text:?}");
        }
    }
}
