-- A fleet for searches: missing values, values under other names, several rows of one name, several versions of one
-- application, machines without any rows, and numbers, versions and dates that are ordered otherwise as text.
INSERT INTO server_businessunit (id, name) VALUES (1, 'Unit'), (2, 'Other unit');
INSERT INTO server_machinegroup (id, business_unit_id, name, key) VALUES (1, 1, 'Group', 'key-1'), (2, 2, 'Other group', 'key-2');
INSERT INTO server_machine (id, serial, hostname, operating_system, memory, memory_kb, munki_version, manifest, hd_space, hd_total, hd_percent,
    console_user, machine_model, cpu_type, cpu_speed, os_family, last_checkin, machine_group_id, first_checkin, sal_version,
    machine_model_friendly, deployed, broken_client) VALUES
 (1, 'A1', 'alpha', '15.1', '16 GB', 16777216, '6.6.4', 'site', 100, 1000, '90', 'anna', 'Mac14,7', 'Apple M2', '', 'Darwin', '2025-06-01 08:00+00', 1, '2024-01-01 00:00+00', '4.2.1', 'MacBook Pro', true, false),
 (2, 'B2', 'Alpha', '9.10', '8 GB', 8388608, '6.10.0', NULL, NULL, NULL, '9', 'bert', 'Mac14,7', 'Apple M2', '', 'Darwin', '2025-06-02 00:00+00', 1, NULL, '4.10.0', 'MacBook Pro', true, false),
 (3, 'C3', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'Windows', NULL, 2, NULL, NULL, NULL, false, false),
 (4, 'D4', 'delta_x', '15.10', '16 GB', 16777216, '7.0', 'site', 2000, 5000, '100', 'anna', 'Mac15,3', 'Apple M3', '3.2 GHz', 'Darwin', '2025-06-02 12:30+00', 2, '2024-02-29 10:00+00', '4.9.0', 'MacBook Air', true, true),
 (5, 'E5', 'echo%', '15.9', '32 GB', 33554432, '6.6.4', 'other', 300, 900, '19.67', '', 'Mac15,3', 'Apple M3', '2.4 GHz', 'Darwin', '2025-05-31 23:30+00', 2, '2025-01-01 00:00+00', '4.2.1', '', true, false),
 (6, 'F6', 'foxtrot', '22.04', '64 GB', 67108864, NULL, NULL, 50, 60, '45.5', 'carl', 'PC', 'Intel', '3.2 GHz', 'Linux', '2024-12-31 22:00+00', 2, '2023-01-01 00:00+00', '4.2.1', NULL, false, true);
INSERT INTO server_managementsource (id, name) VALUES
 ('00000000-0000-0000-0000-000000000001', 'Munki'), ('00000000-0000-0000-0000-000000000002', 'Puppet');
INSERT INTO server_fact (machine_id, fact_name, fact_data, management_source_id) VALUES
 (1, 'role', 'kiosk', '00000000-0000-0000-0000-000000000002'), (1, 'arch', 'arm64', '00000000-0000-0000-0000-000000000001'),
 (1, 'uptime', '10', '00000000-0000-0000-0000-000000000002'), (1, 'os_vers', '15.10', '00000000-0000-0000-0000-000000000001'),
 (2, 'role', 'Kiosk', '00000000-0000-0000-0000-000000000002'), (2, 'arch', 'x86_64', '00000000-0000-0000-0000-000000000001'),
 (2, 'uptime', '9', '00000000-0000-0000-0000-000000000002'), (2, 'os_vers', '15.9', '00000000-0000-0000-0000-000000000001'),
 (2, 'build', '2025-06-01', '00000000-0000-0000-0000-000000000002'),
 (4, 'role', 'lab', '00000000-0000-0000-0000-000000000002'), (4, 'room', 'kiosk', '00000000-0000-0000-0000-000000000002'),
 (4, 'uptime', '100', '00000000-0000-0000-0000-000000000002'), (4, 'uptime', '2', '00000000-0000-0000-0000-000000000001'),
 (5, 'arch', 'arm64', '00000000-0000-0000-0000-000000000001'), (5, 'role', 'lab', '00000000-0000-0000-0000-000000000001'),
 (5, 'role', 'kiosk', '00000000-0000-0000-0000-000000000002'), (5, 'a/b', 'slash', '00000000-0000-0000-0000-000000000002'),
 (6, 'uptime', 'soon', NULL), (6, 'build', '2024-06-01', '00000000-0000-0000-0000-000000000002');
INSERT INTO server_pluginscriptsubmission (id, machine_id, plugin, recorded, historical) VALUES
 (1, 1, 'Encryption', '2025-06-01 10:00+00', false), (2, 2, 'Encryption', '2025-06-01 10:00+00', false), (3, 4, 'Encryption', '2025-06-01 10:00+00', false), (4, 4, 'Uptime', '2025-06-01 10:00+00', false), (5, 5, 'Uptime', '2025-06-01 10:00+00', false), (6, 1, 'Uptime', '2025-06-01 10:00+00', false);
INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data, submission_and_script_name, pluginscript_data_int) VALUES
 (1, 'FileVault', 'Enabled', 'Encryption: FileVault', 0), (2, 'FileVault', 'Disabled', 'Encryption: FileVault', 0),
 (2, 'Firmware', 'Enabled', 'Encryption: Firmware', 0), (3, 'FileVault', 'Disabled', 'Encryption: FileVault', 0),
 (4, 'Note', 'Enabled', 'Uptime: Note', 0), (4, 'UptimeDays', '12', 'Uptime: UptimeDays', 0), (5, 'UptimeDays', '3', 'Uptime: UptimeDays', 0),
 (6, 'UptimeDays', NULL, 'Uptime: UptimeDays', 0);
INSERT INTO inventory_application (id, name, bundleid, bundlename, "servicepackIneffect") VALUES
 (1, 'Firefox', 'org.mozilla.firefox', 'Firefox', ''), (2, 'Slack', 'com.tinyspeck.slack', 'Slack', ''), (3, 'Firefox', '', '', ''), (4, 'firefox', 'x', 'FX', '');
INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path) VALUES
 (1, 1, '130.0', '/Applications/Firefox.app'), (1, 2, '4.9', '/Applications/Slack.app'), (2, 1, '99.0', '/Applications/Firefox.app'),
 (2, 1, '131.0', '/Users/bert/Firefox.app'), (4, 2, '130.0', NULL), (4, 3, '1', NULL), (5, 4, '128.0', NULL);
INSERT INTO profiles_profile (id, identifier, display_name, description, install_date, organization, uuid, verification_state, machine_id) VALUES
 (1, 'com.acme.wifi', 'Wi-Fi', 'Network', '2025-06-01 10:00+00', 'Acme', 'u1', 'verified', 1),
 (2, 'com.acme.vpn', 'VPN', 'Network', '2024-06-01 10:00+00', 'Acme', 'u2', '', 1),
 (3, 'com.acme.wifi', 'Wi-Fi', 'Old network', '2023-06-01 10:00+00', 'Other', 'u3', '', 2),
 (4, 'com.acme.empty', 'Empty', '', '2025-01-01 00:00+00', 'Acme', 'u4', '', 5);
INSERT INTO profiles_payload (id, payload_type, identifier, uuid, profile_id) VALUES
 (1, 'com.apple.wifi.managed', 'com.acme.wifi.1', 'p1', 1), (2, 'com.apple.security', 'com.acme.cert', 'p2', 1),
 (3, 'com.apple.vpn.managed', 'com.acme.vpn.1', 'p3', 2), (4, 'com.apple.wifi.managed', 'com.acme.wifi.2', 'p4', 3);
