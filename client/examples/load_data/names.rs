//! Finds the country that a source means by a name.
//!
//! Only names of today's countries are found, and only if they are clear. What was a country once, such as Siam or the
//! Soviet Union, is left as the source calls it: who followed it is for people to decide.

use std::collections::HashMap;

use crate::text::words;

/// Other spellings of today's names, which the table of countries does not have.
const SPELLINGS: &[(&str, &str)] = &[
    ("United Kingdom", "gb"),
    ("Turkey", "tr"),
    ("Republic of Turkiye", "tr"),
    ("Ireland, Republic of", "ie"),
    ("Roumania", "ro"),
    ("Salvador", "sv"),
    ("Hayti", "ht"),
    ("Guernsey, Bailiwick of", "gg"),
    ("Jersey, Bailiwick of", "je"),
    ("Hong Kong SAR", "hk"),
    ("Macau", "mo"),
    ("China P R", "cn"),
    ("Niue Island", "nu"),
    ("Tokelau Islands", "tk"),
    ("Pitcairn Islands", "pn"),
    ("Socialist Republic of Vietnam", "vn"),
    ("Republic of Cote d'Ivoire", "ci"),
    ("Republic of Togo", "tg"),
    ("Oriental Republic of Uruguay", "uy"),
    ("Republica Bolivariana de Venezuela", "ve"),
];

/// Where one source cuts its names off.
const CUT_AT: usize = 40;

/// The names of countries.
#[derive(Default)]
pub(crate) struct CountryNames {
    /// By their words; `None` if several countries go by them.
    by_words: HashMap<String, Option<String>>,
    /// In full, for names that were cut off.
    in_full: Vec<(String, String)>,
}

impl CountryNames {
    /// Adds what a country is called.
    pub(crate) fn add(&mut self, name: &str, country: &str) {
        self.add_words(name, country);
        if let Some((before, after)) = name.split_once('(') {
            let after = after.split_once(')').map_or("", |(_, after)| after);
            self.add_words(&format!("{before} {after}"), country);
        }
        let plain = name.strip_prefix("the ").unwrap_or(name).to_lowercase();
        self.in_full.push((plain, country.to_owned()));
    }

    /// Adds the spellings that the table does not have.
    pub(crate) fn add_spellings(&mut self) {
        for (name, id) in SPELLINGS {
            self.add_words(name, &format!("countries/{id}"));
        }
    }

    fn add_words(&mut self, name: &str, country: &str) {
        let words = words(name);
        if words.is_empty() {
            return;
        }
        let known = self.by_words.entry(words).or_insert_with(|| Some(country.to_owned()));
        if known.as_deref() != Some(country) {
            *known = None;
        }
    }

    /// The country of a name.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        if let Some(found) = self.by_words.get(&words(name)) {
            return found.as_deref();
        }
        (name.chars().count() == CUT_AT).then(|| self.find_cut(name))?
    }

    fn find_cut(&self, name: &str) -> Option<&str> {
        let plain = name.to_lowercase();
        let plain = plain.strip_prefix("the ").unwrap_or(&plain);
        let mut found = self.in_full.iter().filter(|(full, _)| full.starts_with(plain)).map(|(_, country)| country);
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_names_are_found_and_others_are_not() {
        let mut names = CountryNames::default();
        names.add("Republic of Korea", "countries/kr");
        names.add("Korea (the Republic of)", "countries/kr");
        names.add("Korea (the Democratic People's Republic of)", "countries/kp");
        names.add("the Democratic Socialist Republic of Sri Lanka", "countries/lk");
        names.add_spellings();
        assert_eq!(names.find("KOREA REPUBLIC OF"), Some("countries/kr"));
        assert_eq!(names.find("KOREA"), None, "there are two");
        assert_eq!(names.find("Democratic Socialist Republic of Sri Lan"), Some("countries/lk"));
        assert_eq!(names.find("Democratic Socialist"), None);
        assert_eq!(names.find("TURKEY"), Some("countries/tr"));
        assert_eq!(names.find("SIAM"), None);
    }
}
