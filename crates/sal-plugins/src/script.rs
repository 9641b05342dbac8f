//! The scripts that clients download and run for a plugin.
//!
//! Clients compare the hash with the file they have; it is taken over the text with `\n` line
//! ends, as Sal takes it.

use sha2::{Digest, Sha256};

/// A script and its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Name of the plugin.
    pub plugin: String,
    /// File name without a folder.
    pub filename: String,
    /// SHA-256 of `content` in lower-case hexadecimal.
    pub hash: String,
    /// The text with `\n` line ends; begins with `#!`.
    pub content: String,
}

/// A script by name and hash, as the list for clients has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptRef {
    /// Name of the plugin.
    pub plugin: String,
    /// File name without a folder.
    pub filename: String,
    /// SHA-256 of the contents in lower-case hexadecimal.
    pub hash: String,
}

impl Script {
    /// Makes a script of a file's text, or `None` when it does not begin with `#!` and so is not
    /// for clients to run.
    #[must_use]
    pub fn new(plugin: &str, filename: &str, text: &str) -> Option<Self> {
        let content = text.replace("\r\n", "\n").replace('\r', "\n");
        content.starts_with("#!").then(|| Self {
            plugin: plugin.to_owned(),
            filename: filename.to_owned(),
            hash: hexadecimal(&Sha256::digest(&content)),
            content,
        })
    }

    /// The script without its contents.
    #[must_use]
    pub fn reference(&self) -> ScriptRef {
        ScriptRef {
            plugin: self.plugin.clone(),
            filename: self.filename.clone(),
            hash: self.hash.clone(),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_do_not_change_the_hash() {
        let unix = Script::new("P", "a.sh", "#!/bin/sh\ntrue\n").unwrap();
        let dos = Script::new("P", "a.sh", "#!/bin/sh\r\ntrue\r\n").unwrap();
        let old_mac = Script::new("P", "a.sh", "#!/bin/sh\rtrue\r").unwrap();
        assert_eq!(unix, dos);
        assert_eq!(unix, old_mac);
        // From `printf '#!/bin/sh\ntrue\n' | sha256sum`.
        assert_eq!(
            unix.hash,
            "9ab8fabc8c72bfa0416414631e26bd71b01f9dfae98dcf4656b1e2d78307876a"
        );
    }

    #[test]
    fn a_file_that_is_no_program_is_not_offered() {
        assert_eq!(Script::new("P", "notes.txt", "read me"), None);
        assert_eq!(Script::new("P", "empty", ""), None);
    }
}
