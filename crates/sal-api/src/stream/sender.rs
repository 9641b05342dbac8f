//! Rows on their way to a reader: a task reads and writes them, a little ahead of what the reader takes.
//!
//! Nobody polls the body of a reader who stopped, so that a body which reads the database itself would keep its connection
//! for as long as the reader keeps the socket. The task gives it back when nothing was taken for a while; a body that goes
//! away ends its task at once.

use std::{error::Error, io, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::{Stream, future::join, stream::try_unfold};
use sal_http::AppError;
use sal_store::resources::{self, Batch};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinSet,
    time::{Instant, timeout},
};

use super::lines::Lines;

/// Rows that are being read.
pub(super) struct Sending {
    rows: resources::Stream,
    /// Read and not written yet; empty at the end.
    batch: Batch,
    lines: Lines,
    began: Instant,
}

/// A part of the body.
enum Part {
    Some(Bytes),
    /// With what says that it is whole.
    Last(Bytes),
}

/// The body: it ends in an error wherever the last part is missing. `patience` is how long the reader may take none.
pub(super) fn body(sending: Sending, patience: Duration) -> Body {
    let (sender, receiver) = channel(AHEAD);
    let mut task = JoinSet::new();
    task.spawn(async move {
        if let Err(error) = sending.run(&sender, patience).await {
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(cause, "a stream broke off: {error}");
        }
    });
    Body::from_stream(parts(receiver, task))
}

impl Sending {
    /// From these first rows on.
    pub(super) fn new(rows: resources::Stream, first: Batch, lines: Lines) -> Self {
        Self {
            rows,
            batch: first,
            lines,
            began: Instant::now(),
        }
    }

    async fn run(mut self, sender: &Sender<Part>, patience: Duration) -> Result<(), AppError> {
        let mut ready = self.lines.head();
        while !self.batch.is_empty() {
            self.step(&mut ready).await?;
            let part = Part::Some(Bytes::from(std::mem::take(&mut ready)));
            hand_over(part, sender, patience).await?;
        }
        self.lines.end(&mut ready);
        // Before the last part, which may wait for its reader.
        if let Err(error) = self.rows.end().await {
            tracing::debug!("a stream was whole, and its connection is lost: {error}");
        }
        hand_over(Part::Last(Bytes::from(ready)), sender, patience).await
    }

    /// Writes what was read, while the database looks for what comes next.
    async fn step(&mut self, ready: &mut Vec<u8>) -> Result<(), AppError> {
        let Self {
            rows,
            batch,
            lines,
            began,
        } = self;
        if began.elapsed() > LONGEST {
            return Err(broken("its reader took more than an hour"));
        }
        let written = async {
            let mut rows = batch.rows();
            rows.try_for_each(|row| lines.add(row, ready))
        };
        let (next, written) = join(rows.next(), written).await;
        written?;
        *batch = next?;
        Ok(())
    }
}

async fn hand_over(part: Part, sender: &Sender<Part>, patience: Duration) -> Result<(), AppError> {
    match timeout(patience, sender.send(part)).await {
        // Whoever is gone had this task ended; nobody is there to be told.
        Ok(Ok(()) | Err(_)) => Ok(()),
        Err(_elapsed) => Err(broken("its reader stopped reading")),
    }
}

fn broken(why: &'static str) -> AppError {
    AppError::internal("a stream", why)
}

/// What the task hands over; the task ends with it.
fn parts(
    receiver: Receiver<Part>,
    task: JoinSet<()>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    try_unfold(Some((receiver, task)), |open| async move {
        let Some((mut receiver, task)) = open else {
            return Ok(None);
        };
        match receiver.recv().await {
            Some(Part::Some(bytes)) => Ok(Some((bytes, Some((receiver, task))))),
            Some(Part::Last(bytes)) => Ok(Some((bytes, None))),
            None => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
        }
    })
}

/// So many parts wait for the reader, beside the one that is handed over.
const AHEAD: usize = 1;
/// Rows that changed meanwhile are kept for its snapshot, so that it may not go on for ever.
const LONGEST: Duration = Duration::from_secs(3600);
