//! The most faithful way in: Postgres's own TLS and its `pam` method, as RDS has them.
//!
//! Needs root, a Postgres built with PAM, `rustc`, and a machine that is ours: it writes one file
//! below `/etc/pam.d` and removes it again. Only on [`Pam::OnMachineWeOwn`]; tests compare the
//! gate's answers with these.

use std::fs::{self, Permissions};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use local_postgres::LocalPostgres;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::Command;
use tokio_util::task::TaskTracker;

use crate::LabError;
use crate::auth_service::Door;
use crate::certs::Authority;
use crate::front::Front;
use crate::lab::Tasks;
use crate::record::Outcome;

/// Whether the lab may change the machine it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pam {
    /// Nothing outside the lab's folder is touched; only the gate lets clients in.
    Off,
    /// A PAM service is installed while the lab runs; Postgres itself listens too.
    OnMachineWeOwn,
}

/// The PAM way while it is open; dropping it removes the service file.
pub(crate) struct PamDoor {
    pub(crate) address: SocketAddr,
    service_file: PathBuf,
}

impl Drop for PamDoor {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.service_file) {
            tracing::warn!(%error, file = %self.service_file.display(), "a PAM service is left");
        }
    }
}

/// RDS's own lines, for connections that come over TCP.
pub(crate) fn hba(service: &str) -> String {
    format!(
        "hostssl all +rds_iam all pam pamservice={service}\n\
         host all +rds_iam all reject\n\
         host all rdsadmin all reject\n\
         hostssl all all all scram-sha-256\n"
    )
}

/// Opens the PAM way of a Postgres that was started with [`hba`] and a TCP port.
pub(crate) async fn open(
    service: &str,
    postgres: &LocalPostgres,
    front: &Arc<Front>,
    tasks: &Tasks,
) -> Result<PamDoor, LabError> {
    let folder = postgres.folder();
    let module = folder.join("pam_rds_lab.so");
    build_module(&folder.join("pam_rds_lab.rs"), &module).await?;
    let socket = folder.join("pam.sock");
    let listener = UnixListener::bind(&socket).map_err(LabError::io("listen for PAM"))?;
    let for_all = Permissions::from_mode(0o666);
    fs::set_permissions(&socket, for_all).map_err(LabError::io("open the PAM socket"))?;
    let door = PamDoor {
        address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), postgres.port()),
        service_file: Path::new("/etc/pam.d").join(service),
    };
    let text = format!(
        "auth required {} socket={}\naccount required pam_permit.so\n",
        module.display(),
        socket.display()
    );
    fs::write(&door.service_file, text).map_err(LabError::io("write below /etc/pam.d"))?;
    let serve = serve(
        listener,
        Arc::clone(front),
        postgres.port(),
        tasks.tracker.clone(),
    );
    let shutdown = tasks.shutdown.clone();
    tasks.tracker.spawn(async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = serve => {}
        }
    });
    Ok(door)
}

async fn build_module(source: &Path, module: &Path) -> Result<(), LabError> {
    fs::write(source, include_str!("../pam/pam_rds_lab.rs"))
        .map_err(LabError::io("write the PAM module"))?;
    let output = Command::new("rustc")
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "cdylib",
            "-O",
            "-C",
            "panic=abort",
            "-o",
        ])
        .arg(module)
        .arg(source)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(LabError::io("run rustc for the PAM module"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(LabError::io("build the PAM module")(std::io::Error::other(
        text,
    )))
}

/// Gives Postgres the server certificate, and restarts it so that it counts from here on.
pub(crate) async fn turn_tls_on(
    postgres: &mut LocalPostgres,
    authority: &Authority,
) -> Result<(), LabError> {
    for (name, text) in [
        ("server.crt", &authority.chain_pem),
        ("server.key", &authority.key_pem),
    ] {
        let path = postgres.folder().join(name);
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o600)))
            .map_err(LabError::io("write the server certificate"))?;
        if let Some(account) = postgres.account() {
            chown(&path, Some(account.uid), Some(account.gid))
                .map_err(LabError::io("hand the server certificate over"))?;
        }
        let setting = if name == "server.crt" {
            "ssl_cert_file"
        } else {
            "ssl_key_file"
        };
        alter(postgres, setting, &path.display().to_string()).await?;
    }
    alter(postgres, "ssl", "on").await?;
    Ok(postgres.restart().await?)
}

async fn alter(postgres: &LocalPostgres, name: &str, value: &str) -> Result<(), LabError> {
    let value = crate::database::literal(value);
    postgres
        .run_sql("postgres", &format!("ALTER SYSTEM SET {name} = {value}"))
        .await
        .map_err(LabError::database("switch TLS on"))
}

async fn serve(listener: UnixListener, front: Arc<Front>, port: u16, tracker: TaskTracker) {
    while let Ok((question, _)) = listener.accept().await {
        let front = Arc::clone(&front);
        tracker.spawn(async move {
            let answered = answer(question, &front, port);
            let limit = std::time::Duration::from_secs(10);
            if !matches!(tokio::time::timeout(limit, answered).await, Ok(Ok(()))) {
                tracing::debug!("a question of the PAM module was not answered");
            }
        });
    }
}

async fn answer(mut question: UnixStream, front: &Front, port: u16) -> std::io::Result<()> {
    let user = read_part(&mut question).await?;
    let token = read_part(&mut question).await?;
    let door = Door {
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port,
    };
    // RDS asks for a password while IAM is off; here the line of `pg_hba.conf` stays, and no token is good.
    let accepted =
        front.iam_flag.is_live() && front.auth.decide(&user, &token, door) == Outcome::Accepted;
    question.write_all(&[u8::from(accepted)]).await
}

/// A part is at most what Postgres takes as a password.
async fn read_part(question: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let length = question.read_u32().await?.min(65_535);
    let mut part = Vec::new();
    question.take(length.into()).read_to_end(&mut part).await?;
    Ok(part)
}
