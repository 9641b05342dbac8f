//! Lists that are paged by key: applications, installs, updates, machines of an update, people. Every order is walked both
//! ways, while rows come and go, and from borders that nobody wrote.
#![expect(clippy::indexing_slicing, reason = "tests")]

use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sal_testkit::Page;
use serde_json::{Value, json};

use crate::site::{NOW, Site, Visitor};

/// A list in one order.
struct List {
    /// The address of its first page.
    path: String,
    /// Its order, as borders name it.
    order: &'static str,
    /// Rows of a page.
    size: usize,
    /// All of it, read by a statement that knows nothing of pages: what [`List::rows`] finds on the page.
    whole: String,
    /// What tells the rows of a page apart.
    rows: fn(&Page) -> Vec<String>,
}

const MUNKI: &str = "01900000-0000-0000-0000-000000000001";
const APPLE: &str = "01900000-0000-0000-0000-000000000002";

/// 130 machines, 130 applications and one that all machines have, 230 items that wait or failed and one that all
/// machines have, 230 people. Values are equal, empty and missing, and differ in upper and lower case only.
async fn site() -> (Site, Visitor) {
    let site = Site::start().await;
    site.machines(130).await;
    site.sql(&format!(
        "UPDATE server_machine SET
             hostname = CASE id % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'MAC-' || id % 9 ELSE 'mac-' || id % 9 END,
             console_user = CASE WHEN id % 3 > 0 THEN 'Üser ' || id % 5 END,
             last_checkin = CASE id % 3 WHEN 0 THEN NULL WHEN 1 THEN last_checkin + interval '1 microsecond'
                 ELSE timestamptz '2026-11-01' END;
         INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
             SELECT n, CASE WHEN n % 2 = 0 THEN 'App ' ELSE 'aPP ' END || n % 7, 'com.X.' || n % 11,
                    CASE WHEN n % 13 < 7 THEN '' ELSE 'b' || n % 13 END, '' FROM generate_series(1, 130) n;
         INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
             VALUES (1000, 'Everywhere', 'com.e', 'E', '');
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
             SELECT 1 + (n + v) % (1 + n % 3), n, v::text, '/p' FROM generate_series(1, 130) n, generate_series(0, n % 5) v;
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
             SELECT id, 1000, CASE WHEN id <= 120 THEN '1' ELSE '2' END, '/e' FROM server_machine;
         INSERT INTO server_managementsource (id, name) VALUES ('{MUNKI}', 'Munki'), ('{APPLE}', 'Apple');
         INSERT INTO server_manageditem (id, name, machine_id, management_source_id, date_managed, status)
             SELECT gen_random_uuid(), CASE WHEN n % 3 = 0 THEN 'ITEM ' ELSE 'Item ' END || n / 2, m,
                    CASE WHEN n % 2 = 0 THEN uuid '{MUNKI}' ELSE uuid '{APPLE}' END, timestamptz '{NOW}',
                    CASE WHEN (n + m) % 2 = 0 THEN 'PENDING' ELSE 'ERROR' END
             FROM generate_series(1, 229) n, generate_series(1, 1 + n % 3) m;
         INSERT INTO server_manageditem (id, name, machine_id, management_source_id, date_managed, status)
             SELECT gen_random_uuid(), 'Wide', id, '{MUNKI}',
                    timestamptz '{NOW}' - id % 4 * interval '1 day' + id % 2 * interval '1 microsecond',
                    CASE WHEN id <= 15 THEN 'ODD' WHEN id > 25 THEN 'PENDING'
                         ELSE (ARRAY['ERROR', 'UNKNOWN', 'PRESENT', 'ABSENT'])[1 + id % 4] END
             FROM server_machine;
         INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             SELECT 10 + n, '!', false, CASE WHEN n % 2 = 0 THEN 'Person' ELSE 'person' END || n, '', '', '', false, true, now()
             FROM generate_series(1, 230) n"
    ))
    .await;
    site.user(1, "admin", "GA", None).await;
    site.sql("UPDATE auth_user SET is_staff = true WHERE id = 1")
        .await;
    let admin = site.visitor("admin").await;
    (site, admin)
}

fn hrefs(page: &Page) -> Vec<String> {
    page.attributes("a[data-row-link]", "href")
}

