//! `changed_since`: a program that applies each answer holds what the lists hold.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, StatusCode};
use sal_http::api_token::TokenSecret;
use sal_testkit::{Database, Filled, Shape, TestServer, golden};
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{
    Answer,
    tokens::{Bearer, WRITES, number, token},
    units::OWN,
};
use crate::packed::{dict, pack, plist, post};

const LISTS: [&str; 5] = [
    "machines",
    "facts",
    "managed_items",
    "inventory",
    "profiles",
];

/// How a program asks.
#[derive(Clone, Copy)]
enum Way {
    Pages,
    Lines,
}

/// What a program holds of a list.
struct Mirror<'a> {
    program: Bearer<'a>,
    list: &'static str,
    way: Way,
    since: String,
    rows: BTreeMap<String, Value>,
}

/// What an answer said of machines.
#[derive(Debug, Default, PartialEq)]
struct News {
    machines: BTreeSet<i64>,
    gone: BTreeSet<i64>,
}

fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn ids(list: &Value) -> BTreeSet<i64> {
    let all = list.as_array().into_iter().flatten();
    all.map(|one| one.get("machine").unwrap_or(one).as_i64().unwrap())
        .collect()
}

impl<'a> Mirror<'a> {
    fn new(list: &'static str, way: Way, server: &'a TestServer, secret: &'a TokenSecret) -> Self {
        Self {
            program: Bearer { server, secret },
            list,
            way,
            since: "start".to_owned(),
            rows: BTreeMap::new(),
        }
    }

    fn path(&self, more: &str) -> String {
        format!("/api/v2/{}/?{more}", self.list)
    }

    async fn ok(&self, path: &str) -> Answer {
        let answer = self.program.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer
    }

    /// Asks when nobody writes, and applies the answer.
    async fn hears(&mut self, db: &Client) -> News {
        let writers = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL";
        while number(writers, db).await > 0 {}
        self.follow().await
    }

    /// Asks, and applies the answer.
    async fn follow(&mut self) -> News {
        let (changes, rows, next) = match self.way {
            Way::Pages => self.pages("page_size=2").await,
            Way::Lines => self.lines().await,
        };
        let news = News {
            machines: ids(at(&changes, "machines")),
            gone: ids(at(&changes, "gone")),
        };
        assert_eq!(at(&changes, "machines").is_null(), self.since == "start");
        let machine = |row: &Value| match self.list {
            "machines" => at(row, "id").as_i64().unwrap(),
            "profiles" => at(at(row, "machine"), "id").as_i64().unwrap(),
            _ => at(row, "machine").as_i64().unwrap(),
        };
        let is_old = |row: &Value| {
            let machine = machine(row);
            news.machines.contains(&machine) || news.gone.contains(&machine)
        };
        self.rows.retain(|_, row| !is_old(row));
        for row in rows {
            assert!(
                self.since == "start" || news.machines.contains(&machine(&row)),
                "a row of a machine that was not named: {row}"
            );
            self.rows.insert(at(&row, "id").to_string(), row);
        }
        self.since = next;
        news
    }

    async fn pages(&self, more: &str) -> (Value, Vec<Value>, String) {
        let first = self.path(&format!("changed_since={}&{more}", self.since));
        let first = self.ok(&first).await.body;
        let mut rows = at(&first, "results").as_array().unwrap().clone();
        let mut page = first.clone();
        while let Some(next) = at(&page, "next").as_str().map(str::to_owned) {
            let path = next.split_once("/api/").unwrap().1.to_owned();
            page = self.ok(&format!("/api/{path}")).await.body;
            assert_eq!(at(&page, "changed_since"), at(&first, "changed_since"));
            assert!(page.get("changes").is_none());
            rows.extend(at(&page, "results").as_array().unwrap().iter().cloned());
        }
        let next = at(&first, "changed_since").as_str().unwrap().to_owned();
        (at(&first, "changes").clone(), rows, next)
    }

    async fn lines(&self) -> (Value, Vec<Value>, String) {
        let path = self.path(&format!("changed_since={}&format=jsonl", self.since));
        let server = self.program.server;
        let answer = server
            .http
            .get(server.url(&path))
            .bearer_auth(self.program.secret.reveal())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let text = answer.text().await.unwrap();
        let mut lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let end = lines.pop().unwrap();
        let changes = lines.remove(0);
        assert_eq!(
            (at(&end, "end").as_bool(), at(&end, "rows").as_u64()),
            (Some(true), u64::try_from(lines.len()).ok())
        );
        let next = at(&end, "changed_since").as_str().unwrap().to_owned();
        (at(&changes, "changes").clone(), lines, next)
    }

