//! Pages: how many items one has at the most, and how large it is.

use crate::registry::error::Error;

/// Asked for room for so many bytes more of a page, before they are kept. When there is none, the page ends.
pub type HasRoom<'a> = &'a mut dyn FnMut(usize) -> bool;

/// The page size if none is asked for.
pub(crate) const PAGE_SIZE_DEFAULT: usize = 50;
/// The largest page: more is taken as this.
pub(crate) const PAGE_SIZE_MAX: usize = 1_000;
/// A page ends when it has this many bytes: with one more resource it stays below the 4 MiB that clients take.
pub(crate) const PAGE_BYTES_MAX: usize = 2 << 20;

/// The page size that a request means (AIP-158): 0 is the default, and more than the largest is the largest.
pub(crate) fn page_size(asked: i32) -> Result<usize, Error> {
    match usize::try_from(asked) {
        Err(_) => Err(Error::invalid("page_size", format!("must not be negative, and is {asked}"))),
        Ok(0) => Ok(PAGE_SIZE_DEFAULT),
        Ok(size) => Ok(size.min(PAGE_SIZE_MAX)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_default_and_a_largest_size_and_no_negative_one() {
        for (asked, meant) in [(0, 50), (1, 1), (1_000, 1_000), (1_001, 1_000), (i32::MAX, 1_000)] {
            assert_eq!(page_size(asked).unwrap(), meant, "{asked}");
        }
        let refused = page_size(-1).unwrap_err().to_string();
        assert_eq!(refused, "page_size: must not be negative, and is -1");
    }
}
