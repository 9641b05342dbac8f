//! One test for each kind of difference between Sal's searches and ours.

use sal_query::sal_search::{self, Difference};
use serde_json::json;

use super::{now, search_of, small_fleet, then};

/// What the original finds by rows of one group, and what this server does; and why.
async fn both(rows: serde_json::Value) -> (String, String, Vec<Difference>) {
    let (_database, db) = small_fleet().await;
    let search = search_of(&json!([["AND", rows]]));
    (
        then(&search, &db).await.unwrap().join(" "),
        now(&search, &db).await.unwrap().join(" "),
        sal_search::read(&search).differences,
    )
}

fn found(then: &str, now: &str, why: Difference) -> (String, String, Vec<Difference>) {
    (then.to_owned(), now.to_owned(), vec![why])
}

#[tokio::test]
async fn q160_two_facts_joined_by_and_are_two_questions() {
    let rows = json!([
        ["AND", "Facter", "role", "=", "kiosk"],
        ["AND", "Facter", "arch", "=", "arm64"]
    ]);
    let why = Difference::OneRowForAll;
    assert_eq!(both(rows).await, found("", "A1 E5", why));
}

#[tokio::test]
async fn q161_unequal_asks_about_the_named_fact_only() {
    // D4's room is kiosk, not its role.
    let rows = json!([["AND", "Facter", "role", "!=", "kiosk"]]);
    let why = Difference::UnequalToAny;
    assert_eq!(both(rows).await, found("B2 C3 F6", "B2 C3 D4 F6", why));
}

#[tokio::test]
async fn q162_numbers_are_compared_as_numbers() {
    let rows = json!([["AND", "Facter", "uptime", ">", "9"]]);
    let why = Difference::NumberAsText;
    assert_eq!(both(rows).await, found("F6", "A1 D4", why));
    let rows = json!([["AND", "Machine", "hd_percent", ">=", "90"]]);
    assert_eq!(both(rows).await, found("A1", "A1 D4", why));
}

#[tokio::test]
async fn q163_versions_are_compared_as_versions() {
    let rows = json!([["AND", "Machine", "operating_system", "<", "15.9"]]);
    let why = Difference::VersionAsText;
    assert_eq!(both(rows).await, found("A1 D4", "A1 B2", why));
    let rows = json!([[
        "AND",
        "Application Version",
        "Firefox=>org.mozilla.firefox",
        "<",
        "130.0"
    ]]);
    assert_eq!(both(rows).await, found("", "B2", why));
}

#[tokio::test]
async fn q164_dates_in_facts_are_compared_as_dates() {
    let rows = json!([["AND", "Facter", "build", "<", "2025-1-1"]]);
    let why = Difference::DateAsText;
    assert_eq!(both(rows).await, found("B2 F6", "F6", why));
}

#[tokio::test]
async fn q165_a_date_without_a_time_is_the_whole_day() {
    let rows = json!([["AND", "Machine", "last_checkin", ">", "2025-06-01"]]);
    let why = Difference::DayAsMidnight;
    // E5 checked in on 1 June at half past midnight in London, A1 in the morning of that day.
    assert_eq!(both(rows).await, found("A1 B2 D4 E5", "B2 D4", why));
    let rows = json!([["AND", "Machine", "last_checkin", "=", "2025-06-01"]]);
    assert_eq!(both(rows).await, found("", "A1 E5", why));
}

#[tokio::test]
async fn q166_unequal_in_the_first_row_denies_its_own_row_only() {
    let rows = json!([
        ["AND", "Machine", "os_family", "!=", "Darwin"],
        ["AND", "Machine", "cpu_type", "=", "Intel"]
    ]);
    let why = Difference::NegatesTheRest;
    assert_eq!(both(rows).await, found("A1 B2 C3 D4 E5 F6", "F6", why));
}
