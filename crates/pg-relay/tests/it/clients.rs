//! Any client that speaks the protocol works: start-up options, COPY, cancel, encryption requests, large packets.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::stage::{PASSWORD, Stage, USER, client_program, run, until};

#[tokio::test]
async fn psql_is_logged_in_with_iam_and_knows_nothing_of_it() {
    let stage = Stage::set().await;
    let said = stage.psql("", "SELECT current_user").await;
    assert_eq!((said.ok, said.out.as_str()), (true, USER), "{said:?}");
    assert_eq!(stage.lab.metrics().success, 1);
    let said = stage.over_socket("SELECT 1").await;
    assert_eq!((said.ok, said.out.as_str()), (true, "1"), "{said:?}");
}

#[tokio::test]
async fn every_way_to_begin_works() {
    let stage = Stage::set().await;
    for more in [
        "sslmode=disable",
        "sslmode=prefer",
        "sslmode=require",
        "gssencmode=prefer",
        "application_name='a \"strange\" one'",
        "options='-c statement_timeout=7s -c search_path=pg_catalog'",
        "client_encoding=LATIN1",
    ] {
        let said = stage.psql(more, "SELECT 1").await;
        assert!(said.ok && said.out == "1", "{more}: {said:?}");
    }
    let said = stage
        .psql(
            "options='-c statement_timeout=7s'",
            "SHOW statement_timeout",
        )
        .await;
    assert_eq!(said.out, "7s");
    let said = stage
        .psql(
            "application_name=from-psql",
            "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()",
        )
        .await;
    assert_eq!(said.out, "from-psql");
}

#[tokio::test]
async fn the_clients_of_16_17_and_18_work() {
    let stage = Stage::set().await;
    assert!(stage.psql("", "CREATE TABLE kept (id int)").await.ok);
    for major in [16, 17, 18] {
        for more in ["sslmode=disable", "sslmode=require", "gssencmode=prefer"] {
            let said = run(stage.command_at(client_program(major, "psql"), more).args([
                "-XAtq",
                "-c",
                "SELECT current_user",
            ]))
            .await;
            assert!(said.ok && said.out == USER, "{major} {more}: {said:?}");
        }
        let dump = client_program(major, "pg_dump");
        let said = run(stage.command_at(dump, "").args(["-s", "-t", "kept"])).await;
        assert!(
            said.ok && said.out.contains("CREATE TABLE public.kept"),
            "{major}: {said:?}"
        );
    }
}

#[tokio::test]
async fn psql_18_works_with_direct_tls_and_the_newest_protocol() {
    let stage = Stage::set().await;
    for more in [
        "sslmode=require sslnegotiation=direct",
        "max_protocol_version=3.2 sslmode=disable",
        "max_protocol_version=latest min_protocol_version=3.0 sslmode=require",
    ] {
        let said = run(stage
            .command_at(client_program(18, "psql"), more)
            .args(["-XAtq", "-c", "SELECT 1"]))
        .await;
        assert!(said.ok && said.out == "1", "{more}: {said:?}");
    }
}

#[tokio::test]
async fn copy_dump_and_large_rows_go_through_whole() {
    let stage = Stage::set().await;
    let fill = "CREATE TABLE t AS SELECT g AS id, repeat(md5(g::text), 300) AS text FROM generate_series(1, 3000) g";
    assert!(stage.psql("", fill).await.ok);
    let sum = "SELECT md5(string_agg(text, '' ORDER BY id)) FROM t";
    let before = stage.psql("", sum).await.out;
    let path = stage.folder.path().join("copy");
    let out = format!("\\copy t TO '{}'", path.display());
    assert!(
        run(stage.command("psql", "").args(["-Xq", "-c", &out]))
            .await
            .ok
    );
    let back = format!("\\copy t FROM '{}'", path.display());
    let said = run(stage.command("psql", "sslmode=require").args([
        "-Xq",
        "-c",
        "TRUNCATE t",
        "-c",
        &back,
    ]))
    .await;
    assert!(said.ok, "{said:?}");
    assert_eq!(stage.psql("", sum).await.out, before);
    let dump = run(stage.command("pg_dump", "").args(["-t", "t"])).await;
    assert!(
        dump.ok
            && dump.out.len() > 28_000_000
            && dump.out.contains("PostgreSQL database dump complete"),
        "{} {}",
        dump.out.len(),
        dump.err
    );
}

