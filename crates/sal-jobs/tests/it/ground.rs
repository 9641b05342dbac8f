//! A database, a clock that a test sets, and jobs run by hand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sal_http::Clock;
use sal_jobs::JobsConfig;
use sal_jobs::by_hand::{self, Mode, Outcome};
use sal_jobs::jobs::named;
use sal_testkit::{Database, Filled};
use tokio_postgres::Client;
use tokio_postgres::types::FromSqlOwned;

/// The moment that all tests begin.
pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

pub(crate) struct Ground {
    pub(crate) database: Database,
    /// A connection that no job uses.
    pub(crate) db: Client,
    pub(crate) config: JobsConfig,
    now: Arc<Mutex<Timestamp>>,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        Self::on(Database::new(Filled::Fresh).await).await
    }

    pub(crate) async fn on(database: Database) -> Self {
        let db = database.connect().await;
        let config = JobsConfig {
            look_every: Duration::from_millis(10),
            stand_by: Duration::from_millis(10),
            pause: Duration::ZERO,
            most_skew: None,
            most_share: 100,
            ..JobsConfig::default()
        };
        Self {
            database,
            db,
            config,
            now: Arc::new(Mutex::new(NOW.parse().unwrap())),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Arc::new(move || *now.lock().unwrap())
    }

    pub(crate) fn pass(&self, hours: i64) {
        *self.now.lock().unwrap() += SignedDuration::from_hours(hours);
    }

    /// Two machines, `OLD` and `NEW`, last seen 200 days and an hour ago.
    pub(crate) async fn machines(&self) {
        self.sql(&format!(
            "INSERT INTO server_businessunit (id, name) VALUES (1, 'Unit');
             INSERT INTO server_machinegroup (id, business_unit_id, name, key) VALUES (1, 1, 'Group', 'key');
             INSERT INTO server_machine (id, serial, hostname, os_family, memory_kb, last_checkin, first_checkin, machine_group_id, deployed, broken_client)
             SELECT n, CASE n WHEN 1 THEN 'OLD' ELSE 'NEW' END, 'mac-' || n, 'Darwin', 0,
                 timestamptz '{NOW}' - CASE n WHEN 1 THEN interval '200 days' ELSE interval '1 hour' END,
                 timestamptz '{NOW}' - interval '400 days', 1, true, false FROM generate_series(1, 2) n"
        ))
        .await;
    }

    pub(crate) async fn sql(&self, statements: &str) {
        self.db.batch_execute(statements).await.unwrap();
    }

    pub(crate) async fn value<T: FromSqlOwned>(&self, query: &str) -> T {
        self.db.query_one(query, &[]).await.unwrap().get(0)
    }

    pub(crate) async fn number(&self, query: &str) -> i64 {
        self.value(query).await
    }

    /// Runs a job and returns what it did.
    pub(crate) async fn run(&self, name: &str) -> Outcome {
        self.by_hand(name, Mode::Do).await
    }

    /// What a job would do.
    pub(crate) async fn count(&self, name: &str) -> Outcome {
        self.by_hand(name, Mode::Count).await
    }

    pub(crate) async fn by_hand(&self, name: &str, mode: Mode) -> Outcome {
        let own = self.database.connect().await;
        let jobs = [named(name).unwrap()];
        let ran = by_hand::run(&jobs, mode, &self.config, &self.clock(), &own).await;
        let first = ran.unwrap().into_iter().next().unwrap();
        first
            .result
            .unwrap_or_else(|error| panic!("{name}: {error:?}"))
    }

    /// Waits until a query answers true.
    pub(crate) async fn until(&self, query: &str) {
        for _ in 0..3_000 {
            if self.value(query).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never became true: {query}");
    }
}

/// The count of these things.
pub(crate) fn of(outcome: &Outcome, things: &str) -> u64 {
    let found = outcome.counts.iter().find(|(_, known)| *known == things);
    found.map_or(0, |(count, _)| *count)
}
