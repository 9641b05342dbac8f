//! pgbouncer as a yardstick, where it is installed.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use rds_lab::Lab;
use tokio::process::{Child, Command};

use super::{PASSWORD, USER, token};
use crate::output;

/// A pgbouncer in session mode, verifying the same certificate; ended when dropped.
pub(super) struct Bouncer {
    port: u16,
    _child: Child,
}

impl Bouncer {
    /// Where it is installed.
    pub(super) fn program() -> Option<PathBuf> {
        let places = [
            "/usr/sbin/pgbouncer",
            "/usr/bin/pgbouncer",
            "/opt/homebrew/bin/pgbouncer",
        ];
        let mut places = places.into_iter().map(PathBuf::from);
        places.find(|path| path.exists())
    }

    /// How libpq reaches it.
    pub(super) fn target(&self) -> String {
        format!(
            "host=127.0.0.1 port={} user={USER} dbname=bench sslmode=disable",
            self.port
        )
    }

    /// With a token of now; `None` where it is not installed, or refuses to run.
    pub(super) async fn start(
        lab: &Lab,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<Option<Self>> {
        let Some(program) = Self::program() else {
            return Ok(None);
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let path = configure(lab, (address, port), folder)?;
        let mut command = Command::new(program);
        command
            .arg("-q")
            .args(["-u", "postgres"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().context("starting pgbouncer")?;
        for _ in 0..50 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
            {
                return Ok(Some(Self {
                    port,
                    _child: child,
                }));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let _ended = child.kill().await;
        output::note("pgbouncer did not start, so it is not measured.");
        Ok(None)
    }
}

/// Writes its files, and says where the configuration is.
fn configure(lab: &Lab, (address, port): (SocketAddr, u16), folder: &Path) -> Result<PathBuf> {
    let users = folder.join("users");
    std::fs::write(&users, format!("\"{USER}\" \"{PASSWORD}\"\n"))?;
    // The verified name has to be the one that is dialled, so the address goes by /etc/hosts nowhere: verify-ca.
    let config = format!(
        "[databases]\nbench = host={} port={} user={USER} password='{}'\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\nauth_file = {}\npool_mode = session\nmax_client_conn = 200\ndefault_pool_size = 100\nserver_tls_sslmode = verify-ca\nserver_tls_ca_file = {}\nlogfile = {}\n",
        address.ip(),
        address.port(),
        token(lab, address.port()),
        users.display(),
        lab.ca_file().display(),
        folder.join("pgbouncer.log").display()
    );
    let path = folder.join("pgbouncer.ini");
    std::fs::write(&path, config)?;
    for made in [&path, &users] {
        std::fs::set_permissions(made, std::fs::Permissions::from_mode(0o644))?;
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777))?;
    Ok(path)
}
