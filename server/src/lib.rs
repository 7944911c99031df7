//! The server of the Partnership Registry, as a library: the binary and the tests start it by [`serve::serve`].
//!
//! Layers, in which imports go down only: `serve` → `api` → `registry` → `store`. `kinds` holds pure rules, and
//! uses neither the registry nor the store.

mod api;
mod budget;
pub mod commands;
pub mod config;
pub mod ending;
mod faults;
mod findings;
pub mod kinds;
pub mod log;
pub mod registry;
pub mod serve;
pub mod store;
pub mod time;
mod values;
mod violations;

pub use findings::{FINDINGS_MAX, Findings};
pub use violations::{VIOLATIONS_MAX, Violation, Violations};
