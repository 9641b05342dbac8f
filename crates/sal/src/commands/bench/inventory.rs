//! `sal bench inventory`: what the list of a machine's applications costs when it is the same, hardly changed, or new.

use std::time::Duration;

use anyhow::{Context, Result};
use fake_fleet::yardstick::inventory;
use fake_fleet::{Client, Submission, Yardstick};
use serde_json::json;
use tokio::time::Instant;

use super::figures::{Cell, HEADER};
use super::meter::Meter;
use super::stage::Stage;
use super::{fill, ours};
use crate::cli::BenchInventory;
use crate::exit::Exit;
use crate::output;

/// Runs it.
pub(super) async fn run(arguments: &BenchInventory) -> Result<Exit> {
    let stage = Stage::set(&[]).await?;
    let outcome = measure(&stage, arguments).await;
    stage.clear().await;
    let cells = outcome?;
    if arguments.json {
        let cells: Vec<_> = cells.iter().map(Cell::as_json).collect();
        output::data(
            &serde_json::to_string_pretty(&json!({"cells": cells}))
                .context("writing the figures")?,
        );
    }
    Ok(Exit::Done)
}

async fn measure(stage: &Stage, arguments: &BenchInventory) -> Result<Vec<Cell>> {
    let client =
        Client::new(&stage.url, &stage.key, Duration::from_secs(60)).context("a client")?;
    let meter = Meter::new(stage).await?;
    let first = Yardstick::new(0, 0, false).submission(&stage.key);
    ours::send(&client, vec![first], 1).await?;
    fill::multiply(&stage.connect().await?, arguments.machines).await?;
    if !arguments.json {
        output::data(HEADER);
    }
    let mut cells = Vec::new();
    let mut run = 0;
    for applications in &arguments.applications {
        for (name, step, is_new) in SCENARIOS {
            let body = |run: u32| -> Vec<Submission> {
                let fresh = if *is_new {
                    format!(" of {run}")
                } else {
                    String::new()
                };
                (0..arguments.machines)
                    .map(|index| inventory(index, run, *applications, &fresh))
                    .collect()
            };
            meter.settle().await?;
            ours::send(&client, body(run), 4).await?;
            run += step;
            let work = body(run);
            let before = meter.read().await?;
            let started = Instant::now();
            let times = ours::send(&client, work, arguments.concurrency).await?;
            let elapsed = started.elapsed();
            let readings = (before, meter.read().await?);
            let cell = Cell {
                strategy: "ours",
                scenario: name,
                concurrency: arguments.concurrency,
                count: arguments.machines,
                elapsed,
                times,
                readings,
            };
            output::data(&format!("{}  {applications} applications", cell.as_text()));
            cells.push(cell);
        }
    }
    Ok(cells)
}

/// Name, by how many runs the submission moves on, whether its applications are new to all machines.
const SCENARIOS: &[(&str, u32, bool)] = &[
    ("unchanged", 0, false),
    ("changed", 1, false),
    ("new", 1, true),
];
