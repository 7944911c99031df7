//! The cases of `tests/filter/aip_cases.txt`.
