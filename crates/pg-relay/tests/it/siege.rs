//! Silence, trickles and guesses at one door: whoever speaks is served all the same, and the relay knows what happens.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream, UnixStream},
    time::Instant,
};

use crate::stage::{PASSWORD, PATIENCE, Stage, USER, until};

/// A connection to the relay's TCP door from an address of this machine.
async fn from(source: &str, stage: &Stage) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(SocketAddr::new(source.parse().unwrap(), 0))
        .unwrap();
    let target = SocketAddr::new("127.0.0.1".parse().unwrap(), stage.port);
    socket.connect(target).await.unwrap()
}

async fn silent(count: usize, source: &str, stage: &Stage) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(from(source, stage).await);
    }
    all
}

/// A start-up message of the relay's user.
fn startup() -> Vec<u8> {
    let mut body = vec![0, 3, 0, 0];
    for text in ["user", USER, "database", "sal", ""] {
        body.extend(text.as_bytes());
        body.push(0);
    }
    let length = u32::try_from(body.len() + 4).unwrap();
    [&length.to_be_bytes()[..], &body].concat()
}

fn password(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len() + 5).unwrap();
    [b"p", &length.to_be_bytes()[..], text.as_bytes(), &[0]].concat()
}

/// What the relay says to a password, and after how long.
async fn guess(text: &str, stage: &Stage) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = from("127.0.0.1", stage).await;
    stream.write_all(&startup()).await.unwrap();
    stream.write_all(&password(text)).await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    (String::from_utf8_lossy(&said).into_owned(), began.elapsed())
}

/// A guess of somebody who does not wait for the answer.
async fn hung_up(text: &str, stage: &Stage) {
    let mut stream = from("127.0.0.1", stage).await;
    stream.write_all(&startup()).await.unwrap();
    stream.write_all(&password(text)).await.unwrap();
}

#[tokio::test]
async fn two_hundred_and_five_silent_connections_at_one_door_block_nobody() {
    // Whoever waited for the silent would wait until the test is given up.
    let stage = Stage::set_with(|_| {}, |settings| settings.greeting = FOR_EVER).await;
    let held = silent(205, "127.0.0.2", &stage).await;
    until("the silent ones", async || stage.counters.waiting() >= 50).await;
    assert_eq!(stage.counters.open(), 0, "they are no sessions");
    // Another door, another address at the same door, and at last the very same address.
    let said = stage.over_socket("SELECT 1").await;
    assert!(said.ok && said.out == "1", "{said:?}");
    let said = stage.psql("", "SELECT 1").await;
    assert!(said.ok && said.out == "1", "{said:?}");
    let more = silent(205, "127.0.0.1", &stage).await;
    let said = stage.psql("sslmode=disable", "SELECT 1").await;
    assert!(said.ok && said.out == "1", "{said:?}");
    until("somebody to be sent away", async || {
        stage.counters.closed_unheard() > 0
    })
    .await;
    assert!(stage.counters.waiting() <= 200);
    assert!(stage.ready().await.contains("200 OK"));
    drop((held, more));
    until("the end of them", async || stage.counters.waiting() == 0).await;
}

#[tokio::test]
async fn silent_connections_at_the_socket_block_neither_it_nor_the_port() {
    let stage = Stage::set().await;
    let path = stage.folder.path().join(".s.PGSQL.5432");
    let mut held = Vec::new();
    for _ in 0..205 {
        held.push(UnixStream::connect(&path).await.unwrap());
    }
    let said = stage.psql("", "SELECT 1").await;
    assert!(said.ok && said.out == "1", "{said:?}");
    let said = stage.over_socket("SELECT 1").await;
    assert!(said.ok && said.out == "1", "{said:?}");
}

/// Half a greeting is no greeting: one byte, a header without its body, a TLS handshake that goes nowhere, a start-up
/// whose password never comes.
#[tokio::test]
async fn whoever_stops_in_the_middle_holds_no_place_either() {
    let stage = Stage::set().await;
    let begun: [&[u8]; 5] = [
        &[0],
        &[0, 0, 0, 80, 0, 3, 0, 0],
        &[0x16, 3, 1],
        &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f],
        &startup(),
    ];
    let mut held = Vec::new();
    for turn in 0..250 {
        let mut stream = from("127.0.0.1", &stage).await;
        // Whoever has been sent away meanwhile notices here.
        let _sent = stream.write_all(begun[turn % begun.len()]).await;
        held.push(stream);
    }
    assert_eq!(stage.counters.open(), 0, "none of them is a session");
    let said = stage.psql("", "SELECT 1").await;
    assert!(said.ok && said.out == "1", "{said:?}");
}

#[tokio::test]
async fn the_time_for_a_greeting_begins_with_the_connection() {
    let stage = Stage::set_with(
        |_| {},
        |settings| settings.greeting = Duration::from_millis(400),
    )
    .await;
    for begun in [&[][..], &[0], &startup()] {
        let began = Instant::now();
        let mut stream = from("127.0.0.1", &stage).await;
        stream.write_all(begun).await.unwrap();
        let mut said = Vec::new();
        // Closed, whichever way.
        let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await;
        assert!(closed.is_ok(), "{begun:?} was not closed");
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(350), "{begun:?} {took:?}");
    }
    assert!(
        stage
            .health("/metrics")
            .await
            .contains("sal_relay_too_slow_total 3")
    );
}

