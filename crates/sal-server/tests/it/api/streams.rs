//! Whole lists in one answer: JSON Lines and CSV.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use sal_testkit::{Database, Filled, Shape, TestServer, golden};
use serde_json::{Value, json};

use super::{Program, machines};

/// A row of every resource at least, with nothing, times of the summer and characters that have to be escaped.
pub(super) const SOME_OF_ALL: &str = "
    INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Stream \"1\"');
    UPDATE server_machine SET hostname = E'=cmd|\\'x\\',\"\\n\\u00fc\\u2028', last_checkin = '2025-07-01T10:00:00.25Z', os_family = 'Darwin'
        WHERE serial = 'SER0001';
    UPDATE server_machine SET console_user = NULL, last_checkin = NULL WHERE serial = 'SER0002';
    INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
        SELECT m.id, s.id, 'f' || n, repeat('x', n) FROM server_machine m, generate_series(1, 300) n,
            (SELECT id FROM server_managementsource LIMIT 1) s WHERE m.serial = 'SER0001';
    INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed, data)
        SELECT gen_random_uuid(), m.id, s.id, 'i' || m.id, 'PRESENT', '2025-01-01T00:00:00Z', '{\"a\": [1, \"b\"]}'
        FROM server_machine m, (SELECT id FROM server_managementsource LIMIT 1) s;
    INSERT INTO server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)
        SELECT gen_random_uuid(), machine_id, management_source_id, name, status, date_managed FROM server_manageditem;
    INSERT INTO server_message (machine_id, text, date, message_type)
        SELECT id, E'line\\n\\tline', '1969-12-31T23:59:59.5Z', 'ERROR' FROM server_machine WHERE serial = 'SER0001';
    INSERT INTO server_pluginscriptsubmission (plugin, historical, recorded, machine_id)
        SELECT 'P', true, '2025-07-01T10:00:00Z', id FROM server_machine WHERE serial = 'SER0001';
    INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data_int, submission_and_script_name)
        SELECT id, 'row', -7, 'P: row' FROM server_pluginscriptsubmission;
    INSERT INTO inventory_application (name, bundleid, bundlename, \"servicepackIneffect\") VALUES ('App', 'a.b', '', '');
    INSERT INTO inventory_inventoryitem (version, path, machine_id, application_id)
        SELECT '1', NULL, m.id, a.id FROM server_machine m, inventory_application a;
    INSERT INTO profiles_profile (identifier, display_name, description, install_date, organization, uuid, verification_state, machine_id)
        SELECT 'p', 'P', '', '2025-01-01T00:00:00Z', '', 'u', '', id FROM server_machine;
    INSERT INTO profiles_payload (payload_type, identifier, uuid, profile_id)
        SELECT 't', 'i' || n, 'u', id FROM profiles_profile, generate_series(1, 2) n;
    INSERT INTO search_savedsearch (name, created, save_search, created_by_id)
        SELECT 'All', '2025-01-01T00:00:00Z', true, min(id) FROM auth_user;
    INSERT INTO search_searchgroup (and_or, position, saved_search_id) SELECT 'AND', 0, id FROM search_savedsearch WHERE name = 'All';
    INSERT INTO search_searchrow (search_models, and_or, operator, search_term, search_group_id, position, search_field)
        SELECT 'Machine', 'AND', 'Contains', 'SER', id, 0, 'serial' FROM search_searchgroup;";

impl Program<'_> {
    /// An answer whose body was not read.
    pub(super) async fn open(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let part = |part: &str| {
            let name = format!("{}_{part}", self.keys.unwrap());
            golden::seed_value(&name).unwrap().unwrap()
        };
        let mut request = self.server.http.get(self.server.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
            .header("publickey", part("pub"))
            .header("privatekey", part("priv"))
            .send()
            .await
            .unwrap()
    }

    /// A file and its kind.
    async fn file(&self, path: &str) -> (String, String) {
        let answer = self.open(path, &[]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        (kind, answer.text().await.unwrap())
    }
}

fn reader(server: &TestServer) -> Program<'_> {
    Program {
        server,
        keys: Some("ro"),
    }
}

async fn some_of_all(server: &TestServer) {
    machines(12, server).await;
    let db = server.database.connect().await;
    db.batch_execute(SOME_OF_ALL).await.unwrap();
}

/// All rows of a list by its pages, as texts.
async fn by_pages(path: &str, program: &Program<'_>) -> Vec<String> {
    let (mut rows, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let page = program.get(&path).await.body;
        rows.extend(
            page.get("results")
                .unwrap()
                .as_array()
                .unwrap()
                .iter()
                .map(Value::to_string),
        );
        next = page.get("next").and_then(Value::as_str).map(str::to_owned);
    }
    rows
}

#[tokio::test]
async fn q200_json_lines_are_the_rows_of_the_pages_and_their_number() {
    let mut shape = Shape::default();
    shape.http.time_zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
    let server = TestServer::shaped(Database::new(Filled::Seeded).await, shape);
    some_of_all(&server).await;
    let program = reader(&server);
    for resource in sal_store::resources::RESOURCES {
        let path = format!("/api/v2/{}/", resource.name);
        let mut rows = by_pages(&path, &program).await;
        assert!(!rows.is_empty(), "{path}");
        let (kind, text) = program.file(&format!("{path}?format=jsonl")).await;
        assert_eq!(kind, "application/jsonl");
        assert!(text.ends_with('\n'));
        let mut lines: Vec<&str> = text.lines().collect();
        let end = lines.pop().unwrap();
        assert_eq!(end, json!({"end": true, "rows": rows.len()}).to_string());
        if resource.is_by_key(&sal_store::resources::Conditions::default()) {
            // They come as the database has them.
            rows.sort();
            lines.sort_unstable();
        }
        assert_eq!(lines, rows, "{path}");
    }
}

#[tokio::test]
async fn q200_csv_has_as_many_fields_in_each_record_and_the_number_in_the_last() {
    let server = TestServer::start(Filled::Seeded).await;
    some_of_all(&server).await;
    let program = reader(&server);
    for resource in sal_store::resources::RESOURCES {
        let path = format!("/api/v2/{}/?format=csv", resource.name);
        let (kind, text) = program.file(&path).await;
        assert_eq!(kind, "text/csv; charset=utf-8");
        let records = records(&text);
        let heads: Vec<&str> = resource.columns.iter().map(|column| column.name).collect();
        let (head, rest) = records.split_first().unwrap();
        assert_eq!(head[..heads.len()], heads);
        assert_eq!(head[heads.len()..], ["_end"]);
        assert!(
            rest.iter().all(|record| record.len() == head.len()),
            "{path}"
        );
        let (end, rows) = rest.split_last().unwrap();
        assert!(end[..heads.len()].iter().all(String::is_empty));
        assert_eq!(end[heads.len()], rows.len().to_string());
        assert!(rows.iter().all(|row| row[heads.len()].is_empty()));
    }
    let path = "/api/v2/machines/?format=csv&fields=serial,deployed,hostname&serial=SER0001";
    let (_, text) = program.file(path).await;
    assert_eq!(
        text,
        "deployed,serial,hostname,_end\r\nfalse,SER0001,\"'=cmd|'x',\"\"\nü\u{2028}\",\r\n,,,1\r\n"
    );
    let path = "/api/v2/profiles/?format=csv&fields=machine,payloads&machine__serial=SER0003";
    let (_, text) = program.file(path).await;
    let row = &records(&text)[1];
    let payloads: Value = serde_json::from_str(&row[0]).unwrap();
    assert_eq!(
        (payloads[1]["identifier"].as_str(), row[3].as_str()),
        (Some("i2"), "SER0003")
    );
}

/// As RFC 4180 has them.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut cell, mut quoted) =
        (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => cell.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\r' if !quoted => assert_eq!(characters.peek(), Some(&'\n')),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                all.push(std::mem::take(&mut record));
            }
            other => cell.push(other),
        }
    }
    assert!(cell.is_empty() && record.is_empty() && !quoted);
    all
}

