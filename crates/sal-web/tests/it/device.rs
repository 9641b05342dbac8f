//! `/machine_detail/<id or serial>/`.

use axum::http::StatusCode;

use crate::site::Site;

#[tokio::test]
async fn q045_a_machine_is_found_by_id_then_by_serial_and_shows_all_its_parts() {
    let site = Site::start().await;
    site.machines(2).await;
    site.sql(
        "INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Munki');
         INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data) SELECT 1, id, 'ipv4_address', '10.1.2.3' FROM server_managementsource WHERE name = 'Munki';
         INSERT INTO server_fact (machine_id, fact_name, fact_data) VALUES (1, 'sshrsakey', 'AAAA');
         INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed, data)
             SELECT gen_random_uuid(), 1, id, 'Firefox', 'PENDING', now(), '{\"version\": \"133.0\"}' FROM server_managementsource WHERE name = 'Munki';
         INSERT INTO server_message (machine_id, text, date, message_type) VALUES (1, 'Disk is full', now(), 'ERROR');
         INSERT INTO server_pluginscriptsubmission (id, machine_id, plugin, historical, recorded) VALUES (8, 1, 'Encryption', true, now() - interval '1 day'), (9, 1, 'Encryption', false, now());
         INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data, submission_and_script_name, pluginscript_data_int)
             VALUES (8, 'FileVault', 'Disabled', 'Encryption: FileVault', 0), (9, 'FileVault', 'Enabled', 'Encryption: FileVault', 0)",
    )
    .await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = site.visitor("anna").await;
    let page = anna.get(&site, "/machine_detail/1/").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "mac-1",
        "10.1.2.3",
        "Firefox",
        "133.0",
        "Disk is full",
        "FileVault",
        "Studio",
        "Arts",
        "Never reported",
    ] {
        assert!(page.text.contains(text), "{text}");
    }
    assert!(page.text.contains("Enabled") && !page.text.contains("Disabled"));
    assert!(!page.text.contains("AAAA"));
    assert_eq!(
        anna.get(&site, "/machine_detail/SERIAL1/").await.text,
        page.text
    );
}

#[tokio::test]
async fn a_machine_of_another_unit_is_forbidden_and_an_unknown_one_not_found() {
    let site = Site::start().await;
    site.machines(2).await;
    site.user(1, "anna", "GA", None).await;
    site.user(2, "ben", "RW", Some(1)).await;
    let mut ben = site.visitor("ben").await;
    // Machine 2 is in group 1 of unit 1, machine 1 is not.
    for (key, status) in [
        ("2", StatusCode::OK),
        ("SERIAL2", StatusCode::OK),
        ("1", StatusCode::FORBIDDEN),
        ("SERIAL1", StatusCode::FORBIDDEN),
    ] {
        let page = ben.get(&site, &format!("/machine_detail/{key}/")).await;
        assert_eq!(page.status, status, "{key}");
        assert!(status == StatusCode::OK || !page.text.contains("mac-1"));
    }
    for key in ["999", "nope", "99999999999999999999", "%00", "serial2"] {
        assert_eq!(
            ben.get(&site, &format!("/machine_detail/{key}/"))
                .await
                .status,
            StatusCode::NOT_FOUND,
            "{key}"
        );
    }
}
