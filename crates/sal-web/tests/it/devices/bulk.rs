//! Changes to many machines: the question, the change, the audit log, and who may not.

use axum::http::StatusCode;

use sal_testkit::Page;

use super::fleet;
use crate::site::{Answer, Site, Visitor};

async fn post(visitor: &mut Visitor, site: &Site, form: &[(&str, &str)]) -> Answer {
    visitor.post(site, "/machines/bulk/", form).await
}

/// The fields of the page that asks.
fn fields(page: &Page) -> Vec<(String, String)> {
    let fields = "form[action='/machines/bulk/'] input[type=hidden]";
    let names = page.attributes(fields, "name").into_iter();
    names.zip(page.attributes(fields, "value")).collect()
}

/// Says yes.
async fn confirm(page: &Answer, visitor: &mut Visitor, site: &Site) -> Answer {
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let fields = fields(&page.page());
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    post(visitor, site, &fields).await
}

async fn count(site: &Site, rows: &str) -> i64 {
    site.number(&format!("SELECT count(*) FROM {rows}")).await
}

#[tokio::test]
async fn ticked_machines_are_moved_after_the_question_and_noted() {
    let (site, mut anna) = fleet(10).await;
    let form = [
        ("id", "1"),
        ("id", "3"),
        ("id", "1"),
        ("id", "x"),
        ("id", "99"),
        ("filter", "q=mac"),
        ("action", "move"),
        ("group", "1"),
    ];
    let asked = post(&mut anna, &site, &form).await;
    let page = asked.page();
    assert_eq!(page.text("h1"), "Move 2 machines to Labs?");
    assert_eq!(
        page.texts("ul.named li"),
        ["mac-1 (SERIAL1)", "mac-3 (SERIAL3)"]
    );
    let labs = "server_machine WHERE machine_group_id = 1";
    assert_eq!(count(&site, labs).await, 5);
    let done = confirm(&asked, &mut anna, &site).await;
    assert_eq!(
        (done.status, done.location()),
        (StatusCode::FOUND, "/machines/?q=mac")
    );
    assert_eq!(count(&site, labs).await, 7);
    let lines = "salrs_change WHERE kind = 4 AND machine_id IN (1, 3) AND was = 'Studio (Arts)' AND became = 'Labs (Science)'";
    assert_eq!(count(&site, lines).await, 2);
    assert_eq!(count(&site, "salrs_change").await, 2);
    let note = "salrs_audit WHERE username = 'anna' AND action = 'moved' AND kind = 'machines' AND object_name = '2 machines'
        AND detail = 'to group Labs (Science): SERIAL1, SERIAL3'";
    assert_eq!(count(&site, note).await, 1);
}

#[tokio::test]
async fn all_that_match_are_marked_and_only_they() {
    let (site, mut anna) = fleet(80).await;
    let form = [
        ("all", "yes"),
        ("id", "1"),
        ("filter", "q=mac-7&sort=serial"),
        ("action", "undeploy"),
    ];
    let asked = post(&mut anna, &site, &form).await;
    let heading = asked.page().text("h1");
    assert_eq!(heading, "Mark 11 machines as not deployed?");
    assert_eq!(count(&site, "server_machine WHERE NOT deployed").await, 0);
    let done = confirm(&asked, &mut anna, &site).await;
    assert_eq!(done.location(), "/machines/?q=mac%2D7&sort=serial");
    assert_eq!(
        count(
            &site,
            "server_machine WHERE NOT deployed AND hostname LIKE 'mac-7%'"
        )
        .await,
        11
    );
    assert_eq!(count(&site, "server_machine WHERE NOT deployed").await, 11);
    let form = [
        ("all", "yes"),
        ("filter", "status=undeployed"),
        ("action", "deploy"),
    ];
    let asked = post(&mut anna, &site, &form).await;
    confirm(&asked, &mut anna, &site).await;
    assert_eq!(count(&site, "server_machine WHERE NOT deployed").await, 0);
    assert_eq!(count(&site, "salrs_audit WHERE kind <> 'login'").await, 2);
}

#[tokio::test]
async fn a_list_that_changed_meanwhile_is_asked_about_again() {
    let (site, mut anna) = fleet(30).await;
    let form = [("all", "yes"), ("filter", "os=15.1"), ("action", "delete")];
    let asked = post(&mut anna, &site, &form).await;
    assert_eq!(asked.page().text("h1"), "Delete 10 machines?");
    site.sql("UPDATE server_machine SET operating_system = '15.1' WHERE id = 1")
        .await;
    let fields = fields(&asked.page());
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let again = post(&mut anna, &site, &fields).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let page = again.page();
    assert_eq!(page.text("h1"), "Delete 11 machines?");
    let alert = page.text(".alert");
    assert!(alert.contains("The list changed meanwhile"), "{alert}");
    // Confirmed without having been asked is not confirmed.
    let form = [
        ("all", "yes"),
        ("filter", "os=15.1"),
        ("action", "delete"),
        ("confirmed", "yes"),
    ];
    assert_eq!(
        post(&mut anna, &site, &form).await.status,
        StatusCode::CONFLICT
    );
    assert_eq!(count(&site, "server_machine").await, 30);
    assert_eq!(count(&site, "salrs_audit WHERE kind <> 'login'").await, 0);
}