/// Name and source.
fn first_cells(page: &Page) -> Vec<String> {
    let rows = page.rows("table.devices").into_iter();
    rows.map(|row| row.first().unwrap().clone()).collect()
}

/// Address, order as borders name it, order as SQL.
const APPLICATIONS: &[(&str, &str, &str)] = &[
    ("/inventory/all/0/", "", "lower(a.name), a.id"),
    (
        "/inventory/all/0/?sort=-name",
        "-name",
        "lower(a.name) DESC, a.id",
    ),
    (
        "/inventory/all/0/?sort=bundleid",
        "bundleid",
        "lower(a.bundleid), lower(a.name), a.id",
    ),
    (
        "/inventory/all/0/?sort=-bundleid",
        "-bundleid",
        "lower(a.bundleid) DESC, lower(a.name), a.id",
    ),
    (
        "/inventory/all/0/?sort=bundlename",
        "bundlename",
        "lower(a.bundlename), lower(a.name), a.id",
    ),
    (
        "/inventory/all/0/?sort=-bundlename",
        "-bundlename",
        "lower(a.bundlename) DESC, lower(a.name), a.id",
    ),
    (
        "/inventory/all/0/?sort=machines",
        "machines",
        "c.machines, lower(a.name), a.id",
    ),
    (
        "/inventory/all/0/?sort=-machines",
        "-machines",
        "c.machines DESC, lower(a.name), a.id",
    ),
    (
        "/inventory/all/0/?sort=versions",
        "versions",
        "c.versions, lower(a.name), a.id",
    ),
    (
        "/inventory/all/0/?sort=-versions",
        "-versions",
        "c.versions DESC, lower(a.name), a.id",
    ),
];

/// Order as the address has it, order as SQL.
const INSTALLS: &[(&str, &str)] = &[
    ("", "lower(hostname), id"),
    ("-name", "lower(hostname) DESC NULLS LAST, id"),
    ("serial", "serial, id"),
    ("-serial", "serial DESC, id"),
    ("last_checkin", "last_checkin, id"),
    ("-last_checkin", "last_checkin DESC NULLS LAST, id"),
    ("user", "lower(console_user), id"),
    ("-user", "lower(console_user) DESC NULLS LAST, id"),
];

fn applications() -> impl Iterator<Item = List> {
    APPLICATIONS.iter().map(|(path, order, by)| List {
        path: (*path).to_owned(),
        order,
        size: 50,
        whole: format!(
            "SELECT '/inventory/application/all/0/' || a.id || '/' FROM inventory_application a JOIN (
                 SELECT application_id, count(DISTINCT machine_id) AS machines, count(DISTINCT version) AS versions
                 FROM inventory_inventoryitem GROUP BY 1) c ON c.application_id = a.id ORDER BY {by}"
        ),
        rows: hrefs,
    })
}

fn installs() -> impl Iterator<Item = List> {
    let all = INSTALLS.iter().map(|(order, by)| (*order, *by, "", "TRUE"));
    let of_version = INSTALLS.iter().map(|(order, by)| {
        let which = "&field_type=version&field_value=1";
        (*order, *by, which, "version = '1'")
    });
    all.chain(of_version).map(|(order, by, parameters, which)| List {
        path: format!("/inventory/list/all/0/1000/?sort={order}{parameters}"),
        order,
        size: 50,
        whole: format!(
            "SELECT '/machine_detail/' || id || '/' FROM server_machine WHERE id IN (
                 SELECT machine_id FROM inventory_inventoryitem WHERE application_id = 1000 AND {which}) ORDER BY {by}"
        ),
        rows: hrefs,
    })
}

fn updates() -> List {
    List {
        path: "/updates/".to_owned(),
        order: "updates",
        size: 100,
        whole: "SELECT i.name || ' ' || s.name FROM server_manageditem i
                JOIN server_managementsource s ON s.id = i.management_source_id WHERE i.status IN ('ERROR', 'PENDING')
                GROUP BY i.name, s.name ORDER BY count(*) DESC, lower(i.name), i.name, s.name"
            .to_owned(),
        rows: first_cells,
    }
}

