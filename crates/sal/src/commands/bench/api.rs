//! `sal bench api`: the REST API as programs use it, next to plain SQL and `COPY` for the same answers in the same run.
//!
//! A private Postgres filled as for `sal bench search`, a server of its own, one program with a key. Pages are asked for
//! one after the other; the walk follows `next` to the end; streams are read to their last line, and measured in rows a
//! second next to `COPY (…) TO STDOUT` of the same columns. Each line says what it aims at and whether it got there.

mod line;
mod program;
mod walk;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use self::line::{HEADER, Line};
use self::program::Program;
use super::meter::Peak;
use super::pages::line::{median, percentile};
use super::search::fleet;
use super::stage::Stage;
use crate::cli::BenchApi;
use crate::exit::Exit;
use crate::{commands, output};

/// Runs it.
pub(super) async fn run(arguments: &BenchApi) -> Result<Exit> {
    if !arguments.json {
        output::data(HEADER);
    }
    let stage = Stage::empty(&[]).await?;
    let outcome = measure(&stage, arguments).await;
    if arguments.keep {
        output::note(&format!(
            "{} machines stay at {} and in\n  {}\nuntil Ctrl-C or SIGTERM.",
            arguments.machines,
            stage.url,
            stage.psql()
        ));
        commands::stop_on_signal(CancellationToken::new()).await;
    }
    stage.clear().await;
    let lines = outcome?;
    if arguments.json {
        let report = json!({
            "machines": arguments.machines,
            "lines": lines.iter().map(Line::as_json).collect::<Vec<_>>(),
        });
        output::data(&serde_json::to_string_pretty(&report).context("writing the figures")?);
    }
    Ok(Exit::Done)
}

async fn measure(stage: &Stage, arguments: &BenchApi) -> Result<Vec<Line>> {
    let started = Instant::now();
    let admin = stage.connect_admin().await?;
    let rows = fleet::fill(arguments.machines, &admin).await?;
    admin.batch_execute(KEY_AND_SEARCH).await.context("a key")?;
    output::note(&format!(
        "{} machines, {rows} rows, filled in {:.1} s",
        arguments.machines,
        started.elapsed().as_secs_f64()
    ));
    let bench = Bench {
        arguments,
        program: Program::new(stage)?,
        db: stage.connect().await?,
        peak: Peak::of(stage),
    };
    let mut lines = Vec::new();
    for page in PAGES.iter().filter(|page| bench.wants(page.name)) {
        let line = bench.page(page).await.context(page.name)?;
        bench.tell(line, &mut lines);
    }
    if bench.wants(walk::NAME) {
        for line in walk::run(&bench.program).await? {
            bench.tell(line, &mut lines);
        }
    }
    for stream in STREAMS.iter().filter(|stream| bench.wants(stream.name)) {
        let line = bench.stream(stream).await.context(stream.name)?;
        bench.tell(line, &mut lines);
    }
    Ok(lines)
}

/// A page and the same by plain SQL.
struct Page {
    name: &'static str,
    path: &'static str,
    /// Whether the program says which answer it has.
    is_known: bool,
    /// The statements for the same answer.
    sql: &'static [&'static str],
    /// In milliseconds, for 99 of 100 requests.
    aim: Option<f64>,
}

/// A whole list and the same by `COPY`.
struct Whole {
    name: &'static str,
    path: &'static str,
    sql: &'static str,
}

struct Bench<'a> {
    arguments: &'a BenchApi,
    program: Program,
    db: Client,
    peak: Peak,
}

impl Bench<'_> {
    fn wants(&self, name: &str) -> bool {
        let only = &self.arguments.only;
        only.is_empty() || only.iter().any(|part| name.contains(part.as_str()))
    }

    fn tell(&self, line: Line, lines: &mut Vec<Line>) {
        if self.arguments.json {
            output::note(&line.as_text());
        } else {
            output::data(&line.as_text());
        }
        lines.push(line);
    }

    /// Both ways in turn, so that whatever else happens happens to both.
    async fn page(&self, page: &Page) -> Result<Line> {
        let tag = self.program.get(page.path, None).await?.tag;
        let known = tag.filter(|_| page.is_known);
        let expected = if page.is_known { 304 } else { 200 };
        let mut statements = Vec::new();
        for sql in page.sql {
            statements.push(self.db.prepare(sql).await.context("preparing")?);
        }
        let (mut times, mut by_hand) = (Vec::new(), Vec::new());
        let began = Instant::now();
        for _ in 0..self.arguments.requests.max(1) {
            if began.elapsed() > LONGEST {
                break;
            }
            let answer = self.program.get(page.path, known.as_deref()).await?;
            if answer.status != expected {
                bail!("{} was answered {}", page.path, answer.status);
            }
            times.push(answer.time);
            let started = Instant::now();
            for statement in &statements {
                self.db.query(statement, &[]).await.context("plain SQL")?;
            }
            by_hand.push(started.elapsed());
        }
        times.sort_unstable();
        let most = percentile(&times, 99);
        let sql = (!statements.is_empty()).then(|| median(by_hand));
        Ok(Line::page(
            page.name,
            percentile(&times, 50),
            most,
            sql,
            page.aim,
        ))
    }

    /// Rows a second, ours and `COPY`'s, and what the server's memory grew by meanwhile.
    async fn stream(&self, whole: &Whole) -> Result<Line> {
        let copy = format!("COPY ({}) TO STDOUT", whole.sql);
        let (mut ours, mut copies) = (Vec::new(), Vec::new());
        let (mut rows, mut copied) = (0, 0);
        // The first of each warms up.
        let before = self.peak.forget();
        for round in 0..=ROUNDS {
            let started = Instant::now();
            rows = self.program.stream(whole.path).await?;
            let own = started.elapsed();
            let started = Instant::now();
            copied = self.copy(&copy).await?;
            if round > 0 {
                ours.push(own);
                copies.push(started.elapsed());
            }
        }
        if rows != copied {
            bail!("{rows} rows came, and COPY had {copied}");
        }
        let growth = before
            .zip(self.peak.kib())
            .map(|(before, peak)| peak.saturating_sub(before));
        Ok(Line::stream(
            whole.name,
            rows,
            median(ours),
            median(copies),
            growth,
        ))
    }

    async fn copy(&self, sql: &str) -> Result<u64> {
        let stream = self.db.copy_out(sql).await.context("COPY")?;
        let mut stream = std::pin::pin!(stream);
        let mut rows = 0;
        while let Some(part) = stream.next().await {
            let part = part.context("COPY")?;
            // A line break inside of a value is written as `\n`.
            rows += part.iter().filter(|byte| **byte == b'\n').count();
        }
        Ok(u64::try_from(rows)?)
    }
}

