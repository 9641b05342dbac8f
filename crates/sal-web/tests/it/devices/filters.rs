//! The rail, its counts, chips, pasted lists, and what an empty list says.

use axum::http::StatusCode;

use super::{SHOWN, assert_ok, choice, fleet, link};
use crate::site::{Site, names};

const MIXED: &str = "
    UPDATE server_machine SET last_checkin = timestamptz '2026-11-22T12:00:00Z' - interval '40 days' WHERE id IN (1, 2);
    UPDATE server_machine SET last_checkin = NULL, os_family = 'Linux', operating_system = 'Ubuntu 24.04' WHERE id = 3;
    UPDATE server_machine SET deployed = false WHERE id IN (4, 5);
    UPDATE server_machine SET broken_client = true WHERE id = 4;
    UPDATE server_machine SET machine_model = 'MacBookPro18,1' WHERE id IN (6, 7, 8);
    INSERT INTO server_message (text, date, message_type, machine_id) VALUES
        ('a', now(), 'ERROR', 4), ('b', now(), 'ERROR', 4), ('c', now(), 'WARNING', 7), ('d', now(), 'OTHER', 8)";

#[tokio::test]
async fn the_counts_of_the_rail_are_the_lines_of_the_lists_it_leads_to() {
    let (site, mut anna) = fleet(30).await;
    site.sql(MIXED).await;
    let page = anna.get(&site, "/machines/").await;
    for (label, count) in [
        ("macOS", 29),
        ("Linux", 1),
        ("15.1", 9),
        ("Ubuntu 24.04", 1),
        ("Seen in the last hour", 27),
        ("Seen in 7 days", 27),
        ("Missing for over 30 days", 2),
        ("Never seen", 1),
        ("With errors", 1),
        ("With warnings", 1),
        ("Broken client", 1),
        ("Not deployed", 2),
        ("Science", 15),
        ("Studio", 15),
        ("MacBookPro", 3),
        ("Mac", 27),
    ] {
        let (counted, href) = choice(&page.page(), label).unwrap_or_else(|| panic!("{label}"));
        assert_eq!(counted, count, "{label}");
        let list = anna.get(&site, &href).await;
        assert_eq!(
            names(&list.page()).len(),
            usize::try_from(count).unwrap(),
            "{label}"
        );
        // The chosen one leads back.
        let (counted, back) = choice(&list.page(), label).unwrap_or_else(|| panic!("{label}"));
        assert_eq!((counted, back.as_str()), (count, "/machines/"), "{label}");
    }
}

#[tokio::test]
async fn filters_add_up_and_are_taken_away_one_by_one() {
    let (site, mut anna) = fleet(30).await;
    site.sql(MIXED).await;
    let page = anna.get(&site, "/machines/?status=undeployed&q=mac").await;
    assert_eq!(names(&page.page()), ["mac-4", "mac-5"]);
    let (count, both) = choice(&page.page(), "With errors").unwrap();
    assert_eq!(count, 1);
    let page = anna.get(&site, &both).await;
    assert_eq!(names(&page.page()), ["mac-4"]);
    let page = page.page();
    assert_eq!(
        page.texts("a.filter > span:first-child"),
        ["Not deployed", "“mac”", "With errors"]
    );
    assert_eq!(
        page.links("Not deployed remove filter"),
        ["/machines/?q=mac%20and%20has%20error"]
    );
}

#[tokio::test]
async fn the_rail_counts_only_what_the_viewer_may_see() {
    let (site, _anna) = fleet(30).await;
    site.sql(MIXED).await;
    site.user(2, "bert", "RO", Some(1)).await;
    let mut bert = site.visitor("bert").await;
    let page = bert.get(&site, "/machines/").await;
    // Science has the machines with even numbers.
    assert_eq!(choice(&page.page(), "Not deployed").unwrap().0, 1);
    let page = page.page();
    assert_eq!(page.text("#total"), "15 machines");
    for hidden in ["Arts", "Studio", "Ubuntu"] {
        assert!(!page.words().contains(hidden), "{hidden}");
    }
    assert!(!page.has(".bulk, form[action='/machines/bulk/']"));
}

