//! What counts the items of a listing: by the indexes, as far as they know what is counted, and the others one by one.

use roaring::RoaringBitmap;

use crate::registry::error::Error;
use crate::registry::index::secondary::KindIndex;
use crate::registry::query::computed::Needs;

/// Counts the items of a listing.
pub(crate) trait Counting {
    /// The resources among these of which the indexes do not know all that is counted.
    fn unknown(&self, index: &KindIndex, rows: &RoaringBitmap) -> RoaringBitmap;

    /// Counts resources by the indexes, which know all that is counted of them.
    fn count(&mut self, index: &KindIndex, rows: &RoaringBitmap) -> Result<(), Error>;

    /// What has to be in the documents that are read.
    fn needs(&self) -> Needs;

    /// Counts one by its document.
    fn read(&mut self, document: &[u8]) -> Result<(), Error>;
}

/// How many there are.
pub(crate) struct Number(pub(crate) usize);

impl Counting for Number {
    fn unknown(&self, _: &KindIndex, _: &RoaringBitmap) -> RoaringBitmap {
        RoaringBitmap::new()
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn count(&mut self, _: &KindIndex, rows: &RoaringBitmap) -> Result<(), Error> {
        self.0 += usize::try_from(rows.len()).unwrap_or(usize::MAX);
        Ok(())
    }

    fn read(&mut self, _: &[u8]) -> Result<(), Error> {
        self.0 += 1;
        Ok(())
    }
}
