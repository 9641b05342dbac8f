//! What else a front door of Postgres is asked to do.

use std::process::Stdio;

use rds_lab::DirectTls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::config::SslNegotiation;

use crate::client::{ask, config, connect, open, psql, said, shown, tls};
use crate::site::{Site, USER};

#[tokio::test]
async fn a_query_is_cancelled_through_the_gate() {
    let site = Site::start().await;
    let session = connect(&site.lab, USER, &site.token().sign())
        .await
        .unwrap();
    let canceller = session.client.cancel_token();
    let pid: i32 = session
        .client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    let watcher = connect(&site.lab, USER, &site.token().sign())
        .await
        .unwrap();
    let stop = async {
        let sleeping =
            format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND state = 'active'");
        loop {
            let row = watcher.client.query_one(&sleeping, &[]).await.unwrap();
            if row.get::<_, i64>(0) == 1 {
                break;
            }
        }
        canceller
            .cancel_query(tls(&site.lab.ca_pem()))
            .await
            .unwrap();
    };
    let (slept, ()) = tokio::join!(session.client.batch_execute("SELECT pg_sleep(20)"), stop);
    assert_eq!(shown(&slept.unwrap_err()).0, "57014");
    assert_eq!(ask(&session, "SELECT 'still there'").await, "still there");
}

#[tokio::test]
async fn requests_for_gss_are_declined_and_tls_may_follow() {
    let site = Site::start().await;
    let mut stream = TcpStream::connect(site.lab.address()).await.unwrap();
    let gss = pg_frames::FirstPacket::GssEncryptionRequest
        .to_bytes()
        .unwrap();
    let ssl = pg_frames::FirstPacket::SslRequest.to_bytes().unwrap();
    stream.write_all(&gss).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'N');
    stream.write_all(&ssl).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'S');
}

#[tokio::test]
async fn bytes_that_are_no_postgres_are_dropped_without_an_answer() {
    let site = Site::start().await;
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n".as_slice(),
        &[0, 0, 0, 8, 0, 2, 0, 0],
        &[0; 64],
    ] {
        let mut stream = TcpStream::connect(site.lab.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer).await;
        assert!(ended.is_err() || answer.is_empty(), "{bytes:?}: {answer:?}");
    }
}

#[tokio::test]
async fn direct_tls_is_taken_where_the_endpoint_does() {
    let site = Site::start_with(|options| options.direct_tls = DirectTls::Always).await;
    let token = site.token().sign();
    let mut direct = config(&site.lab, USER, &token);
    direct.ssl_negotiation(SslNegotiation::Direct);
    let session = open(&direct, &site.lab.ca_pem()).await.unwrap();
    assert_eq!(ask(&session, "SELECT session_user::text").await, USER);

    let classic = Site::start().await;
    let mut direct = config(&classic.lab, USER, &classic.token().sign());
    direct.ssl_negotiation(SslNegotiation::Direct);
    assert!(open(&direct, &classic.lab.ca_pem()).await.is_err());
}

#[tokio::test]
async fn pg_dump_works_through_the_gate() {
    let site = Site::start().await;
    site.sql("CREATE TABLE big AS SELECT n, repeat('x', 1000) AS filler FROM generate_series(1, 5000) n; ALTER TABLE big OWNER TO sal").await;
    let target = format!(
        "host={} hostaddr=127.0.0.1 port={} dbname=sal user={USER} sslmode=verify-full sslrootcert={}",
        site.lab.endpoint(),
        site.lab.address().port(),
        site.lab.ca_file().display()
    );
    let output = tokio::process::Command::new("pg_dump")
        .args(["--table", "big", "-d", &target])
        .env("PGPASSWORD", site.token().sign())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let dumped = said(&output);
    let rows = dumped
        .out
        .lines()
        .filter(|line| line.ends_with("xxxx"))
        .count();
    assert_eq!(rows, 5_000, "{}", dumped.err);
}

#[tokio::test]
async fn start_up_options_reach_the_session() {
    let site = Site::start().await;
    let token = site.token().sign();
    let how = "sslmode=verify-full application_name=doctor options='-c work_mem=3MB'";
    let sql = "SELECT current_setting('work_mem') || current_setting('application_name')";
    let said = psql(&site.lab, USER, &token, how, sql).await;
    assert_eq!(said.out, "3MBdoctor", "{}", said.err);
}

#[tokio::test]
async fn replication_has_no_entry() {
    let site = Site::start().await;
    let how = "sslmode=verify-full replication=true";
    let said = psql(
        &site.lab,
        USER,
        &site.token().sign(),
        how,
        "IDENTIFY_SYSTEM",
    )
    .await;
    let text = "no pg_hba.conf entry for replication connection from host \"127.0.0.1\", user \"salawsiam\", SSL encryption";
    assert!(said.err.contains(text), "{}", said.err);
}

#[tokio::test]
async fn fifty_clients_log_in_at_the_same_time() {
    let site = Site::start().await;
    let token = site.token().sign();
    let logins = (0..50).map(|_| connect(&site.lab, USER, &token));
    let sessions = futures_util::future::join_all(logins).await;
    assert!(sessions.iter().all(Result::is_ok));
    assert_eq!(site.lab.metrics().success, 50);
    assert!((1..=50).contains(&site.lab.peak_logins_per_second()));
}
