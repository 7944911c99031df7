//! `country-codes.csv`: a row for each country and territory of ISO 3166-1.
//!
//! Names go to names, codes to codes, and the codes of other lists to external ids. Left out, since they say nothing of
//! the country itself: the names and digits of its currency, and of its regions (their codes are kept).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use partnership_registry_client::v1::{Country, CountryType, ExternalId, LocalizedText};

use crate::names::CountryNames;
use crate::report::{Converted, Loader, Result, Warning};

/// The lists of codes that have no field of their own: column, and scheme.
const OTHER_CODES: &[(&str, &str)] = &[
    ("FIFA", "fifa"),
    ("IOC", "ioc"),
    ("ITU", "itu"),
    ("WMO", "wmo"),
    ("FIPS", "fips-10-4"),
    ("GAUL", "gaul"),
    ("MARC", "marc"),
    ("DS", "vehicle-sign"),
    ("Dial", "e164"),
    ("TLD", "tld"),
    ("EDGAR", "edgar"),
    ("ISO3166-1-numeric", "iso-3166-1-numeric"),
];

/// Language, column of the formal name, and columns of the short name, the better one first.
const NAMES: &[(&str, &str, [&str; 2])] = &[
    ("en", "UNTERM English Formal", ["CLDR display name", "UNTERM English Short"]),
    ("ar", "UNTERM Arabic Formal", ["UNTERM Arabic Short", "official_name_ar"]),
    ("zh", "UNTERM Chinese Formal", ["UNTERM Chinese Short", "official_name_cn"]),
    ("fr", "UNTERM French Formal", ["UNTERM French Short", "official_name_fr"]),
    ("ru", "UNTERM Russian Formal", ["UNTERM Russian Short", "official_name_ru"]),
    ("es", "UNTERM Spanish Formal", ["UNTERM Spanish Short", "official_name_es"]),
];

/// Columns by which sources may call a country.
const CALLED: &[&str] = &[
    "official_name_en",
    "CLDR display name",
    "UNTERM English Short",
    "UNTERM English Formal",
    "ISO4217-currency_country_name",
];

/// Loads the countries, and gives what they are called.
pub(crate) async fn load(loader: &Loader<'_>, path: &Path) -> Result<CountryNames> {
    let mut table = csv::Reader::from_path(path)?;
    let titles = table.headers()?.clone();
    let (mut rows, mut names) = (Vec::new(), CountryNames::default());
    for record in table.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = Row(titles
            .iter()
            .zip(record.iter())
            .map(|(title, cell)| (title.to_owned(), cell.trim().to_owned()))
            .collect());
        CALLED.iter().for_each(|column| names.add(row.cell(column), &row.name()));
        rows.push((line, row));
    }
    names.add_spellings();
    loader.load("country-codes.csv", rows.len(), rows.iter().map(|(line, row)| row.convert(*line))).await?;
    Ok(names)
}

struct Row(HashMap<String, String>);

impl Row {
    fn cell(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }

    fn name(&self) -> String {
        format!("countries/{}", self.cell("ISO3166-1-Alpha-2").to_lowercase())
    }

    fn convert(&self, line: u64) -> Converted {
        let mut warnings = Vec::new();
        let (r#type, sovereign) = self.standing();
        let codes =
            |column| self.cell(column).split(',').map(str::trim).filter(|code| !code.is_empty()).map(str::to_owned);
        let country = Country {
            name: self.name(),
            display_name: self.cell("official_name_en").to_owned(),
            r#type: r#type.into(),
            sovereign,
            official_names: texts(NAMES.iter().map(|(language, formal, _)| (*language, self.cell(formal)))),
            short_names: texts(NAMES.iter().map(|(language, _, short)| (*language, self.first(short)))),
            region_code: self.cell("ISO3166-1-Alpha-2").to_owned(),
            region_code_alpha3: self.cell("ISO3166-1-Alpha-3").to_owned(),
            m49_code: m49(self.cell("M49")),
            m49_region_code: m49(self.cell("Region Code")),
            m49_subregion_code: m49(self.cell("Sub-region Code")),
            capital: self.cell("Capital").to_owned(),
            language_codes: codes("Languages").collect(),
            currency_codes: codes("ISO4217-currency_alphabetic_code").collect(),
            external_ids: self.external_ids(),
            labels: self.labels(),
            annotations: self.annotations(),
            ..Country::default()
        };
        if country.m49_region_code.is_empty() {
            warnings.push(Warning { what: "no region in the source", about: country.name.clone() });
        }
        Converted { line, resource: Ok(country.into()), warnings }
    }

    fn first(&self, columns: &[&str]) -> &str {
        columns.iter().map(|column| self.cell(column)).find(|cell| !cell.is_empty()).unwrap_or_default()
    }

    /// What it is in law, and whose it is: from texts such as `Territory of GB`.
    fn standing(&self) -> (CountryType, String) {
        match self.cell("is_independent") {
            "Yes" => (CountryType::State, String::new()),
            text => match text.rsplit_once(' ') {
                Some((_, code)) if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                    (CountryType::Territory, format!("countries/{}", code.to_lowercase()))
                }
                Some(_) | None => (CountryType::Other, String::new()),
            },
        }
    }

    fn external_ids(&self) -> Vec<ExternalId> {
        let mut ids: Vec<_> = OTHER_CODES
            .iter()
            .map(|(column, scheme)| (*scheme, self.cell(column), String::new()))
            .filter(|(_, id, _)| !id.is_empty())
            .map(|(scheme, id, uri)| ExternalId { scheme: scheme.to_owned(), id: id.to_owned(), uri })
            .collect();
        let geonames = self.cell("Geoname ID");
        if !geonames.is_empty() {
            let uri = format!("https://www.geonames.org/{geonames}");
            ids.push(ExternalId { scheme: "geonames".to_owned(), id: geonames.to_owned(), uri });
        }
        let wikidata = self.cell("wikidata_id");
        if let Some((_, id)) = wikidata.rsplit_once('/') {
            ids.push(ExternalId { scheme: "wikidata".to_owned(), id: id.to_owned(), uri: wikidata.to_owned() });
        }
        ids
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let flags = [
            ("ldc", "Least Developed Countries (LDC)"),
            ("lldc", "Land Locked Developing Countries (LLDC)"),
            ("sids", "Small Island Developing States (SIDS)"),
        ];
        let flags = flags.iter().filter(|(_, column)| self.cell(column) == "x").map(|(key, _)| (*key, "true"));
        let values = [("continent", "Continent"), ("m49-intermediate-region", "Intermediate Region Code")];
        let values =
            values.iter().map(|(key, column)| (*key, self.cell(column))).filter(|(_, value)| !value.is_empty());
        flags.chain(values).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let standing = self.cell("is_independent");
        [("standing".to_owned(), standing.to_owned())].into_iter().filter(|(_, text)| !text.is_empty()).collect()
    }
}

fn texts<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<LocalizedText> {
    texts
        .map(|(language, text)| (language, text.trim_end_matches([' ', '*'])))
        .filter(|(_, text)| !text.is_empty())
        .map(|(language, text)| LocalizedText { language_code: language.to_owned(), text: text.to_owned() })
        .collect()
}

/// Three digits: the source has lost leading zeros.
fn m49(code: &str) -> String {
    code.parse::<u16>().map(|code| format!("{code:03}")).unwrap_or_default()
}
