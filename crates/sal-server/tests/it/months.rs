//! Six weeks of check-ins whose every change is drawn beforehand: what was recorded and counted is what was drawn.
#![expect(clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sal_store::snapshots::{snapshots, take_snapshot};
use sal_store::{pool::Lane, scope::Scope};
use sal_testkit::{Filled, TestServer};
use serde_json::json;

/// What a machine says of itself.
#[derive(Clone, PartialEq)]
struct Said {
    user: Option<&'static str>,
    os: &'static str,
    munki: &'static str,
    errors: BTreeSet<&'static str>,
    is_full: bool,
}

struct Mac {
    serial: String,
    said: Said,
    /// Its last check-in.
    last: Option<Timestamp>,
    /// The day until which it says nothing.
    silent: i64,
}

fn draw(said: &Said, rng: &mut StdRng) -> Said {
    let mut next = said.clone();
    match rng.random_range(0..12) {
        0 => next.user = [None, Some("ada"), Some("grace")][rng.random_range(0..3)],
        1 => next.os = ["15.1", "15.2", "26.0"][rng.random_range(0..3)],
        2 => next.munki = ["6.6", "7.0"][rng.random_range(0..2)],
        3 | 4 => {
            let error = ["disk", "catalog <b>", "licence"][rng.random_range(0..3)];
            if !next.errors.remove(error) {
                next.errors.insert(error);
            }
        }
        5 => next.is_full = !next.is_full,
        _ => {}
    }
    next
}

fn body(mac: &Mac, key: &str) -> String {
    let said = &mac.said;
    let messages: Vec<_> = said
        .errors
        .iter()
        .map(|text| json!({"message_type": "ERROR", "text": text}))
        .collect();
    json!({
        "Machine": {"extra_data": {
            "serial": mac.serial, "hostname": "mac", "console_user": said.user, "operating_system": said.os,
            "hd_total": 1_000_000, "hd_space": if said.is_full { 50_000 } else { 500_000 },
        }},
        "Sal": {"extra_data": {"key": key, "sal_version": "5"}},
        "Munki": {"extra_data": {"munki_version": said.munki, "manifest": "site"}, "messages": messages},
    })
    .to_string()
}

