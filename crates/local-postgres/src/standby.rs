//! A copy of a running server that follows it, and becomes the server when the first one is gone.
//!
//! Only streaming from a server of this crate over its socket; no archive, no slots, no second host.

use std::process::Stdio;

use tokio::process::Command;
use tokio_postgres::NoTls;

use crate::cluster::ENVIRONMENT;
use crate::folder::Folder;
use crate::{LocalPostgres, StartError};

/// What the standby calls itself in `pg_stat_replication`.
const NAME: &str = "standby";

impl LocalPostgres {
    /// Copies the running server and starts the copy as a hot standby that follows it. From then on a commit is
    /// answered only when the standby has it on its disk too, as on a Multi-AZ instance.
    ///
    /// # Errors
    /// [`StartError`] says what was missing or what the standby's log ends with.
    pub async fn start_standby(&self) -> Result<Self, StartError> {
        let folder = Folder::open(None, false)?;
        folder.hand_over(self.account())?;
        self.copy_into(&folder).await?;
        let source = format!(
            "host={} port={} user={} application_name={NAME}",
            self.socket_dir().display(),
            self.port(),
            self.superuser()
        );
        let setting = ("primary_conninfo".to_owned(), source);
        let standby = self.launch_copy(folder, setting).await?;
        self.wait_for_standby()
            .await
            .map_err(StartError::Replication)?;
        Ok(standby)
    }

    /// Makes a standby take writes, and waits until it does.
    ///
    /// # Errors
    /// What the server or the connection said.
    pub async fn promote(&self) -> Result<(), tokio_postgres::Error> {
        self.run_sql("postgres", "SELECT pg_promote(true, 60)")
            .await
    }

    /// `pg_basebackup` into a folder that was handed over.
    async fn copy_into(&self, folder: &Folder) -> Result<(), StartError> {
        let program = self.binaries().program("pg_basebackup");
        let mut command = Command::new(&program);
        command
            .arg("--pgdata")
            .arg(folder.cluster())
            .arg("--host")
            .arg(self.socket_dir())
            .args(["--port", &self.port().to_string()])
            .args(["--username", self.superuser(), "--no-password"])
            .args([
                "--checkpoint",
                "fast",
                "--wal-method",
                "stream",
                "--no-sync",
            ])
            .env_clear()
            .envs(ENVIRONMENT)
            .current_dir("/")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(account) = self.account() {
            command.gid(account.gid).uid(account.uid);
        }
        let output = command
            .output()
            .await
            .map_err(|source| StartError::Run { program, source })?;
        if !output.status.success() {
            return Err(StartError::Copy {
                output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        folder.write("pgdata/standby.signal", "", self.account())
    }

    /// Lets commits wait for the standby, and waits until they do.
    async fn wait_for_standby(&self) -> Result<(), tokio_postgres::Error> {
        let (client, connection) = self.admin_config("postgres").connect(NoTls).await?;
        let work = async move {
            // Each statement by itself: ALTER SYSTEM takes no transaction.
            client.batch_execute(SYNCHRONOUS).await?;
            client.batch_execute("SELECT pg_reload_conf()").await?;
            let mut turn = tokio::time::interval(std::time::Duration::from_millis(20));
            while client.query(FOLLOWS, &[]).await?.is_empty() {
                turn.tick().await;
            }
            Ok(())
        };
        tokio::select! {
            ended = connection => ended,
            done = work => done,
        }
    }
}

const SYNCHRONOUS: &str = "ALTER SYSTEM SET synchronous_standby_names = 'standby'";
const FOLLOWS: &str = "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'";
