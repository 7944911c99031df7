//! Texts that are hard to compare: of many scripts, composed and decomposed, and such as look like something else.

pub(crate) const TEXTS: [&str; 40] = [
    "Water",
    "water",
    "Water supply",
    "Water supply, phase 2",
    "Protocol",
    "Protocol on trade",
    // Once composed and once not: they are the same.
    "Accord de coopération",
    "Accord de coope\u{301}ration",
    "Ångström",
    "A\u{30a}ngstro\u{308}m",
    "한국",
    "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}",
    "한국 수자원",
    "日本国との協定",
    "اتفاقية",
    // With a mark that is seen by nobody.
    "می\u{200c}خواهم",
    "میخواهم",
    "Ελλάδα",
    "Россия",
    "ไทย",
    "भारत",
    "😀 beyond the first plane",
    "\u{ffff}",
    "\u{10ffff}",
    "ß",
    "ss",
    "ﬁ",
    "fi",
    "İ",
    "\"quoted\"",
    "it's",
    "back\\slash",
    "a*b",
    "*",
    "AND",
    "NOT x OR y",
    "2019",
    "true",
    "-1",
    "two\nlines and a\ttab",
];

/// The keys of labels: such as need no quotation marks in a filter, and such as do.
pub(crate) const LABEL_KEYS: [&str; 6] = ["team", "programme", "phase_2", "key-1", "unit/region", "v1.2"];

pub(crate) const LABEL_VALUES: [&str; 8] = ["a", "b", "asia", "europe", "", "2019", "한국", "a*b"];
