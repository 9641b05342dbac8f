//! A private Postgres from start to stop.
//!
//! The public face of the crate. Dropping it stops the server at once; [`LocalPostgres::stop`]
//! does the same politely and says when it is done.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::{Config, NoTls};

use crate::folder::Folder;
use crate::postmaster::{Postmaster, Stop};
use crate::{
    Listen, Options, RunAs, ServerBinaries, StartError, cluster, find_server_binaries, readiness,
};

/// A running private Postgres; dropping it stops it and removes its folder unless that is kept.
#[derive(Debug)]
pub struct LocalPostgres {
    // Declared before the folder: the server ends before its files go.
    postmaster: Option<Postmaster>,
    folder: Folder,
    socket_dir: PathBuf,
    options: Options,
    binaries: ServerBinaries,
    account: Option<RunAs>,
    port: u16,
}

impl LocalPostgres {
    /// Creates the cluster when there is none yet, starts the server and waits until it answers.
    ///
    /// # Errors
    /// [`StartError`] says what was missing or what the server's log ends with.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let binaries = match &options.server_binaries {
            Some(folder) => given_binaries(folder)?,
            None => find_server_binaries(options.search_path.as_deref())?,
        };
        let folder = Folder::open(options.data_dir.as_deref(), options.keep)?;
        let account = RunAs::choose(options.run_as, folder.our_uid(), &folder.cluster())?;
        folder.hand_over(account)?;
        cluster::ensure(&folder, &options, &binaries, account).await?;
        let mut server = Self {
            postmaster: None,
            socket_dir: folder.socket(),
            port: choose_port(options.listen)?,
            folder,
            options,
            binaries,
            account,
        };
        cluster::configure(&server.folder, &server.options, server.port, account)?;
        server.launch().await?;
        Ok(server)
    }

    /// Starts a copy of this server that lies in another folder, with one setting more.
    pub(crate) async fn launch_copy(
        &self,
        folder: Folder,
        setting: (String, String),
    ) -> Result<Self, StartError> {
        let mut options = Options {
            data_dir: None,
            keep: false,
            ..self.options.clone()
        };
        options.settings.push(setting);
        let mut server = Self {
            postmaster: None,
            socket_dir: folder.socket(),
            port: choose_port(options.listen)?,
            folder,
            options,
            binaries: self.binaries.clone(),
            account: self.account,
        };
        cluster::configure(&server.folder, &server.options, server.port, self.account)?;
        server.launch().await?;
        Ok(server)
    }

    async fn launch(&mut self) -> Result<(), StartError> {
        let before = readiness::pid_file(&self.folder);
        let postmaster = Postmaster::launch(&self.folder, &self.binaries, self.account)?;
        let admin = self.admin_config("postgres");
        let postmaster = self.postmaster.insert(postmaster);
        let limit = self.options.start_timeout;
        readiness::wait(postmaster, &self.folder, before.as_deref(), &admin, limit).await
    }

    /// Ends all sessions and the server in an orderly way, then removes the folder unless kept.
    pub async fn stop(mut self) {
        self.halt(Stop::Fast).await;
    }

    /// Stops the server as if the power failed; [`Self::restart`] starts it again.
    pub async fn crash(&mut self) {
        self.halt(Stop::Immediate).await;
    }

    /// Stops the server when it runs, and starts it again on the same data, socket and port.
    ///
    /// # Errors
    /// As [`Self::start`]; the server is then down.
    pub async fn restart(&mut self) -> Result<(), StartError> {
        self.halt(Stop::Fast).await;
        self.launch().await
    }

    async fn halt(&mut self, stop: Stop) {
        let Some(mut postmaster) = self.postmaster.take() else {
            return;
        };
        postmaster.order(stop);
        let waited = tokio::task::spawn_blocking(move || {
            // Dropping what has not ended in time escalates to an immediate stop.
            let ended = postmaster.wait(STOP_LIMIT);
            drop(postmaster);
            ended
        });
        if !matches!(waited.await, Ok(Ok(true))) {
            tracing::warn!("a private Postgres did not stop in an orderly way");
        }
    }

    /// Runs SQL statements as the superuser in `database`.
    ///
    /// # Errors
    /// What the server or the connection said.
    pub async fn run_sql(&self, database: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
        let (client, connection) = self.admin_config(database).connect(NoTls).await?;
        let statements = async move {
            let done = client.batch_execute(sql).await;
            drop(client);
            done
        };
        let (done, _connection_ended) = tokio::join!(statements, connection);
        done
    }

    /// The connection of the superuser to `database`, over the unix socket.
    #[must_use]
    pub fn admin_config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.socket_dir)
            .port(self.port)
            .user(&self.options.superuser)
            .dbname(database);
        config
    }

    /// The folder that holds the unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The port: part of the socket's name, and the TCP port where that is on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The bootstrap superuser's name.
    #[must_use]
    pub fn superuser(&self) -> &str {
        &self.options.superuser
    }

    /// The folder that everything of this server lives in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file that the server logs to.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.folder.log()
    }

    /// The server programs in use.
    #[must_use]
    pub fn binaries(&self) -> &ServerBinaries {
        &self.binaries
    }

    /// The account the server runs as, when it is not our own.
    #[must_use]
    pub fn account(&self) -> Option<RunAs> {
        self.account
    }
}

/// A checkpoint of a demo's data on a slow disk fits well within this.
const STOP_LIMIT: Duration = Duration::from_secs(30);

fn given_binaries(folder: &Path) -> Result<ServerBinaries, StartError> {
    ServerBinaries::in_folder(folder).ok_or_else(|| {
        StartError::NotFound(crate::NotFound {
            oldest: crate::OLDEST_MAJOR,
            looked: vec![folder.to_owned()],
        })
    })
}

/// The port is only a name when nothing listens on TCP: the socket folder is private.
fn choose_port(listen: Listen) -> Result<u16, StartError> {
    match listen {
        Listen::SocketOnly => Ok(5432),
        Listen::Loopback => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map(|address| address.port())
            .map_err(StartError::file(
                "find a free port on",
                Path::new("127.0.0.1"),
            )),
    }
}
