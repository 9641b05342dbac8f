//! `/activity/`: the audit log and the journal.

use axum::http::{StatusCode, header};

use sal_testkit::Page;

use crate::site::{Site, Visitor, names};

async fn site() -> (Site, Visitor) {
    let site = Site::start().await;
    site.machines(1).await;
    site.user(1, "ga", "GA", None).await;
    let admin = site.visitor("ga").await;
    site.sql("DELETE FROM salrs_audit").await;
    (site, admin)
}

/// Changes 1 to 120 of `anna` and `ben`, the last one of a name that is HTML.
async fn changes(site: &Site) {
    site.sql(
        "INSERT INTO salrs_audit (id, at, user_id, username, action, kind, object_id, object_name, detail)
         SELECT n, now(), 1, CASE WHEN n % 2 = 0 THEN 'Anna' ELSE 'ben' END, 'changed',
             CASE WHEN n % 10 = 5 THEN 'API key' ELSE 'machine' END, n::text, 'thing-' || n, ''
         FROM generate_series(1, 120) n;
         UPDATE salrs_audit SET object_name = '<img src=x>', detail = '=cmd()' WHERE id = 119",
    )
    .await;
}

#[tokio::test]
async fn only_global_admins_see_activity() {
    let (site, mut admin) = site().await;
    let paths = [
        "/activity/",
        "/activity/export/",
        "/activity/check-ins/",
        "/activity/check-ins/export/",
    ];
    for path in paths {
        assert_eq!(
            admin.get(&site, path).await.status,
            StatusCode::OK,
            "{path}"
        );
        let answer = Visitor::default().get(&site, path).await;
        assert!(answer.location().starts_with("/login"), "{path}");
    }
    for (id, level) in [(2, "SO"), (3, "RO"), (4, "RW")] {
        site.user(id, level, level, Some(1)).await;
        let mut visitor = site.visitor(level).await;
        for path in paths {
            assert_eq!(
                visitor.get(&site, path).await.location(),
                "/",
                "{level} {path}"
            );
        }
    }
}