/// A row in every table that hangs on a machine.
const CHILDREN: &str = "
    INSERT INTO server_managementsource (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'Test');
    INSERT INTO server_fact (machine_id, fact_name, fact_data) SELECT id, 'a', 'b' FROM server_machine;
    INSERT INTO server_historicalfact (machine_id, fact_name, fact_data, fact_recorded) SELECT id, 'a', 'b', now() FROM server_machine;
    INSERT INTO server_manageditem (id, name, machine_id, management_source_id, date_managed, status)
        SELECT gen_random_uuid(), 'a', id, '00000000-0000-0000-0000-000000000001', now(), 'PRESENT' FROM server_machine;
    INSERT INTO server_manageditemhistory (id, name, status, machine_id, management_source_id, recorded)
        SELECT gen_random_uuid(), 'a', 'PRESENT', id, '00000000-0000-0000-0000-000000000001', now() FROM server_machine;
    INSERT INTO server_message (text, date, message_type, machine_id) SELECT 'x', now(), 'ERROR', id FROM server_machine;
    INSERT INTO server_pluginscriptsubmission (id, machine_id, plugin, historical, recorded) SELECT id, id, 'x', false, now() FROM server_machine;
    INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, submission_and_script_name, pluginscript_data_int)
        SELECT id, 'a', 'x: a', 0 FROM server_machine;
    INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\") VALUES (1, 'a', 'b', 'c', '');
    INSERT INTO inventory_inventory (machine_id, datestamp, sha256hash) SELECT id, now(), 'x' FROM server_machine;
    INSERT INTO inventory_inventoryitem (machine_id, application_id, version) SELECT id, 1, '1' FROM server_machine;
    INSERT INTO search_searchcache (machine_id, search_item) SELECT id, 'x' FROM server_machine;
    INSERT INTO profiles_profile (id, machine_id, identifier, display_name, description, organization, uuid, verification_state, install_date)
        SELECT id, id, 'a', 'b', '', '', 'u', '', now() FROM server_machine;
    INSERT INTO profiles_payload (profile_id, payload_type, identifier, uuid) SELECT id, 'a', 'b', 'c' FROM server_machine;
    INSERT INTO salrs_checkin (last_checkin, milliseconds, body_bytes, machine_id, compared, address, client, digests)
        SELECT now(), 1, 1, id, now(), '', '', '' FROM server_machine;";

#[tokio::test]
async fn deleted_machines_are_gone_with_all_that_hung_on_them_and_nothing_else() {
    let (site, mut anna) = fleet(60).await;
    site.sql(CHILDREN).await;
    let form = [("all", "yes"), ("filter", ""), ("action", "delete")];
    let asked = post(&mut anna, &site, &form).await;
    let page = asked.page();
    let named = page.texts("ul.named li");
    assert_eq!((named.len(), named[20].as_str()), (21, "and 40 more"));
    assert_eq!(page.text("h1"), "Delete 60 machines?");
    assert_eq!(page.text("button.danger"), "Delete them");
    let form = [("id", "7"), ("id", "8"), ("action", "delete")];
    let asked = post(&mut anna, &site, &form).await;
    let done = confirm(&asked, &mut anna, &site).await;
    assert_eq!(done.status, StatusCode::FOUND, "{}", done.text);
    for table in [
        "server_machine",
        "server_fact",
        "server_historicalfact",
        "server_manageditem",
        "server_manageditemhistory",
        "server_message",
        "server_pluginscriptsubmission",
        "server_pluginscriptrow",
        "inventory_inventory",
        "inventory_inventoryitem",
        "search_searchcache",
        "profiles_profile",
        "profiles_payload",
        "salrs_checkin",
    ] {
        assert_eq!(count(&site, table).await, 58, "{table}");
    }
    let form = [("all", "yes"), ("filter", ""), ("action", "delete")];
    let asked = post(&mut anna, &site, &form).await;
    confirm(&asked, &mut anna, &site).await;
    assert_eq!(count(&site, "server_machine").await, 0);
    let note = "salrs_audit WHERE action = 'deleted' AND object_name = '58 machines' AND detail LIKE 'SERIAL1, SERIAL2, %and 8 more'";
    assert_eq!(count(&site, note).await, 1);
}

