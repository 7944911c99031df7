//! [`Draft`]: a file that is written whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A file that is renamed to its target when it is complete, and removed otherwise.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    target: &'a Path,
    path: PathBuf,
    file: File,
    finished: bool,
}

impl<'a> Draft<'a> {
    /// Creates the file beside its target.
    pub(crate) fn new(target: &'a Path) -> io::Result<Self> {
        let mut name = target.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.draft", std::process::id()));
        let path = target.with_file_name(name);
        let file = File::create(&path)?;
        Ok(Self { target, path, file, finished: false })
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Syncs the file, and renames it to its target.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, self.target)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // The first failure is the one to report.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = std::env::temp_dir().join(format!("partnerctl-draft-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let target = folder.join("out");
        drop(Draft::new(&target).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        let draft = Draft::new(&target).unwrap();
        draft.file().write_all(b"whole").unwrap();
        draft.finish().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "whole");
        fs::remove_dir_all(&folder).unwrap();
    }
}
