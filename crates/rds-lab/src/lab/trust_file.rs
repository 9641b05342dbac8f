//! The file that clients are told to trust: the lab's current root certificate.
//!
//! It lives in the Postgres folder, which goes away even when the lab is killed.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::LabError;

/// The root certificate's file, and how many roots there have been.
pub(super) struct TrustFile {
    pub(super) path: PathBuf,
    generation: Mutex<u32>,
}

impl TrustFile {
    /// Writes the first root into `folder`.
    pub(super) fn create(folder: &Path, pem: &str) -> Result<Self, LabError> {
        let file = Self {
            path: folder.join("ca.pem"),
            generation: Mutex::new(1),
        };
        file.write(pem)?;
        Ok(file)
    }

    /// Replaces the file as a whole: a reader sees the old root or the new one.
    pub(super) fn write(&self, pem: &str) -> Result<(), LabError> {
        let new = self.path.with_extension("pem.new");
        replace(&new, pem)
            .and_then(|()| std::fs::rename(&new, &self.path))
            .map_err(LabError::io("write the root certificate"))
    }

    /// Counts a new root.
    pub(super) fn next_generation(&self) -> u32 {
        let mut generation = self
            .generation
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        *generation
    }
}

/// Creates the file exclusively: the folder may belong to another account, whose links we do not
/// follow.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::create_new(path)?.write_all(text.as_bytes())
}
