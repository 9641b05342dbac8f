//! The socket of a running lab: one JSON request a line, one JSON answer. Only its owner may use it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use super::deployment::Deployment;

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    Environment { whose: String, at: Option<String> },
    Break { name: String },
    Mend,
    Failover,
    Status,
    Down,
}

/// The listening end; dropping it removes the socket.
pub(super) struct Control {
    path: PathBuf,
    listener: UnixListener,
}

impl Control {
    /// Listens; a socket that nobody answers on is left over from a lab that was killed.
    pub(super) async fn listen(path: &Path) -> Result<Self> {
        if UnixStream::connect(path).await.is_ok() {
            bail!("a lab is running already; `sal lab down` ends it, --socket starts another one");
        }
        if path.exists() {
            std::fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
        }
        let listener =
            UnixListener::bind(path).with_context(|| format!("listening on {}", path.display()))?;
        let only_owner = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, only_owner)
            .with_context(|| format!("protecting {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            listener,
        })
    }

    /// Answers, one client after the other, until one says down.
    pub(super) async fn serve(
        &self,
        deployment: &Arc<Deployment>,
        down: &Arc<Notify>,
    ) -> Result<()> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            // A client that goes away in the middle is no reason to end.
            if let Ok(true) = answer(stream, deployment).await {
                down.notify_one();
                return Ok(());
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // It may have been removed by hand.
        let _removed = std::fs::remove_file(&self.path);
    }
}

/// Answers one request; whether it was the last.
async fn answer(stream: UnixStream, deployment: &Deployment) -> Result<bool> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let request: Request = serde_json::from_str(&line)?;
    let answer = match &request {
        Request::Environment { whose, at } => deployment
            .environment_at(whose, at.as_deref())
            .map(|variables| json!(variables)),
        Request::Failover => deployment
            .lab
            .fail_over()
            .map(|()| Value::Null)
            .map_err(Into::into),
        Request::Status => Ok(deployment.status()),
        Request::Break { name } => deployment.break_it(name).await.map(|()| Value::Null),
        Request::Mend => deployment.mend().await.map(|()| Value::Null),
        Request::Down => Ok(Value::Null),
    };
    let answer = match answer {
        Ok(answer) => json!({"answer": answer}),
        Err(error) => json!({"error": format!("{error:#}")}),
    };
    stream.write_all(format!("{answer}\n").as_bytes()).await?;
    stream.shutdown().await?;
    Ok(matches!(request, Request::Down))
}

/// Who we are, by what the kernel says of a socket of our own.
pub(super) fn own_uid() -> Result<u32> {
    let (one, _other) = UnixStream::pair().context("making a pair of sockets")?;
    Ok(one.peer_cred().context("asking for our own user")?.uid())
}

/// Asks a running lab.
pub(super) async fn ask(path: &Path, request: &Request) -> Result<Value> {
    let stream = UnixStream::connect(path).await;
    let stream = stream.with_context(|| {
        format!(
            "no lab is running ({}); `sal lab up` starts one",
            path.display()
        )
    })?;
    let answers = stream.peer_cred().context("asking who answers")?.uid();
    if answers != own_uid()? && answers != 0 {
        bail!("{} belongs to another user", path.display());
    }
    let mut stream = BufReader::new(stream);
    let line = format!("{}\n", serde_json::to_string(request)?);
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    stream
        .read_line(&mut answer)
        .await
        .context("reading the lab's answer")?;
    serde_json::from_str(&answer).context("reading the lab's answer")
}
