//! `sal iam psql`: psql with a token, over verified TLS. The token goes through the environment, never the arguments.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use rds_iam::Authorities;
use tokio::process::Command;

use crate::cli::Psql;
use crate::exit::Exit;
use crate::output;

/// Starts psql and waits for its end.
pub(crate) async fn run(arguments: Psql) -> Result<Exit> {
    let cutover = match super::cutover(&super::only_user(arguments.user.as_ref())).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    super::env::of_an_endpoint(&cutover)?;
    let variables = super::env::libpq(&cutover).await?;
    let roots = match &cutover.config.database.authorities {
        Authorities::File(path) => Roots::theirs(path.clone()),
        Authorities::Embedded | Authorities::Pem(_) => Roots::embedded()?,
    };
    let mut command = Command::new(&arguments.program);
    command
        .args(&arguments.arguments)
        .envs(variables)
        .env("PGSSLROOTCERT", &roots.path)
        .env("PGAPPNAME", "sal iam psql");
    let status = command.status().await.with_context(|| {
        format!(
            "starting `{}`; install the Postgres client, or name it with --program",
            arguments.program.display()
        )
    })?;
    if let Some(signal) = status.signal() {
        output::problem(&format!("psql was ended by signal {signal}"));
    }
    Ok(if status.success() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// The authorities in a file, as libpq wants them; ours is removed at the end.
struct Roots {
    path: PathBuf,
    is_ours: bool,
}

impl Roots {
    fn theirs(path: PathBuf) -> Self {
        Self {
            path,
            is_ours: false,
        }
    }

    fn embedded() -> Result<Self> {
        let name = format!(
            "sal-rds-roots-{}-{:08x}.pem",
            std::process::id(),
            rand::random::<u32>()
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, rds_iam::embedded_roots_pem())
            .with_context(|| format!("writing {}", path.display()))?;
        Ok(Self {
            path,
            is_ours: true,
        })
    }
}

impl Drop for Roots {
    fn drop(&mut self) {
        if self.is_ours {
            // Certificates are no secret; what cannot be removed does no harm.
            let _removed = std::fs::remove_file(&self.path);
        }
    }
}
