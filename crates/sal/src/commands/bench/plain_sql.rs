//! The baselines: the rows of a check-in written by plain SQL, without HTTP, JSON or a comparison.
//!
//! All are kinder than what they stand for: statements are prepared once and rows travel as arrays, where Django
//! parses each statement anew and writes long VALUES lists.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use fake_fleet::Yardstick;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use super::stage::Stage;

/// A way to write a check-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Baseline {
    /// One UPDATE of the machine's row: less cannot be.
    Floor,
    /// The same, as often a second as ours: a Postgres process that sleeps between two statements needs more CPU time
    /// for each than one that never stops.
    PacedFloor,
    /// One transaction that deletes everything and inserts it again in bulk.
    Replace,
    /// The statements of the original in their order, each a round trip and a transaction of its own (sal-protocol §1.3).
    Original,
}

impl Baseline {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::PacedFloor => "floor-paced",
            Self::Replace => "replace",
            Self::Original => "original",
        }
    }

    /// By how much fewer check-ins give as good a figure.
    pub(super) fn slowness(self) -> u32 {
        match self {
            Self::Floor | Self::PacedFloor => 1,
            Self::Replace => 3,
            Self::Original => 6,
        }
    }
}

/// Writes all of them with throw-away connections.
pub(super) async fn write(
    stage: &Stage,
    baseline: Baseline,
    work: Vec<Yardstick>,
    concurrency: usize,
) -> Result<()> {
    let writers = Writers::connect(stage, baseline, concurrency).await?;
    writers.write(work, None).await.map(|_times| ())
}

/// Connections that are ready to write.
pub(super) struct Writers(Vec<Writer>);

impl Writers {
    pub(super) async fn connect(stage: &Stage, baseline: Baseline, count: usize) -> Result<Self> {
        let mut writers = Vec::new();
        for _ in 0..count.max(1) {
            writers.push(Writer::connect(stage, baseline).await?);
        }
        Ok(Self(writers))
    }

    /// Writes all of them and returns how long each took, sorted.
    /// Each connection begins its next one `pace` after the last, if it is free by then.
    pub(super) async fn write(
        self,
        work: Vec<Yardstick>,
        pace: Option<Duration>,
    ) -> Result<Vec<Duration>> {
        let queue = Arc::new(Mutex::new(VecDeque::from(work)));
        let mut workers = JoinSet::new();
        for writer in self.0 {
            let queue = Arc::clone(&queue);
            workers.spawn(async move { writer.work(&queue, pace).await });
        }
        let mut times = Vec::new();
        while let Some(ended) = workers.join_next().await {
            times.extend(ended.context("a writer of the benchmark")??);
        }
        times.sort_unstable();
        Ok(times)
    }
}

struct Writer {
    db: Client,
    baseline: Baseline,
    statements: HashMap<&'static str, Statement>,
    machines: HashMap<String, i64>,
    sources: HashMap<String, Uuid>,
}

impl Writer {
    async fn connect(stage: &Stage, baseline: Baseline) -> Result<Self> {
        let db = stage.connect().await?;
        let mut statements = HashMap::new();
        for sql in STATEMENTS {
            statements.insert(*sql, db.prepare(sql).await.context("preparing a baseline")?);
        }
        let machines = db
            .query("SELECT serial, id FROM server_machine", &[])
            .await?;
        let sources = db
            .query("SELECT name, id FROM server_managementsource", &[])
            .await?;
        Ok(Self {
            db,
            baseline,
            statements,
            machines: machines
                .iter()
                .map(|row| (row.get(0), row.get(1)))
                .collect(),
            sources: sources.iter().map(|row| (row.get(0), row.get(1))).collect(),
        })
    }