#[tokio::test]
async fn one_machine_is_noted_under_its_own_name() {
    let (site, mut anna) = fleet(3).await;
    let asked = post(&mut anna, &site, &[("id", "2"), ("action", "undeploy")]).await;
    confirm(&asked, &mut anna, &site).await;
    let note = "salrs_audit WHERE action = 'changed' AND kind = 'machine' AND object_id = '2' AND object_name = 'mac-2'
        AND detail = 'not deployed: SERIAL2'";
    assert_eq!(count(&site, note).await, 1);
}

#[tokio::test]
async fn another_units_machines_and_groups_are_out_of_reach() {
    let (site, _anna) = fleet(10).await;
    site.user(2, "writer", "RW", Some(1)).await;
    let mut writer = site.visitor("writer").await;
    // Machines with odd numbers belong to unit 2.
    let asked = post(
        &mut writer,
        &site,
        &[("id", "1"), ("id", "2"), ("action", "delete")],
    )
    .await;
    let page = asked.page();
    assert_eq!(page.text("h1"), "Delete 1 machine?");
    assert_eq!(page.texts("ul.named li"), ["mac-2 (SERIAL2)"]);
    let mut forged = fields(&asked.page());
    for (name, value) in &mut forged {
        if name == "ids" {
            *value = "1,2,3".to_owned();
        }
    }
    let forged: Vec<(&str, &str)> = forged
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    post(&mut writer, &site, &forged).await;
    assert_eq!(count(&site, "server_machine").await, 9);
    let asked = post(
        &mut writer,
        &site,
        &[("all", "yes"), ("filter", ""), ("action", "delete")],
    )
    .await;
    assert_eq!(asked.page().text("h1"), "Delete 4 machines?");
    for (form, status) in [
        (vec![("id", "1"), ("action", "delete")], 422),
        (vec![("id", "4"), ("action", "move"), ("group", "2")], 404),
        (vec![("id", "4"), ("action", "move"), ("group", "99")], 404),
        (vec![("id", "4"), ("action", "move"), ("group", "x")], 404),
        (
            vec![("all", "yes"), ("filter", "unit=2"), ("action", "delete")],
            404,
        ),
    ] {
        let answer = post(&mut writer, &site, &form).await;
        assert_eq!(answer.status.as_u16(), status, "{form:?}");
    }
    let page = writer.get(&site, "/machines/").await.page();
    assert_eq!(
        page.texts(".bulk select[name=group] option"),
        ["Choose", "Science: Labs"]
    );
}

#[tokio::test]
async fn readers_change_nothing() {
    let (site, _anna) = fleet(4).await;
    for (id, name, level) in [(2, "reader", "RO"), (3, "counter", "SO")] {
        site.user(id, name, level, Some(1)).await;
        let mut visitor = site.visitor(name).await;
        let form = [("ids", "2"), ("action", "delete"), ("confirmed", "yes")];
        let answer = post(&mut visitor, &site, &form).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::FOUND, "/"),
            "{name}"
        );
    }
    let anonymous = post(&mut Visitor::default(), &site, &[("action", "delete")]).await;
    assert!(anonymous.location().starts_with("/login"));
    assert_eq!(count(&site, "server_machine").await, 4);
}

#[tokio::test]
async fn forms_that_say_nothing_change_nothing() {
    let (site, mut anna) = fleet(4).await;
    site.sql("UPDATE server_machine SET hostname = '<b>x</b>' WHERE id = 1")
        .await;
    for (form, status) in [
        (vec![], 422),
        (vec![("id", "1")], 422),
        (vec![("id", "1"), ("action", "format")], 422),
        (vec![("id", "1"), ("action", "move")], 422),
        (vec![("action", "delete"), ("confirmed", "yes")], 422),
        (
            vec![("id", "99999999999999999999"), ("action", "delete")],
            422,
        ),
        (
            vec![("id", "1"), ("action", "delete"), ("filter", "q=a&q=b")],
            400,
        ),
        (
            vec![
                ("all", "yes"),
                ("action", "delete"),
                ("filter", "widget=Nope"),
            ],
            404,
        ),
        (
            vec![
                ("all", "yes"),
                ("action", "delete"),
                ("filter", "q=%00nobody"),
            ],
            200,
        ),
    ] {
        let answer = post(&mut anna, &site, &form).await;
        assert_eq!(answer.status.as_u16(), status, "{form:?}: {}", answer.text);
    }
    let asked = post(&mut anna, &site, &[("id", "1"), ("action", "delete")]).await;
    let named = asked.page().texts("ul.named li");
    assert_eq!(named, ["<b>x</b> (SERIAL1)"]);
    assert_eq!(count(&site, "server_machine").await, 4);
    assert_eq!(count(&site, "salrs_audit WHERE kind <> 'login'").await, 0);
}
