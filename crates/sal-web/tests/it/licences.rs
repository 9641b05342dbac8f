//! `/licenses/`: licences by unit, their form, and who may touch them.

use axum::http::StatusCode;

use crate::site::{Site, Visitor};

/// Six machines in two units; four have Office in two versions, one of them twice and one not deployed.
async fn site_with_licences() -> Site {
    let site = Site::start().await;
    site.machines(6).await;
    site.sql(
        "INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
             VALUES (1, 'Office', 'com.ms.office', 'Office', '');
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path) VALUES
             (2, 1, '16.1', '/a'), (2, 1, '16.1', '/b'), (4, 1, '16.2', '/a'), (6, 1, '15.9', '/a'), (1, 1, '16.1', '/a');
         UPDATE server_machine SET deployed = false WHERE id = 4;
         INSERT INTO licenses_license (item_name, total, cost_per_seat, inventory_name, inventory_version,
             inventory_bundleid, inventory_bundlename, inventory_path, notes, business_unit_id)
             VALUES ('Office 16', 1, 9, 'Office', '16*', '', '', '', 'old', 1), ('a/b <c>', 5, 0, '', '', 'com.none', '', '', '', 2)",
    )
    .await;
    for (id, name, level, unit) in [
        (1, "admin", "GA", None),
        (2, "writer", "RW", Some(1)),
        (3, "reader", "RO", Some(1)),
        (4, "counter", "SO", Some(1)),
    ] {
        site.user(id, name, level, unit).await;
    }
    site
}

const FORM: [(&str, &str); 10] = [
    ("item_name", " Photoshop "),
    ("total", "10"),
    ("cost_per_seat", "99"),
    ("business_unit", "2"),
    ("inventory_name", "Photoshop"),
    ("inventory_version", "25*"),
    ("inventory_bundleid", "com.adobe.ps"),
    ("inventory_bundlename", ""),
    ("inventory_path", ""),
    ("notes", "a\nb"),
];

/// The form with another value in a field.
fn with<'a>(field: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    FORM.into_iter()
        .map(|(name, typed)| (name, if name == field { value } else { typed }))
        .collect()
}

#[tokio::test]
async fn licences_are_for_global_admins_alone() {
    let site = site_with_licences().await;
    for (path, status) in [
        ("/licenses/", 200),
        ("/licenses/new/", 200),
        ("/licenses/edit/Office%2016/", 200),
        ("/licenses/edit/a%2Fb%20%3Cc%3E/", 200),
        ("/licenses/edit/a/b%20%3Cc%3E/", 200),
        ("/licenses/edit/Nope/", 404),
        ("/licenses/edit/%00/", 404),
        ("/licenses/delete/Office%2016/", 200),
        ("/licenses/delete/Nope/", 404),
    ] {
        let answer = site.visitor("admin").await.get(&site, path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        for name in ["writer", "reader", "counter"] {
            let mut visitor = site.visitor(name).await;
            let answer = visitor.get(&site, path).await;
            assert_eq!(
                (answer.status.as_u16(), answer.location()),
                (302, "/"),
                "{name} {path}"
            );
            let answer = visitor.post(&site, path, &FORM).await;
            assert_ne!(answer.status, StatusCode::OK, "{name} {path}");
        }
        let anonymous = Visitor::default().get(&site, path).await;
        assert!(anonymous.location().starts_with("/login?next="), "{path}");
    }
    assert_eq!(
        site.number("SELECT count(*) FROM licenses_license").await,
        2
    );
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_audit WHERE kind <> 'login'")
            .await,
        0
    );
}

#[tokio::test]
async fn seats_in_use_are_the_machines_of_the_unit_with_the_application() {
    let site = site_with_licences().await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/licenses/").await.page();
    // Machines 2 and 4: each counts once, deployed or not; 15.9 does not begin with 16, machine 1 is Arts'.
    assert_eq!(
        page.rows("table.devices"),
        [
            ["a/b <c>", "5", "0", "5", "Arts", "Delete"],
            ["Office 16", "1", "2", "1 too many", "Science", "Delete"],
        ]
    );
    assert_eq!(page.texts("td .badge.bad"), ["1 too many"]);
    assert_eq!(page.links("a/b <c>"), ["/licenses/edit/a%2Fb%20%3Cc%3E/"]);
}

#[tokio::test]
async fn every_criterion_that_is_filled_in_must_be_met_by_one_install() {
    let site = site_with_licences().await;
    site.sql(
        "DELETE FROM licenses_license;
         INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
             VALUES (2, 'Office', 'org.other', 'Other', ''), (3, 'Notes', 'com.notes', '', '');
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
             VALUES (4, 2, '1_x', NULL), (6, 3, '16.1', '/b')",
    )
    .await;
    let mut admin = site.visitor("admin").await;
    // Name, version, bundle id, bundle name, path; in Science 2, 4 and 6 have something.
    for (criteria, used) in [
        (["", "", "", "", ""], "3"),
        (["", "16*", "", "", ""], "3"),
        (["", "", "", "", "/b"], "2"),
        (["", "16.1", "", "", "/b"], "2"),
        (["Office", "", "", "", ""], "3"),
        (["Office", "", "org.other", "", ""], "1"),
        (["Office", "16*", "org.other", "", ""], "0"),
        (["Office", "", "", "Office", "/b"], "1"),
        (["Office", "1_*", "", "", ""], "1"),
        (["office", "", "", "", ""], "0"),
        (["", "", "com.notes", "", "/a"], "0"),
    ] {
        let [name, version, bundleid, bundlename, path] = criteria;
        site.sql(&format!(
            "DELETE FROM licenses_license;
             INSERT INTO licenses_license (item_name, total, cost_per_seat, inventory_name, inventory_version,
                 inventory_bundleid, inventory_bundlename, inventory_path, notes, business_unit_id)
             VALUES ('L', 9, 0, '{name}', '{version}', '{bundleid}', '{bundlename}', '{path}', '', 1)"
        ))
        .await;
        let page = admin.get(&site, "/licenses/").await.page();
        assert_eq!(page.text("[data-label=Used]"), used, "{criteria:?}");
    }
}

