//! Chooses the account that runs the server.
//!
//! Postgres refuses uid 0, so a server started by root runs as `postgres` or `nobody`. The system
//! calls for that are not safe Rust; the uid is read from a file of ours, the names from
//! `/etc/passwd`, and `Command::uid` does the switch.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::StartError;

/// The account that runs a server started by root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// User id; never 0.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
}

impl RunAs {
    /// Chooses who runs the server whose private `folder` we just created or found.
    ///
    /// `None` means: as ourselves. An existing cluster is run by its owner.
    pub(crate) fn choose(
        wanted: Option<Self>,
        our_uid: u32,
        cluster: &Path,
    ) -> Result<Option<Self>, StartError> {
        if our_uid != 0 || wanted.is_some() {
            return Ok(wanted);
        }
        if let Ok(existing) = std::fs::metadata(cluster)
            && existing.uid() != 0
        {
            return Ok(Some(Self {
                uid: existing.uid(),
                gid: existing.gid(),
            }));
        }
        let passwd =
            std::fs::read_to_string(PASSWD).map_err(StartError::file("read", Path::new(PASSWD)))?;
        unprivileged_in(&passwd)
            .map(Some)
            .ok_or(StartError::NoAccount)
    }

    /// Refuses a folder below one that this account may not enter.
    pub(crate) fn check_reach(self, folder: &Path) -> Result<(), StartError> {
        for above in folder.ancestors().skip(1) {
            let Ok(found) = std::fs::metadata(above) else {
                continue;
            };
            let mode = found.mode();
            let enters = (mode & 0o001 != 0)
                || (found.uid() == self.uid && mode & 0o100 != 0)
                || (found.gid() == self.gid && mode & 0o010 != 0);
            if !enters {
                return Err(StartError::Unreachable {
                    uid: self.uid,
                    path: above.to_owned(),
                });
            }
        }
        Ok(())
    }
}

const PASSWD: &str = "/etc/passwd";

fn unprivileged_in(passwd: &str) -> Option<RunAs> {
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| account_named(name, passwd))
}

fn account_named(name: &str, passwd: &str) -> Option<RunAs> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some(RunAs { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHOUT: &str =
        "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n";

    #[test]
    fn the_account_postgres_comes_before_nobody() {
        let with =
            format!("{WITHOUT}postgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash\n");
        assert_eq!(unprivileged_in(&with), Some(RunAs { uid: 101, gid: 104 }));
        let nobody = RunAs {
            uid: 65534,
            gid: 65534,
        };
        assert_eq!(unprivileged_in(WITHOUT), Some(nobody));
    }

    #[test]
    fn an_account_with_uid_0_is_never_chosen() {
        assert_eq!(unprivileged_in("postgres:x:0:0::/:/bin/sh\n"), None);
        assert_eq!(unprivileged_in("postgres:x\n"), None);
    }
}
