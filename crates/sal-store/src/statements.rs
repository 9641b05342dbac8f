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
    crate::database::ALL,
    crate::jobs::ALL,
    crate::maintenance::ALL,
    crate::maintenance::applications::ALL,
    crate::search_caches::ALL,
    crate::api_keys::ALL,
    crate::bulk::ALL,
    crate::device::ALL,
    crate::devices::bulk::ALL,
    crate::devices::data_table::ALL,
    crate::device::tabs::ALL,
    crate::device::timeline::ALL,
    crate::identities::ALL,
    crate::inventory::ALL,
    crate::journal::ALL,
    crate::licences::ALL,
    crate::preferences::ALL,
    crate::profiles::ALL,
    crate::serials::ALL,
    crate::group_keys::ALL,
    crate::sessions::ALL,
    crate::settings::ALL,
    crate::applications::ALL,
    crate::places::ALL,
    crate::summaries::ALL,
    crate::updates::ALL,
    crate::units::ALL,
    crate::people::ALL,
    crate::users::ALL,
];

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
    Ok(faults)
}

/// Names and texts of the statements that use our own tables.
fn own() -> Vec<(&'static str, &'static str)> {
    let all = ALL.iter().copied().flatten();
    all.filter(|entry| entry.sql.contains("salrs_"))
        .map(|entry| (entry.name, entry.sql))
        .collect()
}