#[tokio::test]
async fn changes_are_paged_by_number_and_filtered() {
    let (site, mut admin) = site().await;
    changes(&site).await;
    let page = admin.get(&site, "/activity/").await.page();
    let told = |page: &Page| page.texts("[data-label=What]");
    let second = &page.rows("table.devices")[1];
    assert_eq!(
        second[1..],
        ["ben", "machine <img src=x> changed", "=cmd()"]
    );
    assert_eq!(told(&page)[0], "machine thing-120 changed");
    assert_eq!(told(&page).len(), 50);
    assert_eq!(told(&page)[49], "machine thing-71 changed");
    assert_eq!(page.links("<img src=x>"), ["/machine_detail/119/"]);
    assert_eq!(page.count("[hx-trigger='every 30s']"), 1);
    let older = "/activity/?before=71";
    assert_eq!(page.attribute("#older", "href"), older);
    let page = admin.get(&site, older).await.page();
    assert_eq!(told(&page)[0], "machine thing-70 changed");
    assert_eq!(told(&page)[49], "machine thing-21 changed");
    assert!(!page.has("[hx-trigger]"), "only the first page is live");
    let last = admin.get(&site, "/activity/?before=21").await.page();
    assert_eq!(told(&last)[19], "machine thing-1 changed");
    assert!(!last.has("[rel=next]"));

    let keys = admin.get(&site, "/activity/?kind=API+key&user=").await;
    let keys = keys.page();
    assert_eq!(keys.field("kind").as_deref(), Some("API key"));
    assert_eq!(told(&keys).len(), 12);
    assert_eq!(told(&keys)[0], "API key thing-115 changed");
    let anna = admin.get(&site, "/activity/?user=anna").await.page();
    let users = anna.texts("[data-label=Who]");
    assert!(users.len() == 50 && users.iter().all(|user| user == "Anna"));
    let nobody = admin.get(&site, "/activity/?user=%3Cb%3E").await.page();
    assert_eq!(nobody.text("main h2"), "No change of this kind or person");
    assert_eq!(nobody.field("user").as_deref(), Some("<b>"));
    for query in [
        "before=x",
        "before=99999999999999999999",
        "user=%00",
        "kind=%00",
        "before=-1",
    ] {
        let answer = admin.get(&site, &format!("/activity/?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
    }
}

#[tokio::test]
async fn changes_are_exported_whole_and_formulas_defused() {
    let (site, mut admin) = site().await;
    changes(&site).await;
    site.sql(
        "INSERT INTO salrs_audit (id, at, username, action, kind, object_id, object_name, detail)
         SELECT 1000 + n, now(), 'anna', 'made', 'bulk', n::text, 'bulk-' || n, '' FROM generate_series(1, 2000) n",
    )
    .await;
    let csv = admin.get(&site, "/activity/export/?format=csv").await;
    assert_eq!(csv.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(csv.text.lines().count(), 1 + 120 + 2000);
    assert!(
        csv.text
            .starts_with("id,at,user,action,kind,object_id,object_name,detail\r\n")
    );
    assert!(csv.text.contains("<img src=x>,'=cmd()"));
    let path = "/activity/export/?format=jsonl&kind=API%20key&user=BEN";
    let jsonl = admin.get(&site, path).await;
    assert_eq!(jsonl.text.lines().count(), 13);
    assert!(jsonl.text.ends_with("{\"end\":true,\"rows\":12}\n"));
    let other = admin.get(&site, "/activity/export/?format=xls").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

/// 120 events a minute apart, the newest first; every tenth failed; and two kept bodies.
async fn events(site: &Site) {
    site.sql(
        "INSERT INTO salrs_journal (fingerprint, serial, route, outcome, reason, address, client, times, first_at, last_at,
             body_bytes, milliseconds)
         SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), 'C' || n, 'checkin',
             CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'refused' END, 'no valid key <b>', '10.0.0.' || n % 250, 'sal/5', n,
             now() - interval '1 day', timestamptz '2026-11-22T12:00:00Z' - ((n + 1) / 2) * interval '1 minute', 1000, 12
         FROM generate_series(1, 120) n;
         INSERT INTO salrs_rejected_body (fingerprint, id, at, path, content_type, serial, reason, address, body)
         VALUES (decode(lpad('1', 32, '0'), 'hex'), 17, now(), '/checkin/', 'x', 'C1', 'bad <i>', '10.0.0.1', 'the secret body'),
                (decode(lpad('2', 32, '0'), 'hex'), 18, now(), '/checkin/', 'x', 'C2', 'worse', '10.0.0.2', 'yes')",
    )
    .await;
}

#[tokio::test]
async fn every_event_is_on_exactly_one_page_also_those_of_the_same_moment() {
    let (site, mut admin) = site().await;
    events(&site).await;
    let (mut path, mut seen) = ("/activity/check-ins/".to_owned(), Vec::new());
    for round in 0..3 {
        let page = admin.get(&site, &path).await.page();
        assert_eq!(page.has("[hx-trigger]"), round == 0);
        assert_eq!(page.words().contains("sal checkin replay"), round == 0);
        assert!(!page.has("main b") && !page.words().contains("the secret body"));
        seen.extend(page.attributes("a[data-row-link]", "href"));
        path = page.attributes("a#older", "href").pop().unwrap_or_default();
        assert_eq!(path.is_empty(), round == 2, "{round}");
    }
    assert_eq!(seen.len(), 120);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 120);
}

#[tokio::test]
async fn events_are_filtered_and_exported_and_bodies_are_named() {
    let (site, mut admin) = site().await;
    let empty = admin.get(&site, "/activity/check-ins/").await.page();
    assert_eq!(empty.text("main h2"), "All check-ins went as usual");
    events(&site).await;
    let bodies = |page: &Page| page.rows(".note table.devices");
    let path = "/activity/check-ins/?outcome=failed&serial=c1";
    let failed = admin.get(&site, path).await.page();
    assert_eq!(names(&failed), ["C10", "C100", "C110", "C120"]);
    assert!(bodies(&failed).is_empty());
    let one = admin.get(&site, "/activity/check-ins/?serial=C2").await;
    let one = one.page();
    assert_eq!(names(&one)[0], "C2");
    assert_eq!(one.links("C2"), ["/machines/?q=C2"]);
    let all = admin.get(&site, "/activity/check-ins/").await.page();
    let lines = bodies(&all);
    let refused = lines.iter().map(|line| (line[0].as_str(), &line[2..]));
    assert_eq!(
        refused.collect::<Vec<_>>(),
        [
            (
                "18",
                &["/checkin/", "C2", "worse", "10.0.0.2", "3 bytes"].map(str::to_owned)[..]
            ),
            (
                "17",
                &["/checkin/", "C1", "bad <i>", "10.0.0.1", "15 bytes"].map(str::to_owned)
            ),
        ]
    );
    assert_eq!(bodies(&one), bodies(&all)[..1]);
    let csv = admin
        .get(&site, "/activity/check-ins/export/?outcome=failed")
        .await;
    assert_eq!(csv.text.lines().count(), 13);
    assert!(csv.text.contains(",C120,checkin,failed,"));
    for query in ["before=x-y", "before=1-1", "serial=%00", "outcome=%27"] {
        let answer = admin
            .get(&site, &format!("/activity/check-ins/?{query}"))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
    }
}

#[tokio::test]
async fn logins_refusals_and_lock_outs_are_told_and_bounded() {
    let (site, mut admin) = site().await;
    let mut stranger = Visitor::default();
    for (name, tries) in [
        ("ga", 12),
        ("my secret passphrase", 12),
        ("other", 3),
        ("a\0b", 2),
    ] {
        for _ in 0..tries {
            let form = [("username", name), ("password", "guess")];
            stranger.post(&site, "/login/", &form).await;
        }
    }
    let page = admin.get(&site, "/activity/?kind=login").await.page();
    let details = page.texts("[data-label=Detail]");
    let told = |detail: &String| detail.starts_with("from unknown, 10 times, the last ");
    assert!(details.iter().any(told), "{details:?}");
    let count = |what: &str| {
        format!(
            "SELECT count(*) FROM salrs_audit WHERE kind = 'login' AND user_id IS NULL AND {what}"
        )
    };
    for (what, rows) in [
        (
            "username = 'ga' AND action = 'refused' AND detail LIKE 'from unknown, 10 times, the last %'",
            1,
        ),
        ("username = 'ga' AND action = 'locked out'", 1),
        ("username = '(unknown)' AND action = 'refused'", 1),
        ("username = '(unknown)' AND action = 'locked out'", 1),
        ("username NOT IN ('ga', '(unknown)')", 0),
        ("object_name LIKE '%secret%' OR detail LIKE '%secret%'", 0),
    ] {
        assert_eq!(site.number(&count(what)).await, rows, "{what}");
    }
    site.user(2, "anna", "RO", None).await;
    site.visitor("anna").await;
    let logged_in = "SELECT count(*) FROM salrs_audit WHERE kind = 'login' AND action = 'logged in' AND user_id = 2
         AND username = 'anna' AND object_id = '2'";
    assert_eq!(site.number(logged_in).await, 1);
    let page = admin.get(&site, "/activity/?kind=login").await.page();
    let lines = page.rows("table.devices");
    for (who, what) in [
        ("(unknown)", "locked out"),
        ("(unknown)", "refused"),
        ("ga", "locked out"),
        ("anna", "logged in"),
    ] {
        let is_it = |line: &&Vec<String>| line[1] == who && line[2].ends_with(what);
        assert_eq!(lines.iter().filter(is_it).count(), 1, "{who} {what}");
    }
}
