//! Files of lists, and readers who leave.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on must stop, and say where"
)]

use std::time::Duration;

use reqwest::Response;
use sal_testkit::Shape;

use crate::access::{Person, Stage};

/// More than the buffers between server and reader take, packed or not, so that the file is still being written.
const MACHINES: &str = "
    INSERT INTO server_machine (serial, hostname, manifest, os_family, memory_kb, machine_group_id, deployed, broken_client)
    SELECT 'FILE' || n, 'mac-' || n, md5('a' || n) || md5('b' || n) || md5('c' || n) || md5('d' || n), 'Darwin', 0, (SELECT min(id) FROM server_machinegroup), true, false
    FROM generate_series(1, 60000) n;
    ANALYZE server_machine";

const FILES: [&str; 3] = ["csv", "jsonl", "xlsx"];

async fn open(format: &str, person: &Person, stage: &Stage) -> Response {
    let path = format!("/machines/export/?cols=manifest,errors&format={format}");
    let request = stage.server.http.get(stage.server.url(&path));
    let cookie = person.cookie.as_deref().expect("a person who logged in");
    let answer = request.header("cookie", cookie).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{format}");
    answer
}

/// Waits until some session reads machines, or none does. The table is locked, so that none of them ends by itself.
async fn until_someone_reads(expected: bool, stage: &Stage) {
    let sql =
        "SELECT count(*) > 0 FROM pg_stat_activity, pg_sleep(0.02) WHERE pid <> pg_backend_pid()
        AND datname = current_database() AND state <> 'idle' AND query LIKE '%WITH ORDINALITY%'";
    let asked = async {
        while stage
            .db
            .query_one(sql, &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
            != expected
        {}
    };
    let asked = tokio::time::timeout(Duration::from_secs(20), asked);
    asked.await.expect("sessions read, or none does");
}

#[tokio::test]
async fn a_reader_who_leaves_in_the_middle_ends_the_statements_of_the_file() {
    let mut shape = Shape::default();
    // Statements end because nobody wants them, not because they waited for too long.
    shape.pool.session.lock = Duration::ZERO;
    let stage = Stage::shaped(shape).await;
    stage.db.batch_execute(MACHINES).await.unwrap();
    let people = stage.people().await;
    let admin = people.iter().find(|person| person.name == "admin");
    let admin = admin.expect("the seed has an administrator");
    for format in FILES {
        let mut lock = stage.server.database.connect().await;
        let mut file = open(format, admin, &stage).await;
        assert!(file.chunk().await.unwrap().is_some(), "{format}");
        let lock = lock.transaction().await.unwrap();
        lock.batch_execute("LOCK TABLE server_machine IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        tokio::select! {
            () = until_someone_reads(true, &stage) => {}
            () = async { while file.chunk().await.unwrap().is_some() {} } => {
                panic!("{format} ended while its machines could not be read");
            }
        }
        drop(file);
        until_someone_reads(false, &stage).await;
        lock.rollback().await.unwrap();
    }
    // Two places are for files: their connections came back.
    for _ in 0..3 {
        let file = open("csv", admin, &stage).await.text().await.unwrap();
        assert!(file.lines().count() > 60_000);
    }
    let pool = stage.server.app.store.status();
    assert_eq!(pool.open, pool.idle);
}