fn item(parameter: &str, which: &str) -> List {
    List {
        path: format!("/updates/item/?source=Munki&name=Wide{parameter}"),
        order: "machines",
        size: 50,
        whole: format!(
            "SELECT '/machine_detail/' || machine_id || '/' FROM server_manageditem WHERE name = 'Wide' AND {which}
             ORDER BY CASE status WHEN 'ERROR' THEN 1 WHEN 'PENDING' THEN 2 WHEN 'UNKNOWN' THEN 3
                 WHEN 'PRESENT' THEN 4 WHEN 'ABSENT' THEN 5 ELSE 6 END, date_managed DESC, machine_id"
        ),
        rows: hrefs,
    }
}

fn users() -> List {
    List {
        path: "/settings/users/".to_owned(),
        order: "users",
        size: 100,
        whole: "SELECT '/settings/users/edit/' || id || '/' FROM auth_user ORDER BY lower(username), id".to_owned(),
        rows: hrefs,
    }
}

/// Every list in every order.
fn lists() -> impl Iterator<Item = List> {
    let items = [("", "TRUE"), ("&status=PENDING", "status = 'PENDING'")];
    let items = items.map(|(parameter, which)| item(parameter, which));
    let rest = items.into_iter().chain([updates(), users()]);
    applications().chain(installs()).chain(rest)
}

/// What changes a list.
struct Change {
    list: List,
    /// Makes a row the first, new or not.
    come: &'static str,
    /// Removes the row that `{}` names as [`List::rows`] does.
    go: &'static str,
    /// Leaves a few of the first rows.
    end: &'static str,
}

fn changes() -> [Change; 5] {
    [
        Change {
            list: applications().next().unwrap(),
            come: "INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
                       VALUES (2000, '', '', '', '');
                   INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path) VALUES (1, 2000, '1', '')",
            go: "DELETE FROM inventory_inventoryitem WHERE '/inventory/application/all/0/' || application_id || '/' = '{}'",
            end: "DELETE FROM inventory_inventoryitem WHERE application_id NOT IN (
                      SELECT id FROM inventory_application ORDER BY lower(name), id LIMIT 5)",
        },
        Change {
            list: installs().find(|list| list.order == "-last_checkin").unwrap(),
            come: "UPDATE server_machine SET last_checkin = timestamptz '2026-12-24' WHERE id = 129",
            go: "DELETE FROM inventory_inventoryitem WHERE '/machine_detail/' || machine_id || '/' = '{}'",
            end: "DELETE FROM inventory_inventoryitem WHERE machine_id NOT IN (
                      SELECT id FROM server_machine ORDER BY last_checkin DESC NULLS LAST, id LIMIT 5)",
        },
        Change {
            list: updates(),
            come: "INSERT INTO server_manageditem (id, name, machine_id, management_source_id, date_managed, status)
                       SELECT gen_random_uuid(), 'New', id, '01900000-0000-0000-0000-000000000001', now(), 'ERROR'
                       FROM server_machine",
            go: "DELETE FROM server_manageditem i USING server_managementsource s
                     WHERE s.id = i.management_source_id AND i.name || ' ' || s.name = '{}'",
            end: "DELETE FROM server_manageditem WHERE name NOT IN ('Wide', 'New')",
        },
        Change {
            list: item("", "TRUE"),
            come: "UPDATE server_manageditem SET status = 'ERROR', date_managed = timestamptz '2026-12-24'
                       WHERE name = 'Wide' AND machine_id = 1",
            go: "DELETE FROM server_manageditem WHERE name = 'Wide' AND '/machine_detail/' || machine_id || '/' = '{}'",
            end: "DELETE FROM server_manageditem WHERE name = 'Wide' AND status <> 'ERROR'",
        },
        Change {
            list: users(),
            come: "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff,
                                          is_active, date_joined)
                       VALUES (5, '!', false, 'aaa', '', '', '', false, true, now())",
            go: "DELETE FROM auth_user WHERE '/settings/users/edit/' || id || '/' = '{}'",
            end: "DELETE FROM auth_user WHERE id > 5",
        },
    ]
}

/// An address that leads on, if there is one.
fn leads(page: &Page, way: &str) -> Option<String> {
    let links = page.attributes(&format!(".pager a[rel={way}]"), "href");
    assert!(links.len() <= 1, "{links:?}");
    links.into_iter().next()
}

