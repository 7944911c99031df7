//! The conformance suite: it walks the descriptors of the contract and holds every promise of it for every kind, so that
//! a kind that is added tomorrow is tested without a new line.
//!
//! `PARTNERSHIP_TEST_SERVER=http://host:port cargo test conformance` holds a running server to it instead; what it
//! creates there, it leaves there, deleted or not, with ids and a label `run` of its own.

#![allow(clippy::wildcard_enum_match_arm, reason = "what a test did not expect fails it")]

mod coverage;
pub(crate) mod kind;
mod sample;
mod suite;

mod conventions;
mod counting;
mod creating;
mod deleting;
mod dry_run;
mod etags;
mod findings;
mod history;
mod limits;
mod listing;
mod masks;
mod normal_form;
mod output_only;
mod reading;
mod replay;
mod required;
mod rollback;
mod rules;
mod shape;
mod trees;
mod updating;
mod verbs;