    /// The list holds the same rows.
    async fn is_true(&self, after: &str) {
        let whole = self.ok(&self.path("page_size=1000")).await.body;
        let rows = at(&whole, "results").as_array().unwrap();
        let rows: BTreeMap<String, Value> = rows
            .iter()
            .map(|row| (at(row, "id").to_string(), row.clone()))
            .collect();
        assert_eq!(self.rows, rows, "{} after {after}", self.list);
    }
}

async fn checked_in(server: &TestServer, key: &str, serial: &str, fact: &str, item: &str) {
    let key = golden::seed_value(key).unwrap().unwrap();
    let body = json!({
        "Machine": {"extra_data": {"serial": serial, "hostname": serial}, "facts": {"a": "1"}},
        "Sal": {"extra_data": {"key": key}, "facts": {"role": fact}},
        "Munki": {"managed_items": {item: {"status": "PRESENT", "data": {}, "date_managed": "2026-01-01T00:00:00Z"}}},
    });
    let (code, text) = server.checkin(&key, body.to_string()).await;
    assert_eq!(code, 200, "{text}");
}

async fn applications(server: &TestServer, serial: &str, version: &str) {
    let item = dict(&[("name", "App"), ("version", version), ("path", "/a")]);
    let packed = pack(plist(&format!("<array>{item}</array>")).as_bytes());
    let fields = [("serial", serial), ("base64bz2inventory", packed.as_str())];
    assert_eq!(post(server, "/inventory/submit/", &fields).await.0, 200);
}

async fn profiles(server: &TestServer, serial: &str, name: &str) {
    let profile = dict(&[
        ("ProfileIdentifier", name),
        ("ProfileUUID", name),
        ("ProfileDisplayName", name),
        ("ProfileInstallDate", "2025-01-01 00:00:00 +0000"),
    ]);
    let all = format!("<dict><key>_computerlevel</key><array>{profile}</array></dict>");
    let packed = pack(plist(&all).as_bytes());
    let fields = [("serial", serial), ("base64bz2profiles", packed.as_str())];
    assert_eq!(post(server, "/profiles/submit/", &fields).await.0, 200);
}