    async fn work(
        &self,
        queue: &Mutex<VecDeque<Yardstick>>,
        pace: Option<Duration>,
    ) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        let mut ticks = pace.map(tokio::time::interval);
        loop {
            let next = queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(yardstick) = next else {
                return Ok(times);
            };
            let rows = Rows::of(&yardstick, &self.sources);
            if let Some(ticks) = &mut ticks {
                ticks.tick().await;
            }
            let id = self
                .machines
                .get(&yardstick.serial)
                .copied()
                .context("a machine that is there")?;
            let started = Instant::now();
            match self.baseline {
                Baseline::Floor | Baseline::PacedFloor => self.touch(id, &yardstick).await?,
                Baseline::Replace => self.replace(id, &yardstick, &rows).await?,
                Baseline::Original => self.original(id, &yardstick, &rows).await?,
            }
            times.push(started.elapsed());
        }
    }

    async fn run(&self, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Result<()> {
        let statement = self.statements.get(sql).context("a prepared statement")?;
        self.db
            .query(statement, parameters)
            .await
            .map(|_rows| ())
            .context(sql)
    }

    async fn touch(&self, id: i64, machine: &Yardstick) -> Result<()> {
        self.run(
            TOUCH,
            &[&id, &now(), &machine.machine.0, &machine.machine.1],
        )
        .await
    }

    async fn replace(&self, id: i64, machine: &Yardstick, rows: &Rows) -> Result<()> {
        let begin = async { self.db.batch_execute("BEGIN").await.context("BEGIN") };
        let of_machine: [&(dyn ToSql + Sync); 1] = [&id];
        let of_plugins: [&(dyn ToSql + Sync); 2] = [&id, &rows.plugins];
        tokio::try_join!(
            biased;
            begin,
            self.touch(id, machine),
            self.run(DELETE_FACTS, &of_machine),
            self.run(DELETE_ITEMS, &of_machine),
            self.run(DELETE_MESSAGES, &of_machine),
            self.run(DELETE_SCRIPT_ROWS, &of_plugins),
            self.run(DELETE_SCRIPTS, &of_plugins),
            self.run(NEWEST_HISTORIES, &of_machine),
        )?;
        tokio::try_join!(
            biased;
            self.insert_facts(id, rows),
            self.insert_items(id, rows),
            self.insert_histories(id, rows),
            self.insert_messages(id, rows),
            self.insert_scripts(id, rows),
            async { self.db.batch_execute("COMMIT").await.context("COMMIT") },
        )?;
        Ok(())
    }

    async fn original(&self, id: i64, machine: &Yardstick, rows: &Rows) -> Result<()> {
        self.run(FIND_MACHINE, &[&machine.serial]).await?;
        self.touch(id, machine).await?;
        for (exists, delete) in [
            (FACTS_EXIST, DELETE_FACTS),
            (ITEMS_EXIST, DELETE_ITEMS),
            (MESSAGES_EXIST, DELETE_MESSAGES),
        ] {
            self.run(exists, &[&id]).await?;
            self.run(delete, &[&id]).await?;
        }
        self.original_reads(id, machine, rows).await?;
        self.original_writes(id, rows).await
    }

    async fn original_reads(&self, id: i64, machine: &Yardstick, rows: &Rows) -> Result<()> {
        for name in self.sources.keys() {
            self.run(FIND_SOURCE, &[name]).await?;
        }
        for _section in ["Machine", "Munki", "Sal"] {
            self.touch(id, machine).await?;
        }
        for (name, source) in rows.item_names.iter().zip(&rows.item_sources) {
            self.run(NEWEST_HISTORY, &[&id, name, source]).await?;
        }
        Ok(())
    }

    async fn original_writes(&self, id: i64, rows: &Rows) -> Result<()> {
        self.insert_facts(id, rows).await?;
        self.insert_items(id, rows).await?;
        self.insert_histories(id, rows).await?;
        self.insert_messages(id, rows).await?;
        for plugin in &rows.plugins {
            let one = vec![plugin.clone()];
            self.run(DELETE_SCRIPT_ROWS, &[&id, &one]).await?;
            self.run(DELETE_SCRIPTS, &[&id, &one]).await?;
        }
        self.insert_scripts(id, rows).await
    }

    async fn insert_facts(&self, id: i64, rows: &Rows) -> Result<()> {
        let values: [&(dyn ToSql + Sync); 4] =
            [&id, &rows.fact_sources, &rows.fact_names, &rows.fact_values];
        self.run(INSERT_FACTS, &values).await
    }

    async fn insert_items(&self, id: i64, rows: &Rows) -> Result<()> {
        let ids: Vec<Uuid> = rows.item_names.iter().map(|_| random_uuid()).collect();
        let values: [&(dyn ToSql + Sync); 7] = [
            &id,
            &ids,
            &rows.item_sources,
            &rows.item_names,
            &rows.item_statuses,
            &rows.item_dates,
            &rows.item_data,
        ];
        self.run(INSERT_ITEMS, &values).await
    }

    /// A line for each item whose status changed in this run: as many as the comparison would find.
    async fn insert_histories(&self, id: i64, rows: &Rows) -> Result<()> {
        let changed = rows.item_names.len() * 3 / 100;
        let ids: Vec<Uuid> = (0..changed).map(|_| random_uuid()).collect();
        let (sources, names) = (
            rows.item_sources.get(..changed),
            rows.item_names.get(..changed),
        );
        let dates = vec![now(); changed];
        let statuses = rows.item_statuses.get(..changed);
        self.run(
            INSERT_HISTORIES,
            &[&id, &ids, &sources, &names, &statuses, &dates],
        )
        .await
    }

    async fn insert_messages(&self, id: i64, rows: &Rows) -> Result<()> {
        if rows.message_texts.is_empty() {
            return Ok(());
        }
        let values: [&(dyn ToSql + Sync); 5] = [
            &id,
            &rows.message_sources,
            &rows.message_kinds,
            &rows.message_texts,
            &now(),
        ];
        self.run(INSERT_MESSAGES, &values).await
    }

    async fn insert_scripts(&self, id: i64, rows: &Rows) -> Result<()> {
        let values: [&(dyn ToSql + Sync); 6] = [
            &id,
            &now(),
            &rows.plugins,
            &rows.row_plugins,
            &rows.row_names,
            &rows.row_values,
        ];
        self.run(INSERT_SCRIPTS, &values).await
    }
}

