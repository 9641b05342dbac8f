//! Signals: a polite end while requests are under way, and a process that was frozen for long.

use std::time::Duration;

use jiff::SignedDuration;
use rds_lab::{Outcome, Reason};
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

use crate::checkins::Macs;
use crate::server::Server;
use crate::stage::{Stage, until};

/// A session that keeps everybody from the machines until it is dropped.
struct Lock {
    _session: tokio_postgres::Client,
    _connection: JoinSet<()>,
}

impl Lock {
    async fn take(stage: &Stage) -> Self {
        let (session, connection) = stage.lab.admin_config("sal").connect(NoTls).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _ended = connection.await;
        });
        session
            .batch_execute("BEGIN; LOCK TABLE server_machine IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        Self {
            _session: session,
            _connection: tasks,
        }
    }
}

/// Waits until a check-in waits for the lock.
async fn someone_waits(stage: &Stage) {
    let waiting = "SELECT count(*) FROM pg_stat_activity \
                   WHERE application_name = 'sal' AND wait_event_type = 'Lock'";
    until("a check-in under way", async || {
        stage.value(waiting).await != "0"
    })
    .await;
}

async fn is_listening(server: &Server) -> bool {
    let address = server.url.trim_start_matches("http://");
    tokio::net::TcpStream::connect(address).await.is_ok()
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let stage = Stage::set().await;
    let mut server = Server::start(&stage.settings()).await;
    stage.make_group().await;
    let lock = Lock::take(&stage).await;
    let (macs, url) = (Macs::new(1), server.url.clone());
    let mut under_way = JoinSet::new();
    under_way.spawn(async move { macs.check_in_at(&url, 0, 0).await });
    someone_waits(&stage).await;

    server.signal("TERM").await;
    server.logged("open requests may finish").await;
    until("the end of listening", async || {
        !is_listening(&server).await
    })
    .await;
    drop(lock);
    assert_eq!(under_way.join_next().await.unwrap().unwrap(), 200);
    assert_eq!(server.ended().await.code(), Some(0));
    assert_eq!(
        stage.value("SELECT count(*) FROM server_machine").await,
        "1"
    );
}

#[tokio::test]
async fn a_request_that_never_ends_is_given_up_after_the_drain_time() {
    let stage = Stage::set().await;
    let settings = stage.settings().with("SAL_DRAIN_SECONDS", "1");
    let mut server = Server::start(&settings).await;
    stage.make_group().await;
    let lock = Lock::take(&stage).await;
    let (macs, url) = (Macs::new(1), server.url.clone());
    let mut under_way = JoinSet::new();
    under_way.spawn(async move { macs.check_in_at(&url, 0, 0).await });
    someone_waits(&stage).await;

    server.signal("TERM").await;
    let ended = tokio::time::timeout(Duration::from_secs(10), server.ended()).await;
    assert_eq!(ended.unwrap().code(), Some(0));
    assert_eq!(under_way.join_next().await.unwrap().unwrap(), 0);
    drop(lock);
    until("the end of the sessions", async || {
        stage.sessions().await == 0
    })
    .await;
    assert_eq!(
        stage.value("SELECT count(*) FROM server_machine").await,
        "0"
    );
}

#[tokio::test]
async fn an_interrupt_ends_the_server_like_a_polite_request() {
    let stage = Stage::set().await;
    let mut server = Server::start(&stage.settings()).await;
    server.signal("INT").await;
    assert_eq!(server.ended().await.code(), Some(0));
    until("the end of the sessions", async || {
        stage.sessions().await == 0
    })
    .await;
}

#[tokio::test]
async fn a_process_frozen_past_the_end_of_its_credentials_logs_in_anew() {
    let stage = Stage::set().await;
    let faults = stage.lab.faults();
    // AWS is four minutes behind at first and fourteen ahead after the freeze: eighteen minutes pass there, more
    // than a token or these credentials live, while both clocks stay within what AWS tolerates.
    faults.shift_clock(SignedDuration::from_mins(-4));
    faults.set_credential_life(Duration::from_secs(600));
    let mut server = Server::start(&stage.settings()).await;
    stage.make_group().await;
    let macs = Macs::new(2);
    assert_eq!(macs.check_in(0, 0, &server).await, 200);

    server.signal("STOP").await;
    let livez = format!("{}/livez", server.url);
    until("the freeze", async || {
        let ask = server.http.get(&livez).timeout(Duration::from_millis(200));
        ask.send().await.is_err()
    })
    .await;
    let mut under_way = JoinSet::new();
    let url = server.url.clone();
    under_way.spawn(async move { macs.check_in_at(&url, 1, 0).await });
    faults.shift_clock(SignedDuration::from_mins(14));
    stage.cut_unnoticed().await;
    let before = stage.lab.log().len();
    server.signal("CONT").await;

    // It may be handed a dead connection before the server has noticed; then it is told to come again.
    let woken = under_way.join_next().await.unwrap().unwrap();
    assert!([200, 503].contains(&woken), "{woken}");
    server.recovered().await;
    assert_eq!(Macs::new(1).check_in(0, 1, &server).await, 200);
    let outcomes: Vec<Outcome> = stage
        .lab
        .log()
        .iter()
        .skip(before)
        .map(|event| event.outcome)
        .collect();
    assert_eq!(
        outcomes.first(),
        Some(&Outcome::Refused(Reason::ExpiredToken))
    );
    assert_eq!(outcomes.last(), Some(&Outcome::Accepted));
    assert!(server.stop().await.success());
}
