//! The journal as a file: one JSON object a line, appended and synchronised.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{Entry, JournalError};

/// An open file; only its owner may read it.
pub(super) struct JournalFile {
    path: PathBuf,
    file: File,
}

impl JournalFile {
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path);
        let path = path.to_owned();
        let error = |source| JournalError::File {
            path: path.clone(),
            action: "written",
            source,
        };
        let file = file.map_err(error)?;
        // A device has no end, or forgets.
        let facts = file.metadata().map_err(error)?;
        if !facts.is_file() {
            return Err(error(std::io::Error::other("it is no regular file")));
        }
        if facts.len() > MOST_BYTES {
            return Err(error(std::io::Error::other(format!(
                "it has {} bytes, where a journal has no more than {MOST_BYTES}",
                facts.len()
            ))));
        }
        Ok(Self { path, file })
    }

    /// All whole lines; half a line at the end, which a crash may leave, is taken off.
    pub(super) fn entries(&mut self) -> Result<Vec<Entry>, JournalError> {
        let mut text = String::new();
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| (&self.file).take(MOST_BYTES).read_to_string(&mut text))
            .map_err(|source| self.error("read", source))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            let length = u64::try_from(whole).unwrap_or_default();
            let cut = self.file.set_len(length);
            cut.map_err(|source| self.error("written", source))?;
        }
        let lines = text.get(..whole).unwrap_or_default().lines();
        lines
            .zip(1_u64..)
            .map(|(line, seq)| {
                serde_json::from_str(line).map_err(|_not_an_entry| JournalError::Broken {
                    place: format!("`{}`", self.path.display()),
                    seq,
                })
            })
            .collect()
    }

    pub(super) fn write(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let mut line = serde_json::to_string(entry).unwrap_or_default();
        line.push('\n');
        let written = self.file.write_all(line.as_bytes());
        written
            .and_then(|()| self.file.sync_all())
            .map_err(|source| self.error("written", source))
    }

    fn error(&self, action: &'static str, source: std::io::Error) -> JournalError {
        JournalError::File {
            path: self.path.clone(),
            action,
            source,
        }
    }
}

/// The last whole line of a journal; the file is neither made nor changed.
pub(super) fn last_line(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    let whole = text.get(..=text.rfind('\n')?)?;
    whole.lines().last().map(str::to_owned)
}

/// A move has some hundred lines, and the longest have every object's statement.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_has_no_end_is_refused_before_it_is_read() {
        for device in ["/dev/full", "/dev/zero", "/dev/null"] {
            let error = JournalFile::open(Path::new(device)).err().unwrap();
            assert!(error.to_string().contains("no regular file"), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let sparse = File::create(&path).unwrap();
        sparse.set_len(MOST_BYTES + 1).unwrap();
        let error = JournalFile::open(&path).err().unwrap();
        assert!(error.to_string().contains("no more than"), "{error}");
    }

    #[test]
    fn half_a_line_is_taken_off_and_a_foreign_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, "{\"seq\": 1, \"at").unwrap();
        let mut journal = JournalFile::open(&path).unwrap();
        assert_eq!(journal.entries().unwrap(), []);
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        std::fs::write(&path, "not a journal\n").unwrap();
        let mut journal = JournalFile::open(&path).unwrap();
        assert!(matches!(
            journal.entries(),
            Err(JournalError::Broken { seq: 1, .. })
        ));
        assert!(JournalFile::open(Path::new("/nowhere/at/all")).is_err());
    }
}
