//! Reads rows from NDJSON: a resource in its envelope on each line.

use std::io::{self, BufRead, Read as _};
use std::sync::Arc;

use super::row::{Malformed, Origin, Row};
use crate::json;

/// The longest line. A resource has at most 1 MiB; its JSON is longer, but never so much.
const LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Reads rows from a text with a resource on each line. Empty lines are skipped.
///
/// `source` is the name of the text in reports.
pub fn ndjson<R: BufRead>(source: &str, mut text: R) -> impl Iterator<Item = io::Result<Row>> + use<R> {
    let source: Arc<str> = source.into();
    let mut number = 0;
    std::iter::from_fn(move || {
        loop {
            let line = match next_line(&mut text) {
                Ok(Some(line)) => line,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            number += 1;
            let malformed = |reason: String| Err(Malformed::from(reason));
            let resource = match line.as_deref() {
                None => malformed(format!("the line is longer than {LINE_BYTES_MAX} bytes")),
                Some(bytes) if bytes.trim_ascii().is_empty() => continue,
                Some(bytes) => match std::str::from_utf8(bytes) {
                    // The parser counts lines too, but gets one at a time.
                    Ok(text) => json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| Malformed {
                        reason: error.message().replace(" at line 1 column ", " at column "),
                        text: text.trim_end().to_owned(),
                    }),
                    Err(_) => malformed("the line is not UTF-8".to_owned()),
                },
            };
            return Some(Ok(Row { origin: Origin { source: Arc::clone(&source), line: number }, resource }));
        }
    })
}

/// The next line; `Some(None)` if it is too long, `None` at the end.
fn next_line(text: &mut impl BufRead) -> io::Result<Option<Option<Vec<u8>>>> {
    let mut line = Vec::new();
    let read = text.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") || line.len() as u64 != LINE_BYTES_MAX {
        return Ok(Some(Some(line)));
    }
    text.skip_until(b'\n')?;
    Ok(Some(None))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers_and_malformed_ones_say_why() {
        let text = "{\"country\": {\"name\": \"countries/kr\"}}\r\n\n  \n{\"country\": 7}\n\u{fffd}{\n{\"country\": {\"name\": \"countries/ir\"}}";
        let rows: Vec<_> = ndjson("f", text.as_bytes()).collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.iter().map(|row| row.origin.line).collect::<Vec<_>>(), [1, 4, 5, 6]);
        assert_eq!(rows.iter().map(|row| row.resource.is_ok()).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(rows[3].origin.to_string(), "f:6");
    }

    #[test]
    fn a_line_that_is_not_text_or_too_long_is_one_malformed_line() {
        let mut bytes = vec![b'x'; usize::try_from(LINE_BYTES_MAX).unwrap() + 5];
        bytes.extend(b"\n\xff\xfe\n{\"country\": {}}\n");
        let rows: Vec<_> = ndjson("f", bytes.as_slice()).collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), 3);
        assert!(rows[0].resource.as_ref().unwrap_err().reason.contains("longer"));
        assert!(rows[1].resource.as_ref().unwrap_err().reason.contains("UTF-8"));
        assert!(rows[2].resource.is_ok());
    }
}
