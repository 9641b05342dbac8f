//! The limit on open files: raised as far as the system lets us, and what it leaves for connections.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit to the hard one and returns how many connections of clients fit beside everything else.
pub(crate) fn room_for_connections(wanted: usize, database_connections: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // What may not be raised stays as it is.
        let _refused = setrlimit(Resource::Nofile, limit);
    }
    let files = getrlimit(Resource::Nofile).current;
    room(wanted, database_connections, files)
}

fn room(wanted: usize, database_connections: usize, files: Option<u64>) -> usize {
    let Some(files) = files.and_then(|files| usize::try_from(files).ok()) else {
        return wanted;
    };
    // Each connection of the database may need a second one to cancel; the rest is for files, names and other servers.
    let others = database_connections * 2 + OTHERS;
    wanted.min(files.saturating_sub(others).max(FEWEST))
}

const OTHERS: usize = 48;
/// With fewer than that nobody could be served at all.
const FEWEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_had_where_the_files_suffice() {
        assert_eq!(room(4096, 16, Some(1_048_576)), 4096);
        assert_eq!(room(4096, 16, None), 4096);
        assert_eq!(room(4096, 16, Some(1024)), 1024 - 80);
        assert_eq!(room(4096, 16, Some(200)), 120);
        assert_eq!(room(4096, 16, Some(64)), FEWEST);
        assert_eq!(room(8, 16, Some(64)), 8);
    }
}
