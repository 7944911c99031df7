//! Names as ids, and as what can be compared with names that are spelled otherwise.

/// A part of a name: lower-case letters, digits and single hyphens, at most 63 characters.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars().map(fold).flat_map(str_or_char) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.truncate(63);
    slug.trim_end_matches('-').to_owned()
}

/// The words of a name, without what differs from spelling to spelling: case, accents, `the`, `of`, `and`, and their
/// order. `KOREA REPUBLIC OF` and `the Republic of Korea` have the same.
pub(crate) fn words(name: &str) -> String {
    let plain: String = name.chars().map(fold).flat_map(str_or_char).filter(|letter| *letter != '\'').collect();
    let mut words: Vec<_> = plain
        .to_lowercase()
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !matches!(*word, "" | "the" | "of" | "and"))
        .map(|word| if word == "st" { "saint" } else { word }.to_owned())
        .collect();
    words.sort();
    words.join(" ")
}

/// A letter without its accent, as far as the names of countries have some.
fn fold(letter: char) -> (char, Option<char>) {
    let plain = match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'À' | 'Á' | 'Â' | 'Ã' | 'Ä' | 'Å' => 'A',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'È' | 'É' | 'Ê' | 'Ë' => 'E',
        'ì' | 'í' | 'î' | 'ï' | 'ı' => 'i',
        'Ì' | 'Í' | 'Î' | 'Ï' | 'İ' => 'I',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ö' | 'Ø' => 'O',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'Ù' | 'Ú' | 'Û' | 'Ü' => 'U',
        'ç' => 'c',
        'Ç' => 'C',
        'ñ' => 'n',
        'Ñ' => 'N',
        '’' | '‘' => '\'',
        'æ' => return ('a', Some('e')),
        other => other,
    };
    (plain, None)
}

fn str_or_char((first, second): (char, Option<char>)) -> impl Iterator<Item = char> {
    std::iter::once(first).chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_parts_of_names() {
        assert_eq!(slug("LOANS, CREDITS & GRANTS"), "loans-credits-grants");
        assert_eq!(slug(" (Côte d’Ivoire) "), "cote-d-ivoire");
        assert_eq!(slug(&"x-".repeat(60)).len(), 63);
    }

    #[test]
    fn spellings_of_one_name_have_the_same_words() {
        assert_eq!(words("KOREA REPUBLIC OF"), words("the Republic of Korea"));
        assert_eq!(words("COTE D'IVOIRE"), words("Côte d’Ivoire"));
        assert_eq!(words("St. Lucia"), words("SAINT LUCIA"));
        assert_ne!(words("Guinea"), words("Guinea-Bissau"));
    }
}
