//! Many machines with rows to search in, made inside the database.

use anyhow::{Context, Result};
use tokio_postgres::Client;

/// Fills an empty database with machines; returns how many rows that made.
pub(in crate::commands::bench) async fn fill(machines: u32, admin: &Client) -> Result<u64> {
    let machines = i64::from(machines);
    // A large fleet has fewer rows for each machine, so that it is there in minutes.
    let (facts, applications): (i64, i64) = if machines > 20_000 {
        (20, 30)
    } else {
        (100, 150)
    };
    admin
        .batch_execute("SET session_replication_role = replica")
        .await
        .context("filling quickly")?;
    admin.batch_execute(GROUND).await.context("groups")?;
    let mut rows = 0;
    for (sql, numbers) in [
        (MACHINES, vec![machines]),
        (FACTS, vec![machines, facts]),
        (SITES, vec![machines]),
        (INSTALLS, vec![machines, applications]),
        (ITEMS, vec![machines]),
        (MESSAGES, vec![machines]),
    ] {
        let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = Vec::new();
        for number in &numbers {
            parameters.push(number);
        }
        rows += admin
            .execute(sql, &parameters)
            .await
            .with_context(|| sql.chars().take(60).collect::<String>())?;
    }
    admin
        .batch_execute("VACUUM ANALYZE")
        .await
        .context("VACUUM ANALYZE")?;
    Ok(rows)
}

const GROUND: &str = "
    INSERT INTO server_businessunit (id, name) SELECT n, 'Unit ' || n FROM generate_series(1, 5) n;
    INSERT INTO server_machinegroup (id, name, key, business_unit_id)
        SELECT n, 'Group ' || n, md5(n::text), 1 + n % 5 FROM generate_series(1, 40) n;
    INSERT INTO server_managementsource (id, name) VALUES (md5('Facter')::uuid, 'Facter'), (md5('Munki')::uuid, 'Munki'),
        (md5('Apple Software Update')::uuid, 'Apple Software Update')
        ON CONFLICT DO NOTHING;
    INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
        SELECT n, CASE n WHEN 1 THEN 'Firefox' ELSE 'Application ' || n END,
            CASE n WHEN 1 THEN 'org.mozilla.firefox' ELSE 'com.example.application' || n END, 'Application ' || n, ''
        FROM generate_series(1, 3000) n";

const MACHINES: &str = "
    INSERT INTO server_machine (id, serial, hostname, operating_system, memory, memory_kb, munki_version, manifest, hd_space,
        hd_total, hd_percent, console_user, machine_model, cpu_type, cpu_speed, os_family, last_checkin, machine_group_id,
        first_checkin, sal_version, machine_model_friendly, deployed, broken_client)
    SELECT n, 'C02' || upper(left(md5(n::text), 9)),
        (ARRAY['ada','grace','hopper','linus','margaret','alan','edsger','barbara'])[1 + n % 8] || n || '.example.com',
        13 + n % 4 || '.' || n % 7 || '.' || n % 3, '16 GB', 16777216, '6.6.' || n % 5, 'site_' || n % 30,
        n % 500 * 1000000000, 500000000000, (n % 100)::text,
        (ARRAY['ada','grace','hopper','linus','margaret','alan','edsger','barbara'])[1 + n % 8] || n % 1000,
        'MacBookPro' || 14 + n % 5 || ',' || 1 + n % 4, 'Apple M' || 1 + n % 4, '3.2 GHz', 'Darwin',
        now() - (n * 7919 % 5184000) * interval '1 second', 1 + n % 40, now() - interval '400 days', '2.1.0',
        'MacBook Pro (14-inch, ' || 2021 + n % 5 || ')', true, false
    FROM generate_series(1, $1::bigint) n ORDER BY md5(n::text)";

const FACTS: &str = "
    INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
    SELECT m, md5('Facter')::uuid, 'custom_fact_' || f, md5((m * f)::text)
    FROM generate_series(1, $1::bigint) m CROSS JOIN generate_series(1, $2::bigint - 2) f";

const SITES: &str = "
    INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
    SELECT m, md5('Facter')::uuid, name, value FROM generate_series(1, $1::bigint) m CROSS JOIN LATERAL (VALUES
        ('role', (ARRAY['kiosk', 'office', 'lab', 'studio', 'server', 'office', 'office', 'office', 'office', 'lab'])[1 + m * 31 % 10]),
        ('site', (ARRAY['Berlin', 'London', 'Austin', 'Remote'])[1 + m * 17 % 4])) AS facts (name, value)";

const INSTALLS: &str = "
    INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
    SELECT m, application, CASE application WHEN 1 THEN 110 + m % 40 || '.' || m % 3 ELSE 1 + m % 5 || '.' || application % 9 END,
        '/Applications/Application ' || application || '.app'
    FROM generate_series(1, $1::bigint) m CROSS JOIN generate_series(0, $2::bigint - 1) k
    CROSS JOIN LATERAL (SELECT CASE WHEN k > 0 THEN 2 + (m * 7 + k * k * 13) % 2998 ELSE 1 END AS application) chosen
    WHERE k > 0 OR m % 5 > 0";

const ITEMS: &str = "
    INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed, data)
    SELECT gen_random_uuid(), m, md5('Munki')::uuid, 'Item ' || (m * 11 + k * 29) % 300,
        CASE WHEN (m + k * 7) % 20 = 0 THEN 'PENDING' WHEN (m + k * 7) % 401 = 0 THEN 'ERROR' ELSE 'PRESENT' END, now(), '{}'
    FROM generate_series(1, $1::bigint) m CROSS JOIN generate_series(1, 20) k";

const MESSAGES: &str = "
    INSERT INTO server_message (machine_id, management_source_id, message_type, text, date)
    SELECT m, md5('Munki')::uuid, CASE WHEN m % 10 = 0 THEN 'ERROR' ELSE 'WARNING' END, 'Message ' || m % 200, now()
    FROM generate_series(1, $1::bigint) m WHERE m % 3 = 0";
