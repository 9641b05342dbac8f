//! Lets a whole fleet check in: for demo data, load and sizing.
//!
//! Closed loop without a rate: `concurrency` check-ins are always under way. With a rate it
//! is an open loop: check-ins fall due at fixed times whatever the server does, and the
//! time of an answer counts from when its check-in was due, so that a slow server cannot
//! slow the clock that measures it.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::{Client, ClientError, Outcome};
use crate::fleet::{Fleet, FleetOptions};

/// What to simulate. `Debug` does not show the key.
#[derive(Clone)]
pub struct Simulation {
    /// The server's address.
    pub url: String,
    /// A machine group's key.
    pub key: String,
    /// The machines.
    pub fleet: FleetOptions,
    /// The number of each machine's first run here: 0 for machines the server has not seen.
    pub first_run: u32,
    /// How many times every machine checks in.
    pub runs: u32,
    /// When the first of these runs takes place, in the machines' eyes; usually now.
    pub starts_at: Timestamp,
    /// The time between a machine's runs, in the machines' eyes only: nothing waits for it.
    pub run_every: SignedDuration,
    /// Check-ins per second of an open loop; `None` for as fast as the server answers.
    /// Not a number and numbers below a thousandth count as a thousandth.
    pub rate: Option<f64>,
    /// Check-ins under way at a time, at most; 0 counts as 1.
    pub concurrency: usize,
    /// How long a check-in may take.
    pub timeout: Duration,
}