#[tokio::test]
async fn a_stream_takes_what_narrows_a_list_and_refuses_what_cuts_it() {
    let server = TestServer::start(Filled::Seeded).await;
    some_of_all(&server).await;
    let program = reader(&server);
    let query =
        "filter=os_version%20%3E%3D%2015.3&ordering=-serial&fields=serial&search=mac&deployed=1";
    let (_, text) = program
        .file(&format!("/api/v2/machines/?format=jsonl&{query}"))
        .await;
    let rows = by_pages(&format!("/api/v2/machines/?{query}"), &program).await;
    assert!(rows.len() > 1);
    let end = json!({"end": true, "rows": rows.len()});
    assert_eq!(text, format!("{}\n{end}\n", rows.join("\n")));
    let none = program
        .file("/api/v2/machines/?format=jsonl&serial=no")
        .await;
    assert_eq!(none.1, "{\"end\":true,\"rows\":0}\n");
    for (path, status) in [
        ("/api/v2/machines/?format=jsonl&page=2", 400),
        ("/api/v2/machines/?format=csv&page_size=5", 400),
        ("/api/v2/machines/?format=csv&deployed=maybe", 400),
        ("/api/v2/machines/?format=jsonl&nonsense=1&strict=1", 400),
        ("/api/v2/machines/?format=xlsx", 404),
        ("/api/v2/machines/SER0001/?format=jsonl", 404),
        ("/api/v2/?format=csv", 404),
    ] {
        let answer = program.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
    }
    let one = program
        .open("/api/v2/machines/SER0001/", &[("accept", "text/csv")])
        .await;
    assert_eq!(one.status(), StatusCode::NOT_ACCEPTABLE);
    let ignored = program
        .open(
            "/api/v2/machines/?nonsense=1",
            &[("accept", "application/x-ndjson")],
        )
        .await;
    assert_eq!(ignored.headers()["content-type"], "application/x-ndjson");
    assert_eq!(
        ignored.headers()["warning"],
        "299 - \"ignored parameters: nonsense\""
    );
    assert_eq!(
        ignored.headers()["content-disposition"],
        "attachment; filename=\"machines.jsonl\""
    );
    let head = program
        .send(Method::HEAD, "/api/v2/machines/?format=csv", None)
        .await;
    assert_eq!(head.headers["content-type"], "text/csv; charset=utf-8");
}