/// Something that happens.
enum Step {
    /// Key, serial number, a fact's value, an item.
    Checkin(&'static str, &'static str, &'static str, &'static str),
    Applications(&'static str, &'static str),
    Profiles(&'static str, &'static str),
    Program(Method, &'static str, Value),
    Sql(&'static str),
}

impl Step {
    async fn run(&self, server: &TestServer, admin: &Bearer<'_>) {
        match self {
            Self::Checkin(key, serial, fact, item) => {
                checked_in(server, key, serial, fact, item).await;
            }
            Self::Applications(serial, version) => applications(server, serial, version).await,
            Self::Profiles(serial, name) => profiles(server, serial, name).await,
            Self::Program(method, path, body) => {
                let answer = admin.send(method.clone(), path, Some(body.clone())).await;
                assert!(answer.status.is_success(), "{path}: {}", answer.body);
            }
            Self::Sql(sql) => {
                let db = server.database.connect().await;
                db.batch_execute(sql).await.unwrap();
            }
        }
    }
}

fn script() -> Vec<(&'static str, Step)> {
    use Step::{Applications, Checkin, Profiles, Program, Sql};
    let unit = |id: i64| json!({ "name": "Default", "business_unit": id });
    let many = json!({ "serials": ["C02B"], "action": "move", "machine_group": 1 });
    let group = json!({ "machine_group": 3 });
    // As a check-in through Django Sal.
    let django = "UPDATE server_machine SET last_checkin = now() WHERE serial = 'C02B';
        UPDATE server_fact SET fact_data = 'django' WHERE fact_name = 'role' AND machine_id = (SELECT id FROM server_machine WHERE serial = 'C02B')";
    let by_hand = "UPDATE server_machine SET hostname = 'by hand' WHERE serial = 'C02B'";
    let machine = |serial: &str| match serial {
        "C02A" => "/api/v2/machines/C02A/",
        _ => "/api/v2/machines/C02B/",
    };
    let its_group = "/api/v2/machine_groups/1/";
    vec![
        ("another fact", Checkin("key1", "C02A", "lab", "Firefox")),
        ("the same again", Checkin("key1", "C02A", "lab", "Firefox")),
        ("another item", Checkin("key1", "C02A", "lab", "Chrome")),
        ("another version", Applications("C02B", "2")),
        ("another profile", Profiles("C02B", "Wi-Fi")),
        ("a move by key", Checkin("key3", "C02A", "lab", "Chrome")),
        ("a move back", Checkin("key1", "C02A", "lab", "Chrome")),
        (
            "a program's move",
            Program(Method::PATCH, machine("C02B"), group),
        ),
        (
            "a move of many",
            Program(Method::POST, "/api/v2/machines/bulk/", many),
        ),
        ("a group's move", Program(Method::PUT, its_group, unit(2))),
        (
            "a group's move back",
            Program(Method::PUT, its_group, unit(1)),
        ),
        (
            "a machine's end",
            Program(Method::DELETE, machine("C02A"), Value::Null),
        ),
        ("somebody's own SQL", Sql(by_hand)),
        ("a check-in elsewhere", Sql(django)),
        (
            "ours after it",
            Checkin("key1", "C02B", "django", "Firefox"),
        ),
        (
            "a group's end",
            Program(Method::DELETE, its_group, Value::Null),
        ),
    ]
}

#[tokio::test]
async fn whoever_applies_each_answer_holds_what_the_lists_hold() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let (all, own) = (
        token("all", &[WRITES], &db).await,
        token("own", &[OWN], &db).await,
    );
    let admin = Bearer {
        server: &server,
        secret: &all,
    };
    for serial in ["C02A", "C02B", "C02C"] {
        let key = if serial == "C02C" { "key3" } else { "key1" };
        checked_in(&server, key, serial, "kiosk", "Firefox").await;
        applications(&server, serial, "1").await;
        profiles(&server, serial, "VPN").await;
    }
    let mut mirrors = Vec::new();
    for list in LISTS {
        for secret in [&all, &own] {
            for way in [Way::Pages, Way::Lines] {
                mirrors.push(Mirror::new(list, way, &server, secret));
            }
        }
    }
    for mirror in &mut mirrors {
        mirror.follow().await;
        mirror.is_true("the start").await;
    }
    for (what, step) in script() {
        step.run(&server, &admin).await;
        for mirror in &mut mirrors {
            mirror.follow().await;
            mirror.is_true(what).await;
        }
    }
}

#[tokio::test]
async fn only_machines_with_changes_are_named_and_those_that_are_gone_to_whom_they_were_shown() {
    // Transactions of others, also in other databases of a server, hold the cursor back; then more machines are named.
    let server = TestServer::shaped(Database::alone(Filled::Seeded).await, Shape::default());
    let db = server.database.connect().await;
    let (all, own) = (
        token("all", &[WRITES], &db).await,
        token("own", &[OWN], &db).await,
    );
    for (key, serial) in [("key1", "C02A"), ("key1", "C02B"), ("key3", "C02C")] {
        checked_in(&server, key, serial, "kiosk", "Firefox").await;
    }
    let id = async |serial: &str| {
        number(
            &format!("SELECT id FROM server_machine WHERE serial = '{serial}'"),
            &db,
        )
        .await
    };
    let (a, b, c) = (id("C02A").await, id("C02B").await, id("C02C").await);
    let news = |machines: &[i64], gone: &[i64]| News {
        machines: machines.iter().copied().collect(),
        gone: gone.iter().copied().collect(),
    };
    let mut facts = Mirror::new("facts", Way::Lines, &server, &all);
    let mut machines = Mirror::new("machines", Way::Pages, &server, &all);
    let mut owns = Mirror::new("facts", Way::Pages, &server, &own);
    for mirror in [&mut facts, &mut machines, &mut owns] {
        mirror.hears(&db).await;
        assert_eq!(mirror.hears(&db).await, news(&[], &[]));
    }
    checked_in(&server, "key1", "C02A", "kiosk", "Firefox").await;
    assert_eq!(machines.hears(&db).await, news(&[a], &[]));
    assert_eq!(facts.hears(&db).await, news(&[], &[]), "the same facts");
    checked_in(&server, "key1", "C02B", "lab", "Firefox").await;
    checked_in(&server, "key3", "C02C", "lab", "Firefox").await;
    assert_eq!(facts.hears(&db).await, news(&[b, c], &[]));
    assert_eq!(owns.hears(&db).await, news(&[b], &[]), "C is not its");

    checked_in(&server, "key3", "C02A", "kiosk", "Firefox").await;
    assert_eq!(owns.hears(&db).await, news(&[], &[a]), "A left its unit");
    assert_eq!(
        facts.hears(&db).await,
        news(&[a], &[]),
        "whoever sees both still has it"
    );
    let answer = facts
        .program
        .send(Method::DELETE, "/api/v2/machines/C02C/", None)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(owns.hears(&db).await, news(&[], &[]), "it never saw C");
    assert_eq!(facts.hears(&db).await, news(&[], &[c]));
    assert_eq!(machines.hears(&db).await, news(&[a, b], &[c]));
}

#[tokio::test]
async fn a_machine_that_goes_between_two_pages_hides_no_other() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let all = token("all", &[WRITES], &db).await;
    let program = Bearer {
        server: &server,
        secret: &all,
    };
    for serial in ["C02A", "C02B", "C02C"] {
        checked_in(&server, "key1", serial, "kiosk", "Firefox").await;
    }
    let first = program
        .get("/api/v2/machines/?changed_since=start&page_size=1")
        .await
        .body;
    let answer = program
        .send(Method::DELETE, "/api/v2/machines/C02A/", None)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let mut met = vec![at(&first, "results").clone()];
    let mut page = first;
    while let Some(next) = at(&page, "next").as_str().map(str::to_owned) {
        let path = next.split_once("/api/").unwrap().1.to_owned();
        page = program.get(&format!("/api/{path}")).await.body;
        met.push(at(&page, "results").clone());
    }
    let met = Value::Array(met).to_string();
    for serial in ["C02A", "C02B", "C02C"] {
        assert!(met.contains(serial), "{serial}: {met}");
    }
}

