//! Bytes both ways, until both sides have ended, or nothing has moved for too long.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes},
    time::Instant,
};

use crate::listen::Duplex;

/// How a session ended.
pub(crate) enum Ended {
    /// Both sides closed; bytes from the client and to it.
    Closed(u64, u64),
    /// Nothing moved for too long.
    Idle,
}

/// Copies both ways.
pub(crate) async fn splice(client: &mut dyn Duplex, server: &mut dyn Duplex, idle: Option<Duration>) -> io::Result<Ended> {
    let Some(idle) = idle else {
        let (up, down) = copy(client, server).await?;
        return Ok(Ended::Closed(up, down));
    };
    let moved = Arc::new(AtomicU64::new(0));
    let mut watched = Watched {
        inner: client,
        moved: Arc::clone(&moved),
    };
    tokio::select! {
        copied = copy(&mut watched, server) => {
            let (up, down) = copied?;
            Ok(Ended::Closed(up, down))
        }
        () = nothing_moves(&moved, idle) => Ok(Ended::Idle),
    }
}

async fn copy<A, B>(client: &mut A, server: &mut B) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    copy_bidirectional_with_sizes(client, server, CHUNK, CHUNK).await
}

/// Ends when the counter stands still for so long.
async fn nothing_moves(moved: &AtomicU64, idle: Duration) {
    let mut seen = moved.load(Ordering::Relaxed);
    let mut since = Instant::now();
    loop {
        tokio::time::sleep_until(since + idle).await;
        let now = moved.load(Ordering::Relaxed);
        if now == seen {
            return;
        }
        seen = now;
        since = Instant::now();
    }
}

/// Counts what goes through.
struct Watched<'a> {
    inner: &'a mut dyn Duplex,
    moved: Arc<AtomicU64>,
}

impl AsyncRead for Watched<'_> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut *this.inner).poll_read(context, buffer);
        if polled.is_ready() {
            this.moved.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Watched<'_> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut *this.inner).poll_write(context, bytes);
        if polled.is_ready() {
            this.moved.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().inner).poll_shutdown(context)
    }
}

/// Four TLS records: COPY moves in large pieces, and a session costs 128 KiB at most.
const CHUNK: usize = 64 * 1024;
