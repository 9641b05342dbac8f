//! A small fleet with everything in it that is awkward to compare.

use fake_fleet::{Fleet, FleetOptions};
use jiff::Timestamp;
use sal_testkit::{Filled, TestServer};
use tokio_postgres::Client;

pub(super) struct Stage {
    pub(super) db: Client,
    pub(super) now: Timestamp,
    _server: TestServer,
}

impl Stage {
    pub(super) async fn new() -> Self {
        let server = TestServer::start(Filled::Seeded).await;
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        server.set_clock(now);
        let db = server.database.connect().await;
        let keys = db
            .query("SELECT key FROM server_machinegroup ORDER BY id", &[])
            .await
            .unwrap();
        let keys: Vec<String> = keys.iter().map(|row| row.get(0)).collect();
        let fleet = Fleet::new(FleetOptions {
            machines: 40,
            facts: 50,
            items: 30,
            ..FleetOptions::default()
        });
        for (number, machine) in fleet.machines().enumerate() {
            let key = &keys[number % keys.len()];
            let submission = machine.checkin(0, now, key);
            let (status, text) = server.checkin(key, submission.body).await;
            assert_eq!(status, 200, "{text}");
        }
        db.batch_execute(AWKWARD).await.unwrap();
        Self {
            db,
            now,
            _server: server,
        }
    }
}

/// A machine for each odd value, and rows of every kind.
const AWKWARD: &str = r#"
SET timezone = 'UTC';
INSERT INTO server_machine (serial, hostname, operating_system, memory, memory_kb, munki_version, manifest, hd_space, hd_total,
    hd_percent, console_user, machine_model, cpu_type, cpu_speed, os_family, last_checkin, machine_group_id, first_checkin,
    sal_version, machine_model_friendly, deployed, broken_client)
SELECT 'ODD' || place, odd.text, odd.version, odd.text, odd.place * 4194304 - place % 2, odd.version, odd.text,
    CASE WHEN place % 3 > 0 THEN place * 5000000000 END, CASE WHEN place % 4 > 0 THEN place * 100000000000 END, odd.number,
    odd.text, CASE WHEN place % 2 = 0 THEN 'MacBookPro' || place || ',1' ELSE odd.text END, odd.text, odd.number, coalesce(odd.text, ''),
    odd.moment, (SELECT min(id) FROM server_machinegroup) + place % 2, odd.moment - interval '1 day', odd.version, odd.text,
    place % 3 > 0, place % 5 = 0
FROM (VALUES
    (1, NULL, NULL, NULL, NULL::timestamptz),
    (2, '', '', '', '2026-11-22 12:00:00Z'),
    (3, 'Anna', '15', '5', '2026-11-08 12:00:00Z'),
    (4, 'ANNA', '15.0', '5.0', '2026-11-08 11:59:59.999999Z'),
    (5, 'anna ', '15.0.0', ' 10 ', '2026-11-21 00:00:00Z'),
    (6, ' anna', '15.1', '9', '2026-11-21 23:59:59.999999Z'),
    (7, 'a%b', '15.10', '-3', '2026-11-22 00:00:00Z'),
    (8, 'a_b', '15.9', '1e3', '1970-01-01 00:00:00Z'),
    (9, 'a\b', '15.1b2', 'abc', '0001-01-01 00:00:00Z'),
    (10, 'Äpfel', 'abc', '89.50', '2900-01-01 00:00:00Z'),
    (11, 'äPFEL', '15.', '89.5', '2026-11-22 12:00:00Z'),
    (12, '"quoted"', '.15', '100', '2026-11-22 12:00:00Z'),
    (13, 'it''s', '010.9', '0100', '2026-11-22 12:00:00Z'),
    (14, E'two\nlines', '0', '0', '2026-11-22 12:00:00Z'),
    (15, '15', '999999999999999999', '-0', '2026-11-22 12:00:00Z'),
    (16, 'yes', '2026-11-22', '1.', '2026-11-22 12:00:00Z'))
    AS odd (place, text, version, number, moment);

INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Odd'), (gen_random_uuid(), 'Even');
INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
SELECT m.id, CASE WHEN place % 4 > 0 THEN (SELECT id FROM server_managementsource WHERE name = CASE WHEN place % 2 = 1 THEN 'Odd' ELSE 'Even' END) END,
    names.name, values.value
FROM (SELECT id, substring(serial FROM 4)::int AS place FROM server_machine WHERE serial LIKE 'ODD%') m
JOIN (VALUES (1, '5'), (2, '5.0'), (3, ' 10 '), (4, 'abc'), (5, ''), (6, '15.10'), (7, '15.9'), (8, '2026-11-22'),
    (9, '2026-11-21 10:00:00'), (10, '2026-11-20T10:00:00Z'), (11, '2026-02-30'), (12, '1795348800'), (13, 'True'),
    (14, 'no'), (15, '2026-11-19 10:00:00 +0200')) AS values (place, value) USING (place)
CROSS JOIN (VALUES ('number'), ('Number'), ('a/b'), (repeat('x', 250)), (repeat('x', 200))) AS names (name);
INSERT INTO server_fact (machine_id, fact_name, fact_data) SELECT id, 'number', '7' FROM server_machine WHERE serial IN ('ODD1', 'ODD3');

