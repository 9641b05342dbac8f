//! The list in the order of a fact or a plugin value: on pages, in files, remembered, and whatever the name is.

use axum::http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{assert_ok, fleet, link, names};
use crate::site::{Site, Visitor};

/// A list that is sorted so, from its first page to its last.
async fn order(sort: &str, anna: &mut Visitor, site: &Site) -> Vec<String> {
    let sort = utf8_percent_encode(sort, NON_ALPHANUMERIC);
    let mut next = Some(format!("/machines/?sort={sort}&cols=hostname"));
    let mut found = Vec::new();
    while let Some(path) = next {
        let page = anna.get(site, &path).await;
        assert_ok(&page);
        found.extend(names(&page.page()));
        assert!(found.len() < 1_000, "{path} leads round in circles");
        next = link(&page.page(), "Next");
    }
    found
}

/// A fact of machines `1…`, in this order; none for an empty text.
async fn fact(name: &str, values: &[&str], site: &Site) {
    let rows: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(place, value)| format!("({}, $n${name}$n$, $v${value}$v$)", place + 1))
        .collect();
    site.sql(&format!(
        "INSERT INTO server_fact (machine_id, fact_name, fact_data)
         SELECT * FROM (VALUES {}) rows (machine, name, value) WHERE value <> 'absent'",
        rows.join(", ")
    ))
    .await;
}

/// The first machines of an order by their numbers.
fn numbers(order: &[String]) -> Vec<&str> {
    order
        .iter()
        .map(|name| name.trim_start_matches("mac-"))
        .collect()
}

#[tokio::test]
async fn values_come_as_what_they_are_with_missing_ones_last_in_both_directions() {
    let (site, mut anna) = fleet(8).await;
    let (absent, by_id) = ("absent", ["1", "2", "3", "4", "5", "6", "7", "8"]);
    let (huge, large, long) = ("9".repeat(400), "9".repeat(31), "x".repeat(5_000));
    for (name, values, up, down) in [
        // Numbers, then texts, then what pages show as missing.
        (
            "battery",
            ["100", "9", "-3", " 9.50 ", "full", "None", absent, ""],
            ["3", "2", "4", "1", "5", "6", "7", "8"],
            ["5", "1", "4", "2", "3", "8", "7", "6"],
        ),
        // One with two dots makes all of them versions; 15.0 is 15, and equal ones stand by their ids.
        (
            "build",
            [
                "15.10", "15.9.1", "15.9", "15", "15.0", "15.10b2", "unknown", absent,
            ],
            ["4", "5", "3", "2", "1", "6", "7", "8"],
            ["7", "6", "1", "2", "3", "5", "4", "8"],
        ),
        // The name says it where no value does.
        (
            "os_version",
            [
                "15.10", "15.9", "9.1", "15.2", "10.15", absent, absent, absent,
            ],
            ["3", "5", "4", "2", "1", "6", "7", "8"],
            ["1", "2", "4", "5", "3", "8", "7", "6"],
        ),
        (
            "share",
            [
                "15.10", "15.9", "9.1", "15.2", "10.15", absent, absent, absent,
            ],
            ["3", "5", "1", "4", "2", "6", "7", "8"],
            ["2", "4", "1", "5", "3", "8", "7", "6"],
        ),
        // Longer than any number and any cursor.
        (
            "long",
            [&huge, &large, "1", &long, absent, absent, absent, absent],
            ["3", "2", "1", "4", "5", "6", "7", "8"],
            ["4", "1", "2", "3", "8", "7", "6", "5"],
        ),
        (
            "empty",
            [absent; 8],
            by_id,
            ["8", "7", "6", "5", "4", "3", "2", "1"],
        ),
    ] {
        fact(name, &values, &site).await;
        let up_found = order(&format!("fact \"{name}\""), &mut anna, &site).await;
        assert_eq!(numbers(&up_found), up, "{name}");
        let down_found = order(&format!("-fact \"{name}\""), &mut anna, &site).await;
        assert_eq!(numbers(&down_found), down, "-{name}");
    }
}

