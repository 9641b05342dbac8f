//! Finds the server programs (`postgres`, `initdb`) on the machine.
//!
//! Debian keeps them out of `PATH` (one folder per major version), so well-known places are
//! looked at too. Nothing is downloaded or installed here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::NotFound;

/// The oldest major version that we start.
pub const OLDEST_MAJOR: u32 = 13;

/// A folder that holds a usable set of server programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerBinaries {
    folder: PathBuf,
    major: u32,
}

impl ServerBinaries {
    /// Accepts `folder` when it has both programs in a version that we can start.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Option<Self> {
        if !folder.join("initdb").is_file() {
            return None;
        }
        let major = major_of(&folder.join("postgres"))?;
        (major >= OLDEST_MAJOR).then(|| Self {
            folder: folder.to_owned(),
            major,
        })
    }

    /// The folder the programs are in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The major version, such as 15.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Finds server programs: first along `search_path` (a `PATH` value), then where Debian, Red Hat,
/// Homebrew and Postgres.app put them, the newest version first.
///
/// # Errors
/// [`NotFound`] names the folders that were looked at and the line that installs the programs.
pub fn find_server_binaries(search_path: Option<&OsStr>) -> Result<ServerBinaries, NotFound> {
    let mut looked = Vec::new();
    for folder in search_path.iter().flat_map(std::env::split_paths) {
        if let Some(found) = ServerBinaries::in_folder(&folder) {
            return Ok(found);
        }
        looked.push(folder);
    }
    let known = FAMILIES.iter().flat_map(|family| family.folders());
    let mut found: Vec<_> = known
        .filter_map(|folder| ServerBinaries::in_folder(&folder))
        .collect();
    found.sort_by_key(ServerBinaries::major);
    looked.extend(FAMILIES.iter().map(Family::shown));
    found.pop().ok_or(NotFound {
        oldest: OLDEST_MAJOR,
        looked,
    })
}

/// Folders that differ only in the version: `<parent>/<prefix>*/bin`.
struct Family {
    parent: &'static str,
    prefix: &'static str,
}

impl Family {
    fn folders(&self) -> impl Iterator<Item = PathBuf> {
        let entries = std::fs::read_dir(self.parent).into_iter().flatten();
        entries.filter_map(|entry| {
            let entry = entry.ok()?;
            let fits = entry.file_name().to_str()?.starts_with(self.prefix);
            fits.then(|| entry.path().join("bin"))
        })
    }

    fn shown(&self) -> PathBuf {
        Path::new(self.parent).join(format!("{}*/bin", self.prefix))
    }
}

const FAMILIES: [Family; 5] = [
    Family {
        parent: "/usr/lib/postgresql",
        prefix: "",
    },
    Family {
        parent: "/usr",
        prefix: "pgsql-",
    },
    Family {
        parent: "/opt/homebrew/opt",
        prefix: "postgresql",
    },
    Family {
        parent: "/usr/local/opt",
        prefix: "postgresql",
    },
    Family {
        parent: "/Applications/Postgres.app/Contents/Versions",
        prefix: "",
    },
];

fn major_of(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    parse_major(std::str::from_utf8(&output.stdout).ok()?)
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)` or `… 18beta1`.
fn parse_major(version: &str) -> Option<u32> {
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_shape_of_version_line() {
        let cases = [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
                Some(15),
            ),
            ("postgres (PostgreSQL) 18beta1\n", Some(18)),
            ("postgres (PostgreSQL) 9.6.24\n", Some(9)),
            ("psql 15.1", None),
            ("postgres (PostgreSQL) devel", None),
        ];
        for (line, expected) in cases {
            assert_eq!(parse_major(line), expected, "{line}");
        }
    }

    #[test]
    fn what_was_not_found_names_the_lines_that_install_it() {
        let text = NotFound {
            oldest: 13,
            looked: vec!["/usr/lib/postgresql/*/bin".into()],
        }
        .to_string();
        assert!(text.contains("apt-get install postgresql"), "{text}");
        assert!(text.contains("brew install postgresql@17"), "{text}");
        assert!(text.contains("/usr/lib/postgresql/*/bin"), "{text}");
    }
}
