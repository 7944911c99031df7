//! The client of the Partnership Registry.
//!
//! # Quick start
//!
#![doc = concat!("````no_run\n", include_str!("../examples/quick_start.rs"), "````")]
//!
//! # What is here
//!
//! - [`Registry`] is the connection. It has a typed handle for each kind: [`Registry::countries`],
//!   [`Registry::agreements`] and so on give [`Resources`].
//! - Listings and [counts](Resources::count) answer questions: which agreements, in which order, how many by type and year.
//! - [Commits](Registry::commit) change resources of any kinds, all or none.
//! - [Watches](Registry::watch) resume by themselves; those of a [handle](Resources::watch) are typed.
//! - The [history](Registry::list_revisions) of a resource, and [exports](Registry::export) of everything.
//! - [`Error`] carries all details that the server sent. Calls have deadlines, and are retried where that is safe.
//! - [`json`] is the text form of resources, and [`import`] writes many of them.
//!
//! # Features
//!
//! `cli`, on by default, is what the command line `partnerctl` needs, and `yaml`, which it turns on, what reads and writes
//! YAML. A program that uses the library alone turns both off: `default-features = false`.

mod any;
mod call;
mod caller;
mod commit;
mod connection;
mod count;
pub mod error;
mod export;
mod history;
pub mod import;
mod items;
pub mod json;
mod list;
mod paging;
mod point;
mod read;
mod registry;
mod resources;
mod retry;
mod service;
mod timeline;
mod watch;
mod write;

pub use any::{AnyResources, ReadOptions, WriteOptions};
pub use commit::CommitBuilder;
pub use count::CountCall;
pub use error::{Code, Error};
pub use export::{Export, ExportOptions};
pub use items::Items;
pub use list::{ListOptions, ListPage};
pub use partnership_registry::{Kind, Money, PartialDateError, v1};
pub use point::{Mask, Point};
pub use prost_types::Timestamp;
pub use read::{BatchGetCall, GetCall};
pub use registry::{Registry, RegistryBuilder};
pub use resources::Resources;
pub use retry::RetryPolicy;
pub use service::Service;
pub use timeline::TimelineCall;
pub use tonic::transport::Endpoint;
pub use watch::{TypedChange, TypedCommit, TypedWatch, TypedWatchEvent, Watch, WatchCall, WatchEvent};
pub use write::{CreateCall, DeleteCall, RollbackCall, UndeleteCall, UpdateCall};