#[tokio::test]
async fn versions_of_machines_come_by_their_numbers() {
    let (site, mut anna) = fleet(8).await;
    site.sql(
        "UPDATE server_machine SET operating_system = versions.value FROM (VALUES
             (1, '15.10'), (2, '9.1'), (3, '15.2'), (4, 'beta'), (5, '10.15.7'), (6, '26.0'), (7, '15.2 (24C101)'), (8, NULL)
         ) versions (id, value) WHERE versions.id = server_machine.id",
    )
    .await;
    let up = order("operating_system", &mut anna, &site).await;
    assert_eq!(numbers(&up), ["4", "2", "5", "3", "7", "1", "6", "8"]);
    let down = order("-operating_system", &mut anna, &site).await;
    assert_eq!(numbers(&down), ["6", "1", "7", "3", "5", "2", "4", "8"]);
}

#[tokio::test]
async fn every_field_sorts_all_machines_over_all_pages() {
    let (site, mut anna) = fleet(60).await;
    site.sql(
        "UPDATE server_machine SET operating_system = nullif((id % 5)::text, '0') || '.10', munki_version = '6.' || id % 3,
             hd_percent = nullif((id % 4)::text, '0'), cpu_speed = nullif((id % 2)::text, '0'), broken_client = id % 2 = 0,
             hd_total = nullif(id % 7, 0), memory_kb = id % 3",
    )
    .await;
    for field in sal_query::Field::ALL {
        for sort in [field.name().to_owned(), format!("-{}", field.name())] {
            let mut found = order(&sort, &mut anna, &site).await;
            found.sort_unstable();
            found.dedup();
            assert_eq!(found.len(), 60, "{sort}");
        }
    }
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_forwards_and_backwards() {
    let (site, mut anna) = fleet(130).await;
    // Many equal values, texts among numbers, versions, missing ones, and two rows for some machines: the newest counts.
    site.sql(
        "INSERT INTO server_fact (machine_id, fact_name, fact_data)
             SELECT n, 'old', '1' FROM generate_series(1, 130) n;
         INSERT INTO server_fact (machine_id, fact_name, fact_data)
             SELECT n, 'old', CASE n % 5 WHEN 0 THEN (n % 3)::text WHEN 1 THEN 'text ' || n WHEN 2 THEN n || '.5' WHEN 3 THEN ''
                 ELSE '1.' || n || '.2 (' || n || ')' END FROM generate_series(1, 130) n WHERE n % 7 > 0;
         INSERT INTO server_pluginscriptsubmission (id, machine_id, plugin, historical, recorded)
             SELECT n, n, 'Uptime', false, now() FROM generate_series(1, 130, 2) n;
         INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data, submission_and_script_name,
             pluginscript_data_int, pluginscript_data_string)
             SELECT n, 'Days', n % 11, 'Uptime: Days', 0, '' FROM generate_series(1, 130, 2) n",
    )
    .await;
    for sort in [
        "fact \"old\"",
        "-fact \"old\"",
        "plugin \"Uptime/Days\"",
        "-plugin \"Uptime/Days\"",
    ] {
        let forwards = order(sort, &mut anna, &site).await;
        let mut sorted = forwards.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!((forwards.len(), sorted.len()), (130, 130), "{sort}");
        let mut back = Vec::new();
        let encoded = utf8_percent_encode(sort, NON_ALPHANUMERIC);
        let mut next = Some(format!("/machines/?sort={encoded}&at=end"));
        while back.len() < 100 {
            let page = anna.get(&site, &next.unwrap()).await;
            back.splice(0..0, names(&page.page()));
            next = link(&page.page(), "Previous");
        }
        assert_eq!(back, forwards[30..], "{sort}");
        let file = anna
            .get(
                &site,
                &format!("/machines/export/?sort={encoded}&cols=hostname"),
            )
            .await;
        let lines: Vec<&str> = file.text.lines().skip(1).collect();
        assert_eq!(lines, forwards, "{sort}");
    }
}

