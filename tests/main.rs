//! The tests of the whole: they enter through the gRPC API and the real binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]
#![allow(clippy::wildcard_enum_match_arm, reason = "what a test did not expect fails it")]
#![allow(missing_docs, reason = "a test's name says what it shows")]

mod harness;

mod aip;
mod attacks;
mod cli;
mod client;
mod clock;
mod conformance;
mod costs;
mod counting;
mod crash;
mod damage;
mod days;
mod deadlines;
mod disk;
mod door;
mod filter_page;
mod findings;
mod frames;
mod grow;
mod index_memory;
mod limits;
mod model;
mod no_room;
mod power_cut;
mod questions;
mod real_data;
mod recording;
mod reflection;
mod response_codes;
mod service;
mod soak;
mod stalls;
mod starting;
mod tidy;
mod timeline;
mod treaties;
mod two_times;
mod watching;
