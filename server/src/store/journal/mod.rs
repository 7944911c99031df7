//! The journal: the one totally ordered record of all commits, in append-only segment files. `open` reads and verifies it
//! (by `check`, `end` and `walk`, on the thread of `ahead`) and takes it into use; `writer` appends to it, with `standby`
//! making the next segment ahead of time and `witness` noting how far it has come; `reader` reads it meanwhile. The
//! layouts of the bytes are in `segment`, `frame`, `commit` and `witness`.

mod ahead;
mod check;
mod commit;
mod end;
mod error;
mod frame;
mod open;
mod prove;
mod reader;
mod scan;
mod segment;
mod shared;
mod standby;
mod walk;
mod witness;
mod writer;

#[cfg(test)]
mod tests;

pub use error::JournalError;
pub(in crate::store) use open::{Inspected, create, inspect};
pub(in crate::store) use prove::prove;
pub use reader::{JournalReader, JournalScan};
pub(in crate::store) use scan::scan_read_only;
pub(in crate::store) use shared::{Known, KnownSegment};
pub use writer::JournalWriter;