impl Simulation {
    /// The demo fleet's first run at `starts_at`, eight check-ins at a time.
    #[must_use]
    pub fn new(url: &str, key: &str, starts_at: Timestamp) -> Self {
        Self {
            url: url.to_owned(),
            key: key.to_owned(),
            fleet: FleetOptions::default(),
            first_run: 0,
            runs: 1,
            starts_at,
            run_every: SignedDuration::from_hours(1),
            rate: None,
            concurrency: 8,
            timeout: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("url", &self.url)
            .field("fleet", &self.fleet)
            .field("runs", &self.runs)
            .field("rate", &self.rate)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// How far a simulation is; handed out after every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Check-ins the simulation will make.
    pub planned: u64,
    /// Check-ins that ended, well or not.
    pub ended: u64,
    /// Those that ended well.
    pub ok: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Check-ins that ended, well or not.
    pub sent: u64,
    /// Those the server took (2xx).
    pub ok: u64,
    /// Those it refused, by HTTP status.
    pub failed: BTreeMap<u16, u64>,
    /// Those that got no answer.
    pub unanswered: u64,
    /// Under way when the simulation was cancelled, and given up.
    pub abandoned: u64,
    /// What the first refusal or failure said, at most 500 characters.
    pub first_error: Option<String>,
    /// Half of the answers took no longer; zero without answers.
    pub p50: Duration,
    /// 99 % of the answers took no longer.
    pub p99: Duration,
    /// From the first check-in to the last answer.
    pub elapsed: Duration,
    /// Bytes of the check-ins that ended, headers not counted.
    pub body_bytes: u64,
    /// Check-ins of an open loop that started late because `concurrency` were under way.
    pub late: u64,
    /// Whether it was cancelled before the end.
    pub cancelled: bool,
}

/// Why nothing was simulated.
#[derive(Debug, Error)]
pub enum SimulationError {
    /// The client could not be made.
    #[error("the simulated machines cannot talk to the server")]
    Client(#[from] ClientError),
    /// The runs leave the calendar.
    #[error("run {run} would take place after the year 9999")]
    Calendar {
        /// The first run that has no date.
        run: u32,
    },
}

/// Runs the simulation to its end, or until `cancel` is done. Runs follow each other: a
/// machine's next check-in starts when all machines ended the run before.
///
/// # Errors
/// When it could not start. Refused check-ins are no error but in the [`Report`].
pub async fn simulate(
    simulation: &Simulation,
    progress: impl FnMut(Progress),
    cancel: impl Future<Output = ()>,
) -> Result<Report, SimulationError> {
    let times = run_times(simulation)?;
    let mut course = Course {
        client: Arc::new(Client::new(
            &simulation.url,
            &simulation.key,
            simulation.timeout,
        )?),
        fleet: Arc::new(Fleet::new(simulation.fleet.clone())),
        simulation,
        planned: u64::from(simulation.runs) * u64::from(simulation.fleet.machines),
        under_way: JoinSet::new(),
        tally: Tally::default(),
        progress,
    };
    let began = Instant::now();
    let mut cancel = pin!(cancel);
    for (run, at) in times {
        if !course.run(run, at, began, cancel.as_mut()).await {
            course.tally.report.cancelled = true;
            break;
        }
    }
    course.under_way.shutdown().await;
    Ok(course.tally.finish(began.elapsed()))
}

fn run_times(simulation: &Simulation) -> Result<Vec<(u32, Timestamp)>, SimulationError> {
    let mut times = Vec::new();
    let mut at = simulation.starts_at;
    for number in 0..simulation.runs {
        let run = simulation.first_run.saturating_add(number);
        times.push((run, at));
        at = match at.checked_add(simulation.run_every) {
            Ok(at) => at,
            Err(_) if number + 1 == simulation.runs => at,
            Err(_) => {
                return Err(SimulationError::Calendar {
                    run: run.saturating_add(1),
                });
            }
        };
    }
    Ok(times)
}

/// A simulation under way.
struct Course<'s, P> {
    client: Arc<Client>,
    fleet: Arc<Fleet>,
    simulation: &'s Simulation,
    planned: u64,
    under_way: JoinSet<Ended>,
    tally: Tally,
    progress: P,
}

/// One check-in that ended.
struct Ended {
    result: Result<Outcome, ClientError>,
    /// From when it was due; in a closed loop from when it was sent.
    elapsed: Duration,
    body_bytes: usize,
}

impl<P: FnMut(Progress)> Course<'_, P> {
    /// Lets every machine check in once; false when cancelled.
    async fn run(
        &mut self,
        run: u32,
        at: Timestamp,
        began: Instant,
        mut cancel: Pin<&mut impl Future<Output = ()>>,
    ) -> bool {
        for index in 0..self.simulation.fleet.machines {
            let due = self.due(began);
            loop {
                let full = self.under_way.len() >= self.simulation.concurrency.max(1);
                tokio::select! {
                    biased;
                    () = &mut cancel => return self.abandon(),
                    Some(ended) = self.under_way.join_next() => self.count(ended),
                    () = sleep_until(due.unwrap_or(began)), if !full => break,
                }
            }
            self.launch(index, run, at, due);
        }
        loop {
            tokio::select! {
                biased;
                () = &mut cancel, if !self.under_way.is_empty() => return self.abandon(),
                ended = self.under_way.join_next() => match ended {
                    Some(ended) => self.count(ended),
                    None => return true,
                },
            }
        }
    }

    /// When the next check-in of an open loop is due.
    fn due(&self, began: Instant) -> Option<Instant> {
        let rate = self.simulation.rate?.max(0.001);
        let started = f64::from(u32::try_from(self.tally.started).unwrap_or(u32::MAX));
        let offset = Duration::try_from_secs_f64(started / rate).ok()?;
        began.checked_add(offset)
    }

    fn launch(&mut self, index: u32, run: u32, at: Timestamp, due: Option<Instant>) {
        // Timers fire up to a millisecond late by themselves.
        let lateness = Duration::from_millis(5);
        if due.is_some_and(|due| due.elapsed() > lateness) {
            self.tally.report.late += 1;
        }
        self.tally.started += 1;
        let (client, fleet) = (Arc::clone(&self.client), Arc::clone(&self.fleet));
        let key = self.simulation.key.clone();
        self.under_way.spawn(async move {
            let submission = fleet.machine(index).checkin(run, at, &key);
            let from = due.unwrap_or_else(Instant::now);
            let result = client.submit(&submission).await;
            Ended {
                result,
                elapsed: from.elapsed(),
                body_bytes: submission.body.len(),
            }
        });
    }

    fn count(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        self.tally.count(ended);
        (self.progress)(Progress {
            planned: self.planned,
            ended: self.tally.report.sent,
            ok: self.tally.report.ok,
        });
    }

    fn abandon(&mut self) -> bool {
        self.tally.report.abandoned = u64::try_from(self.under_way.len()).unwrap_or(u64::MAX);
        false
    }
}

/// Counts ends.
#[derive(Default)]
struct Tally {
    report: Report,
    started: u64,
    times: Vec<Duration>,
}

impl Tally {
    fn count(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        self.report.sent += 1;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => return self.unanswered(&error),
        };
        self.report.body_bytes += u64::try_from(ended.body_bytes).unwrap_or(0);
        match ended.result {
            Ok(outcome) => {
                self.times.push(ended.elapsed);
                if outcome.is_ok() {
                    self.report.ok += 1;
                } else {
                    *self.report.failed.entry(outcome.status).or_default() += 1;
                    self.remember(&format!("{}: {}", outcome.status, outcome.body));
                }
            }
            Err(error) => self.unanswered(&error),
        }
    }

    fn unanswered(&mut self, error: &dyn std::error::Error) {
        self.report.unanswered += 1;
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.remember(&text);
    }

    fn remember(&mut self, text: &str) {
        if self.report.first_error.is_none() {
            self.report.first_error = Some(text.chars().take(500).collect());
        }
    }

    fn finish(mut self, elapsed: Duration) -> Report {
        self.times.sort_unstable();
        self.report.p50 = percentile(&self.times, 50);
        self.report.p99 = percentile(&self.times, 99);
        self.report.elapsed = elapsed;
        self.report
    }
}

/// The smallest time that `percent` of the sorted times do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(100));
        assert_eq!(percentile(&times, 99), Duration::from_millis(198));
        assert_eq!(percentile(&times[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let simulation = Simulation::new("http://127.0.0.1", "s3cret-key", Timestamp::UNIX_EPOCH);
        assert!(!format!("{simulation:?}").contains("s3cret-key"));
    }
}
