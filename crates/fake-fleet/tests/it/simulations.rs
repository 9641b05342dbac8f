//! Fleets that check in at a server.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_fleet::{
    Client, ClientError, Fleet, FleetOptions, Progress, Simulation, SimulationError, simulate,
};
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::server::{Behaviour, Server};

const KEY: &str = "k3y-of-a-group";

fn simulation(url: &str, machines: u32, runs: u32) -> Simulation {
    let starts_at: Timestamp = "2026-11-02T08:30:00Z".parse().unwrap();
    let fleet = FleetOptions {
        machines,
        facts: 60,
        items: 40,
        ..FleetOptions::default()
    };
    Simulation {
        fleet,
        runs,
        ..Simulation::new(url, KEY, starts_at)
    }
}

#[tokio::test]
async fn every_machine_checks_in_once_per_run() {
    let server = Server::start(Behaviour::answer(StatusCode::OK, "Sal report submitted")).await;
    let simulation = simulation(&server.url, 25, 3);
    let mut seen = Vec::new();
    let report = simulate(&simulation, |p| seen.push(p), std::future::pending())
        .await
        .unwrap();

    assert_eq!(
        (report.sent, report.ok, report.unanswered, report.late),
        (75, 75, 0, 0)
    );
    assert!(report.failed.is_empty() && report.first_error.is_none() && !report.cancelled);
    assert!(
        Duration::ZERO < report.p50 && report.p50 <= report.p99 && report.p99 <= report.elapsed
    );
    assert_eq!(
        seen.last(),
        Some(&Progress {
            planned: 75,
            ended: 75,
            ok: 75
        })
    );
    assert_eq!(seen.len(), 75);

    let arrivals = server.arrivals();
    let expected = format!("Basic {}", STANDARD.encode(format!("sal:{KEY}")));
    assert!(
        arrivals
            .iter()
            .all(|a| a.authorization == expected && a.content_type == "application/json")
    );
    let bytes: usize = arrivals.iter().map(|a| a.body.len()).sum();
    assert_eq!(report.body_bytes, u64::try_from(bytes).unwrap());
    let sent: BTreeSet<Vec<u8>> = arrivals.iter().map(|a| a.body.to_vec()).collect();
    let fleet = Fleet::new(simulation.fleet.clone());
    let mut made = BTreeSet::new();
    for run in 0..3_u32 {
        let at = simulation.starts_at + SignedDuration::from_hours(run.into());
        made.extend(fleet.machines().map(|m| m.checkin(run, at, KEY).body));
    }
    assert!(sent == made, "what arrived is not what the fleet makes");
}

#[tokio::test]
async fn refusals_are_counted_by_status_with_the_first_body() {
    let server = Server::start(Behaviour::answer(
        StatusCode::NOT_FOUND,
        "<h1>Page not found</h1>",
    ))
    .await;
    let report = simulate(
        &simulation(&server.url, 6, 1),
        |_| {},
        std::future::pending(),
    )
    .await
    .unwrap();
    assert_eq!((report.sent, report.ok), (6, 0));
    assert_eq!(report.failed.into_iter().collect::<Vec<_>>(), [(404, 6)]);
    assert_eq!(report.first_error.unwrap(), "404: <h1>Page not found</h1>");
}

#[tokio::test]
async fn a_dead_server_is_reported_and_not_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let report = simulate(&simulation(&url, 4, 1), |_| {}, std::future::pending())
        .await
        .unwrap();
    assert_eq!((report.sent, report.ok, report.unanswered), (4, 0, 4));
    let said = report.first_error.unwrap();
    assert!(
        said.contains("no answer for the submission of") && !said.contains(KEY),
        "{said}"
    );
}