#[tokio::test]
async fn a_change_that_commits_after_the_answer_is_in_the_next() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let all = token("all", &[], &db).await;
    checked_in(&server, "key1", "C02A", "kiosk", "Firefox").await;
    let mut mirror = Mirror::new("facts", Way::Lines, &server, &all);
    mirror.follow().await;
    db.batch_execute(
        "BEGIN; UPDATE server_fact SET fact_data = 'late'; UPDATE salrs_checkin SET facts_changed = pg_current_xact_id()",
    )
    .await
    .unwrap();
    // Others begin and end meanwhile.
    checked_in(&server, "key3", "C02C", "kiosk", "Firefox").await;
    mirror.follow().await;
    mirror.is_true("another's check-in").await;
    db.batch_execute("COMMIT").await.unwrap();
    mirror.follow().await;
    mirror.is_true("the late change").await;
    assert!(mirror.rows.values().any(|row| row["fact_data"] == "late"));
}

#[tokio::test]
async fn a_cursor_of_elsewhere_or_long_ago_is_gone_and_nonsense_is_refused() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let (all, own) = (
        token("all", &[], &db).await,
        token("own", &[OWN], &db).await,
    );
    let program = |secret| Bearer {
        server: &server,
        secret,
    };
    let ask = async |secret, path: &str| program(secret).get(path).await;
    let answer = ask(&all, "/api/v2/facts/?changed_since=start").await;
    let cursor = answer.body["changed_since"].as_str().unwrap().to_owned();
    let facts = format!("/api/v2/facts/?changed_since={cursor}");
    assert_eq!(ask(&all, &facts).await.status, StatusCode::OK);

    let (owner, rest) = cursor.split_once('-').unwrap();
    let (transaction, given) = rest.split_once('-').unwrap();
    let (transaction, given): (i64, i64) = (transaction.parse().unwrap(), given.parse().unwrap());
    let long_ago = given - 31 * 24 * 3600;
    for (secret, path) in [
        (&own, facts.clone()),
        (&all, facts.replace("facts", "machines")),
        (&all, format!("{facts}&fact_name=role")),
        (
            &all,
            format!("/api/v2/facts/?changed_since={owner}-{transaction}-{long_ago}"),
        ),
        (
            &all,
            format!(
                "/api/v2/facts/?changed_since={owner}-{}-{given}",
                transaction + 1_000_000
            ),
        ),
        (
            &all,
            format!(
                "/api/v2/facts/?changed_since=start&until=0123456789abcdef-{transaction}-{given}"
            ),
        ),
    ] {
        let answer = ask(secret, &path).await;
        assert_eq!(answer.status, StatusCode::GONE, "{path}");
        assert!(
            answer.body["detail"]
                .as_str()
                .unwrap()
                .contains("changed_since=start")
        );
    }
}

#[tokio::test]
async fn what_cannot_be_asked_together_with_a_cursor_is_named() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let all = token("all", &[], &db).await;
    let program = Bearer {
        server: &server,
        secret: &all,
    };
    for (path, field) in [
        ("facts/?changed_since=2026-01-01", "changed_since"),
        ("facts/?changed_since=", "changed_since"),
        ("facts/?changed_since=start&until=start", "until"),
        ("facts/?changed_since=start&filter=deployed", "filter"),
        ("facts/?changed_since=start&search=a", "search"),
        ("facts/?changed_since=start&page=2", "page"),
        ("facts/?changed_since=start&ordering=id", "ordering"),
        (
            "facts/?changed_since=start&machine__serial=A",
            "machine__serial",
        ),
        ("facts/?until=0123456789abcdef-77-1700000000", "until"),
        ("messages/?until=x", "until"),
        ("facts/?changed_since=start&format=csv", "changed_since"),
        ("messages/?changed_since=start", "changed_since"),
    ] {
        let answer = program.get(&format!("/api/v2/{path}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.body.get(field).is_some(), "{path}: {}", answer.body);
    }
}