#[tokio::test]
async fn the_head_of_a_fact_sorts_and_the_order_is_remembered_with_the_columns() {
    let (site, mut anna) = fleet(3).await;
    fact("Battery, %", &["100", "20", "absent"], &site).await;
    let form = [("list", ""), ("add", "fact \"Battery, %\"")];
    let answer = anna.post(&site, "/machines/columns/", &form).await;
    let page = anna.get(&site, answer.location()).await;
    let head = link(&page.page(), "Battery, %").unwrap();
    let sorted = anna.get(&site, &head).await;
    assert_eq!(names(&sorted.page()), ["mac-2", "mac-1", "mac-3"]);
    assert!(
        sorted
            .text
            .contains("aria-sort=\"ascending\"><a href=\"/machines/?sort=%2Dfact")
    );
    let turned = link(&sorted.page(), "Battery, %").unwrap();
    let turned = anna.get(&site, &turned).await;
    assert_eq!(names(&turned.page()), ["mac-1", "mac-2", "mac-3"]);
    // Not remembered yet: only who chooses columns chooses the order with them.
    let usual = ["mac-1", "mac-2", "mac-3"];
    assert_eq!(names(&anna.get(&site, "/machines/").await.page()), usual);
    let form = [
        ("list", "sort=fact%20%22Battery%2C%20%25%22"),
        ("col", "fact \"Battery%2C %25\""),
    ];
    let answer = anna.post(&site, "/machines/columns/", &form).await;
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
    let remembered = anna.get(&site, "/machines/").await;
    assert_eq!(names(&remembered.page()), ["mac-2", "mac-1", "mac-3"]);
    for format in ["csv", "jsonl"] {
        let file = anna
            .get(&site, &format!("/machines/export/?format={format}"))
            .await;
        let place = |name| file.text.find(name).unwrap();
        assert!(place("mac-2") < place("mac-1") && place("mac-1") < place("mac-3"));
    }
    let xlsx = link(&remembered.page(), "Excel").unwrap();
    assert!(xlsx.contains("sort=fact"), "{xlsx}");
    // The usual order is a link like the others, and takes the other's place.
    let by_time = link(&remembered.page(), "Last check-in");
    assert_eq!(by_time, None, "the column is not shown");
    assert_eq!(
        names(
            &anna
                .get(&site, "/machines/?sort=-last_checkin")
                .await
                .page()
        ),
        usual
    );
    anna.post(&site, "/machines/columns/", &[("reset", "yes")])
        .await;
    assert_eq!(names(&anna.get(&site, "/machines/").await.page()), usual);
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_preference").await,
        0
    );
}

#[tokio::test]
async fn a_viewer_of_one_unit_sorts_what_the_unit_has() {
    let (site, _anna) = fleet(6).await;
    site.user(2, "bert", "RO", Some(1)).await;
    let mut bert = site.visitor("bert").await;
    // Read as versions these would be the other way round; what is a version is another unit's.
    fact(
        "n",
        &["1.2.3", "1.9", "4.4.4", "1.10", "absent", "2"],
        &site,
    )
    .await;
    let found = order("fact \"n\"", &mut bert, &site).await;
    assert_eq!(numbers(&found), ["4", "2", "6"]);
}

#[tokio::test]
async fn any_name_can_sort_and_what_is_no_name_falls_back() {
    let (site, mut anna) = fleet(2).await;
    for name in [
        "'; DROP TABLE server_fact; --",
        "\\",
        "a\"b",
        "-",
        "%",
        "\u{202e}ü\n",
        "<script>",
        "a,b",
        "$1",
        "x/y/z",
        "/",
        &"n".repeat(3_000),
    ] {
        let written = name.replace('\\', "\\\\").replace('"', "\\\"");
        for minus in ["", "-"] {
            let sort = format!("{minus}fact \"{written}\"");
            let encoded = utf8_percent_encode(&sort, NON_ALPHANUMERIC);
            let page = anna.get(&site, &format!("/machines/?sort={encoded}")).await;
            assert_ok(&page);
            assert_eq!(names(&page.page()).len(), 2, "{name}");
            assert!(!page.text.contains("<script>alert") && !page.text.contains("x<script>"));
        }
    }
    for (sort, border) in [
        ("fact \"a", ""),
        ("fact \"a\" as nothing", ""),
        ("application \"a\"", ""),
        ("fact \"\0\"", ""),
        ("--hostname", ""),
        // Borders with texts that are no numbers, and with more than is compared.
        ("fact \"a\"", "MS4xLicn"),
        ("fact \"a\"", "MS4xLmUx"),
        ("fact \"a\"", "MS4xLjEuMi4zLg"),
        ("fact \"version\"", "MS4xLi4uLg"),
        (
            "fact \"version\"",
            "MS4xLjk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk",
        ),
        ("fact \"a\"", "MS4xLmEA"),
    ] {
        let encoded = utf8_percent_encode(sort, NON_ALPHANUMERIC);
        let page = anna
            .get(&site, &format!("/machines/?sort={encoded}&after={border}"))
            .await;
        assert_ok(&page);
        let before = anna
            .get(&site, &format!("/machines/?sort={encoded}&before={border}"))
            .await;
        assert_ok(&before);
        assert_eq!(names(&before.page()).len(), 2, "{sort} {border}");
    }
}
