//! `sal bench search`: questions as filters, next to SQL that a person would write for the same answer, in turn on the
//! same connection.
//!
//! Each size gets a private Postgres of its own, filled by statements that make many rows each. A list is what its page
//! asks the database for: the first fifty machines and their number; the filter is read from its text each time.

pub(super) mod fleet;
mod questions;

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sal_query::check::{NothingNamed, check};
use sal_query::complete::complete;
use sal_query::{Condition, Field, parse};
use sal_store::devices::{Direction, PageQuery, Start, count_devices, count_up_to, read_page};
use sal_store::filter_values::filter_values;
use sal_store::scope::Scope;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_postgres::{Client, Statement};
use tokio_util::sync::CancellationToken;

use self::questions::{Ask, QUESTIONS, Question};
use super::stage::Stage;
use crate::cli::BenchSearch;
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Runs it.
pub(super) async fn run(arguments: &BenchSearch) -> Result<Exit> {
    if !arguments.json {
        output::data(HEADER);
    }
    let mut lines = Vec::new();
    for machines in &arguments.machines {
        let stage = Stage::empty(&[]).await?;
        let outcome = measure(&stage, *machines, arguments).await;
        if arguments.keep {
            output::note(&format!(
                "{machines} machines stay in\n  {}\nuntil Ctrl-C or SIGTERM.",
                stage.psql()
            ));
            commands::stop_on_signal(CancellationToken::new()).await;
        }
        stage.clear().await;
        lines.extend(outcome?);
    }
    if arguments.json {
        let questions: Vec<_> = lines.iter().map(Line::as_json).collect();
        let report = json!({"questions": questions});
        output::data(&serde_json::to_string_pretty(&report).context("writing the figures")?);
    }
    Ok(Exit::Done)
}

async fn measure(stage: &Stage, machines: u32, arguments: &BenchSearch) -> Result<Vec<Line>> {
    let started = Instant::now();
    let rows = fleet::fill(machines, &stage.connect_admin().await?).await?;
    output::note(&format!(
        "{machines} machines, {rows} rows, filled in {:.1} s",
        started.elapsed().as_secs_f64()
    ));
    let db = stage.connect().await?;
    let mut lines = Vec::new();
    for question in QUESTIONS {
        let only = &arguments.only;
        if !only.is_empty()
            && !only
                .iter()
                .any(|part| question.name.contains(part.as_str()))
        {
            continue;
        }
        let line = ask(question, machines, arguments.rounds.max(1), &db)
            .await
            .with_context(|| question.name)?;
        let text = line.as_text();
        if arguments.json {
            output::note(&text);
        } else {
            output::data(&text);
        }
        lines.push(line);
    }
    Ok(lines)
}

/// Both ways in turn, so that whatever else happens happens to both.
async fn ask(question: &Question, machines: u32, rounds: usize, db: &Client) -> Result<Line> {
    let mut by_hand = Vec::new();
    for sql in question.by_hand {
        by_hand.push(db.prepare(sql).await.context("preparing")?);
    }
    let (mut ours, mut hand) = (Vec::new(), Vec::new());
    let mut found = 0;
    // The first of each warms up.
    for round in 0..=rounds {
        let started = Instant::now();
        found = answer(question, db).await?;
        let own = started.elapsed();
        let plain = plain(&by_hand, db).await?;
        if round > 0 {
            ours.push(own);
            hand.push(plain);
        }
    }
    Ok(Line {
        machines,
        question: question.name,
        found,
        ours: median(ours),
        by_hand: median(hand),
    })
}

async fn answer(question: &Question, db: &Client) -> Result<i64> {
    let now = wiring::clock()();
    match question.ask {
        Ask::List => list(condition(question.filter)?, now, db).await,
        Ask::Count => Ok(count_devices(&condition(question.filter)?, now, &Scope::All, db).await?),
        Ask::Values => {
            let found = complete(question.filter, question.filter.len());
            let wanted = found.wanted.context("a place where values stand")?;
            let values = filter_values(&wanted, &found.typed, &Scope::All, db).await?;
            Ok(i64::try_from(values.values.len())?)
        }
    }
}

async fn list(condition: Condition, now: Timestamp, db: &Client) -> Result<i64> {
    let query = PageQuery {
        filter: condition,
        sort: Field::LastCheckin.into(),
        direction: Direction::Descending,
        start: Start::First,
        limit: 50,
    };
    read_page(&query, now, &Scope::All, db).await?;
    let count = count_up_to(MOST_COUNTED, &query.filter, now, &Scope::All, db).await?;
    Ok(count.number())
}

fn condition(text: &str) -> Result<Condition> {
    let parsed = parse(text).map_err(|error| anyhow!("{text}: {error}"))?;
    check(&parsed, &TimeZone::UTC, &NothingNamed).map_err(|error| anyhow!("{text}: {error}"))
}

async fn plain(statements: &[Statement], db: &Client) -> Result<Duration> {
    let started = Instant::now();
    for statement in statements {
        db.query(statement, &[]).await.context("plain SQL")?;
    }
    Ok(started.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The figures of a question.
struct Line {
    machines: u32,
    question: &'static str,
    found: i64,
    ours: Duration,
    by_hand: Duration,
}

impl Line {
    fn as_text(&self) -> String {
        format!(
            "{:>8} {:<42} {:>8} {:>9.1} {:>9.1} {:>6.2}",
            self.machines,
            self.question,
            self.found,
            milliseconds(self.ours),
            milliseconds(self.by_hand),
            self.ratio(),
        )
    }

    fn as_json(&self) -> Value {
        json!({
            "machines": self.machines, "question": self.question, "found": self.found,
            "p50_ms": milliseconds(self.ours), "plain_sql_p50_ms": milliseconds(self.by_hand), "ratio": self.ratio(),
        })
    }

    fn ratio(&self) -> f64 {
        self.ours.as_secs_f64() / self.by_hand.as_secs_f64().max(1e-6)
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// What the columns of [`Line::as_text`] are.
const HEADER: &str =
    "machines question                                      found   ours ms    SQL ms  ratio";
/// As the page of the list counts.
const MOST_COUNTED: i64 = 50_000;
