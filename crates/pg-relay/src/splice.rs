//! Bytes both ways, until both sides have ended, or nothing has moved for too long.
//!
//! The directions end apart from each other: what the server says last, such as why it closes, reaches a client whose
//! own bytes are not wanted any more.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    time::Instant,
};

use crate::{listen::Duplex, refusal};

/// How a session ended.
pub(crate) enum Ended {
    /// Both sides closed.
    Closed,
    /// The client sent nothing for too long, outside a transaction and a statement.
    Idle,
}

/// What went through, and what it says of the session.
#[derive(Default)]
pub(crate) struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
    /// Whether the server's last message was `ReadyForQuery`, idle, and nothing came from the client since.
    at_rest: AtomicBool,
}

impl Traffic {
    /// Bytes from the client, and to it.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (
            self.up.load(Ordering::Relaxed),
            self.down.load(Ordering::Relaxed),
        )
    }

    /// A session begins with `ReadyForQuery`.
    pub(crate) fn begin(&self) {
        self.at_rest.store(true, Ordering::Relaxed);
    }

    fn sent_up(&self, bytes: &[u8]) {
        self.at_rest.store(false, Ordering::Relaxed);
        count(&self.up, bytes);
    }

    fn sent_down(&self, bytes: &[u8]) {
        count(&self.down, bytes);
        let tail = bytes
            .get(bytes.len().saturating_sub(READY.len())..)
            .unwrap_or_default();
        // Split over two reads only when the server's buffer was full; then the session does not rest anyway.
        self.at_rest.store(tail == READY, Ordering::Relaxed);
    }
}

fn count(counter: &AtomicU64, bytes: &[u8]) {
    counter.fetch_add(u64::try_from(bytes.len()).unwrap_or(0), Ordering::Relaxed);
}

/// Copies both ways.
pub(crate) async fn splice(
    client: &mut dyn Duplex,
    server: &mut dyn Duplex,
    idle: Option<Duration>,
    traffic: &Traffic,
) -> io::Result<Ended> {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    traffic.begin();
    let outcome = {
        let up = pump(&mut from_client, &mut to_server, |bytes| {
            traffic.sent_up(bytes)
        });
        let down = pump(&mut from_server, &mut to_client, |bytes| {
            traffic.sent_down(bytes)
        });
        tokio::select! {
            ended = both(up, down) => ended,
            () = rests(traffic, idle) => Ok(Ended::Idle),
        }
    };
    if let Ok(Ended::Idle) = outcome {
        // Nothing is under way, so that an error fits in between.
        if let Ok(bytes) = refusal::idle().to_bytes() {
            to_client.write_all(&bytes).await?;
            to_client.shutdown().await?;
        }
        to_server.write_all(&TERMINATE).await?;
        to_server.shutdown().await?;
    }
    outcome
}

/// Until both directions have ended, each in its own way.
async fn both(
    up: impl Future<Output = io::Result<()>>,
    down: impl Future<Output = io::Result<()>>,
) -> io::Result<Ended> {
    tokio::pin!(up, down);
    tokio::select! {
        // The client ends with its own bytes; the server may still have something to say.
        sent = &mut up => match sent {
            Ok(()) => down.await.map(|()| Ended::Closed),
            Err(error) => {
                let _last_words = tokio::time::timeout(LAST_WORDS, down).await;
                Err(error)
            }
        },
        // The server has closed: a client that does not read notices nothing, and is not waited for.
        received = &mut down => {
            let _farewell = tokio::time::timeout(LAST_WORDS, up).await;
            received.map(|()| Ended::Closed)
        }
    }
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    note: impl Fn(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        note(bytes);
        to.write_all(bytes).await?;
        to.flush().await?;
    }
}

/// Ends when the session has been at rest for so long; never without a limit.
async fn rests(traffic: &Traffic, idle: Option<Duration>) {
    let Some(idle) = idle else {
        return std::future::pending().await;
    };
    let mut seen = traffic.bytes();
    let mut since = Instant::now();
    loop {
        tokio::time::sleep_until(since + idle).await;
        let now = traffic.bytes();
        if now == seen && traffic.at_rest.load(Ordering::Relaxed) {
            return;
        }
        seen = now;
        since = Instant::now();
    }
}

/// `ReadyForQuery`, outside a transaction (Postgres manual, 55.7).
const READY: &[u8] = &[b'Z', 0, 0, 0, 5, b'I'];
/// `Terminate`.
const TERMINATE: [u8; 5] = [b'X', 0, 0, 0, 4];
/// How long one side may take to notice that the other has gone.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Four TLS records: COPY moves in large pieces, and a session costs 128 KiB at most.
const CHUNK: usize = 64 * 1024;
