//! `sal bench storm`: all Macs of a site come back at once. An open loop over connections that stay open, each of a
//! machine of its own: calm, the storm, and how long it takes until all is as before.
//!
//! Every check-in is due at a moment that was fixed beforehand, and its time counts from then, also when its connection
//! was still waiting for the one before (coordinated omission). Load, server and Postgres share the machine; what each
//! took of it is in the table. At the end the database is asked for everything that was told 200.

mod caller;
mod figures;
mod plan;
mod proof;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use fake_fleet::{Client, Yardstick};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::caller::{Caller, Sent};
use self::figures::{Figures, Shares};
use self::plan::{Phase, Schedule};
use self::proof::Proof;
use self::watch::Watch;
use super::meter::Peak;
use super::stage::Stage;
use super::{fill, ours};
use crate::cli::BenchStorm;
use crate::exit::Exit;
use crate::output;

/// Runs it.
pub(super) async fn run(arguments: &BenchStorm) -> Result<Exit> {
    // Both sides of every connection, and what the server has beside them.
    crate::open_files::room_for_connections(usize::try_from(arguments.machines)?, 16);
    let stage = Stage::set(&[]).await?;
    let outcome = measure(&stage, arguments).await;
    stage.clear().await;
    let (report, proof) = outcome?;
    if arguments.json {
        output::data(&serde_json::to_string_pretty(&report).context("writing the figures")?);
    }
    if proof.is_whole() {
        return Ok(Exit::Done);
    }
    output::note(&proof.accusation());
    Ok(Exit::Failed)
}

async fn measure(stage: &Stage, arguments: &BenchStorm) -> Result<(Value, Proof)> {
    let client = Client::new(&stage.url, &stage.key, Duration::from_secs(60))?;
    let first = Yardstick::new(0, 0, true).submission(&stage.key);
    ours::send(&client, vec![first], 1).await?;
    let db = stage.connect().await?;
    fill::multiply(&db, arguments.machines).await?;
    let admin = stage.connect_admin().await?;
    admin.batch_execute("VACUUM (ANALYZE)").await?;
    let address = stage.url.trim_start_matches("http://");
    let basic = caller::basic(&stage.key)?;
    let mut callers: Vec<Caller> = (0..arguments.machines)
        .map(|index| Caller::new(index, (&stage.key, &basic), address))
        .collect::<Result<_>>()?;
    if !arguments.json {
        output::data(Figures::HEADER);
    }
    let peak = Peak::of(stage);
    peak.forget();
    let watch = Watch::begin(stage).await?;
    let mut rows = Vec::new();
    let mut usual = Duration::ZERO;
    for phase in Phase::ALL {
        watch.take();
        let before = Shares::read(stage);
        let schedule = Schedule::of(phase, arguments, Instant::now());
        let sent;
        (callers, sent) = play(callers, schedule).await?;
        let shares = before.until(&Shares::read(stage));
        let mut figures = Figures::of(phase, &sent, watch.take(), shares);
        match phase {
            Phase::Calm => usual = figures.slowest_taken(),
            Phase::Storm => {}
            Phase::Recovery => figures.recovered(&sent, usual),
        }
        figures.peak_mib = peak.kib().map(|kib| kib / 1024);
        if !arguments.json {
            output::data(&figures.as_text());
        }
        rows.push(figures.as_json());
    }
    watch.end().await;
    let proof = Proof::of(&callers, &db).await?;
    if !arguments.json {
        output::data(&proof.words());
    }
    let report = json!({
        "machines": arguments.machines, "phases": rows, "lost": proof.lost(),
        "stored_though_refused": proof.stored_though_refused(), "told_stored": proof.told(),
    });
    Ok((report, proof))
}

/// One phase: every caller sends what is due on its connection.
async fn play(callers: Vec<Caller>, schedule: Schedule) -> Result<(Vec<Caller>, Vec<Sent>)> {
    let schedule = Arc::new(schedule);
    let mut tasks = JoinSet::new();
    for caller in callers {
        tasks.spawn(caller.play(Arc::clone(&schedule)));
    }
    let (mut callers, mut all) = (Vec::new(), Vec::new());
    while let Some(ended) = tasks.join_next().await {
        let (caller, sent) = ended.context("a connection of the benchmark")?;
        callers.push(caller);
        all.extend(sent);
    }
    callers.sort_unstable_by_key(Caller::index);
    Ok((callers, all))
}
