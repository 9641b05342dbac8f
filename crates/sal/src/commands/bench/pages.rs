//! `sal bench pages`: pages on databases as full as a fleet's, next to plain SQL for the same answers.
//!
//! Each size gets a private Postgres of its own, filled as `sal simulate --bulk` fills one. The server is a process of
//! its own; one browser that is logged in as the administrator asks for one page after the other. The first visit, when
//! no count is kept yet, has a column of its own; the others find caches warm, as on a server that people use.
//! Statements are counted by Postgres (`pg_stat_statements`).

mod browser;
mod by_hand;
mod catalogue;
pub(super) mod line;

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use self::browser::Browser;
use self::by_hand::ByHand;
use self::catalogue::{PAGES, Page};
use self::line::{HEADER, Line, median, percentile};
use super::meter::{Meter, Peak};
use super::stage::Stage;
use crate::cli::BenchPages;
use crate::commands::simulate::bulk::{Wanted, fill};
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Runs it.
pub(super) async fn run(arguments: &BenchPages) -> Result<Exit> {
    if !arguments.json {
        output::data(HEADER);
    }
    let mut lines = Vec::new();
    for machines in &arguments.machines {
        let stage = Stage::empty(&[]).await?;
        let outcome = measure(&stage, *machines, arguments).await;
        if arguments.keep {
            output::note(&format!(
                "{machines} machines stay at {} and in\n  {}\nuntil Ctrl-C or SIGTERM.",
                stage.url,
                stage.psql()
            ));
            commands::stop_on_signal(CancellationToken::new()).await;
        }
        stage.clear().await;
        lines.extend(outcome?);
    }
    if arguments.json {
        let pages: Vec<_> = lines.iter().map(Line::as_json).collect();
        let report = json!({"pages": pages});
        output::data(&serde_json::to_string_pretty(&report).context("writing the figures")?);
    }
    Ok(Exit::Done)
}

async fn measure(stage: &Stage, machines: u32, arguments: &BenchPages) -> Result<Vec<Line>> {
    fill_stage(stage, machines).await?;
    let meter = Meter::new(stage).await?;
    meter.settle().await?;
    let db = stage.connect().await?;
    let bench = Bench {
        machines,
        arguments,
        browser: Browser::log_in(stage).await?,
        samples: Samples::find(&db).await?,
        peak: Peak::of(stage),
        meter,
        db,
    };
    let mut lines = Vec::new();
    for page in PAGES.iter().filter(|page| bench.wants(page)) {
        if let Some(line) = bench.page(page).await? {
            let text = line.as_text();
            if arguments.json {
                output::note(&text);
            } else {
                output::data(&text);
            }
            lines.push(line);
        }
    }
    Ok(lines)
}

