//! The relay that is measured: a TCP port with a password, and a unix socket.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use pg_relay::{Counters, Door, Ending, Local, LocalAccess, Relay, RelaySettings};
use rand::RngExt;
use rds_iam::{
    Authorities, Connector, CredentialCache, FixedCredentials, IamConfig, LoginConfig, LoginSecret,
    Secret, SystemResolver, TlsConfig,
};
use rds_lab::Lab;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{PASSWORD, USER, credentials};
use crate::wiring;

/// A folder for the socket alone, gone when dropped. The relay makes its socket only where every folder on the way is its
/// user's or root's, and as root Postgres's folder is another user's.
pub(super) struct SocketFolder(PathBuf);

impl SocketFolder {
    pub(super) fn new() -> Result<Self> {
        let name = format!("sal-bench-{:016x}", rand::rng().random::<u64>());
        let path = std::env::temp_dir().join(name);
        let mut folder = std::fs::DirBuilder::new();
        folder
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("making `{}`; TMPDIR names another folder", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// Starts it, and says at which port.
pub(super) async fn start_relay(
    lab: &Lab,
    (address, socket): (SocketAddr, &Path),
    shutdown: &CancellationToken,
    tasks: &TaskTracker,
) -> Result<u16> {
    let cache = CredentialCache::new(
        Arc::new(FixedCredentials(credentials(lab))),
        wiring::clock(),
    );
    let secret = LoginSecret::Iam(IamConfig {
        region: None,
        sign_host: None,
        sign_port: None,
        credentials: Arc::new(cache),
    });
    let config = LoginConfig {
        host_address: Some(address.ip()),
        tls: TlsConfig {
            authorities: Authorities::Pem(lab.ca_pem()),
            ..TlsConfig::default()
        },
        logins_per_second: 10_000,
        ..LoginConfig::new(lab.endpoint(), address.port(), "bench", USER, secret)
    };
    let resolver = Arc::new(SystemResolver::new());
    let connector =
        Arc::new(Connector::new(config, resolver, wiring::clock()).context("setting up a login")?);
    let local = Local::tcp("127.0.0.1:0".parse().context("an address")?).await?;
    let port = local
        .place()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .context("a port")?;
    let door = |local, access| Door {
        local,
        access,
        tls: None,
        only_tls: false,
        connector: Arc::clone(&connector),
    };
    let doors = vec![
        door(local, LocalAccess::Password(Secret::new(PASSWORD))),
        door(Local::unix(socket).await?, LocalAccess::SameUser),
    ];
    let settings = RelaySettings {
        drain: Duration::from_secs(5),
        ..RelaySettings::default()
    };
    tasks.spawn(
        Relay::new(doors, settings, Arc::new(Counters::default())).run(Ending {
            quit: shutdown.clone(),
            ..Ending::default()
        }),
    );
    Ok(port)
}
