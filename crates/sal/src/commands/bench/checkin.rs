//! `sal bench checkin`: four kinds of check-ins through our server, and the same rows written by plain SQL.
//!
//! Cells follow each other on one private Postgres. Each begins with vacuumed tables and a checkpoint, then every
//! machine it uses checks in once, uncounted: that warms the caches. Bodies are made before the clock starts. Pages are not
//! written whole after a checkpoint (`full_page_writes`): how often that happens depends on how often there is a checkpoint,
//! not on the check-in, and `sal bench steady` has one inside.

use std::time::Duration;

use anyhow::{Context, Result};
use fake_fleet::{Client, Submission, Yardstick};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::figures::{Cell, HEADER};
use super::meter::Meter;
use super::plain_sql::{self, Baseline};
use super::profile::Profiler;
use super::stage::Stage;
use super::{fill, ours};
use crate::cli::BenchCheckin;
use crate::exit::Exit;
use crate::output;

/// Runs it.
pub(super) async fn run(arguments: &BenchCheckin) -> Result<Exit> {
    // Counting plans costs a little, so only where they are asked for.
    let planning = if arguments.profile { "on" } else { "off" };
    let stage = Stage::set(&[
        ("full_page_writes", "off"),
        ("pg_stat_statements.track_planning", planning),
    ])
    .await?;
    let outcome = measure(&stage, arguments).await;
    stage.clear().await;
    let (cells, profiles) = outcome?;
    if arguments.json {
        let mut cells: Vec<_> = cells.iter().map(Cell::as_json).collect();
        for (place, profile) in profiles {
            if let Some(cell) = cells.get_mut(place) {
                cell["profile"] = profile;
            }
        }
        let report = json!({"machines": arguments.machines, "cells": cells});
        output::data(&serde_json::to_string_pretty(&report).context("writing the figures")?);
    }
    Ok(Exit::Done)
}

/// What the machines of a cell send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    First,
    Unchanged,
    Few,
    Real,
}

impl Scenario {
    const ALL: [Self; 4] = [Self::First, Self::Unchanged, Self::Few, Self::Real];

    fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Unchanged => "unchanged",
            Self::Few => "few",
            Self::Real => "real",
        }
    }

    /// What machine `index` sends the `turn`th time in a cell that begins at `run`.
    fn yardstick(self, index: u32, run: u32, turn: u32) -> Yardstick {
        match self {
            Self::First | Self::Unchanged => Yardstick::new(index, run, false),
            Self::Few => Yardstick::new(index, run + turn, false),
            Self::Real => Yardstick::new(index, run + turn, true),
        }
    }
}

struct Bench<'a> {
    stage: &'a Stage,
    meter: Meter,
    client: Client,
    arguments: &'a BenchCheckin,
    /// Runs that are over, so that no cell repeats what another sent.
    run: u32,
    /// Machines that were never seen yet begin here.
    fresh: u32,
    cells: Vec<Cell>,
    profiler: Option<Profiler>,
    /// Of cells, by their place in `cells`.
    profiles: Vec<(usize, Value)>,
}

type Measured = (Vec<Cell>, Vec<(usize, Value)>);

async fn measure(stage: &Stage, arguments: &BenchCheckin) -> Result<Measured> {
    let client =
        Client::new(&stage.url, &stage.key, Duration::from_secs(60)).context("a client")?;
    let mut bench = Bench {
        stage,
        meter: Meter::new(stage).await?,
        client,
        arguments,
        run: 1,
        fresh: arguments.machines,
        cells: Vec::new(),
        profiler: match arguments.profile {
            true => Some(Profiler::new(stage).await?),
            false => None,
        },
        profiles: Vec::new(),
    };
    let first = Yardstick::new(0, 0, false).submission(&stage.key);
    ours::send(&bench.client, vec![first], 1).await?;
    let db = stage.connect().await?;
    fill::multiply(&db, arguments.machines).await?;
    output::note(&format!(
        "{} machines of {} facts and {} items; a check-in is {} bytes",
        arguments.machines,
        fake_fleet::yardstick::FACTS,
        fake_fleet::yardstick::ITEMS,
        Yardstick::new(0, 0, false)
            .submission(&stage.key)
            .body
            .len()
    ));
    if !arguments.json {
        output::data(HEADER);
    }
    for concurrency in &arguments.concurrency {
        bench.all(*concurrency).await?;
    }
    Ok((bench.cells, bench.profiles))
}

