//! `sal bench steady`: an open loop. Check-ins fall due at fixed times whatever the server does, and an answer's time
//! counts from when its check-in was due, so a slow server cannot slow the clock that measures it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use fake_fleet::{Client, Yardstick};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::stage::Stage;
use super::{fill, ours};
use crate::cli::BenchSteady;
use crate::exit::Exit;
use crate::output;

/// Runs it.
pub(super) async fn run(arguments: &BenchSteady) -> Result<Exit> {
    // A checkpoint every minute at most, autovacuum every ten seconds: what a day brings, within minutes.
    let stage = Stage::set(&[
        ("checkpoint_timeout", "60s"),
        ("max_wal_size", "1GB"),
        ("autovacuum_naptime", "10s"),
        ("log_checkpoints", "on"),
    ])
    .await?;
    let outcome = measure(&stage, arguments).await;
    stage.clear().await;
    let figures = outcome?;
    output::data(&if arguments.json {
        serde_json::to_string_pretty(&figures).context("writing the figures")?
    } else {
        figures
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name:<24} {value}\n"))
            .collect()
    });
    Ok(Exit::Done)
}

async fn measure(stage: &Stage, arguments: &BenchSteady) -> Result<serde_json::Value> {
    let client =
        Arc::new(Client::new(&stage.url, &stage.key, Duration::from_secs(60)).context("a client")?);
    let first = Yardstick::new(0, 0, true).submission(&stage.key);
    ours::send(&client, vec![first], 1).await?;
    fill::multiply(&stage.connect().await?, arguments.machines).await?;
    let admin = stage.connect_admin().await?;
    admin
        .batch_execute("VACUUM (ANALYZE); ")
        .await
        .context("VACUUM")?;
    let (began, count) = (
        Instant::now(),
        arguments.rate.saturating_mul(arguments.seconds),
    );
    let gap = Duration::from_secs(1) / arguments.rate.max(1);
    let mut under_way = JoinSet::new();
    let (mut times, mut failures, mut memory) = (Vec::new(), 0_u32, Vec::new());
    for number in 0..count {
        let due = began + gap * number;
        tokio::time::sleep_until(due).await;
        if number.is_multiple_of((count / 10).max(1)) {
            memory.push(resident_mib(stage));
        }
        let (client, key) = (Arc::clone(&client), stage.key.clone());
        let (machine, run) = (number % arguments.machines, 1 + number / arguments.machines);
        under_way.spawn(async move {
            let body = Yardstick::new(machine, run, true).submission(&key);
            let taken = client
                .submit(&body)
                .await
                .is_ok_and(|outcome| outcome.is_ok());
            (taken, due.elapsed())
        });
        while let Some(ended) = under_way.try_join_next() {
            note(ended.context("a check-in")?, &mut times, &mut failures);
        }
    }
    while let Some(ended) = under_way.join_next().await {
        note(ended.context("a check-in")?, &mut times, &mut failures);
    }
    memory.push(resident_mib(stage));
    times.sort_unstable();
    let (checkpoints, autovacuums) = housekeeping(&admin).await?;
    let at = |permille: usize| {
        let rank = (times.len() * permille).div_ceil(1000).saturating_sub(1);
        times
            .get(rank)
            .map(|time| (time.as_secs_f64() * 1e5).round() / 100.0)
    };
    Ok(json!({
        "checkins": count, "per_second": arguments.rate, "not_taken": failures,
        "p50_ms": at(500), "p99_ms": at(990), "p999_ms": at(999), "greatest_ms": at(1000),
        "checkpoints": checkpoints, "autovacuums": autovacuums, "server_resident_mib": memory,
    }))
}

/// Checkpoints and autovacuums since the start.
async fn housekeeping(admin: &tokio_postgres::Client) -> Result<(i64, i64)> {
    let row = admin
        .query_one(
            "SELECT (SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter),
                    (SELECT sum(autovacuum_count)::bigint FROM pg_stat_user_tables)",
            &[],
        )
        .await
        .context("reading Postgres's counters")?;
    Ok((row.get(0), row.get(1)))
}

fn note((taken, time): (bool, Duration), times: &mut Vec<Duration>, failures: &mut u32) {
    times.push(time);
    *failures += u32::from(!taken);
}

/// The server's memory, as Linux tells it (proc(5), `statm`, pages of 4 KiB).
fn resident_mib(stage: &Stage) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{}/statm", stage.server_pid()?)).ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages / 256)
}