#[tokio::test]
async fn an_empty_list_names_the_filter_that_empties_it() {
    let (site, mut anna) = fleet(10).await;
    let page = anna
        .get(&site, "/machines/?family=Darwin&os=99&q=mac")
        .await;
    let page = page.page();
    assert_eq!(
        page.text("#devices .nothing h2"),
        "Nothing matches with the filter Version 99"
    );
    let without = link(&page, "Remove Version 99").unwrap();
    assert_eq!(names(&anna.get(&site, &without).await.page()).len(), 10);
    // No single filter is to blame.
    let page = anna.get(&site, "/machines/?os=99&q=nobody").await;
    let page = page.page();
    assert_eq!(
        page.text("#devices .nothing h2"),
        "No machine is in this list now"
    );
    assert_eq!(
        link(&page, "Remove the last filter").unwrap(),
        "/machines/?q=operating%5Fsystem%20%3D%3D%2099"
    );
    let empty = anna
        .get(&site, "/machines/?unit=1&group=2&status=broken")
        .await;
    assert_eq!(
        link(&empty.page(), "Remove Broken client").unwrap(),
        "/machines/?q=group%5Fid%20%3D%202"
    );
}

#[tokio::test]
async fn a_pasted_list_shows_its_machines_and_says_which_are_missing() {
    let (site, mut anna) = fleet(30).await;
    site.sql("UPDATE server_machine SET serial = 'lower5' WHERE id = 5")
        .await;
    let page = anna
        .get(&site, "/machines/?sort=serial&serials=serial1%0D%0ASERIAL2,mac-3;MAC-4+LOWER5+nope%3Cb%3E+serial1")
        .await;
    assert_ok(&page);
    let page = page.page();
    assert_eq!(names(&page), ["mac-1", "mac-2", "mac-3", "mac-5"]);
    let note = page.text(".alert");
    assert!(
        note.starts_with("2 names were not found: MAC-4, nope<b>"),
        "{note}"
    );
    assert_eq!(page.text("a.filter > span:first-child"), "6 pasted names");
    let many: Vec<String> = (0..600).map(|number| format!("serial{number}")).collect();
    let page = anna
        .get(&site, &format!("/machines/?serials={}", many.join("+")))
        .await;
    let page = page.page();
    assert_eq!(page.text("#total"), "29 machines");
    let notes = page.texts(".alert");
    let left_out = "Only the first 500 names were looked for; 100 were left out";
    assert!(
        notes.iter().any(|note| note.contains(left_out)),
        "{notes:?}"
    );
    // Another's machines are as unknown as those that do not exist.
    site.user(2, "bert", "RO", Some(1)).await;
    let page = site
        .visitor("bert")
        .await
        .get(&site, "/machines/?serials=serial1+serial2")
        .await;
    assert_eq!(names(&page.page()), ["mac-2"]);
    let note = page.page().text(".alert");
    assert!(note.starts_with("1 name was not found: serial1"), "{note}");
}

#[tokio::test]
async fn hostile_filters_are_text() {
    let (site, mut anna) = fleet(5).await;
    for name in [
        "family", "os", "model", "seen", "status", "serials", "q", "cols", "sort", "size", "widget",
    ] {
        for value in [
            "%00",
            "%27%3B--",
            "%25",
            "%5C",
            "%F0%9F%8D%8E",
            "a%00b",
            "%FF",
            "%3Cscript%3E",
        ] {
            let page = anna.get(&site, &format!("/machines/?{name}={value}")).await;
            assert!(
                page.status == StatusCode::OK
                    || (name == "widget" && page.status == 404)
                    || (name == "q" && page.status == 422),
                "{name}={value}"
            );
            assert!(!page.page().has("script:not([src])"), "{name}={value}");
        }
    }
}

#[tokio::test]
async fn the_rail_alone_is_a_page_too() {
    let (site, mut anna) = fleet(10).await;
    site.sql(MIXED).await;
    let page = anna
        .get(&site, "/machines/facets/?family=Darwin&at=end")
        .await;
    assert_ok(&page);
    assert_eq!(
        choice(&page.page(), "With errors").unwrap().1,
        "/machines/?q=os%5Ffamily%20%3D%3D%20%22Darwin%22%20and%20has%20error"
    );
    assert_eq!(
        link(&page.page(), "Back to the list").unwrap(),
        "/machines/?q=os%5Ffamily%20%3D%3D%20%22Darwin%22"
    );
}