#[tokio::test]
async fn a_licence_is_made_with_all_its_fields_and_noted() {
    let site = site_with_licences().await;
    let mut admin = site.visitor("admin").await;
    let made = admin.post(&site, "/licenses/new/", &FORM).await;
    assert_eq!((made.status.as_u16(), made.location()), (302, "/licenses/"));
    let row = "SELECT count(*) FROM licenses_license WHERE item_name = 'Photoshop' AND total = 10 AND cost_per_seat = 99
               AND business_unit_id = 2 AND inventory_name = 'Photoshop' AND inventory_version = '25*'
               AND inventory_bundleid = 'com.adobe.ps' AND inventory_bundlename = '' AND notes LIKE 'a%b'";
    assert_eq!(site.number(row).await, 1);
    let audit = "SELECT count(*) FROM salrs_audit WHERE action = 'made' AND kind = 'licence' AND object_id = 'Photoshop'
                 AND username = 'admin' AND detail LIKE '%10 seats%'";
    assert_eq!(site.number(audit).await, 1);
    let page = admin.get(&site, "/licenses/edit/Photoshop/").await.page();
    for (name, value) in FORM {
        let shown = page.field(name).unwrap();
        assert_eq!(shown, value.trim(), "{name}");
    }
}

#[tokio::test]
async fn q083_the_name_of_a_licence_can_be_changed() {
    let site = site_with_licences().await;
    let mut admin = site.visitor("admin").await;
    let changed = admin
        .post(&site, "/licenses/edit/a%2Fb%20%3Cc%3E/", &FORM)
        .await;
    assert_eq!(changed.location(), "/licenses/");
    assert_eq!(
        site.number("SELECT count(*) FROM licenses_license").await,
        2
    );
    assert_eq!(
        site.number(
            "SELECT count(*) FROM licenses_license WHERE item_name = 'Photoshop' AND total = 10"
        )
        .await,
        1
    );
    let audit = "SELECT count(*) FROM salrs_audit WHERE action = 'changed' AND detail LIKE 'from “a/b <c>”: 5 %Photoshop%'";
    assert_eq!(site.number(audit).await, 1);
    // The name of another one is refused, its own is not.
    let taken = admin
        .post(
            &site,
            "/licenses/edit/Photoshop/",
            &with("item_name", "Office 16"),
        )
        .await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        taken
            .text
            .contains("There is a licence with this name already.")
    );
    let same = admin
        .post(&site, "/licenses/edit/Photoshop/", &with("total", "11"))
        .await;
    assert_eq!(same.status, StatusCode::FOUND);
    let gone = admin.post(&site, "/licenses/edit/Nope/", &FORM).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_taken_is_422_with_what_was_typed() {
    let site = site_with_licences().await;
    let mut admin = site.visitor("admin").await;
    let (long, longer) = ("ü".repeat(65), "x".repeat(1_025));
    for (field, value, sentence) in [
        ("item_name", "", "1 to 64 characters"),
        ("item_name", long.as_str(), "1 to 64 characters"),
        ("item_name", "a\0b", "1 to 64 characters"),
        ("item_name", "..", "more than dots"),
        ("item_name", "Office 16", "with this name already"),
        ("total", "-1", "whole number"),
        ("total", "2147483648", "whole number"),
        ("cost_per_seat", "1.5", "whole number"),
        ("business_unit", "", "Choose the business unit"),
        ("business_unit", "99", "Choose the business unit"),
        ("inventory_version", longer.as_str(), "at most 32"),
        ("inventory_path", longer.as_str(), "at most 1024"),
        ("inventory_name", "\0", "at most 256"),
        ("notes", "\0", "at most"),
    ] {
        for path in ["/licenses/new/", "/licenses/edit/a%2Fb%20%3Cc%3E/"] {
            let page = admin.post(&site, path, &with(field, value)).await;
            assert_eq!(
                page.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{path} {field}"
            );
            assert!(page.text.contains(sentence), "{path} {field}: {sentence}");
            if field != "cost_per_seat" {
                assert_eq!(page.page().field("cost_per_seat").unwrap(), "99");
            }
        }
    }
    let empty = admin.post(&site, "/licenses/new/", &[]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_audit WHERE kind <> 'login'")
            .await,
        0
    );
    let page = admin
        .post(&site, "/licenses/new/", &with("total", "\"><b>"))
        .await;
    assert_eq!(page.page().field("total").unwrap(), "\"><b>");
}

#[tokio::test]
async fn q084_a_licence_is_deleted_by_its_form_and_not_by_its_link() {
    let site = site_with_licences().await;
    let mut admin = site.visitor("admin").await;
    let path = "/licenses/delete/a%2Fb%20%3Cc%3E/";
    let asked = admin.get(&site, path).await;
    assert_eq!(asked.page().text("h1"), "Delete licence a/b <c>?");
    assert_eq!(
        site.number("SELECT count(*) FROM licenses_license").await,
        2
    );
    let done = admin.post(&site, path, &[]).await;
    assert_eq!(done.location(), "/licenses/");
    assert_eq!(
        site.number("SELECT count(*) FROM licenses_license").await,
        1
    );
    let audit =
        "SELECT count(*) FROM salrs_audit WHERE action = 'deleted' AND object_name = 'a/b <c>'";
    assert_eq!(site.number(audit).await, 1);
    let again = admin.post(&site, path, &[]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}