#[tokio::test]
async fn the_machines_of_a_search_stream_as_an_array_and_as_lines() {
    let server = TestServer::start(Filled::Seeded).await;
    some_of_all(&server).await;
    let program = reader(&server);
    let db = server.database.connect().await;
    let id = db
        .query_one("SELECT max(id) FROM search_savedsearch", &[])
        .await
        .unwrap();
    let path = format!("/api/v2/saved_searches/{}/execute/", id.get::<_, i64>(0));
    let rows = program.get(&format!("{path}?full")).await.body;
    assert_eq!(rows.as_array().unwrap().len(), 12);
    assert_eq!(rows[0].as_object().unwrap().len(), 23);
    let (_, lines) = program.file(&format!("{path}?full&format=jsonl")).await;
    let expected: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    assert_eq!(
        lines,
        format!("{}\n{{\"end\":true,\"rows\":12}}\n", expected.join("\n"))
    );
    let (_, csv) = program.file(&format!("{path}?format=csv")).await;
    assert!(csv.starts_with("id,last_checkin,serial,hostname,console_user,_end\r\n"));
    db.batch_execute("UPDATE server_machine SET serial = 'X' || id")
        .await
        .unwrap();
    assert_eq!(program.get(&path).await.body, json!([]));
}

#[tokio::test]
async fn a_stream_is_packed_for_whoever_takes_that() {
    let server = TestServer::start(Filled::Seeded).await;
    some_of_all(&server).await;
    let path = "/api/v2/facts/?format=jsonl";
    let answer = reader(&server)
        .open(path, &[("accept-encoding", "gzip")])
        .await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let packed = answer.bytes().await.unwrap();
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(&packed[..]);
    std::io::Read::read_to_string(&mut unpacked, &mut text).unwrap();
    assert!(text.ends_with("{\"end\":true,\"rows\":300}\n"));
    assert!(packed.len() < text.len() / 4);
}

const MANY: usize = 60_000;

/// Far more than fits between the server and a reader that does not read.
async fn many_facts(server: &TestServer) {
    machines(1, server).await;
    let db = server.database.connect().await;
    let fill = format!(
        "INSERT INTO server_fact (machine_id, fact_name, fact_data)
         SELECT (SELECT max(id) FROM server_machine), 'f' || n, repeat('x', 400) FROM generate_series(1, {MANY}) n"
    );
    db.batch_execute(&fill).await.unwrap();
}

