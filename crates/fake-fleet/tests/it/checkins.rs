//! What machines send.

use std::collections::{BTreeMap, BTreeSet};

use fake_fleet::{Family, Fleet, FleetOptions, Mishap, Submission};
use jiff::Timestamp;
use serde_json::{Map, Value};

const KEY: &str = "k3y-of-a-group";
/// FNV-1a over the bytes of the demo fleet's runs 0 and 1.
const DEMO_FINGERPRINT: u64 = 4_930_317_943_292_191_183;

fn fleet(machines: u32) -> Fleet {
    Fleet::new(FleetOptions {
        machines,
        ..FleetOptions::default()
    })
}

fn at(run: u32) -> Timestamp {
    let start: Timestamp = "2026-11-02T08:30:00Z".parse().unwrap();
    start + jiff::SignedDuration::from_hours(run.into())
}

fn sections(submission: &Submission) -> Map<String, Value> {
    serde_json::from_slice(&submission.body).unwrap()
}

/// Everything a check-in holds of one kind, by source and name.
fn all(body: &Map<String, Value>, kind: &str) -> BTreeMap<(String, String), Value> {
    let mut found = BTreeMap::new();
    for (source, section) in body {
        for (name, value) in section
            .get(kind)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            found.insert((source.clone(), name.clone()), value.clone());
        }
    }
    found
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let fingerprint = |fleet: &Fleet| {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for machine in fleet.machines() {
            for run in 0..2 {
                for byte in machine.checkin(run, at(run), KEY).body {
                    hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
                }
            }
        }
        hash
    };
    assert_eq!(
        fingerprint(&fleet(40)),
        DEMO_FINGERPRINT,
        "the demo fleet changed"
    );
    let other = FleetOptions {
        seed: 8,
        ..FleetOptions::default()
    };
    assert_ne!(fingerprint(&Fleet::new(other)), DEMO_FINGERPRINT);
}

#[test]
fn a_machine_does_not_depend_on_the_size_of_its_fleet() {
    let (small, large) = (fleet(3), fleet(5000));
    assert_eq!(
        small.machine(2).checkin(1, at(1), KEY),
        large.machine(2).checkin(1, at(1), KEY)
    );
}

#[test]
fn serials_never_repeat() {
    let fleet = fleet(3000);
    let serials: BTreeSet<_> = fleet.machines().map(|m| m.serial().to_owned()).collect();
    assert_eq!(serials.len(), 3000);
    assert!(serials.iter().all(|s| {
        s.bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    }));
}

#[test]
fn most_machines_are_macs_and_all_families_occur() {
    let fleet = fleet(1000);
    let mut families = BTreeMap::new();
    for machine in fleet.machines() {
        *families.entry(machine.family()).or_insert(0) += 1;
    }
    assert!(
        (800..900).contains(&families[&Family::Darwin]),
        "{families:?}"
    );
    assert_eq!(families.len(), 4, "{families:?}");
}

#[test]
fn a_mac_sends_the_asked_number_of_facts_and_items() {
    for (facts, items) in [(150, 100), (60, 40), (400, 300)] {
        let fleet = Fleet::new(FleetOptions {
            machines: 60,
            facts,
            items,
            ..FleetOptions::default()
        });
        let macs = fleet.machines().filter(|m| m.family() == Family::Darwin);
        let mut counted = 0;
        for mac in macs {
            let body = sections(&mac.checkin(3, at(3), KEY));
            if body.contains_key("Puppet") || body.contains_key("Salt") {
                continue;
            }
            counted += 1;
            assert_eq!(
                (all(&body, "facts").len(), all(&body, "managed_items").len()),
                (facts, items)
            );
        }
        assert!(counted > 20, "{counted}");
    }
}

