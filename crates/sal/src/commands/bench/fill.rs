//! Many machines with all their rows, copied inside the database: faster by far than letting them check in.

use anyhow::{Context, Result};
use tokio_postgres::Client;

/// Copies the only machine that is there until there are `machines`. Their serial numbers are those of
/// [`fake_fleet::Yardstick`].
pub(super) async fn multiply(db: &Client, machines: u32) -> Result<()> {
    let last = i64::from(machines) - 1;
    let mut from = 1;
    while from <= last {
        let to = last.min(from + BATCH - 1);
        for sql in COPIES {
            db.execute(*sql, &[&from, &to])
                .await
                .context("copying machines")?;
        }
        from = to + 1;
    }
    Ok(())
}

/// Machines of one transaction.
const BATCH: i64 = 500;
/// `$1` to `$2` are the numbers of the new machines; the first statement makes them, the others find them by serial.
const COPIES: &[&str] = &[
    "INSERT INTO server_machine (serial, hostname, operating_system, memory, memory_kb, munki_version, manifest,
         hd_space, hd_total, hd_percent, console_user, machine_model, cpu_type, cpu_speed, os_family, last_checkin,
         first_checkin, machine_group_id, sal_version, deployed, broken_client, machine_model_friendly)
     SELECT 'C02Y' || lpad(n::text, 8, '0'), 'yardstick-' || n, operating_system, memory, memory_kb, munki_version, manifest,
         hd_space - n * 4096, hd_total, hd_percent, console_user, machine_model, cpu_type, cpu_speed, os_family,
         last_checkin - n * interval '1 second', first_checkin, machine_group_id, sal_version, deployed, broken_client,
         machine_model_friendly
     FROM server_machine, generate_series($1::bigint, $2::bigint) n WHERE serial = 'C02Y00000000'",
    "INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
     SELECT m.id, f.management_source_id, f.fact_name, f.fact_data FROM generate_series($1::bigint, $2::bigint) n
     JOIN server_machine m ON m.serial = 'C02Y' || lpad(n::text, 8, '0')
     JOIN server_fact f ON f.machine_id = (SELECT id FROM server_machine WHERE serial = 'C02Y00000000')",
    "INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed, data)
     SELECT gen_random_uuid(), m.id, i.management_source_id, i.name, i.status, i.date_managed, i.data
     FROM generate_series($1::bigint, $2::bigint) n
     JOIN server_machine m ON m.serial = 'C02Y' || lpad(n::text, 8, '0')
     JOIN server_manageditem i ON i.machine_id = (SELECT id FROM server_machine WHERE serial = 'C02Y00000000')",
    "INSERT INTO server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)
     SELECT gen_random_uuid(), m.id, h.management_source_id, h.name, h.status, h.recorded
     FROM generate_series($1::bigint, $2::bigint) n
     JOIN server_machine m ON m.serial = 'C02Y' || lpad(n::text, 8, '0')
     JOIN server_manageditemhistory h ON h.machine_id = (SELECT id FROM server_machine WHERE serial = 'C02Y00000000')",
    "WITH copied AS (
         INSERT INTO server_pluginscriptsubmission (machine_id, plugin, historical, recorded)
         SELECT m.id, s.plugin, s.historical, s.recorded FROM generate_series($1::bigint, $2::bigint) n
         JOIN server_machine m ON m.serial = 'C02Y' || lpad(n::text, 8, '0')
         JOIN server_pluginscriptsubmission s ON s.machine_id = (SELECT id FROM server_machine WHERE serial = 'C02Y00000000')
         RETURNING id, plugin)
     INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data, submission_and_script_name,
         pluginscript_data_int)
     SELECT c.id, r.pluginscript_name, r.pluginscript_data, r.submission_and_script_name, 0 FROM copied c
     JOIN server_pluginscriptsubmission s ON s.plugin = c.plugin
         AND s.machine_id = (SELECT id FROM server_machine WHERE serial = 'C02Y00000000')
     JOIN server_pluginscriptrow r ON r.submission_id = s.id",
];