impl Bench<'_> {
    async fn all(&mut self, concurrency: usize) -> Result<()> {
        for scenario in Scenario::ALL {
            if self.wants("ours", scenario) {
                self.ours(scenario, concurrency).await?;
            }
        }
        for (baseline, scenarios) in BASELINES {
            for scenario in *scenarios {
                if self.wants(baseline.name(), *scenario) {
                    self.baseline(*baseline, *scenario, concurrency).await?;
                }
            }
        }
        Ok(())
    }

    fn wants(&self, strategy: &str, scenario: Scenario) -> bool {
        let has =
            |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
        has(&self.arguments.only, strategy) && has(&self.arguments.scenarios, scenario.name())
    }

    /// Machines that take turns in a cell.
    fn crowd(&self) -> u32 {
        self.arguments.machines.clamp(1, CROWD)
    }

    /// One at a time needs fewer for the same certainty: nothing disturbs.
    fn count(&self, concurrency: usize, slow: u32) -> u32 {
        let count = self.arguments.checkins / slow;
        if concurrency == 1 { count / 4 } else { count }.max(1)
    }

    async fn ours(&mut self, scenario: Scenario, concurrency: usize) -> Result<()> {
        let (count, crowd) = (self.count(concurrency, 1), self.crowd());
        self.meter.settle().await?;
        let key = &self.stage.key;
        let (warm, counted): (Vec<Submission>, Vec<Submission>) = if scenario == Scenario::First {
            let body = |index| Yardstick::new(index, 0, false).submission(key);
            let start = self.fresh;
            self.fresh += count + crowd;
            (
                (start..start + crowd).map(body).collect(),
                (start + crowd..start + crowd + count).map(body).collect(),
            )
        } else {
            let run = self.run;
            self.run += 1 + count.div_ceil(crowd);
            let warm = (0..crowd).map(|index| scenario.yardstick(index, run, 0).submission(key));
            let turn = |turn| {
                scenario
                    .yardstick(turn % crowd, run, 1 + turn / crowd)
                    .submission(key)
            };
            (warm.collect(), (0..count).map(turn).collect())
        };
        ours::send(&self.client, warm, WARMERS).await?;
        let begun = match &self.profiler {
            Some(profiler) => Some(profiler.begin().await?),
            None => None,
        };
        let before = self.meter.read().await?;
        let started = Instant::now();
        let times = ours::send(&self.client, counted, concurrency).await?;
        let elapsed = started.elapsed();
        let after = self.meter.read().await?;
        self.note(Cell {
            strategy: "ours",
            scenario: scenario.name(),
            concurrency,
            count,
            elapsed,
            times,
            readings: (before, after),
        });
        self.profile(begun, count).await
    }

    /// Notes where the cell that was noted last went.
    async fn profile(&mut self, begun: Option<String>, count: u32) -> Result<()> {
        let (Some(profiler), Some(begun)) = (&self.profiler, begun) else {
            return Ok(());
        };
        let profile = profiler.end(&begun, count).await?;
        self.profiles
            .push((self.cells.len() - 1, profile.as_json()));
        if !self.arguments.json {
            output::data(&profile.as_text());
        }
        Ok(())
    }

    async fn baseline(
        &mut self,
        baseline: Baseline,
        scenario: Scenario,
        concurrency: usize,
    ) -> Result<()> {
        let (count, crowd) = (self.count(concurrency, baseline.slowness()), self.crowd());
        self.meter.settle().await?;
        let run = self.run;
        self.run += 1 + count.div_ceil(crowd);
        let warm = (0..crowd)
            .map(|index| scenario.yardstick(index, run, 0))
            .collect();
        plain_sql::write(self.stage, baseline, warm, WARMERS).await?;
        let turn = |turn| scenario.yardstick(turn % crowd, run, 1 + turn / crowd);
        let writers = plain_sql::Writers::connect(self.stage, baseline, concurrency).await?;
        let work = (0..count).map(turn).collect();
        let before = self.meter.read().await?;
        let started = Instant::now();
        let times = writers
            .write(work, self.pace(baseline, concurrency))
            .await?;
        let elapsed = started.elapsed();
        let after = self.meter.read().await?;
        self.note(Cell {
            strategy: baseline.name(),
            scenario: scenario.name(),
            concurrency,
            count,
            elapsed,
            times,
            readings: (before, after),
        });
        Ok(())
    }

    /// How long each of `concurrency` connections takes for one when all together keep up with ours.
    fn pace(&self, baseline: Baseline, concurrency: usize) -> Option<Duration> {
        let ours = self.cells.iter().find(|cell| {
            cell.strategy == "ours"
                && cell.scenario == "unchanged"
                && cell.concurrency == concurrency
        })?;
        let share = ours
            .elapsed
            .mul_f64(f64::from(u32::try_from(concurrency).ok()?))
            / ours.count;
        (baseline == Baseline::PacedFloor).then_some(share)
    }

    fn note(&mut self, cell: Cell) {
        let line = cell.as_text();
        if self.arguments.json {
            output::note(&line);
        } else {
            output::data(&line);
        }
        self.cells.push(cell);
    }
}

/// Machines that take turns in a cell, at most.
const CROWD: u32 = 400;
/// How many warm up at a time.
const WARMERS: usize = 4;
const BASELINES: &[(Baseline, &[Scenario])] = &[
    (Baseline::Floor, &[Scenario::Unchanged]),
    (Baseline::PacedFloor, &[Scenario::Unchanged]),
    (Baseline::Replace, &[Scenario::Few, Scenario::Real]),
    (
        Baseline::Original,
        &[Scenario::Unchanged, Scenario::Few, Scenario::Real],
    ),
];
