//! A secret from a file, as Docker (`/run/secrets/…`), Kubernetes and systemd mount them.
//!
//! Whatever is wrong is told with the path, never with what is in the file.

use std::fs;
use std::io::Read;
use std::path::Path;

/// Reads a secret. One newline at its end is none of it: editors and `echo` write one.
///
/// # Errors
/// In words that go on after the path, when there is no such text.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("the file cannot be read: {error}");
    let kind = fs::metadata(path).map_err(unreadable)?;
    // A pipe without a writer would stop the start without a word.
    if !kind.is_file() {
        return Err("this is not a file; mount the secret itself there".to_owned());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(format!(
            "the file is larger than {} KiB, and is no secret; name the right one",
            MOST_BYTES / 1024
        ));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_error| "the file is not UTF-8; write it anew".to_owned())?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err("the file is empty; write the secret into it".to_owned());
    }
    if secret.contains('\0') {
        return Err(
            "the file holds a NUL byte, which no password can have; write it anew".to_owned(),
        );
    }
    Ok(secret.to_owned())
}

/// Stands for a secret that could not be read, until the program ends for it.
pub(super) const UNREAD: &str = "a-secret-that-could-not-be-read";

const MOST_BYTES: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_newline_is_taken_off_and_everything_else_is_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (content, secret) in [
            ("hunter2", "hunter2"),
            ("hunter2\n", "hunter2"),
            ("hunter2\r\n", "hunter2"),
            ("hunter2\n\n", "hunter2\n"),
            (" hunter2 \n", " hunter2 "),
            ("\"hunter2\"\n", "\"hunter2\""),
            ("zwölf\n", "zwölf"),
            ("two\nlines\n", "two\nlines"),
        ] {
            fs::write(&path, content).unwrap();
            assert_eq!(read(&path).as_deref(), Ok(secret), "{content:?}");
        }
    }

    #[test]
    fn a_file_that_holds_no_secret_is_told_without_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let large = vec![b'x'; 70_000];
        for (content, words) in [
            (&b""[..], "empty"),
            (b"\n", "empty"),
            (b"\r\n", "empty"),
            (b"hunter2\xff", "UTF-8"),
            (b"hunter2\0", "NUL"),
            (&large, "larger than 64 KiB"),
        ] {
            fs::write(&path, content).unwrap();
            let told = read(&path).unwrap_err();
            assert!(told.contains(words), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        assert!(read(folder.path()).unwrap_err().contains("not a file"));
        let missing = read(&folder.path().join("none")).unwrap_err();
        assert!(missing.contains("cannot be read"), "{missing}");
    }
}