/// A check-in as columns.
#[derive(Default)]
struct Rows {
    fact_sources: Vec<Uuid>,
    fact_names: Vec<String>,
    fact_values: Vec<String>,
    item_sources: Vec<Uuid>,
    item_names: Vec<String>,
    item_statuses: Vec<String>,
    item_dates: Vec<Timestamp>,
    item_data: Vec<String>,
    message_sources: Vec<Uuid>,
    message_kinds: Vec<String>,
    message_texts: Vec<String>,
    plugins: Vec<String>,
    row_plugins: Vec<String>,
    row_names: Vec<String>,
    row_values: Vec<String>,
}

impl Rows {
    fn of(machine: &Yardstick, sources: &HashMap<String, Uuid>) -> Self {
        let source = |name: &str| sources.get(name).copied().unwrap_or_default();
        let mut rows = Self::default();
        for (from, name, value) in &machine.facts {
            rows.fact_sources.push(source(from));
            rows.fact_names.push(name.clone());
            rows.fact_values.push(value.clone());
        }
        for item in &machine.items {
            rows.item_sources.push(source(item.source));
            rows.item_names.push(item.name.clone());
            rows.item_statuses.push(item.status.to_owned());
            rows.item_dates.push(item.date_managed);
            rows.item_data.push(item.data.clone());
        }
        for (from, kind, text) in &machine.messages {
            rows.message_sources.push(source(from));
            rows.message_kinds.push((*kind).to_owned());
            rows.message_texts.push(text.clone());
        }
        for (plugin, values) in &machine.scripts {
            rows.plugins.push((*plugin).to_owned());
            for (name, value) in values {
                rows.row_plugins.push((*plugin).to_owned());
                rows.row_names.push(name.clone());
                rows.row_values.push(value.clone());
            }
        }
        rows
    }
}