fn shown(page: &Page) -> String {
    page.text(".pager > .muted")
}

async fn open(path: &str, admin: &mut Visitor, site: &Site) -> Page {
    let answer = admin.get(site, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.page()
}

/// An address with one more parameter.
fn with(path: &str, parameter: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}{parameter}")
}

/// Follows links in one direction from a page to the end: what each page has, and which lines it says that these are.
async fn walk(
    list: &List,
    way: &str,
    from: Page,
    admin: &mut Visitor,
    site: &Site,
) -> (Vec<(Vec<String>, String)>, Page) {
    let mut page = from;
    let mut pages = vec![((list.rows)(&page), shown(&page))];
    while let Some(next) = leads(&page, way) {
        page = open(&next, admin, site).await;
        pages.push(((list.rows)(&page), shown(&page)));
        assert!(pages.len() < 10, "{next} leads round in circles");
    }
    (pages, page)
}

#[tokio::test]
async fn every_order_of_every_list_is_walked_both_ways() {
    let (site, mut admin) = site().await;
    for list in lists() {
        let path = &list.path;
        let whole = site.texts(&list.whole).await;
        let total = whole.len();
        assert!(total > 2 * list.size, "{path}: {total}");
        let expected: Vec<(Vec<String>, String)> = whole
            .chunks(list.size)
            .enumerate()
            .map(|(number, rows)| {
                let before = number * list.size;
                let shown = format!("{}–{} of {total}", before + 1, before + rows.len());
                (rows.to_vec(), shown)
            })
            .collect();
        let first = open(path, &mut admin, &site).await;
        assert_eq!(leads(&first, "prev"), None, "{path}");
        let (forwards, last) = walk(&list, "next", first, &mut admin, &site).await;
        assert_eq!(forwards, expected, "{path}");
        let (mut back, first) = walk(&list, "prev", last, &mut admin, &site).await;
        back.reverse();
        assert_eq!(back, expected, "{path}, back");
        assert!(leads(&first, "next").is_some(), "{path}");
    }
}

#[tokio::test]
async fn kept_counts_are_paged_by_key_too() {
    let (site, mut admin) = site().await;
    // Above 250 machines a page shows what was counted last.
    site.sql(&format!(
        "INSERT INTO server_machine (id, serial, operating_system, os_family, memory_kb, machine_model, last_checkin, first_checkin,
             machine_group_id, deployed, broken_client)
         SELECT n, 'MORE' || n, '15.1', 'Darwin', 0, 'Mac15,3', timestamptz '{NOW}', timestamptz '{NOW}', 1, true, false
         FROM generate_series(1001, 1200) n"
    ))
    .await;
    for list in applications().chain([updates()]) {
        let whole = site.texts(&list.whole).await;
        let first = open(&with(&list.path, "recount=1"), &mut admin, &site).await;
        let (pages, last) = walk(&list, "next", first, &mut admin, &site).await;
        let rows: Vec<String> = pages.into_iter().flat_map(|(rows, _)| rows).collect();
        assert_eq!(rows, whole, "{}", list.path);
        assert!(
            last.has(".fresh"),
            "{}: the counts are kept ones",
            list.path
        );
    }
}