#[tokio::test]
async fn a_cancel_request_stops_the_query() {
    let stage = Stage::set().await;
    let (client, _task) = stage.client().await;
    let token = client.cancel_token();
    let query = client.simple_query("SELECT pg_sleep(60)");
    let cancelling = async {
        let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()";
        until("the query", async || {
            stage.over_socket(running).await.out == "1"
        })
        .await;
        token.cancel_query(tokio_postgres::NoTls).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(query, cancelling);
    assert_eq!(outcome.unwrap_err().code().unwrap().code(), "57014");
    assert_eq!(
        client
            .query_one("SELECT 1", &[])
            .await
            .unwrap()
            .get::<_, i32>(0),
        1
    );
    assert_eq!(stage.counters.cancelled(), 1);
}

#[tokio::test]
async fn a_cancel_request_with_an_unknown_key_goes_nowhere() {
    let stage = Stage::set().await;
    let mut stream = TcpStream::connect(("127.0.0.1", stage.port)).await.unwrap();
    stream
        .write_all(&[0, 0, 0, 16, 4, 0xd2, 0x16, 0x2e, 0, 0, 0, 1, 0, 0, 0, 2])
        .await
        .unwrap();
    assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    assert_eq!(stage.counters.cancelled(), 0);
}

#[tokio::test]
async fn a_large_start_up_packet_is_passed_on_and_a_too_large_one_is_dropped() {
    let stage = Stage::set().await;
    let name = "n".repeat(9_000);
    let said = stage
        .psql(
            &format!("application_name={name}"),
            "SELECT length(current_setting('application_name'))",
        )
        .await;
    assert!(said.ok && said.out == "63", "{said:?}");
    let said = stage
        .psql(
            &format!("application_name={}", "n".repeat(11_000)),
            "SELECT 1",
        )
        .await;
    assert!(!said.ok, "{said:?}");
}

#[tokio::test]
async fn a_replication_start_up_gets_the_servers_own_answer() {
    let stage = Stage::set().await;
    let said = stage.psql("replication=true", "IDENTIFY_SYSTEM").await;
    assert!(
        !said.ok
            && said
                .err
                .contains("no pg_hba.conf entry for replication connection"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_hundred_clients_at_once_all_get_their_turn() {
    let stage = Stage::set_with(
        |options| options.login_limit = 200,
        |settings| settings.most_connections = 200,
    )
    .await;
    let each = (0..100).map(|n| {
        let stage = &stage;
        async move {
            let (client, task) = stage.client().await;
            let found: i32 = client
                .query_one("SELECT $1::int + 1", &[&n])
                .await
                .unwrap()
                .get(0);
            assert_eq!(found, n + 1);
            drop(client);
            task.await.unwrap();
        }
    });
    futures(each).await;
    assert!(
        stage.lab.peak_logins_per_second() <= 80,
        "{}",
        stage.lab.peak_logins_per_second()
    );
    until("the end of all sessions", async || {
        stage.counters.open() == 0
    })
    .await;
}

async fn futures(all: impl Iterator<Item = impl Future<Output = ()>>) {
    let all: Vec<_> = all.collect();
    let joined = tokio::time::timeout(Duration::from_secs(60), futures_util::future::join_all(all));
    joined.await.unwrap();
}

#[tokio::test]
async fn whoever_closes_without_a_word_is_no_failure() {
    let stage = Stage::set().await;
    drop(TcpStream::connect(("127.0.0.1", stage.port)).await.unwrap());
    let mut stream = TcpStream::connect(("127.0.0.1", stage.port)).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap_or(0), 0);
    let said = stage
        .psql("", &format!("SELECT '{}'", PASSWORD.len()))
        .await;
    assert!(said.ok, "{said:?}");
}
