//! A replica for long, with credentials that end every minute: logins go on, and its memory stays what it is.
//!
//! Seconds in the ordinary run; ten minutes in the long one (`./dev test --long`), or as `SAL_TESTS_SOAK_MINUTES` says.

use std::time::Duration;

use fake_fleet::{Client, Yardstick};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::server::Server;
use crate::stage::{KEY, Stage};

/// What 10,000 Macs make.
const CHECKINS_PER_SECOND: u32 = 7;
const MACS: u32 = 10_000;
/// The credentials' life: they are not used within the last minute of it, so a minute of it counts.
const LIFE: Duration = Duration::from_secs(120);
/// The most memory of one replica.
const MOST_MIB: u64 = 150;

fn how_long() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
    let (minutes, long) = (
        std::env::var("SAL_TESTS_SOAK_MINUTES").ok(),
        std::env::var_os("SAL_TESTS_LONG"),
    );
    match (
        minutes.and_then(|minutes| minutes.parse::<u64>().ok()),
        long,
    ) {
        (Some(minutes), _) => Duration::from_secs(60 * minutes),
        (None, Some(_)) => Duration::from_secs(600),
        (None, None) => Duration::from_secs(8),
    }
}

/// What was seen at one moment.
#[derive(Debug)]
#[expect(dead_code, reason = "the time is there to be read by people")]
struct Look {
    seconds: u64,
    resident_mib: u64,
    logins: u64,
    refused: u64,
    fetched: u64,
}

struct Soak {
    stage: Stage,
    server: Server,
    began: Instant,
    looks: Vec<Look>,
}

impl Soak {
    fn look(&mut self) {
        let metrics = self.stage.lab.metrics();
        let look = Look {
            seconds: self.began.elapsed().as_secs(),
            resident_mib: self.server.resident_mib(),
            logins: metrics.success,
            refused: metrics.failure,
            fetched: self.stage.lab.requests().container,
        };
        say(&format!("{look:?}"));
        self.looks.push(look);
    }
}

#[tokio::test]
async fn credentials_that_end_every_minute_cost_no_login_and_no_memory() {
    let length = how_long();
    let stage = Stage::set().await;
    stage.lab.faults().set_credential_life(LIFE);
    let server = Server::start(&stage.settings()).await;
    stage.make_group().await;
    let client = Client::new(&server.url, KEY, Duration::from_secs(8)).unwrap();
    let began = Instant::now();
    let mut soak = Soak {
        stage,
        server,
        began,
        looks: Vec::new(),
    };
    let mut turn = tokio::time::interval(Duration::from_secs(1) / CHECKINS_PER_SECOND);
    let mut under_way = JoinSet::new();
    let (mut failures, mut longest) = (Vec::new(), Duration::ZERO);
    let mut number = 0;
    // The machine's numbers spread, so that a short run has old and new ones too.
    while began.elapsed() < length {
        turn.tick().await;
        let body = Yardstick::new(number % MACS, number / MACS, true).submission(KEY);
        let client = client.clone();
        under_way.spawn(async move {
            let began = Instant::now();
            let answer = client.submit(&body).await;
            (answer.map_or(0, |outcome| outcome.status), began.elapsed())
        });
        number += 1;
        // Fresh logins all the time: what is open would outlive its credentials.
        if number.is_multiple_of(CHECKINS_PER_SECOND * 5) {
            soak.stage.run(END_IDLE_SESSIONS).await;
        }
        if number.is_multiple_of(CHECKINS_PER_SECOND * 60) || number == 1 {
            soak.look();
        }
        while let Some(ended) = under_way.try_join_next() {
            note(ended.unwrap(), &mut failures, &mut longest);
        }
    }
    for ended in under_way.join_all().await {
        note(ended, &mut failures, &mut longest);
    }
    soak.look();
    say(&format!(
        "{number} check-ins, not taken: {failures:?}, the longest took {longest:?}"
    ));
    // A session that is ended at the very moment it is taken costs its check-in a 503: one in the short run, a thousandth
    // in a long one.
    assert!(failures.iter().all(|status| *status == 503), "{failures:?}");
    let most = 1 + usize::try_from(number).unwrap() / 1000;
    assert!(failures.len() <= most, "{failures:?}");
    assert!(longest < Duration::from_secs(8), "{longest:?}");
    let last = soak.looks.last().unwrap();
    assert_eq!(last.refused, 0, "{last:?}");
    assert!(last.logins > 1, "{last:?}");
    // Each minute brings new credentials, when its first login comes, and no minute brings many.
    let minutes = length.as_secs() / 60;
    assert!(last.fetched >= minutes * 4 / 5, "{last:?}");
    assert!(last.fetched <= 4 * (minutes + 1), "{last:?}");
    assert!(last.resident_mib < MOST_MIB, "{:?}", soak.looks);
    assert!(soak.server.stop().await.success());
}

#[expect(clippy::print_stderr, reason = "the figures of a long run")]
fn say(line: &str) {
    eprintln!("{line}");
}

fn note((status, took): (u16, Duration), failures: &mut Vec<u16>, longest: &mut Duration) {
    if status != 200 {
        failures.push(status);
    }
    *longest = took.max(*longest);
}

/// Not those that are between two statements of a check-in: ending these costs it its answer, as it should.
const END_IDLE_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'sal' AND state = 'idle' AND state_change < clock_timestamp() - interval '50 ms'";
