//! Filters, and documents that they ask.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use partnership_registry_server::registry::fuzzing;

fuzz_target!(|input: &[u8]| -> Corpus {
    // What comes with a call is text: the library that decodes it refuses all else.
    let Ok(input) = std::str::from_utf8(input) else { return Corpus::Reject };
    fuzzing::filter(input);
    Corpus::Keep
});