#[tokio::test]
async fn rows_that_come_and_go_move_no_other() {
    for change in changes() {
        let (site, mut admin) = site().await;
        let (list, size) = (&change.list, change.list.size);
        let path = &list.path;
        let whole = site.texts(&list.whole).await;
        let first = open(path, &mut admin, &site).await;
        let next = leads(&first, "next").unwrap();
        // The row at the border goes, and one comes before it.
        site.sql(&change.go.replace("{}", &whole[size - 1])).await;
        site.sql(change.come).await;
        let now = site.texts(&list.whole).await;
        assert!(
            !now.contains(&whole[size - 1]) && now[0] != whole[0],
            "{path}"
        );
        let second = open(&next, &mut admin, &site).await;
        let mut expected = whole[size..].to_vec();
        expected.retain(|row| *row != now[0]);
        expected.truncate(size);
        assert_eq!((list.rows)(&second), expected, "{path}");
        let numbers = format!("{}–{} of {}", size + 1, 2 * size, now.len());
        assert_eq!(shown(&second), numbers, "{path}");

        // The row at the border of the way back goes, too, and the one before it.
        let third = open(&leads(&second, "next").unwrap(), &mut admin, &site).await;
        let back = leads(&third, "prev").unwrap();
        assert!(back.contains("before="), "{back}");
        for row in [2 * size - 1, 2 * size] {
            site.sql(&change.go.replace("{}", &now[row])).await;
        }
        let now = site.texts(&list.whole).await;
        let second = open(&back, &mut admin, &site).await;
        assert_eq!((list.rows)(&second), now[size - 1..2 * size - 1], "{path}");
        let numbers = format!("{}–{} of {}", size, 2 * size - 1, now.len());
        assert_eq!(shown(&second), numbers, "{path}");
        // Less than a page is left before it: the first page, whole.
        let start = open(&leads(&second, "prev").unwrap(), &mut admin, &site).await;
        assert_eq!((list.rows)(&start), now[..size], "{path}");
    }
}

#[tokio::test]
async fn a_border_with_nothing_around_it_shows_the_beginning() {
    for change in changes() {
        let (site, mut admin) = site().await;
        let list = &change.list;
        let whole = site.texts(&list.whole).await;
        let first = open(&list.path, &mut admin, &site).await;
        let after = leads(&first, "next").unwrap();
        let second = open(&after, &mut admin, &site).await;
        let third = open(&leads(&second, "next").unwrap(), &mut admin, &site).await;
        let before = leads(&third, "prev").unwrap();
        // Rows before the border of the way back, but less than a page: the first page, whole.
        let rows = whole[2..list.size + 3].iter();
        let gone: Vec<String> = rows.map(|row| change.go.replace("{}", row)).collect();
        site.sql(&gone.join(";")).await;
        let now = site.texts(&list.whole).await;
        let page = open(&before, &mut admin, &site).await;
        assert_eq!(
            (list.rows)(&page),
            now[..list.size.min(now.len())],
            "{before}"
        );
        site.sql(change.come).await;
        site.sql(change.end).await;
        let now = site.texts(&list.whole).await;
        assert!(!now.is_empty() && now.len() < list.size, "{}", list.path);
        for border in [&after, &before] {
            let page = open(border, &mut admin, &site).await;
            assert_eq!((list.rows)(&page), now, "{border}");
            assert_eq!(shown(&page), format!("1–{0} of {0}", now.len()), "{border}");
        }
    }
}

/// What the border in an address says.
fn read(address: &str) -> Value {
    let (_, border) = address.rsplit_once("after=").unwrap();
    let border = border.replace("%2D", "-").replace("%5F", "_");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(border).unwrap()).unwrap()
}

fn write(border: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(border.to_string())
}

/// What is no border of a list, made from one that is.
fn hostile(order: &str, values: &[Value]) -> Vec<String> {
    let twice = [values, values].concat();
    let mut bad = vec![
        json!(["another", values]),
        json!([order, []]),
        json!([order, values[1..]]),
        json!([order, twice]),
        json!([order, values, 1]),
        json!([order, {"0": 1}]),
        json!([[], values]),
        json!("x".repeat(100)),
        json!([order, ["x".repeat(20_000)]]),
    ];
    let mut with = |place: usize, value: Value| {
        let mut values = values.to_vec();
        values[place] = value;
        bad.push(json!([order, values]));
    };
    for place in 0..values.len() {
        for value in [json!(1), json!("a\0b"), json!({}), json!(["a"])] {
            with(place, value);
        }
    }
    // The last value is never missing, and a number but for updates.
    let last = values.len() - 1;
    with(last, Value::Null);
    let numbers = [
        "x",
        "",
        "1.5",
        "99999999999999999999",
        "1; DROP TABLE auth_user",
        "NaN",
    ];
    for text in numbers.iter().filter(|_| order != "updates") {
        with(last, json!(text));
    }
    let raw = ["%00", "====", "%FF%FE", "'", "W10", "bnVsbA", ""];
    let raw = raw.map(str::to_owned).into_iter();
    bad.iter().map(write).chain(raw).collect()
}

