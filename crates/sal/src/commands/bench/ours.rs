//! Requests to our server, many at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fake_fleet::{Client, Submission};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Sends all of them, `concurrency` at a time, over connections that stay open, and returns how long each took.
///
/// # Errors
/// When one was not taken: figures of a failing server say nothing.
pub(super) async fn send(
    client: &Client,
    submissions: Vec<Submission>,
    concurrency: usize,
) -> Result<Vec<Duration>> {
    let queue = Arc::new(Mutex::new(VecDeque::from(submissions)));
    let mut workers = JoinSet::new();
    for _ in 0..concurrency.max(1) {
        workers.spawn(work(client.clone(), Arc::clone(&queue)));
    }
    let mut times = Vec::new();
    while let Some(ended) = workers.join_next().await {
        times.extend(ended.context("a worker of the benchmark")??);
    }
    times.sort_unstable();
    Ok(times)
}

async fn work(client: Client, queue: Arc<Mutex<VecDeque<Submission>>>) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    loop {
        let next = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some(submission) = next else {
            return Ok(times);
        };
        let started = Instant::now();
        let outcome = client.submit(&submission).await.context("sending")?;
        times.push(started.elapsed());
        if !outcome.is_ok() {
            bail!(
                "{} was answered {}: {}",
                submission.path,
                outcome.status,
                outcome.body
            );
        }
    }
}