/// What takes long is asked for less often.
const LONGEST: Duration = Duration::from_secs(20);
/// Measured rounds of each stream.
const ROUNDS: usize = 3;
/// For a page that nobody waits long for.
const QUICK: Option<f64> = Some(30.0);

/// The key's parts are as public as this benchmark's database. The search is what people had in Sal: two facts of which
/// one is enough, and a part of an application's name.
const KEY_AND_SEARCH: &str = "
    INSERT INTO server_apikey (name, public_key, private_key, has_been_seen, read_write)
        VALUES ('bench', 'benchbenchbenchbenchbench', 'a-benchmark-key', true, false);
    INSERT INTO search_savedsearch (id, name, created, save_search, created_by_id)
        SELECT 1000, 'Imported', now(), true, min(id) FROM auth_user;
    INSERT INTO search_searchgroup (id, and_or, position, saved_search_id) VALUES (1000, 'AND', 0, 1000), (1001, 'AND', 1, 1000);
    INSERT INTO search_searchrow (search_models, search_field, and_or, operator, search_term, position, search_group_id) VALUES
        ('Facter', 'role', 'AND', 'Contains', 'kiosk', 0, 1000),
        ('Facter', 'site', 'OR', 'Contains', 'Berlin', 1, 1000),
        ('Application Inventory', 'Name', 'AND', 'Contains', 'irefox', 0, 1001)";

const PAGES: &[Page] = &[
    Page {
        name: "machines",
        path: "/api/v2/machines/",
        is_known: false,
        sql: &["SELECT count(*) FROM server_machine", FIRST_MACHINES],
        aim: QUICK,
    },
    Page {
        name: "machines, page 50",
        path: "/api/v2/machines/?page=50",
        is_known: false,
        sql: &["SELECT count(*) FROM server_machine", LATER_MACHINES],
        aim: QUICK,
    },
    Page {
        name: "machines, answered 304",
        path: "/api/v2/machines/",
        is_known: true,
        sql: &[],
        aim: QUICK,
    },
    Page {
        name: "facts of a name and a value",
        path: "/api/v2/facts/?fact_name=role&fact_data=lab",
        is_known: false,
        sql: &[
            "SELECT count(*) FROM server_fact WHERE fact_name = 'role' AND fact_data = 'lab'",
            "SELECT * FROM server_fact WHERE fact_name = 'role' AND fact_data = 'lab' ORDER BY id LIMIT 100",
        ],
        aim: QUICK,
    },
    Page {
        name: "facts of a machine",
        path: "/api/v2/facts/?machine=77",
        is_known: false,
        sql: &["SELECT * FROM server_fact WHERE machine_id = 77 ORDER BY id LIMIT 100"],
        aim: QUICK,
    },
    Page {
        name: "execute of an imported search",
        path: "/api/v2/saved_searches/1000/execute/",
        is_known: false,
        sql: &["
            SELECT m.id, m.last_checkin, m.serial, m.hostname, m.console_user FROM server_machine m
            WHERE EXISTS (SELECT FROM server_fact f WHERE f.machine_id = m.id
                    AND (f.fact_name = 'role' AND f.fact_data ILIKE '%kiosk%' OR f.fact_name = 'site' AND f.fact_data ILIKE '%Berlin%'))
                AND EXISTS (SELECT FROM inventory_inventoryitem i JOIN inventory_application a ON a.id = i.application_id
                    WHERE i.machine_id = m.id AND a.name ILIKE '%irefox%')"],
        aim: None,
    },
];

const FIRST_MACHINES: &str =
    "SELECT m.* FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
    ORDER BY m.hostname, m.id LIMIT 100";

const LATER_MACHINES: &str =
    "SELECT m.* FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
    ORDER BY m.hostname, m.id LIMIT 100 OFFSET 4900";

const STREAMS: &[Whole] = &[
    Whole {
        name: "JSONL of all machines",
        path: "/api/v2/machines/?format=jsonl",
        sql: "SELECT m.*, g.name FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
            ORDER BY m.hostname, m.id",
    },
    Whole {
        name: "JSONL of all inventory",
        path: "/api/v2/inventory/?format=jsonl",
        sql: "SELECT i.id, a.*, i.version, i.path, i.machine_id
            FROM inventory_inventoryitem i JOIN inventory_application a ON a.id = i.application_id",
    },
];

/// What a stream may take of the server's memory.
const MOST_GROWTH_KIB: u64 = 32 * 1024;
/// The least part of `COPY`'s rows a second.
const LEAST_OF_COPY: f64 = 0.5;

/// In milliseconds.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