#[tokio::test]
async fn a_full_door_says_so_and_is_ready_again() {
    let stage = Stage::set_with(
        |_| {},
        |settings| {
            settings.most_waiting = 4;
            settings.most_waiting_per_address = 2;
        },
    )
    .await;
    assert!(stage.ready().await.contains("\"full\":null"));
    let mut held = Vec::new();
    for last in 2..40 {
        held.extend(silent(2, &format!("127.0.0.{last}"), &stage).await);
    }
    until("newcomers to be turned away", async || {
        stage.ready().await.contains("503")
    })
    .await;
    let said = stage.ready().await;
    assert!(
        said.contains("clients are turned away")
            && said.contains(&format!("127.0.0.1:{}", stage.port)),
        "{said}"
    );
    assert!(said.contains("\"most_waiting\":4"), "{said}");
    let metrics = stage.health("/metrics").await;
    assert!(
        !metrics.contains("sal_relay_no_place_total 0") && metrics.contains("sal_relay_sessions 0"),
        "{metrics}"
    );
    drop(held);
    until("readiness", async || stage.ready().await.contains("200 OK")).await;
}

#[tokio::test]
async fn wrong_passwords_wait_longer_each_time_and_right_ones_never() {
    let stage = Stage::set().await;
    for turn in 1..=3_u32 {
        let (said, took) = guess("wrong", &stage).await;
        assert!(
            said.contains("sal relay: password authentication failed"),
            "{said}"
        );
        let least = Duration::from_millis(250) * 2_u32.pow(turn - 1);
        assert!(took >= least, "{turn}: {took:?}");
        let right = stage.psql("sslmode=disable", "SELECT 1").await;
        assert!(right.ok, "{right:?}");
    }
    assert_eq!(stage.counters.wrong_passwords(), 3);
    // Two that hang up; the sixth is answered after 8 s, and a right one that comes later is not behind it.
    for wrong in [4, 5, 6] {
        hung_up("wrong", &stage).await;
        until("the guess", async || {
            stage.counters.wrong_passwords() == wrong
        })
        .await;
    }
    let right = stage.psql("sslmode=disable", "SELECT 1").await;
    assert!(right.ok, "{right:?}");
    assert_eq!(stage.counters.wrong_passwords(), 6);
    assert_eq!(
        stage.lab.metrics().requests,
        4,
        "only the right ones went upstream"
    );
}

/// Many guesses at once from one address: few are looked at, whether or not anybody waits for the answers.
#[tokio::test]
async fn guesses_side_by_side_are_no_faster() {
    let stage = Stage::set().await;
    let mut held = Vec::new();
    for turn in 0..120 {
        let mut stream = from("127.0.0.1", &stage).await;
        let _sent = stream.write_all(&startup()).await;
        let _sent = stream.write_all(&password(&format!("guess {turn}"))).await;
        held.push(stream);
    }
    until("refusals unseen", async || {
        let metrics = stage.health("/metrics").await;
        !metrics.contains("sal_relay_passwords_not_looked_at_total 0")
    })
    .await;
    // Whoever hangs up is not forgotten for that.
    drop(held);
    let (said, _) = guess("one more", &stage).await;
    assert!(
        said.contains("too many wrong passwords") || said.contains("authentication failed"),
        "{said}"
    );
    assert!(
        stage.counters.wrong_passwords() < 20,
        "{}",
        stage.counters.wrong_passwords()
    );
    assert_eq!(stage.lab.metrics().requests, 0);
    // Nobody else waits for it.
    let other = stage.over_socket("SELECT 1").await;
    assert!(other.ok, "{other:?}");
    until("the last answer", async || {
        stage
            .health("/metrics")
            .await
            .contains("sal_relay_wrong_password_answers 0")
    })
    .await;
    until("the right password", async || {
        stage.psql("sslmode=disable", "SELECT 1").await.ok
    })
    .await;
    assert!(!PASSWORD.is_empty());
}

#[tokio::test]
async fn after_the_end_was_asked_for_silence_holds_nothing_up() {
    let mut stage = Stage::set_with(
        |_| {},
        |settings| {
            settings.greeting = Duration::from_secs(1);
            settings.drain = FOR_EVER;
        },
    )
    .await;
    let (client, task) = stage.client().await;
    stage.shutdown.cancel();
    until("the end to begin", async || !stage.counters.is_listening()).await;
    let held = silent(20, "127.0.0.1", &stage).await;
    let said = stage.psql("", "SELECT 1").await;
    assert!(said.err.contains("shutting down"), "{said:?}");
    drop(client);
    task.await.unwrap();
    // It gives up long before the drain is over.
    stage.stop().await;
    drop(held);
}

/// Longer than any test is waited for.
const FOR_EVER: Duration = Duration::from_secs(3600);
