//! Macs that check in at a steady rate, each check-in with a mark of its own that Sal keeps as a historical fact: every
//! one that was answered with 200 must be a row, once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fake_fleet::Client;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::checkins::Macs;
use crate::stage::{KEY, Stage, until};

/// The fact that is different in every check-in.
pub(crate) const MARK: &str = "mark_of_the_test";
/// What the real client gives a POST.
pub(crate) const CLIENT_PATIENCE: Duration = Duration::from_secs(8);

/// A fleet that checks in until it is told to stop.
pub(crate) struct Fleet {
    stop: Arc<AtomicBool>,
    taken: watch::Receiver<usize>,
    workers: JoinSet<Vec<Try>>,
}

/// One check-in and what became of it.
pub(crate) struct Try {
    mark: String,
    /// 0 for no answer within the client's patience.
    status: u16,
    took: Duration,
}

impl Fleet {
    /// So many Macs, each of which checks in once in a period.
    pub(crate) fn start(url: &str, count: usize, period: Duration) -> Self {
        let macs = Arc::new(Macs::new(count));
        let stop = Arc::<AtomicBool>::default();
        let (taken_here, taken) = watch::channel(0);
        let mut workers = JoinSet::new();
        for mac in 0..macs.count() {
            let client = Client::new(url, KEY, CLIENT_PATIENCE).unwrap();
            let (macs, stop, taken) = (Arc::clone(&macs), Arc::clone(&stop), taken_here.clone());
            // Not all at the same moment.
            let first = Instant::now() + period * u32::try_from(mac).unwrap() / 64;
            workers.spawn(async move {
                let mut turn = tokio::time::interval_at(first, period);
                let mut tries = Vec::new();
                // Whoever got no 200 sends the same again in its next turn, with what is new: the client keeps its
                // results until a 200.
                let mut run = 0;
                while !stop.load(Ordering::Relaxed) {
                    turn.tick().await;
                    let done = check_in(mac, run, tries.len(), &macs, &client).await;
                    if done.status == 200 {
                        run += 1;
                        taken.send_modify(|taken| *taken += 1);
                    }
                    tries.push(done);
                }
                tries
            });
        }
        Self {
            stop,
            taken,
            workers,
        }
    }

    /// Waits until so many more check-ins were answered with 200.
    pub(crate) async fn takes(&self, more: usize) {
        let mut taken = self.taken.clone();
        let goal = *taken.borrow_and_update() + more;
        until("more check-ins", async || *self.taken.borrow() >= goal).await;
    }

    /// Ends it.
    pub(crate) async fn end(self) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        let tries = self.workers.join_all().await.into_iter().flatten();
        Outcome {
            tries: tries.collect(),
        }
    }
}

async fn check_in(mac: usize, run: u32, number: usize, macs: &Macs, client: &Client) -> Try {
    let mut submission = macs.checkin(mac, run);
    let mark = format!("{mac}-{run}-{number}");
    let mut body: Value = serde_json::from_slice(&submission.body).unwrap();
    body["Machine"]["facts"][MARK] = Value::String(mark.clone());
    submission.body = serde_json::to_vec(&body).unwrap();
    let began = Instant::now();
    let answer = client.submit(&submission).await;
    Try {
        mark,
        status: answer.map_or(0, |outcome| outcome.status),
        took: began.elapsed(),
    }
}

/// Everything the fleet tried.
pub(crate) struct Outcome {
    tries: Vec<Try>,
}

/// What came of it, in numbers.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) sent: usize,
    pub(crate) acknowledged: usize,
    /// Rows of check-ins that were answered with 200.
    pub(crate) stored: usize,
    /// Rows of check-ins whose answer got lost; the client sends them again.
    pub(crate) stored_without_answer: usize,
    pub(crate) statuses: BTreeMap<u16, usize>,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
}

impl Outcome {
    /// Compares the answers with the rows.
    pub(crate) async fn figures(&self, stage: &Stage) -> Figures {
        let sql = format!(
            "SELECT fact_data, count(*) FROM server_historicalfact WHERE fact_name = '{MARK}' GROUP BY 1"
        );
        let rows: BTreeMap<String, String> = stage
            .rows(&sql)
            .await
            .into_iter()
            .map(|mut row| (row.remove(0), row.remove(0)))
            .collect();
        let mut figures = Figures {
            sent: self.tries.len(),
            acknowledged: 0,
            stored: 0,
            stored_without_answer: 0,
            statuses: BTreeMap::new(),
            p50: Duration::ZERO,
            p99: Duration::ZERO,
            longest: Duration::ZERO,
        };
        for done in &self.tries {
            let row = rows.get(&done.mark);
            assert!(row.is_none_or(|count| count == "1"), "{} twice", done.mark);
            *figures.statuses.entry(done.status).or_default() += 1;
            let stored = usize::from(row.is_some());
            if done.status == 200 {
                figures.acknowledged += 1;
                figures.stored += stored;
            } else {
                figures.stored_without_answer += stored;
            }
        }
        let mut times: Vec<Duration> = self.tries.iter().map(|done| done.took).collect();
        times.sort_unstable();
        let at = |permille: usize| times[(times.len() * permille).div_ceil(1000) - 1];
        (figures.p50, figures.p99, figures.longest) = (at(500), at(990), at(1000));
        figures
    }
}