#[test]
fn every_section_of_the_real_clients_occurs() {
    let fleet = fleet(300);
    let mut sources = BTreeMap::new();
    for machine in fleet.machines() {
        let body = sections(&machine.checkin(0, at(0), KEY));
        assert_eq!(body["Machine"]["extra_data"]["serial"], machine.serial());
        assert_eq!(
            body["Machine"]["extra_data"]["os_family"],
            machine.family().as_str()
        );
        assert_eq!(body["Sal"]["extra_data"]["key"], KEY);
        for source in body.keys() {
            *sources.entry(source.clone()).or_insert(0) += 1;
        }
    }
    let expected = [
        "Apple Software Update",
        "Apt",
        "Chrome",
        "Gorilla",
        "Machine",
        "Munki",
        "Profiles",
        "Puppet",
        "Sal",
        "Salt",
        "plugin_results",
    ];
    assert_eq!(
        sources.keys().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn fields_have_the_types_the_clients_send() {
    let fleet = fleet(60);
    for mac in fleet.machines().filter(|m| m.family() == Family::Darwin) {
        let body = sections(&mac.checkin(1, at(1), KEY));
        let machine = &body["Machine"]["extra_data"];
        assert!(
            machine["hd_percent"].is_string() && machine["hd_space"].is_u64(),
            "{machine}"
        );
        assert!(
            machine["memory_kb"].is_u64() && machine["cpu_speed"].is_string(),
            "{machine}"
        );
        for item in all(&body, "managed_items").values() {
            let status = item["status"].as_str().unwrap();
            assert!(["PRESENT", "ABSENT", "PENDING", "ERROR"].contains(&status));
            assert!(item["date_managed"].is_string() && item["data"].is_object());
        }
        for message in body["Munki"]
            .get("messages")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            assert!(
                message["text"].is_string() && message.get("date").is_none(),
                "{message}"
            );
        }
        let results = body["plugin_results"].as_array().unwrap();
        let uptime = results.iter().find(|r| r["plugin"] == "Uptime").unwrap();
        assert!(uptime["data"]["UptimeDays"].is_f64() && uptime["data"]["UptimeSeconds"].is_u64());
        let names: BTreeSet<_> = results
            .iter()
            .map(|r| r["plugin"].as_str().unwrap())
            .collect();
        for name in [
            "Encryption",
            "Gatekeeper",
            "Sip",
            "XprotectVersion",
            "MachineDetailSecurity",
        ] {
            assert!(names.contains(name), "{name}");
        }
    }
}

#[test]
fn a_later_run_stamps_every_munki_item_and_changes_about_three_percent() {
    let fleet = fleet(120);
    let (mut same, mut changed, mut stamped) = (0_u32, 0_u32, 0_u32);
    for mac in fleet.machines().filter(|m| m.family() == Family::Darwin) {
        let (before, after) = (
            sections(&mac.checkin(4, at(4), KEY)),
            sections(&mac.checkin(5, at(5), KEY)),
        );
        let (old, new) = (all(&before, "managed_items"), all(&after, "managed_items"));
        for (name, item) in &new {
            match old.get(name) {
                Some(old) if name.0 == "Munki" => {
                    assert_ne!(old["date_managed"], item["date_managed"], "{name:?}");
                    stamped += 1;
                    same += 1;
                }
                Some(_) => {}
                None if name.0 == "Munki" => changed += 1,
                None => {}
            }
        }
    }
    assert!(stamped > 5000, "{stamped}");
    let permille = changed * 1000 / (same + changed);
    assert!(
        (20..40).contains(&permille),
        "{permille} of 1000 items changed"
    );
}

#[test]
fn facts_change_between_runs_but_only_a_few() {
    let fleet = fleet(80);
    let (mut total, mut changed) = (0_usize, 0_usize);
    for mac in fleet.machines().filter(|m| m.family() == Family::Darwin) {
        let old = all(&sections(&mac.checkin(4, at(4), KEY)), "facts");
        let new = all(&sections(&mac.checkin(5, at(5), KEY)), "facts");
        assert!(old.keys().eq(new.keys()));
        total += new.len();
        changed += new
            .iter()
            .filter(|(name, value)| old[*name] != **value)
            .count();
    }
    // Three percent of the conditions, and the handful that hold times and loads.
    let permille = changed * 1000 / total;
    assert!(
        (30..90).contains(&permille),
        "{permille} of 1000 facts changed"
    );
}

#[test]
fn systems_are_updated_over_the_runs_and_never_downgraded() {
    let fleet = fleet(40);
    let mut updated = 0;
    for machine in fleet.machines() {
        let versions: Vec<String> = (0..60).step_by(6)
            .map(|run| sections(&machine.checkin(run, at(run), KEY))["Machine"]["extra_data"]["operating_system"].as_str().unwrap().to_owned())
            .collect();
        let mut distinct = versions.clone();
        distinct.dedup();
        let different: BTreeSet<_> = distinct.iter().collect();
        assert_eq!(
            distinct.len(),
            different.len(),
            "a version came back: {distinct:?}"
        );
        updated += usize::from(distinct.len() > 1);
    }
    assert!((5..36).contains(&updated), "{updated}");
}

#[test]
fn mishaps_are_shaped_as_seen_in_the_field() {
    let fleet = fleet(1);
    let machine = fleet.machine(0);
    let failed = sections(&machine.checkin_with(Mishap::ProfilerFailed, 0, at(0), KEY));
    assert!(failed["Machine"]["extra_data"].get("serial").is_none());
    let crashed = sections(&machine.checkin_with(Mishap::SaltCrashed, 0, at(0), KEY));
    assert!(
        crashed["Salt"]["messages"]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_string)
    );
}

#[test]
fn the_other_requests_are_forms() {
    let fleet = fleet(1);
    let machine = fleet.machine(0);
    assert_eq!(machine.preflight().body, b"os_family=Darwin");
    let report = machine.broken_client_report(KEY);
    assert_eq!(report.path, "/report_broken_client/");
    let expected = format!("broken_client=true&serial={}&key={KEY}", machine.serial());
    assert_eq!(report.body, expected.as_bytes());
    assert!(!format!("{report:?}").contains(KEY));
}
