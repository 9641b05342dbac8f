//! Every statement of the house, for those who prepare them all: the test that compares them with the tables, and the start,
//! which looks whether our own tables are as this server makes them.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::queries::Entry;

/// Those of each file.
pub const ALL: &[&[Entry]] = &[
    crate::groups::ALL,
    crate::machines::ALL,
    crate::plugins::ALL,
    crate::sources::ALL,
    crate::checkin::memory::ALL,
    crate::checkin::read::ALL,
    crate::checkin::repeat::ALL,
    crate::checkin::write::ALL,
    crate::audit::ALL,
    crate::catalogs::ALL,
    crate::changed::ALL,
    crate::database::ALL,
    crate::jobs::ALL,
    crate::maintenance::ALL,
    crate::maintenance::applications::ALL,
    crate::maintenance::changes::ALL,
    crate::search_caches::ALL,
    crate::search_steps::ALL,
    crate::searches::ALL,
    crate::searches::change::ALL,
    crate::searches::rows::ALL,
    crate::api_answers::ALL,
    crate::api_keys::ALL,
    crate::api_tokens::ALL,
    crate::resources::change::ALL,
    crate::bulk::ALL,
    crate::device::ALL,
    crate::devices::bulk::ALL,
    crate::device::tabs::ALL,
    crate::device::timeline::ALL,
    crate::identities::ALL,
    crate::inventory::ALL,
    crate::journal::ALL,
    crate::licences::ALL,
    crate::machine_changes::ALL,
    crate::preferences::ALL,
    crate::profiles::ALL,
    crate::serials::ALL,
    crate::former_keys::ALL,
    crate::group_keys::ALL,
    crate::sessions::ALL,
    crate::settings::ALL,
    crate::snapshots::ALL,
    crate::applications::ALL,
    crate::places::ALL,
    crate::summaries::ALL,
    crate::updates::ALL,
    crate::units::ALL,
    crate::people::ALL,
    crate::users::ALL,
];

/// What [`faults_of_own_tables`] says of a table that is there and may not be used.
pub(crate) const NO_RIGHTS: &str = "may not be read and written by this login";

/// What Postgres says against the statements that use our own tables, a sentence each. A table that is not there at all is
/// left out: that is told by the additions that are missing.
///
/// # Errors
/// When the database cannot be asked.
pub async fn faults_of_own_tables(db: &Client) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut faults = Vec::new();
    for (name, sql) in own() {
        let Err(error) = db.prepare(sql).await else {
            continue;
        };
        match error.as_db_error() {
            None => return Err(error),
            Some(refusal) if *refusal.code() == SqlState::UNDEFINED_TABLE => {}
            Some(refusal) => faults.push(format!("{name}: {}", refusal.message())),
        }
    }
    let rows = db.query(ODD_TABLES, &[]).await?;
    for row in rows {
        let (table, what): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        faults.push(format!("{table} {what}"));
    }
    Ok(faults)
}

/// What a statement can be prepared in spite of: rights, and what makes a table do something else than it was told.
const ODD_TABLES: &str = "
    SELECT t.relname::text, what FROM pg_class t
    JOIN pg_namespace n ON n.oid = t.relnamespace,
    LATERAL (VALUES
        (t.relkind NOT IN ('r', 'p'), 'is no table'),
        (t.relhasrules, 'has rules'),
        (EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.oid AND NOT g.tgisinternal), 'has triggers'),
        (t.relrowsecurity, 'has row level security'),
        (EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'c' AND NOT c.convalidated), 'has a check that was not validated'),
        (NOT (has_table_privilege(t.oid, 'SELECT') AND has_table_privilege(t.oid, 'INSERT')
              AND has_table_privilege(t.oid, 'UPDATE') AND has_table_privilege(t.oid, 'DELETE')), 'may not be read and written by this login')
    ) AS odd (is_so, what)
    WHERE odd.is_so AND t.relname LIKE 'salrs\\_%' AND t.relname <> 'salrs_iam_journal' AND t.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname = ANY (current_schemas(false))
    ORDER BY 1, 2";

/// Names and texts of the statements that use our own tables.
fn own() -> Vec<(&'static str, &'static str)> {
    let all = ALL.iter().copied().flatten();
    all.filter(|entry| entry.sql.contains("salrs_"))
        .map(|entry| (entry.name, entry.sql))
        .collect()
}