INSERT INTO server_historicalfact (machine_id, management_source_id, fact_name, fact_data, fact_recorded)
SELECT machine_id, management_source_id, fact_name, fact_data, '2026-11-20 10:00:00Z' FROM server_fact
WHERE fact_name IN ('number', 'a/b');

INSERT INTO server_pluginscriptsubmission (machine_id, plugin, historical, recorded)
SELECT id, 'Odd', false, coalesce(last_checkin, '2026-11-01Z') FROM server_machine WHERE serial LIKE 'ODD%' AND serial <> 'ODD9';
INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data, submission_and_script_name, pluginscript_data_int)
SELECT s.id, 'row', m.hd_percent, 'Odd: row', 0 FROM server_pluginscriptsubmission s JOIN server_machine m ON m.id = s.machine_id WHERE plugin = 'Odd';

INSERT INTO inventory_application (name, bundleid, bundlename, "servicepackIneffect") VALUES
    ('Firefox', 'org.mozilla.firefox', 'Firefox', ''), ('firefox', 'org.mozilla.nightly', 'Nightly', ''), ('Zoom', 'us.zoom.xos', '', ''),
    ('', 'com.nameless', '', '');
INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
SELECT m.id, a.id, coalesce(m.operating_system, ''), CASE WHEN m.id % 3 > 0 THEN '/Applications/' || a.name || '.app' END
FROM server_machine m JOIN inventory_application a ON (m.id + a.id) % 3 > 0
WHERE m.serial LIKE 'ODD%' AND length(m.operating_system) < 60 OR m.id % 5 = 0 AND a.name <> '';
INSERT INTO inventory_inventory (machine_id, datestamp, sha256hash)
SELECT id, coalesce(last_checkin, '2026-11-01Z'), '' FROM server_machine WHERE id % 2 = 0;

INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed)
SELECT gen_random_uuid(), m.id, s.id, name, status, coalesce(m.last_checkin, '2026-11-01Z')
FROM server_machine m CROSS JOIN (SELECT id FROM server_managementsource WHERE name = 'Odd') s
JOIN (VALUES (0, 'Office', 'PENDING'), (1, 'Office', 'ERROR'), (2, 'office', 'PENDING'), (0, 'a%b', 'PRESENT')) AS items (rest, name, status)
    ON m.id % 3 = rest WHERE m.serial LIKE 'ODD%';
INSERT INTO server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)
SELECT gen_random_uuid(), machine_id, management_source_id, name, 'PENDING', date_managed FROM server_manageditem WHERE name ILIKE 'office';

INSERT INTO server_message (machine_id, management_source_id, message_type, text, date)
SELECT id, CASE WHEN id % 2 = 0 THEN (SELECT id FROM server_managementsource WHERE name = 'Odd') END,
    CASE id % 3 WHEN 0 THEN 'ERROR' WHEN 1 THEN 'WARNING' ELSE 'DEBUG' END, hostname, coalesce(last_checkin, '2026-11-01Z')
FROM server_machine WHERE serial LIKE 'ODD%' AND id % 4 > 0;

INSERT INTO profiles_profile (machine_id, identifier, display_name, description, organization, uuid, verification_state, install_date)
SELECT id, 'com.example.' || id % 3, coalesce(hostname, ''), coalesce(hostname, ''), 'Example', id::text, CASE WHEN id % 2 = 0 THEN 'verified' ELSE '' END,
    coalesce(last_checkin, '2026-11-01Z') FROM server_machine WHERE serial LIKE 'ODD%' AND id % 5 > 0;
INSERT INTO profiles_payload (profile_id, identifier, payload_type, uuid)
SELECT id, identifier || '.wifi', 'com.apple.wifi', '' FROM profiles_profile UNION ALL
SELECT id, identifier || '.dock', 'com.apple.dock', uuid FROM profiles_profile WHERE id % 2 = 0;

INSERT INTO salrs_journal (fingerprint, serial, route, outcome, reason, address, client, times, first_at, last_at, body_bytes, milliseconds)
SELECT decode(md5(serial), 'hex'), serial, '/checkin/', CASE WHEN id % 2 = 0 THEN 'refused' ELSE 'failed' END, 'bad_key', '10.0.0.' || id % 9, 'sal/1', 1,
    now(), coalesce(last_checkin, '2026-11-01Z'), 0, 0 FROM server_machine WHERE serial LIKE 'ODD%';
INSERT INTO salrs_checkin (machine_id, last_checkin, milliseconds, body_bytes, compared, address, client, digests)
SELECT id, now(), id % 7, id * 1000, now(), CASE WHEN id % 2 = 0 THEN '10.0.0.' || id ELSE '' END, coalesce(hostname, ''), ''
FROM server_machine WHERE serial LIKE 'ODD%' AND id % 3 > 0;

INSERT INTO search_searchcache (machine_id, search_item) SELECT id, 'Shelf 42' FROM server_machine WHERE serial IN ('ODD1', 'ODD7');
ANALYZE;
"#;
