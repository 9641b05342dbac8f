//! Pages: forwards and backwards, with equal and with missing values, and with borders that are no longer there.

use super::{SHOWN, assert_ok, fleet, link};
use crate::site::{Site, Visitor, names};

/// Values that are equal, missing, empty and not what they should be.
const UNEVEN: &str = "
    UPDATE server_machine SET
        hostname = CASE WHEN id % 5 = 0 THEN NULL WHEN id % 5 = 1 THEN '' ELSE 'mac-' || id END,
        console_user = CASE WHEN id % 2 = 0 THEN NULL ELSE 'x' END,
        machine_model_friendly = CASE WHEN id % 3 = 0 THEN 'MacBook ü' WHEN id % 3 = 1 THEN '' END,
        munki_version = CASE WHEN id % 4 = 0 THEN '6.6.' || id % 3 END,
        manifest = NULL,
        hd_percent = CASE id % 6 WHEN 0 THEN NULL WHEN 1 THEN '9.5' WHEN 2 THEN '80' WHEN 3 THEN 'full'
            WHEN 4 THEN '' ELSE repeat('9', 200) END,
        hd_space = CASE WHEN id % 2 = 0 THEN id END,
        last_checkin = CASE WHEN id % 3 = 0 THEN NULL WHEN id % 3 = 1 THEN last_checkin + interval '1 microsecond'
            ELSE timestamptz '2026-11-01' END,
        deployed = id % 2 = 0;
    INSERT INTO server_message (text, date, message_type, machine_id)
        SELECT 'x', now(), CASE WHEN n % 2 = 0 THEN 'ERROR' ELSE 'WARNING' END, n % 40 + 1 FROM generate_series(1, 100) n";

/// Follows the links with this text from a page to the end of the list.
async fn walk(from: &str, text: &str, anna: &mut Visitor, site: &Site) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(from.to_owned());
    while let Some(path) = next {
        let page = anna.get(site, &path).await;
        assert_ok(&page);
        pages.push(names(&page.page()));
        assert!(pages.len() < 10, "{path} leads round in circles");
        next = link(&page.page(), text);
    }
    pages
}

#[tokio::test]
async fn every_order_shows_every_machine_once_forwards_and_backwards() {
    let (site, mut anna) = fleet(130).await;
    site.sql(UNEVEN).await;
    for column in [
        "hostname",
        "serial",
        "console_user",
        "model",
        "machine_model",
        "operating_system",
        "group",
        "unit",
        "last_checkin",
        "first_checkin",
        "munki_version",
        "sal_version",
        "manifest",
        "memory",
        "hd_percent",
        "hd_space",
        "cpu_type",
        "deployed",
        "errors",
        "warnings",
    ] {
        for sort in [column.to_owned(), format!("-{column}")] {
            let start = format!("/machines/?sort={sort}&cols=hostname,serial");
            let pages = walk(&start, "Next", &mut anna, &site).await;
            assert_eq!(
                pages.iter().map(Vec::len).collect::<Vec<_>>(),
                [50, 50, 30],
                "{sort}"
            );
            let forwards = pages.concat();
            let mut back = walk(&format!("{start}&at=end"), "Previous", &mut anna, &site).await;
            // The last page of a walk back begins at the beginning and may overlap.
            back.truncate(2);
            back.reverse();
            assert_eq!(back.concat(), forwards[30..], "{sort}");
        }
    }
}

#[tokio::test]
async fn machines_without_a_value_come_last_in_both_directions() {
    let (site, mut anna) = fleet(120).await;
    site.sql("UPDATE server_machine SET console_user = NULL WHERE id > 60")
        .await;
    for (sort, first, last) in [
        ("console_user", "mac-1", "mac-120"),
        ("-console_user", "mac-9", "mac-61"),
    ] {
        let pages = walk(&format!("/machines/?sort={sort}"), "Next", &mut anna, &site)
            .await
            .concat();
        assert_eq!(
            (
                pages.first().unwrap().as_str(),
                pages.last().unwrap().as_str()
            ),
            (first, last)
        );
    }
}

#[tokio::test]
async fn the_pager_counts_lines_and_ends_where_the_list_does() {
    let (site, mut anna) = fleet(120).await;
    let first = anna.get(&site, "/machines/?sort=serial").await;
    assert_eq!(first.page().text(SHOWN), "1–50 of 120");
    assert_eq!(
        (
            link(&first.page(), "Previous"),
            link(&first.page(), "First")
        ),
        (None, None)
    );
    let second = anna.get(&site, &link(&first.page(), "Next").unwrap()).await;
    assert_eq!(second.page().text(SHOWN), "51–100 of 120");
    let last = anna
        .get(&site, &link(&second.page(), "Last").unwrap())
        .await;
    assert_eq!(last.page().text(SHOWN), "71–120 of 120");
    assert_eq!(
        (link(&last.page(), "Next"), link(&last.page(), "Last")),
        (None, None)
    );
    let back = anna
        .get(&site, &link(&last.page(), "Previous").unwrap())
        .await;
    assert_eq!(back.page().text(SHOWN), "21–70 of 120");
    // Less than a page is left before it: the first page, whole.
    let start = anna
        .get(&site, &link(&back.page(), "Previous").unwrap())
        .await;
    assert_eq!(start.page().text(SHOWN), "1–50 of 120");
    assert_eq!(names(&start.page()), names(&first.page()));
}

#[tokio::test]
async fn a_border_that_is_gone_still_is_a_border() {
    let (site, mut anna) = fleet(120).await;
    let first = anna.get(&site, "/machines/?sort=last_checkin").await;
    let next = link(&first.page(), "Next").unwrap();
    let before = anna.get(&site, &next).await;
    site.sql("DELETE FROM server_machine WHERE hostname = 'mac-71'")
        .await;
    assert_eq!(names(&first.page())[49], "mac-71");
    let after = anna.get(&site, &next).await;
    assert_eq!(names(&after.page()), names(&before.page()));
    // All behind the border is gone: the list from its beginning instead of an empty page.
    site.sql("DELETE FROM server_machine WHERE id <= 71").await;
    let page = anna.get(&site, &next).await;
    assert_eq!(page.page().text(SHOWN), "1–49 of 49");
}

#[tokio::test]
async fn hostile_borders_show_the_beginning() {
    let (site, mut anna) = fleet(60).await;
    // `1.1.x`, `1.1.x\0`, `9223372036854775808.1`, `1.1.` and the year -9999
    for border in [
        "MS4xLng",
        "MS4xLngA",
        "OTIyMzM3MjAzNjg1NDc3NTgwOC4x",
        "MS4xLi0zNzc3MDUwMjMyMDEwMDAwMDA",
        "%00",
        "====",
        "%FF",
        "'",
    ] {
        for name in ["after", "before", "at"] {
            let page = anna
                .get(&site, &format!("/machines/?{name}={border}"))
                .await;
            assert_ok(&page);
            assert_eq!(page.page().text(SHOWN), "1–50 of 60", "{name}={border}");
        }
    }
    let far = anna
        .get(
            &site,
            "/machines/?sort=serial&after=MS4tOTIyMzM3MjAzNjg1NDc3NTgwOC5h",
        )
        .await;
    assert_ok(&far);
}