#[tokio::test]
async fn a_list_that_is_too_long_to_count_says_about() {
    let (site, mut anna) = fleet(50_002).await;
    site.sql("ANALYZE server_machine").await;
    let page = anna.get(&site, "/machines/").await.page();
    assert_eq!(page.text("#total"), "≈ 50,002 machines");
    let later = page.attribute("#rail[hx-trigger=load]", "hx-get");
    assert_eq!(later, "/machines/facets/?");
    let last = anna.get(&site, "/machines/?at=end&sort=serial").await;
    let shown = last.page().text(SHOWN);
    assert!(shown.ends_with("50 of ≈ 50,002"), "{shown}");
    let back = anna
        .get(&site, &link(&last.page(), "Previous").unwrap())
        .await;
    assert_eq!(names(&back.page()).len(), 50);
}

#[tokio::test]
async fn stats_only_accounts_see_no_list() {
    let site = Site::start().await;
    site.machines(3).await;
    site.user(1, "cora", "SO", Some(1)).await;
    let mut cora = site.visitor("cora").await;
    for path in [
        "/machines/",
        "/machines/facets/",
        "/machines/export/",
        "/list/Activity/hour/all/0/",
        "/list/Activity/hour/",
        "/tableajax/Activity/hour/business_unit/1/",
        "/csv/Activity/hour/business_unit/1/",
    ] {
        assert_eq!(
            cora.get(&site, path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    let post = cora
        .post(&site, "/machines/columns/", &[("col", "serial")])
        .await;
    assert_eq!(post.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_search_box_takes_a_filter() {
    let (site, mut anna) = fleet(30).await;
    site.sql(MIXED).await;
    for (filter, found) in [
        ("has error or broken_client = yes", &["mac-4"][..]),
        ("not deployed = yes and not has error", &["mac-5"]),
        ("last_checkin older than 30d", &["mac-1", "mac-2"]),
        ("os = 'ubuntu 24.04'", &["mac-3"]),
        (
            "model_family = macbookpro and not machine in (mac-6, SERIAL7)",
            &["mac-8"],
        ),
        (
            "message(level = warning and text = C) or message ~ d",
            &["mac-7", "mac-8"],
        ),
        (
            "widget \"Status\" = undeployed_machines",
            &["mac-4", "mac-5"],
        ),
        ("group = 'physics' and unit = Science and serial7 ", &[]),
    ] {
        let query =
            percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
        let page = anna
            .get(&site, &format!("/machines/?sort=serial&q={query}"))
            .await;
        assert_ok(&page);
        assert_eq!(names(&page.page()), found, "{filter}");
    }
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_says_where_and_what_was_meant() {
    let (site, mut anna) = fleet(3).await;
    let path = "/machines/?q=os_versoin+%3C+15";
    let page = anna.get(&site, path).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = page.page();
    assert_eq!(page.text("[role=alert] mark"), "os_versoin");
    assert_eq!(page.text(".filter-text"), "os_versoin < 15");
    assert_eq!(
        page.text("[role=alert] p:nth-of-type(2)"),
        "There is no field os_versoin."
    );
    let better = link(&page, "os_version < 15").unwrap();
    assert_ok(&anna.get(&site, &better).await);
    for (filter, message) in [
        ("os_version+%3C", "Expected a value after <."),
        ("deployed+=+maybe", "maybe is not yes or no."),
        ("widget+'Nope'+=+1", "There is no part 1 of a widget Nope."),
        (
            "search+=+Mine",
            "There is no saved search Mine that you can use.",
        ),
    ] {
        let page = anna.get(&site, &format!("/machines/?q={filter}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{filter}");
        let said = page.page().text("[role=alert]");
        assert!(said.contains(message), "{filter}: {said}");
        let file = anna
            .get(&site, &format!("/machines/export/?q={filter}"))
            .await;
        assert_eq!(file.status, StatusCode::BAD_REQUEST, "{filter}");
    }
}
