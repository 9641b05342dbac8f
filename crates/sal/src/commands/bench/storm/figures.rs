//! The figures of a phase, as lines of a table and as JSON.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::caller::{Said, Sent};
use super::plan::Phase;
use super::watch::{Looks, NAMES};
use crate::commands::bench::meter::{cpu_of, cpu_of_postgres};
use crate::commands::bench::stage::Stage;

/// What a phase brought.
pub(super) struct Figures {
    phase: Phase,
    taken: Vec<Duration>,
    refused: Vec<Duration>,
    other: usize,
    nothing: usize,
    /// The least and the most seconds after which the refused were asked to come back.
    retry: Option<(u32, u32)>,
    looks: [Looks; 3],
    cores: Cores,
    /// Seconds until all was as before; none while it never was.
    recovered: Option<u64>,
    pub(super) peak_mib: Option<u64>,
}

/// How many cores each had at work; none where the system does not tell.
#[derive(Clone, Copy)]
pub(super) struct Cores {
    load: Option<f64>,
    server: Option<f64>,
    postgres: Option<f64>,
}

/// CPU of the load, the server and Postgres until now.
#[derive(Clone, Copy)]
pub(super) struct Shares {
    at: Instant,
    of: [Option<Duration>; 3],
}

impl Shares {
    pub(super) fn read(stage: &Stage) -> Self {
        Self {
            at: Instant::now(),
            of: [
                cpu_of(std::process::id()),
                stage.server_pid().and_then(cpu_of),
                cpu_of_postgres(&stage.postmaster_file()),
            ],
        }
    }

    /// Cores that each had meanwhile.
    pub(super) fn until(self, later: &Self) -> Cores {
        let wall = later.at.duration_since(self.at).as_secs_f64();
        let [load, server, postgres] = self.of;
        let [load_later, server_later, postgres_later] = later.of;
        let cores = |before: Option<Duration>, after: Option<Duration>| {
            let spent = after.zip(before);
            spent.map(|(after, before)| after.saturating_sub(before).as_secs_f64() / wall)
        };
        Cores {
            load: cores(load, load_later),
            server: cores(server, server_later),
            postgres: cores(postgres, postgres_later),
        }
    }
}

impl Figures {
    pub(super) const HEADER: &str = "phase     offered  taken refused  other  none  taken p50/p99/max ms   refused p50/p99/max ms  retry s  \
        livez p99 ms  readyz p99 ms  page p99 ms  (failed)  cores load/server/PG  peak MiB  back after s";

    pub(super) fn of(phase: Phase, sent: &[Sent], looks: [Looks; 3], cores: Cores) -> Self {
        let times = |wanted: fn(&Said) -> bool| {
            let found = sent.iter().filter(|sent| wanted(&sent.said));
            let mut times: Vec<Duration> = found.map(|sent| sent.time).collect();
            times.sort_unstable();
            times
        };
        let count = |wanted| sent.iter().filter(|sent| sent.said == wanted).count();
        let waits = sent.iter().filter_map(|sent| match sent.said {
            Said::Refused(seconds) => Some(seconds),
            _ => None,
        });
        Self {
            phase,
            taken: times(|said| *said == Said::Taken),
            refused: times(|said| matches!(said, Said::Refused(_))),
            other: count(Said::Other),
            nothing: count(Said::Nothing),
            retry: waits.clone().min().zip(waits.max()),
            looks,
            cores,
            recovered: None,
            peak_mib: None,
        }
    }

    pub(super) fn slowest_taken(&self) -> Duration {
        self.taken.last().copied().unwrap_or_default()
    }

    /// Notes the first second in which all were taken, and none took longer than the slowest of the calm before, or than
    /// a tenth of a second where that is more.
    pub(super) fn recovered(&mut self, sent: &[Sent], usual: Duration) {
        let usual = usual.max(Duration::from_millis(100));
        let last = sent.iter().map(|sent| sent.due.as_secs()).max();
        self.recovered = (0..=last.unwrap_or(0)).find(|second| {
            let mut due = sent.iter().filter(|sent| sent.due.as_secs() == *second);
            due.all(|sent| sent.said == Said::Taken && sent.time <= usual)
        });
    }