#[tokio::test]
async fn no_more_than_the_allowed_number_is_under_way() {
    let gate = Arc::new(Semaphore::new(0));
    let behaviour = Behaviour {
        status: StatusCode::OK,
        text: "",
        gate: Arc::clone(&gate),
    };
    let server = Server::start(behaviour).await;
    let simulation = Simulation {
        concurrency: 3,
        ..simulation(&server.url, 12, 1)
    };
    let mut most = 0;
    let run = simulate(
        &simulation,
        |p| {
            // Each end lets one more arrive; never more than three without an answer.
            most = most.max(u64::try_from(server.arrivals().len()).unwrap() - p.ended);
            gate.add_permits(1);
        },
        std::future::pending(),
    );
    let open = async {
        while server.arrivals().len() < 3 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(1);
    };
    let (report, ()) = tokio::join!(run, open);
    assert_eq!(report.unwrap().ok, 12);
    assert!(most <= 3, "{most}");
}

#[tokio::test]
async fn cancelling_gives_up_what_is_under_way() {
    let gate = Arc::new(Semaphore::new(2));
    let server = Server::start(Behaviour {
        status: StatusCode::OK,
        text: "",
        gate,
    })
    .await;
    let simulation = Simulation {
        concurrency: 4,
        ..simulation(&server.url, 100, 1)
    };
    let two_answered_and_four_wait = async {
        while server.arrivals().len() < 6 {
            tokio::task::yield_now().await;
        }
    };
    let report = simulate(&simulation, |_| {}, two_answered_and_four_wait)
        .await
        .unwrap();
    assert!(report.cancelled);
    assert_eq!((report.sent, report.ok, report.abandoned), (2, 2, 4));
}

#[tokio::test]
async fn an_open_loop_keeps_its_rate() {
    let server = Server::start(Behaviour::answer(StatusCode::OK, "")).await;
    let simulation = Simulation {
        rate: Some(50.0),
        ..simulation(&server.url, 21, 1)
    };
    let report = simulate(&simulation, |_| {}, std::future::pending())
        .await
        .unwrap();
    assert_eq!(report.ok, 21);
    // The 21st is due 400 ms after the first.
    assert!(
        report.elapsed >= Duration::from_millis(400),
        "{:?}",
        report.elapsed
    );
}

#[tokio::test]
async fn an_open_loop_counts_late_starts_and_their_waiting() {
    let gate = Arc::new(Semaphore::new(0));
    let behaviour = Behaviour {
        status: StatusCode::OK,
        text: "",
        gate: Arc::clone(&gate),
    };
    let server = Server::start(behaviour).await;
    let simulation = Simulation {
        rate: Some(1000.0),
        concurrency: 1,
        ..simulation(&server.url, 10, 1)
    };
    // However busy the machine is: 101 ms pass, nearly all of them while the first is under way.
    tokio::time::pause();
    let run = simulate(&simulation, |_| {}, std::future::pending());
    let time = async {
        // Timers are rounded up to the next millisecond; this is the first check-in's.
        tokio::time::advance(Duration::from_millis(1)).await;
        while server.arrivals().is_empty() {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        gate.add_permits(10);
        // A paused clock goes on by itself where nothing is to be done but to wait for a socket.
        loop {
            tokio::task::yield_now().await;
        }
    };
    let report = tokio::select! {
        biased;
        report = run => report.unwrap(),
        () = time => return,
    };
    assert_eq!((report.ok, report.late), (10, 9));
    // They were due at 0, 1, … 9 ms, and all of them ended at 101.
    let waited = Duration::from_millis(92)..=Duration::from_millis(101);
    assert!(waited.contains(&report.p50), "{:?}", report.p50);
    assert_eq!(report.p99, Duration::from_millis(101));
}

#[tokio::test]
async fn a_wrong_address_is_said_at_once() {
    for url in ["sal.example.com", "ftp://sal.example.com", "http://", ""] {
        let error = Client::new(url, KEY, Duration::from_secs(1)).unwrap_err();
        assert!(
            matches!(error, ClientError::Address { .. }),
            "{url}: {error}"
        );
    }
    let error = simulate(&simulation("nowhere", 1, 1), |_| {}, std::future::pending())
        .await
        .unwrap_err();
    assert!(matches!(error, SimulationError::Client(_)), "{error}");
    let client = Client::new("http://127.0.0.1:1", KEY, Duration::from_secs(1)).unwrap();
    assert!(!format!("{client:?}").contains(KEY));
}