fn now() -> Timestamp {
    crate::wiring::clock()()
}

fn random_uuid() -> Uuid {
    Uuid::from_u128(rand::random())
}

const TOUCH: &str = "UPDATE server_machine SET last_checkin = $2, hostname = $3, hd_space = $4, broken_client = false WHERE id = $1";
const FIND_MACHINE: &str = "SELECT * FROM server_machine WHERE serial = $1";
const FIND_SOURCE: &str = "SELECT id FROM server_managementsource WHERE name = $1";
const FACTS_EXIST: &str = "SELECT 1 FROM server_fact WHERE machine_id = $1 LIMIT 1";
const ITEMS_EXIST: &str = "SELECT 1 FROM server_manageditem WHERE machine_id = $1 LIMIT 1";
const MESSAGES_EXIST: &str = "SELECT 1 FROM server_message WHERE machine_id = $1 LIMIT 1";
const DELETE_FACTS: &str = "DELETE FROM server_fact WHERE machine_id = $1";
const DELETE_ITEMS: &str = "DELETE FROM server_manageditem WHERE machine_id = $1";
const DELETE_MESSAGES: &str = "DELETE FROM server_message WHERE machine_id = $1";
const DELETE_SCRIPT_ROWS: &str = "DELETE FROM server_pluginscriptrow WHERE submission_id IN
    (SELECT id FROM server_pluginscriptsubmission WHERE machine_id = $1 AND plugin = ANY($2))";
const DELETE_SCRIPTS: &str =
    "DELETE FROM server_pluginscriptsubmission WHERE machine_id = $1 AND plugin = ANY($2)";
const NEWEST_HISTORY: &str = "SELECT * FROM server_manageditemhistory
    WHERE machine_id = $1 AND name = $2 AND management_source_id = $3 ORDER BY recorded DESC LIMIT 1";
const NEWEST_HISTORIES: &str = "SELECT DISTINCT ON (name, management_source_id) management_source_id, name, status
    FROM server_manageditemhistory WHERE machine_id = $1 ORDER BY name, management_source_id, recorded DESC";
const INSERT_FACTS: &str =
    "INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
    SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[])";
const INSERT_ITEMS: &str = "INSERT INTO server_manageditem (machine_id, id, management_source_id, name, status, date_managed, data)
    SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])";
const INSERT_HISTORIES: &str = "INSERT INTO server_manageditemhistory (machine_id, id, management_source_id, name, status, recorded)
    SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[]) ON CONFLICT DO NOTHING";
const INSERT_MESSAGES: &str = "INSERT INTO server_message (machine_id, management_source_id, message_type, text, date)
    SELECT $1, source, kind, text, $5 FROM unnest($2::uuid[], $3::text[], $4::text[]) AS new (source, kind, text)";
const INSERT_SCRIPTS: &str = "WITH added AS (
        INSERT INTO server_pluginscriptsubmission (machine_id, recorded, plugin, historical)
        SELECT $1, $2, plugin, false FROM unnest($3::text[]) AS new (plugin) RETURNING id, plugin)
    INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data, submission_and_script_name,
        pluginscript_data_int)
    SELECT added.id, new.name, new.data, new.plugin || ': ' || new.name, 0
    FROM unnest($4::text[], $5::text[], $6::text[]) AS new (plugin, name, data) JOIN added ON added.plugin = new.plugin";
const STATEMENTS: &[&str] = &[
    TOUCH,
    FIND_MACHINE,
    FIND_SOURCE,
    FACTS_EXIST,
    ITEMS_EXIST,
    MESSAGES_EXIST,
    DELETE_FACTS,
    DELETE_ITEMS,
    DELETE_MESSAGES,
    DELETE_SCRIPT_ROWS,
    DELETE_SCRIPTS,
    NEWEST_HISTORY,
    NEWEST_HISTORIES,
    INSERT_FACTS,
    INSERT_ITEMS,
    INSERT_HISTORIES,
    INSERT_MESSAGES,
    INSERT_SCRIPTS,
];
