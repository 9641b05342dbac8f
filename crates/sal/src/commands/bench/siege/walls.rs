//! The memory that the server may have: a control group of its own where we may make one.

use std::fs;
use std::path::{Path, PathBuf};

/// What holds the server in; taken down when dropped.
pub(super) struct Walls {
    folder: Option<PathBuf>,
}

impl Walls {
    /// Puts a process into 512 MiB, by control groups of version 2 or 1.
    pub(super) fn around(pid: u32) -> Self {
        let both = [
            ("/sys/fs/cgroup", "memory.max"),
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        ];
        let folder = both.into_iter().find_map(|(parent, limit)| {
            let folder = Path::new(parent).join(format!("sal-siege-{pid}"));
            if !Path::new(parent).join("cgroup.procs").exists() {
                return None;
            }
            fs::create_dir(&folder).ok()?;
            let held = fs::write(folder.join(limit), BYTES.to_string()).is_ok()
                && fs::write(folder.join("cgroup.procs"), pid.to_string()).is_ok();
            if !held {
                let _ = fs::remove_dir(&folder);
            }
            held.then_some(folder)
        });
        Self { folder }
    }

    pub(super) fn words(&self) -> String {
        match self.folder {
            Some(_) => "the server is held to 512 MiB by a control group".to_owned(),
            None => {
                "no control group may be made here: the server's memory is measured and not bounded"
                    .to_owned()
            }
        }
    }
}

impl Drop for Walls {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // It can go when the server has ended; a folder that stays is empty.
            let _ = fs::remove_dir(folder);
        }
    }
}

const BYTES: u64 = 512 * 1024 * 1024;