    fn offered(&self) -> usize {
        self.taken.len() + self.refused.len() + self.other + self.nothing
    }

    pub(super) fn as_text(&self) -> String {
        let three = |times: &[Duration]| {
            format!(
                "{:.0}/{:.0}/{:.0}",
                at(times, 500),
                at(times, 990),
                at(times, 1000)
            )
        };
        let p99 = |looks: &Looks| format!("{:.0}", at(&looks.times, 990));
        let [livez, readyz, page] = &self.looks;
        let cores = [self.cores.load, self.cores.server, self.cores.postgres]
            .map(|cores| cores.map_or("-".to_owned(), |cores| format!("{cores:.2}")));
        let retry = self.retry.map(|(least, most)| format!("{least}-{most}"));
        let known = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        format!(
            "{:<9} {:>7} {:>6} {:>7} {:>6} {:>5}  {:>20}  {:>22}  {:>7}  {:>12}  {:>13}  {:>11}  {:>8}  {:>20}  {:>8}  {:>12}",
            self.phase.name(),
            self.offered(),
            self.taken.len(),
            self.refused.len(),
            self.other,
            self.nothing,
            three(&self.taken),
            three(&self.refused),
            known(retry),
            p99(livez),
            p99(readyz),
            p99(page),
            format!("{}/{}/{}", livez.failed, readyz.failed, page.failed),
            cores.join("/"),
            known(self.peak_mib.map(|mib| mib.to_string())),
            known(self.recovered.map(|seconds| seconds.to_string())),
        )
    }

    pub(super) fn as_json(&self) -> Value {
        let three = |times: &[Duration]| json!({"p50_ms": at(times, 500), "p99_ms": at(times, 990), "max_ms": at(times, 1000)});
        let looks: serde_json::Map<String, Value> = NAMES
            .iter()
            .zip(&self.looks)
            .map(|(name, looks)| {
                let times = three(&looks.times);
                let seen =
                    json!({"failed": looks.failed, "count": looks.times.len(), "times": times});
                ((*name).to_owned(), seen)
            })
            .collect();
        json!({
            "phase": self.phase.name(), "offered": self.offered(), "taken": self.taken.len(),
            "refused": self.refused.len(), "other": self.other, "no_answer": self.nothing,
            "taken_ms": three(&self.taken), "refused_ms": three(&self.refused),
            "retry_after_seconds": self.retry, "looks": looks,
            "cores": {"load": self.cores.load, "server": self.cores.server, "postgres": self.cores.postgres},
            "peak_mib": self.peak_mib, "recovered_after_seconds": self.recovered,
        })
    }
}

fn at(times: &[Duration], permille: usize) -> f64 {
    let rank = (times.len() * permille).div_ceil(1000).saturating_sub(1);
    times
        .get(rank)
        .map_or(0.0, |time| (time.as_secs_f64() * 1e4).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(due_ms: u64, ms: u64, said: Said) -> Sent {
        Sent {
            due: Duration::from_millis(due_ms),
            time: Duration::from_millis(ms),
            said,
        }
    }

    #[test]
    fn it_is_as_before_when_all_of_a_second_are_taken_in_the_usual_time() {
        let sent = [
            sent(100, 900, Said::Taken),
            sent(1200, 40, Said::Refused(10)),
            sent(1400, 40, Said::Taken),
            sent(2000, 150, Said::Taken),
            sent(2999, 120, Said::Taken),
        ];
        let nobody = Cores {
            load: None,
            server: None,
            postgres: None,
        };
        let mut figures = Figures::of(Phase::Recovery, &sent, Default::default(), nobody);
        figures.recovered(&sent, Duration::from_millis(150));
        assert_eq!(figures.recovered, Some(2));
        figures.recovered(&sent, Duration::from_millis(120));
        assert_eq!(figures.recovered, None, "one took longer than usual");
        assert_eq!((figures.offered(), figures.taken.len()), (5, 4));
        assert_eq!(figures.retry, Some((10, 10)));
        assert_eq!(at(&figures.taken, 1000), 900.0);
    }
}
