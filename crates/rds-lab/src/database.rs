//! A private Postgres dressed as RDS: roles, owner of things, and who may enter how.
//!
//! The gate stands in front; behind it, members of `rds_iam` are let in without a word, because
//! the gate has asked them already. `rdsadmin` enters only over the socket, never by the gate.

use std::fmt::Write as _;

use local_postgres::{Listen, LocalPostgres, Options, ServerBinaries, find_server_binaries};

use crate::credentials::random;
use crate::{LabError, LabOptions};

/// The bootstrap superuser, as on RDS.
pub(crate) const SUPERUSER: &str = "rdsadmin";

/// Starts the Postgres and dresses it; returns it with the master's password.
///
/// `more_hba` lets clients in over TCP; without it there is only the socket.
pub(crate) async fn start(
    options: &LabOptions,
    more_hba: Option<&str>,
) -> Result<(LocalPostgres, String), LabError> {
    let mut settings = vec![("max_connections".to_owned(), "500".to_owned())];
    settings.extend(options.settings.iter().cloned());
    let major = major(options);
    let apart = by_port(more_hba);
    let (hba, listen) = match (apart, more_hba) {
        (true, _) => (HBA_BY_PORT.to_owned(), Listen::Loopback),
        (false, Some(more)) => (HBA.to_owned() + more, Listen::Loopback),
        (false, None) => (HBA.to_owned(), Listen::SocketOnly),
    };
    let server = LocalPostgres::start(Options {
        data_dir: options.data_dir.clone(),
        keep: options.keep,
        settings,
        fast: options.fast,
        superuser: SUPERUSER.to_owned(),
        hba: Some(hba),
        listen,
        server_binaries: options.server_binaries.clone(),
        search_path: options.search_path.clone(),
        ..Options::default()
    })
    .await?;
    let master_password = random(24);
    let mut statements = dressing(&options.master, &master_password);
    if major >= OWN_ADMIN_OPTION {
        statements.push_str(ADMIN_OF_RDS_IAM);
    }
    server
        .run_sql("postgres", &statements)
        .await
        .map_err(LabError::database("create the roles that RDS has"))?;
    Ok((server, master_password))
}

fn major(options: &LabOptions) -> u32 {
    let found = match &options.server_binaries {
        Some(folder) => ServerBinaries::in_folder(folder),
        None => find_server_binaries(options.search_path.as_deref()).ok(),
    };
    found.map_or(0, |binaries| binaries.major())
}

/// Whether password users come in by TCP. Members of `rds_iam` may be password users, too: while IAM authentication
/// is off, and from Postgres 16 on the master, who is one by its right to grant it. `pg_hba.conf` cannot tell them
/// apart, so the way in has to.
pub(crate) fn by_port(more_hba: Option<&str>) -> bool {
    more_hba.is_none()
}

/// Repeatable, for a folder that was kept.
fn dressing(master: &str, password: &str) -> String {
    let mut sql = String::new();
    for role in [
        "rds_superuser",
        "rds_iam",
        "rds_password",
        "rds_replication",
    ] {
        sql.push_str(&create_missing(role, "NOLOGIN"));
    }
    sql.push_str("GRANT pg_monitor, pg_signal_backend TO rds_superuser;\n");
    sql.push_str(&create_missing(
        master,
        "LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser",
    ));
    let name = identifier(master);
    // Writing to a String cannot fail.
    let _written = writeln!(
        sql,
        "ALTER ROLE {name} PASSWORD {} VALID UNTIL 'infinity';\nALTER DATABASE postgres OWNER TO {name};",
        literal(password)
    );
    sql
}

fn create_missing(role: &str, attributes: &str) -> String {
    let create = format!("CREATE ROLE {} {attributes}", identifier(role));
    format!(
        "DO $dress$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {}) THEN EXECUTE {}; END IF; END $dress$;\n",
        literal(role),
        literal(&create)
    )
}

/// A name as SQL takes it, whatever characters are in it.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL takes it.
pub(crate) fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// From this version on, granting a role takes `ADMIN OPTION` on it.
pub(crate) const OWN_ADMIN_OPTION: u32 = 16;

const ADMIN_OF_RDS_IAM: &str =
    "GRANT rds_iam TO rds_superuser WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;\n";

/// The gate comes in by the socket with whom it has asked, by TCP with whom Postgres shall ask.
const HBA_BY_PORT: &str = "\
local all all trust
local replication rdsadmin trust
host  all all 127.0.0.1/32 scram-sha-256
";

/// Behind the gate every connection is local, where Postgres itself listens too.
const HBA: &str = "\
local all rdsadmin trust
local all +rds_iam trust
local all all      scram-sha-256
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_stay_what_they_are() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
    }
}