#[tokio::test]
async fn hostile_borders_show_the_beginning() {
    let (site, mut admin) = site().await;
    // One of each set of keys.
    let others = [
        "=-name",
        "=-user",
        "field_type",
        "serial",
        "sort=user",
        "bundle",
        "versions",
        "status",
    ];
    let is_meant = |list: &List| !others.iter().any(|other| list.path.contains(other));
    for list in lists().filter(is_meant) {
        let path = &list.path;
        let first = open(path, &mut admin, &site).await;
        let good = read(&leads(&first, "next").unwrap());
        assert_eq!(good[0], list.order, "{path}");
        // The border itself leads elsewhere, so that the beginning is a refusal.
        let second = with(path, &format!("after={}", write(&good)));
        let second = open(&second, &mut admin, &site).await;
        assert_ne!((list.rows)(&second), (list.rows)(&first), "{path}");
        for border in hostile(list.order, good[1].as_array().unwrap()) {
            for name in ["after", "before"] {
                let address = with(path, &format!("{name}={border}"));
                let page = open(&address, &mut admin, &site).await;
                assert_eq!(shown(&page), shown(&first), "{address}");
                assert_eq!((list.rows)(&page), (list.rows)(&first), "{address}");
            }
        }
    }
}

#[tokio::test]
async fn borders_that_nobody_wrote_are_no_failure() {
    let (site, mut admin) = site().await;
    let machines = "/inventory/list/all/0/1000/?sort=-last_checkin";
    for time in [
        "yesterday",
        "9223372036854775807",
        "-9223372036854775808",
        // Before what Postgres takes, and before what it takes and we do.
        "-377705023201000000",
        "-210866803200000001",
        "253402300799999999",
        "infinity",
    ] {
        for name in ["after", "before"] {
            let border = write(&json!(["-last_checkin", [time, "7"]]));
            let page = open(&format!("{machines}&{name}={border}"), &mut admin, &site).await;
            assert_eq!(
                (hrefs(&page).len(), shown(&page)),
                (50, "1–50 of 130".to_owned()),
                "{name} {time}"
            );
        }
    }
    // Texts and numbers that no row has are places all the same.
    for (path, border, numbers) in [
        (
            "/inventory/all/0/?after=",
            json!(["", ["", "0"]]),
            "1–50 of 131",
        ),
        (
            "/inventory/all/0/?after=",
            json!(["", ["app 3", "-9223372036854775808"]]),
            "57–106 of 131",
        ),
        (
            "/inventory/all/0/?before=",
            json!(["", ["zzzz", "9223372036854775807"]]),
            "82–131 of 131",
        ),
        (
            "/settings/users/?before=",
            json!(["users", ["%_\\';--", "1"]]),
            "1–100 of 231",
        ),
    ] {
        let page = open(&format!("{path}{}", write(&border)), &mut admin, &site).await;
        assert_eq!(shown(&page), numbers, "{path} {border}");
    }
    // A border with markup in it comes back as text only.
    site.sql("UPDATE auth_user SET username = '\"><b>' || id WHERE id > 1")
        .await;
    let page = admin.get(&site, "/settings/users/").await;
    assert_eq!(page.page().count("#users b"), 0);
    let next = leads(&page.page(), "next").unwrap();
    let second = open(&next, &mut admin, &site).await;
    assert_eq!(shown(&second), "101–200 of 231");
}

#[tokio::test]
async fn older_addresses_that_count_pages_are_answered() {
    let (site, mut admin) = site().await;
    for list in lists() {
        let whole = site.texts(&list.whole).await;
        let page = open(&with(&list.path, "page=2"), &mut admin, &site).await;
        assert_eq!(
            (list.rows)(&page),
            whole[list.size..2 * list.size],
            "{}",
            list.path
        );
        let next = leads(&page, "next").unwrap();
        assert!(next.contains("after=") && !next.contains("page="), "{next}");
        for nowhere in [
            "4",
            "100",
            "101",
            "0",
            "-1",
            "x",
            "99999999999999999999",
            "%00",
        ] {
            let page = open(
                &with(&list.path, &format!("page={nowhere}")),
                &mut admin,
                &site,
            )
            .await;
            assert_eq!(
                (list.rows)(&page),
                whole[..list.size],
                "{} {nowhere}",
                list.path
            );
        }
    }
}
