//! The client of the Partnership Registry.
//!
//! [`Registry`] is the connection. It has a typed handle for each kind ([`Registry::countries`], [`Registry::agreements`]
//! and so on: [`Resources`]), [commits](Registry::commit) across kinds, [watches](Registry::watch) that resume
//! automatically, the [history](Registry::list_revisions), and [exports](Registry::export). Calls have deadlines and are
//! retried where that is safe; [`Error`] carries all details that the server sent.
//!
//! [`json`] is the text form of resources, and [`import`] writes many of them.

mod any;
mod call;
mod caller;
mod commit;
mod connection;
pub mod error;
mod export;
mod history;
pub mod import;
mod items;
pub mod json;
mod list;
mod paging;
mod point;
mod registry;
mod resources;
mod retry;
mod service;
mod watch;
mod write;

pub use any::{AnyResources, WriteOptions};
pub use commit::CommitBuilder;
pub use error::{Code, Error};
pub use export::{Export, ExportOptions};
pub use items::Items;
pub use list::{ListOptions, ListPage};
pub use partnership_registry::{Kind, Money, PartialDateError, v1};
pub use point::{Mask, Point};
pub use prost_types::Timestamp;
pub use registry::{Registry, RegistryBuilder};
pub use resources::Resources;
pub use retry::RetryPolicy;
pub use service::Service;
pub use tonic::transport::Endpoint;
pub use watch::{Watch, WatchEvent, WatchOptions};
pub use write::{CreateCall, DeleteCall, UndeleteCall, UpdateCall};
