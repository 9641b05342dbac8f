//! The machines that check in all the time, and who looks whether the server is alive.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use fake_fleet::{Client, Yardstick};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::stage::Stage;
use crate::cli::BenchSiege;

/// Everything that goes on whatever is done to the server.
pub(super) struct Fleet {
    seen: Arc<Mutex<Figures>>,
    tasks: TaskTracker,
}

/// What was seen in a phase.
#[derive(Default)]
pub(super) struct Figures {
    checkins: Vec<Duration>,
    not_taken: u32,
    alive: Vec<Duration>,
    not_alive: u32,
    ready: u32,
    not_ready: u32,
    resident_mib: u64,
    /// What readiness last said against it.
    reason: String,
    /// Status and count of what the attackers heard.
    pub(super) attack: String,
}

impl Fleet {
    /// Begins. `stop` ends it.
    pub(super) fn begin(
        client: Client,
        stage: &Stage,
        status_url: &str,
        arguments: &BenchSiege,
        stop: &CancellationToken,
    ) -> Result<Self> {
        let fleet = Self {
            seen: Arc::default(),
            tasks: TaskTracker::new(),
        };
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()
            .context("an HTTP client")?;
        let seen = || Arc::clone(&fleet.seen);
        fleet
            .tasks
            .spawn(stop.clone().run_until_cancelled_owned(check_in(
                client,
                stage.key.clone(),
                (arguments.rate, arguments.machines),
                seen(),
                fleet.tasks.clone(),
            )));
        let alive = look(http.clone(), format!("{}/livez", stage.url), seen(), alive);
        fleet
            .tasks
            .spawn(stop.clone().run_until_cancelled_owned(alive));
        let ready = look(http, format!("{status_url}/readyz"), seen(), ready);
        fleet
            .tasks
            .spawn(stop.clone().run_until_cancelled_owned(ready));
        let memory = weigh(stage.server_pid(), seen());
        fleet
            .tasks
            .spawn(stop.clone().run_until_cancelled_owned(memory));
        Ok(fleet)
    }

    /// What was seen since the last time.
    pub(super) fn take(&self) -> Figures {
        let mut figures = std::mem::take(&mut *held(&self.seen));
        figures.checkins.sort_unstable();
        figures.alive.sort_unstable();
        figures
    }

    pub(super) async fn end(self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// An open loop: check-ins fall due at fixed times whatever the server does.
async fn check_in(
    client: Client,
    key: String,
    (rate, machines): (u32, u32),
    seen: Arc<Mutex<Figures>>,
    tasks: TaskTracker,
) {
    let gap = Duration::from_secs(1) / rate.max(1);
    let began = Instant::now();
    let mut number = 0_u32;
    loop {
        let due = began + gap * number;
        tokio::time::sleep_until(due).await;
        let body = Yardstick::new(number % machines, 1 + number / machines, true).submission(&key);
        let (client, seen) = (client.clone(), Arc::clone(&seen));
        tasks.spawn(async move {
            let taken = client
                .submit(&body)
                .await
                .is_ok_and(|outcome| outcome.is_ok());
            let mut seen = held(&seen);
            if taken {
                seen.checkins.push(due.elapsed());
            } else {
                seen.not_taken += 1;
            }
        });
        number += 1;
    }
}

type Note = fn(&mut Figures, Option<(bool, String)>, Duration);

async fn look(http: reqwest::Client, url: String, seen: Arc<Mutex<Figures>>, note: Note) {
    loop {
        let began = Instant::now();
        let answer = http.get(&url).send().await;
        let said = match answer {
            Ok(answer) => Some((
                answer.status().is_success(),
                answer.text().await.unwrap_or_default(),
            )),
            Err(_) => None,
        };
        note(&mut held(&seen), said, began.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn alive(figures: &mut Figures, said: Option<(bool, String)>, time: Duration) {
    figures.alive.push(time);
    figures.not_alive += u32::from(said.is_none_or(|(ok, _)| !ok));
}

fn ready(figures: &mut Figures, said: Option<(bool, String)>, _time: Duration) {
    match said {
        Some((true, _)) => figures.ready += 1,
        other => {
            figures.not_ready += 1;
            let told =
                other.and_then(|(_, text)| serde_json::from_str::<serde_json::Value>(&text).ok());
            let told = told.and_then(|report| Some(report.get("database")?.as_str()?.to_owned()));
            figures.reason = told.unwrap_or_else(|| "no answer".to_owned());
        }
    }
}

/// Reads the server's memory (proc(5), `statm`, pages of 4 KiB).
async fn weigh(pid: Option<u32>, seen: Arc<Mutex<Figures>>) {
    loop {
        let path = format!("/proc/{}/statm", pid.unwrap_or_default());
        let resident = std::fs::read_to_string(path).ok().and_then(|text| {
            let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
            Some(pages / 256)
        });
        {
            let mut figures = held(&seen);
            figures.resident_mib = figures.resident_mib.max(resident.unwrap_or(0));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl Figures {
    pub(super) const HEADER: &str = "phase            taken  lost  late  p50 ms  p99 ms  max ms  livez max ms  not alive  not ready  MiB  attackers heard";

    pub(super) fn line(&self, name: &str) -> String {
        format!(
            "{name:<16} {:>5} {:>5} {:>5} {:>7.1} {:>7.1} {:>7.1} {:>13.1} {:>10} {:>5}/{:<4} {:>4}  {}  {}",
            self.checkins.len(),
            self.not_taken,
            self.late(),
            at(&self.checkins, 500),
            at(&self.checkins, 990),
            at(&self.checkins, 1000),
            at(&self.alive, 1000),
            self.not_alive,
            self.not_ready,
            self.ready + self.not_ready,
            self.resident_mib,
            self.attack,
            self.reason,
        )
    }

    pub(super) fn as_json(&self, name: &str) -> serde_json::Value {
        json!({
            "phase": name, "taken": self.checkins.len(), "lost": self.not_taken, "late": self.late(),
            "p50_ms": at(&self.checkins, 500), "p99_ms": at(&self.checkins, 990), "max_ms": at(&self.checkins, 1000),
            "livez_max_ms": at(&self.alive, 1000), "not_alive": self.not_alive, "ready": self.ready,
            "not_ready": self.not_ready, "resident_mib": self.resident_mib, "attackers_heard": self.attack,
            "not_ready_because": self.reason,
        })
    }

    /// Taken, and later than a second.
    fn late(&self) -> usize {
        let late = |time: &&Duration| **time > Duration::from_secs(1);
        self.checkins.iter().filter(late).count()
    }
}

fn at(times: &[Duration], permille: usize) -> f64 {
    let rank = (times.len() * permille).div_ceil(1000).saturating_sub(1);
    times.get(rank).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
