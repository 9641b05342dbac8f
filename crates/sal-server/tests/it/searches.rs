//! Saved searches: both meanings of each against what Sal and Django found, and the tables behind them.

mod kept;
mod quirks;

use jiff::{Timestamp, tz::TimeZone};
use sal_query::{
    check::{NothingNamed, check_expr},
    sal_search::{self, Joined, SalGroup, SalRow, SalSearch},
};
use sal_store::{
    scope::Scope,
    searches::compare::{self, FoundMachine},
};
use sal_testkit::{Database, Filled, TestServer, golden};
use serde_json::Value;
use tokio_postgres::Client;

use crate::packed::pack;

fn folder() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/saved_searches").to_owned()
}

fn json(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("{}/{name}", folder())).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The zone of the original, where nobody sets one.
fn zone() -> TimeZone {
    TimeZone::get("Europe/London").unwrap()
}

/// The six machines that the searches of `django.json` were run on.
async fn small_fleet() -> (Database, Client) {
    let database = Database::new(Filled::Fresh).await;
    let db = database.connect().await;
    let fleet = std::fs::read_to_string(format!("{}/fleet.sql", folder())).unwrap();
    db.batch_execute(&fleet).await.unwrap();
    (database, db)
}

fn joined(value: &Value) -> Joined {
    Joined::parse(value.as_str().unwrap())
}

fn search_of(groups: &Value) -> SalSearch {
    let row = |row: &Value| {
        let text = |at: usize| row[at].as_str().unwrap().to_owned();
        SalRow {
            joined: joined(&row[0]),
            model: text(1),
            field: text(2),
            operator: text(3),
            term: text(4),
        }
    };
    let group = |group: &Value| SalGroup {
        joined: joined(&group[0]),
        rows: group[1].as_array().unwrap().iter().map(row).collect(),
    };
    SalSearch {
        groups: groups.as_array().unwrap().iter().map(group).collect(),
    }
}

fn serials(found: &[FoundMachine]) -> Vec<String> {
    found.iter().map(|machine| machine.serial.clone()).collect()
}

/// The machines that the original finds.
async fn then(search: &SalSearch, db: &Client) -> Result<Vec<String>, String> {
    let meaning = search.as_sal(&zone())?;
    let found = compare::machines_as_sal(&meaning, &Scope::All, db)
        .await
        .unwrap();
    found
        .map(|found| serials(&found))
        .map_err(|error| error.to_string())
}

/// The machines that ours finds.
async fn now(search: &SalSearch, db: &Client) -> Result<Vec<String>, Vec<String>> {
    let expr = sal_search::read(search).expr()?;
    let condition = check_expr(&expr, &zone(), &NothingNamed).unwrap();
    let at: Timestamp = "2026-12-02T12:00:00Z".parse().unwrap();
    let found = compare::machines(&condition, at, &Scope::All, db).await;
    Ok(serials(&found.unwrap()))
}

fn expected(case: &Value) -> Option<Vec<String>> {
    let mut found: Vec<String> = case["machines"]
        .as_array()?
        .iter()
        .map(|serial| serial.as_str().unwrap().to_owned())
        .collect();
    found.sort();
    Some(found)
}

/// What is wrong with our two meanings of a search, in sentences.
async fn faults(case: &Value, db: &Client) -> Vec<String> {
    let search = search_of(&case["groups"]);
    let reading = sal_search::read(&search);
    let mut faults = Vec::new();
    let as_sal = then(&search, db).await;
    match (expected(case), &as_sal) {
        (Some(wanted), Ok(found)) if *found == wanted => {}
        (None, Err(_)) if !reading.fails_in_sal().is_empty() => {}
        (wanted, found) => faults.push(format!("then {found:?}, not {wanted:?}")),
    }
    if let Ok(found) = now(&search, db).await
        && let Ok(before) = &as_sal
        && found != *before
        && reading.differences.is_empty()
    {
        faults.push(format!(
            "now {found:?}, then {before:?}, and nothing says why"
        ));
    }
    let text = reading.expr().map(|expr| expr.to_string());
    faults
        .into_iter()
        .map(|fault| format!("{}: {text:?}: {fault}", case["groups"]))
        .collect()
}

#[tokio::test]
async fn each_search_that_django_ran_finds_the_same_machines_here() {
    let (_database, db) = small_fleet().await;
    let cases = json("django.json");
    let cases = cases.as_array().unwrap();
    let mut found = Vec::new();
    for case in cases {
        found.extend(faults(case, &db).await);
    }
    assert_eq!(cases.len(), 639);
    assert!(
        found.is_empty(),
        "{} faults:\n{}",
        found.len(),
        found.join("\n")
    );
}

async fn send(step: &Value, server: &TestServer) {
    let name = step["key"].as_str().unwrap();
    let key = golden::seed_value(name).unwrap().unwrap();
    let request = server.http.post(server.url(step["path"].as_str().unwrap()));
    let request = request.basic_auth("sal", Some(&key));
    let request = match step["plist"].as_str() {
        None => {
            let body = step["json"]
                .to_string()
                .replace(&format!("${{{name}}}"), &key);
            request
                .header("content-type", "application/json")
                .body(body)
        }
        Some(plist) => {
            let packed = pack(plist.as_bytes());
            request.form(&[
                ("serial", step["serial"].as_str().unwrap()),
                (step["field"].as_str().unwrap(), packed.as_str()),
            ])
        }
    };
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{}", step["path"]);
}

#[tokio::test]
async fn each_recorded_search_finds_the_same_machines_here() {
    let server = TestServer::start(Filled::Seeded).await;
    let recorded = json("recorded.json");
    for step in recorded["setup"].as_array().unwrap() {
        send(step, &server).await;
    }
    let db = server.database.connect().await;
    // the original kept the payloads of one profile only.
    let lost = "DELETE FROM profiles_payload WHERE identifier NOT LIKE 'com.apple.MCX.%'";
    assert_eq!(db.execute(lost, &[]).await.unwrap(), 5);
    let searches = recorded["searches"].as_array().unwrap();
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for case in searches {
        found.extend(faults(case, &db).await);
        let ours = now(&search_of(&case["groups"]), &db).await;
        if let (Ok(ours), Some(wanted)) = (ours, expected(case))
            && ours != wanted
        {
            others.push((case["step"].as_str().unwrap(), ours.len(), wanted.len()));
        }
    }
    assert_eq!(searches.len(), 18);
    assert!(found.is_empty(), "{}", found.join("\n"));
    // Uptime over 3 days as text, and FileVault that is not Enabled.
    assert_eq!(others, [("094", 15, 12), ("102", 2, 1)]);
}
