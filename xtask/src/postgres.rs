//! One private Postgres for all tests of a run, so that not every test starts its own.

use anyhow::{Context as _, Result};
use local_postgres::{LocalPostgres, Options};
use tokio::runtime::Runtime;

/// The variable tests look at: a libpq connection string of the superuser.
pub(crate) const VARIABLE: &str = "SAL_TEST_POSTGRES";

/// A running server; [`stop`](Self::stop) it. It also ends when this process does.
pub(crate) struct TestPostgres {
    runtime: Runtime,
    server: LocalPostgres,
}

impl TestPostgres {
    /// Starts it with durability off and room for the connections of parallel tests.
    pub(crate) fn start() -> Result<Self> {
        let runtime = Runtime::new().context("starting the runtime")?;
        let settings = vec![("max_connections".to_owned(), "300".to_owned())];
        let options = Options {
            fast: true,
            settings,
            ..Options::default()
        };
        let server = runtime
            .block_on(LocalPostgres::start(options))
            .context("starting a Postgres for the tests")?;
        Ok(Self { runtime, server })
    }

    /// What goes into [`VARIABLE`].
    pub(crate) fn connection_string(&self) -> String {
        let folder = self.server.socket_dir().display();
        format!(
            "host={folder} port={} user={}",
            self.server.port(),
            self.server.superuser()
        )
    }

    /// Stops the server and removes its folder.
    pub(crate) fn stop(self) {
        self.runtime.block_on(self.server.stop());
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_server_is_reachable_as_said_and_gone_afterwards() {
        let postgres = TestPostgres::start().unwrap();
        let said = postgres.connection_string();
        let fields: Vec<(&str, &str)> = said
            .split(' ')
            .map(|field| field.split_once('=').unwrap())
            .collect();
        let [("host", folder), ("port", port), ("user", "postgres")] = fields[..] else {
            panic!("{said}");
        };
        let socket = PathBuf::from(folder).join(format!(".s.PGSQL.{port}"));
        assert!(socket.exists(), "{said}");
        std::os::unix::net::UnixStream::connect(&socket).unwrap();
        postgres.stop();
        assert!(!socket.exists());
    }
}
