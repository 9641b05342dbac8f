//! The folder that holds everything one private server writes.
//!
//! Layout: `pgdata/` (the cluster), `socket/`, `postgresql.conf`, `pg_hba.conf`, `server.log`.
//! The socket moves to a short private folder when the path is too long for a unix socket.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{RunAs, StartError};

/// Everything one server writes, and whether it goes away with the server.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Removes the folder when dropped; `None` when it is to be kept.
    removed_with_us: Option<TempDir>,
    short_socket: Option<TempDir>,
    our_uid: u32,
}

impl Folder {
    /// Creates a private folder, or takes the given one (created when missing).
    pub(crate) fn open(given: Option<&Path>, keep: bool) -> Result<Self, StartError> {
        let temporary = private_folder("local-postgres-")?;
        let our_uid = fs::metadata(temporary.path())
            .map_err(StartError::file("look at", temporary.path()))?
            .uid();
        let (path, removed_with_us) = match (given, keep) {
            (Some(path), _) => (open_given(path)?, None),
            (None, true) => (temporary.keep(), None),
            (None, false) => (temporary.path().to_owned(), Some(temporary)),
        };
        let mut folder = Self {
            path,
            removed_with_us,
            short_socket: None,
            our_uid,
        };
        if folder.path.join(LONGEST_SOCKET).as_os_str().len() > SOCKET_PATH_LIMIT {
            folder.short_socket = Some(private_folder("pg-")?);
        }
        Ok(folder)
    }

    /// Hands the folder to the account that runs the server.
    pub(crate) fn hand_over(&self, account: Option<RunAs>) -> Result<(), StartError> {
        let socket = self.socket();
        fs::create_dir_all(&socket).map_err(StartError::file("create", &socket))?;
        if let Some(account) = account {
            account.check_reach(&self.path)?;
            for path in [&self.path, &socket] {
                chown(path, Some(account.uid), Some(account.gid))
                    .map_err(StartError::file("hand over", path))?;
            }
        }
        fs::set_permissions(&socket, Permissions::from_mode(0o700))
            .map_err(StartError::file("protect", &socket))
    }

    /// Writes one configuration file anew, readable by the server's account only.
    pub(crate) fn write(
        &self,
        name: &str,
        text: &str,
        account: Option<RunAs>,
    ) -> Result<(), StartError> {
        let path = self.path.join(name);
        // Removed first and created exclusively, so that a planted link is never followed.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StartError::file("replace", &path)(error));
            }
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(StartError::file("create", &path))?;
        file.write_all(text.as_bytes())
            .map_err(StartError::file("write", &path))?;
        account
            .map_or(Ok(()), |account| {
                chown(&path, Some(account.uid), Some(account.gid))
            })
            .map_err(StartError::file("hand over", &path))
    }

    pub(crate) fn our_uid(&self) -> u32 {
        self.our_uid
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        self.path.join("pgdata")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.short_socket
            .as_ref()
            .map_or_else(|| self.path.join("socket"), |short| short.path().to_owned())
    }

    /// Folders that an orphaned server's guard has to remove, because we no longer can.
    pub(crate) fn doomed(&self) -> Vec<PathBuf> {
        [&self.removed_with_us, &self.short_socket]
            .into_iter()
            .flatten()
            .map(|folder| folder.path().to_owned())
            .collect()
    }
}

/// Unix socket paths end at 108 bytes on Linux and 104 on macOS, the final zero included.
const SOCKET_PATH_LIMIT: usize = 100;
const LONGEST_SOCKET: &str = "socket/.s.PGSQL.65535.lock";

/// `/tmp` by name: the path stays short enough for a socket, and a library reads no environment.
fn private_folder(prefix: &str) -> Result<TempDir, StartError> {
    let parent = Path::new("/tmp");
    tempfile::Builder::new()
        .prefix(prefix)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(StartError::file("create a folder in", parent))
}

fn open_given(path: &Path) -> Result<PathBuf, StartError> {
    if !path.exists() {
        fs::create_dir_all(path).map_err(StartError::file("create", path))?;
        fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(StartError::file("protect", path))?;
    } else if !is_ours_or_empty(path)? {
        return Err(StartError::NotOurs(path.to_owned()));
    }
    path.canonicalize()
        .map_err(StartError::file("resolve", path))
}

/// A folder full of somebody else's files must not change its owner because of a typing error.
fn is_ours_or_empty(path: &Path) -> Result<bool, StartError> {
    let marks = ["pgdata", "pgdata.unfinished", "server.log"];
    if marks.iter().any(|name| path.join(name).exists()) {
        return Ok(true);
    }
    let mut entries = fs::read_dir(path).map_err(StartError::file("read", path))?;
    Ok(entries.next().is_none())
}