/// How many sessions have a list under way, asked until it is as expected.
async fn until_streams_are(count: i64, server: &TestServer) {
    let db = server.database.connect().await;
    let asked = async {
        loop {
            let row = db
                .query_one(
                    "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.05) WHERE pid <> pg_backend_pid()
                         AND datname = current_database() AND state <> 'idle' AND query LIKE '%salrs_stream%'",
                    &[],
                )
                .await
                .unwrap();
            if row.get::<_, i64>(0) == count {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked)
        .await
        .unwrap();
}

#[tokio::test]
async fn all_rows_are_of_one_moment() {
    let server = TestServer::start(Filled::Seeded).await;
    many_facts(&server).await;
    let mut answer = reader(&server)
        .open("/api/v2/facts/?format=jsonl", &[])
        .await;
    let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
    let db = server.database.connect().await;
    db.batch_execute(
        "DELETE FROM server_fact WHERE id % 2 = 0; UPDATE server_fact SET fact_data = 'new';
         INSERT INTO server_fact (machine_id, fact_name, fact_data) SELECT machine_id, 'more' || id, '' FROM server_fact",
    )
    .await
    .unwrap();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(text).unwrap();
    let old = "x".repeat(400);
    assert_eq!(
        text.lines().filter(|line| line.contains(&old)).count(),
        MANY
    );
    assert!(text.ends_with(&format!("\n{{\"end\":true,\"rows\":{MANY}}}\n")));
    until_streams_are(0, &server).await;
}

#[tokio::test]
async fn whoever_goes_away_ends_the_query() {
    let server = TestServer::start(Filled::Seeded).await;
    many_facts(&server).await;
    let mut answer = reader(&server).open("/api/v2/facts/?format=csv", &[]).await;
    assert!(answer.chunk().await.unwrap().is_some());
    until_streams_are(1, &server).await;
    drop(answer);
    until_streams_are(0, &server).await;
    // Two places are for streams: their connections came back.
    for _ in 0..3 {
        let (_, text) = reader(&server).file("/api/v2/machines/?format=jsonl").await;
        assert!(text.ends_with("{\"end\":true,\"rows\":1}\n"));
    }
}

#[tokio::test]
async fn a_stream_that_broke_has_no_end() {
    let server = TestServer::start(Filled::Seeded).await;
    many_facts(&server).await;
    let db = server.database.connect().await;
    for path in ["/api/v2/facts/?format=jsonl", "/api/v2/facts/?format=csv"] {
        let mut answer = reader(&server).open(path, &[]).await;
        let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE pid <> pg_backend_pid() AND datname = current_database() AND query LIKE '%salrs_stream%'",
            &[],
        )
        .await
        .unwrap();
        let broke = loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => text.extend_from_slice(&chunk),
                Ok(None) => break false,
                Err(_broke_off) => break true,
            }
        };
        assert!(broke, "{path}");
        assert!(!String::from_utf8_lossy(&text).contains("end\":true"));
        assert!(!text.ends_with(format!(",{MANY}\r\n").as_bytes()));
    }
}

/// They would keep the rows that change meanwhile, and the few connections there are for streams.
#[tokio::test]
async fn readers_that_stop_are_left_and_the_next_one_is_served() {
    let mut shape = Shape::default();
    shape.http.stream_patience = Duration::from_millis(300);
    let server = TestServer::shaped(Database::new(Filled::Seeded).await, shape);
    many_facts(&server).await;
    let mut stopped = Vec::new();
    // Two places are for streams.
    for _ in 0..3 {
        stopped.push(
            reader(&server)
                .open("/api/v2/facts/?format=jsonl", &[])
                .await,
        );
    }
    let (_, text) = reader(&server).file("/api/v2/machines/?format=jsonl").await;
    assert!(text.ends_with("{\"end\":true,\"rows\":1}\n"));
    until_streams_are(0, &server).await;
    // Their connections stay open, and what comes over them is no whole answer.
    for answer in stopped {
        assert!(answer.bytes().await.is_err());
    }
}