/// The lines that a check-in must leave, as the table has them.
fn expected(before: Option<(&Said, Timestamp)>, after: &Said, now: Timestamp) -> Vec<String> {
    let Some((before, last)) = before else {
        return vec!["1||-|-".to_owned()];
    };
    let mut lines = Vec::new();
    let mut line = |kind: i16, name: &str, was: Option<&str>, became: Option<&str>| {
        lines.push(format!(
            "{kind}|{name}|{}|{}",
            was.unwrap_or("-"),
            became.unwrap_or("-")
        ));
    };
    if now.duration_since(last) > SignedDuration::from_hours(30 * 24) {
        line(
            2,
            "",
            Some(&last.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            None,
        );
    }
    if before.user != after.user {
        line(6, "", before.user, after.user);
    }
    if before.os != after.os {
        line(7, "", Some(before.os), Some(after.os));
    }
    if before.munki != after.munki {
        line(12, "", Some(before.munki), Some(after.munki));
    }
    if before.is_full != after.is_full {
        let words = |is_full| if is_full { "95% used" } else { "50% used" };
        line(
            10,
            "",
            Some(words(before.is_full)),
            Some(words(after.is_full)),
        );
    }
    for error in after.errors.difference(&before.errors) {
        line(15, error, None, Some("reported"));
    }
    for error in before.errors.difference(&after.errors) {
        line(15, error, Some("reported"), None);
    }
    lines
}

/// A server with one group, whose key is `the-key`.
async fn server() -> TestServer {
    let server = TestServer::start(Filled::Fresh).await;
    let db = server.database.connect().await;
    db.batch_execute(
        "INSERT INTO server_businessunit (id, name) VALUES (1, 'Unit');
         INSERT INTO server_machinegroup (id, business_unit_id, name, key) VALUES (1, 1, 'Group', 'the-key')",
    )
    .await
    .unwrap();
    server
}

/// Ten machines.
fn macs() -> Vec<Mac> {
    let usual = Said {
        user: None,
        os: "15.1",
        munki: "6.6",
        errors: BTreeSet::new(),
        is_full: false,
    };
    let mac = |n: i64| Mac {
        serial: format!("C02A{n}"),
        said: usual.clone(),
        last: None,
        // Most are there from the beginning, one comes every week, and one is away for 35 days.
        silent: if n < 6 { 0 } else { (n - 5) * 7 },
    };
    (0..10).map(mac).collect()
}

#[tokio::test]
async fn six_weeks_are_recorded_and_counted_as_they_were_drawn() {
    let server = server().await;
    let db = server.database.connect().await;
    let mut rng = StdRng::seed_from_u64(18);
    let mut macs = macs();
    let start: Timestamp = "2026-10-01T08:00:00Z".parse().unwrap();
    let mut wanted: Vec<String> = Vec::new();
    let store = &server.app.store;
    for day in 0..42 {
        let now = start + SignedDuration::from_hours(24 * day);
        server.set_clock(now);
        for mac in &mut macs {
            if day < mac.silent {
                continue;
            }
            let next = draw(&mac.said, &mut rng);
            let before = mac.last.map(|last| (mac.said.clone(), last));
            mac.said = next;
            let lines = expected(
                before.as_ref().map(|(said, last)| (said, *last)),
                &mac.said,
                now,
            );
            wanted.extend(
                lines
                    .iter()
                    .map(|line| format!("{now} {} {line}", mac.serial)),
            );
            // The same again an hour later changes nothing.
            for _ in 0..2 {
                let (code, answer) = server.checkin("the-key", body(mac, "the-key")).await;
                assert_eq!(code, 200, "{answer}");
            }
            mac.last = Some(now);
            if day == 3 && mac.serial == "C02A0" {
                mac.silent = 38;
            }
        }
        count(&macs, now, store).await;
    }
    let recorded = "SELECT to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || ' ' || m.serial || ' ' ||
        concat_ws('|', c.kind, c.name, coalesce(c.was, '-'), coalesce(c.became, '-'))
        FROM salrs_change c JOIN server_machine m ON m.id = c.machine_id";
    let mut recorded: Vec<String> = db
        .query(recorded, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    recorded.sort();
    wanted.sort();
    assert!(
        wanted.len() > 100 && wanted.iter().any(|line| line.contains(" 2||")),
        "{}",
        wanted.len()
    );
    assert_eq!(recorded, wanted);
}

/// Counts a day, and compares it with what the machines are.
async fn count(macs: &[Mac], now: Timestamp, store: &sal_store::Store) {
    let db = store.get(Lane::Machines).await.unwrap();
    let day = now.to_zoned(TimeZone::UTC).date();
    let ago = |days: i64| now - SignedDuration::from_hours(24 * days);
    take_snapshot(&db, &day, &ago(1), &ago(30)).await.unwrap();
    let rows = snapshots(&db, &Scope::All, &None, &vec![day])
        .await
        .unwrap();
    let counted: BTreeMap<String, i64> =
        rows.into_iter().map(|row| (row.what, row.count)).collect();
    let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
    for mac in macs {
        let Some(last) = mac.last else { continue };
        let mut add = |what: &str| *wanted.entry(what.to_owned()).or_default() += 1;
        add("machines");
        if last >= ago(1) {
            add("seen");
        }
        if last < ago(30) {
            add("missing");
        }
        if mac.said.is_full {
            add("full disk");
        }
        if !mac.said.errors.is_empty() {
            add("errors");
        }
        add(&format!("os Darwin {}", mac.said.os));
        add(&format!("munki {}", mac.said.munki));
        add("client 5");
    }
    assert_eq!(counted, wanted, "{now}");
}