async fn fill_stage(stage: &Stage, machines: u32) -> Result<()> {
    let started = Instant::now();
    let wanted = Wanted {
        machines,
        seed: fake_fleet::DEMO_SEED,
        at: wiring::clock()(),
        days: 60,
    };
    let admin = stage.connect_admin().await?;
    let writers = vec![stage.connect_admin().await?, stage.connect_admin().await?];
    let counts = fill(&wanted, writers).await?;
    let size = "SELECT pg_database_size(current_database()) / 1048576";
    let size: i64 = admin.query_one(size, &[]).await?.get(0);
    output::note(&format!(
        "{machines} machines, {} rows, {size} MiB, filled in {:.1} s",
        counts.values().sum::<u64>(),
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// What pages of one machine or application are measured with.
struct Samples {
    machine: i64,
    serial: String,
    application: i64,
}

impl Samples {
    /// The Mac with the most facts, and the most common application that does not come with macOS.
    async fn find(db: &Client) -> Result<Self> {
        let machine =
            "SELECT m.id, m.serial FROM server_machine m JOIN server_fact f ON f.machine_id = m.id
                       GROUP BY m.id ORDER BY count(*) DESC, m.id LIMIT 1";
        let application = "SELECT a.id FROM inventory_application a
                           JOIN inventory_inventoryitem i ON i.application_id = a.id
                           WHERE a.bundleid NOT LIKE 'com.apple.%' GROUP BY a.id ORDER BY count(*) DESC, a.id LIMIT 1";
        let machine = db.query_one(machine, &[]).await.context("a machine")?;
        let application = db
            .query_opt(application, &[])
            .await
            .context("an application")?;
        Ok(Self {
            machine: machine.get(0),
            serial: machine.get(1),
            application: application.map_or(0, |row| row.get(0)),
        })
    }

    fn put_into(&self, text: &str) -> String {
        text.replace("{machine}", &self.machine.to_string())
            .replace("{serial}", &self.serial)
            .replace("{application}", &self.application.to_string())
    }
}

struct Bench<'a> {
    machines: u32,
    arguments: &'a BenchPages,
    browser: Browser,
    samples: Samples,
    peak: Peak,
    meter: Meter,
    db: Client,
}

impl Bench<'_> {
    fn wants(&self, page: &Page) -> bool {
        let only = &self.arguments.only;
        only.is_empty() || only.iter().any(|part| page.name.contains(part.as_str()))
    }

    /// The figures of a page; none when the server has no such page.
    async fn page(&self, page: &Page) -> Result<Option<Line>> {
        let path = self.samples.put_into(page.path);
        let path = self.browser.leaf(&path, page.pages_on).await?;
        let first = self.browser.get(&path).await?;
        if first.status != 200 {
            output::note(&format!(
                "{}: {path} was answered {}, left out",
                page.name, first.status
            ));
            return Ok(None);
        }
        let warm = self.browser.get(&path).await?;
        let requests = self.requests(warm.time);
        self.peak.forget();
        let before = self.meter.read().await?.statements;
        let (mut halves, mut mosts) = (Vec::new(), Vec::new());
        for _ in 0..self.arguments.rounds.max(1) {
            let mut times = Vec::new();
            for _ in 0..requests {
                times.push(self.browser.get(&path).await?.time);
            }
            times.sort_unstable();
            halves.push(percentile(&times, 50));
            mosts.push(percentile(&times, 99));
        }
        let after = self.meter.read().await?.statements;
        let asked = f64::from(requests) * f64::from(u32::try_from(halves.len())?);
        let is_file = page.name.starts_with("CSV");
        Ok(Some(Line {
            machines: self.machines,
            page: page.name,
            first: first.time,
            half: median(halves),
            most: median(mosts),
            statements: f64::from(i32::try_from(after - before)?) / asked,
            bytes: warm.body.len(),
            lines: is_file.then(|| warm.body.split(|byte| *byte == b'\n').count()),
            by_hand: self.by_hand(page).await?,
            peak_kib: self.peak.kib(),
        }))
    }

    /// So many that a round of a slow page takes a few seconds at most.
    fn requests(&self, one: Duration) -> u32 {
        let few = LONGEST_ROUND.as_secs_f64() / one.as_secs_f64().max(1e-6);
        let wanted = self.arguments.requests.max(1);
        (1..wanted)
            .find(|count| f64::from(*count) >= few.max(5.0))
            .unwrap_or(wanted)
    }

    async fn by_hand(&self, page: &Page) -> Result<Duration> {
        let sql: Vec<String> = page
            .sql
            .iter()
            .map(|sql| self.samples.put_into(sql))
            .collect();
        let ready = ByHand::prepare(&sql, &self.db).await?;
        ready.run().await?;
        let (one, _rows) = ready.run().await?;
        let mut times = Vec::new();
        for _ in 0..self.requests(one) {
            times.push(ready.run().await?.0);
        }
        Ok(median(times))
    }
}

/// How long a round may take.
const LONGEST_ROUND: Duration = Duration::from_secs(5);
