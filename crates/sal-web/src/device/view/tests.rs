//! The page of a machine that reported little.

use sal_store::{
    MachineRow,
    ids::{GroupId, MachineId, UnitId},
};

use super::*;

fn device() -> Device {
    Device {
        id: MachineId(7),
        machine: MachineRow {
            serial: "C02X".to_owned(),
            hostname: Some("anna-mbp".to_owned()),
            operating_system: Some("15.1".to_owned()),
            os_family: "Darwin".to_owned(),
            memory: None,
            memory_kb: 0,
            munki_version: Some("None".to_owned()),
            manifest: Some(String::new()),
            hd_space: Some(100),
            hd_total: Some(0),
            hd_percent: Some("82.4".to_owned()),
            console_user: Some("anna".to_owned()),
            machine_model: Some("Mac15,3".to_owned()),
            machine_model_friendly: None,
            cpu_type: None,
            cpu_speed: None,
            sal_version: None,
            last_checkin: Some(now() - SignedDuration::from_mins(12)),
            first_checkin: None,
            deployed: true,
            broken_client: false,
            machine_group_id: GroupId(1),
        },
        group_name: "Labs".to_owned(),
        unit_id: UnitId(2),
        unit_name: "Science".to_owned(),
    }
}

/// The same with another row.
fn device_with(change: impl FnOnce(&mut MachineRow)) -> Device {
    let mut device = device();
    change(&mut device.machine);
    device
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn view(device: Device) -> DeviceView {
    let parts = Parts {
        detail_cards: Vec::new(),
        counts: DeviceCounts {
            items: 0,
            pending: 0,
            applications: 0,
            profiles: 0,
            facts: 0,
            address: None,
        },
        freshness: vec![],
        messages: vec![],
        plugin_rows: vec![],
        tab: TabRows::Items(vec![]),
        sees_all_units: false,
    };
    DeviceView::new(device, parts, &TabParams::default(), now(), &TimeZone::UTC)
}

#[test]
fn the_status_word_follows_the_age_of_the_last_check_in() {
    let seen = |hours: Option<i64>| {
        let last_checkin = hours.map(|hours| now() - SignedDuration::from_hours(hours));
        view(device_with(|machine| machine.last_checkin = last_checkin))
            .status
            .value
    };
    assert_eq!(seen(Some(1)), "OK");
    assert_eq!(seen(Some(8 * 24)), "Attention");
    assert_eq!(seen(Some(31 * 24)), "Missing");
    assert_eq!(seen(None), "Unknown");
    let broken = device_with(|machine| machine.broken_client = true);
    assert_eq!(view(broken).status.value, "Problem");
    let undeployed = device_with(|machine| machine.deployed = false);
    assert_eq!(view(undeployed).status.value, "Undeployed");
}

#[test]
fn what_was_never_reported_is_said_to_be_so() {
    let view = view(device());
    let missing: Vec<_> = view
        .cards
        .iter()
        .flat_map(|card| &card.lines)
        .filter(|line| line.value.is_none())
        .map(|line| line.label.as_ref())
        .collect();
    assert_eq!(
        missing,
        [
            "Processor",
            "Memory",
            "Free disk space",
            "IP address",
            "First check-in",
            "Sal client",
            "Munki",
            "Munki manifest"
        ]
    );
}

#[test]
fn a_full_disk_is_bad_and_an_unreadable_one_unknown() {
    let disk = |percent: &str| {
        let chip = disk_chip(&device_with(|machine| {
            machine.hd_percent = Some(percent.to_owned());
        }));
        (chip.value, chip.tone)
    };
    assert_eq!(disk("82.4"), ("82 % used".to_owned(), "warn"));
    assert_eq!(disk("100"), ("100 % used".to_owned(), "bad"));
    assert_eq!(disk("9.5"), ("10 % used".to_owned(), "ok"));
    for text in ["", "NaN", "lots"] {
        assert_eq!(disk(text).1, "plain", "{text}");
    }
}

#[test]
fn the_line_for_a_ticket_says_which_machine_and_since_when() {
    assert_eq!(
        view(device()).summary,
        "anna-mbp · C02X · Mac15,3 · macOS 15.1 · anna · last check-in 2026-11-22 11:48 UTC"
    );
}
