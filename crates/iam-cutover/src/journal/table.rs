//! The journal as a table in the deployment's database, for whoever does not have the file.
//!
//! The table stands in a schema that belongs to the administrator, because the owner of the database owns `public`: it
//! could put another table in this one's place between a look and an INSERT, and a trigger on that one would run with
//! the administrator's rights. Nobody else may put anything into the schema, and `faults.rs` says what keeps a table
//! from being used all the same.

use tokio_postgres::{Client, Error};

use super::{
    Entry, JournalError,
    faults::{self, Place, Verdict},
};
use crate::sql::identifier;

/// The table's name; the prefix is that of this project's own tables.
pub const TABLE: &str = "salrs_iam_journal";
/// The schema that it stands in, which belongs to the administrator.
pub const SCHEMA: &str = "salrs_iam";

/// The table, which exists and can be believed.
pub(super) struct JournalTable {
    /// Why it is only read; `None` when it is ours.
    pub(super) only_read: Option<String>,
}

impl JournalTable {
    /// Makes the table where it is missing, as the administrator. Where the administrator may make no schema, the old
    /// user's session gives it that right for as long as it takes.
    ///
    /// # Errors
    /// [`JournalError::NotOurs`] when somebody else has prepared one. The inner error says why there can be none.
    pub(super) async fn ensure(
        admin: &Client,
        owner: Option<&Client>,
    ) -> Result<Result<Self, String>, JournalError> {
        let found = Place::of(SCHEMA, admin).await?;
        match found.verdict(admin).await? {
            Verdict::Refused(why) => return Err(why),
            Verdict::AnotherAdministrators(owner) => {
                let why = format!("it belongs to `{owner}`; that user's next run writes it");
                return Ok(match found.has_table() {
                    true => Ok(Self {
                        only_read: Some(why),
                    }),
                    false => Err(why),
                });
            }
            Verdict::Ours => {}
        }
        if !found.has_table()
            && let Err(why) = make(found.has_schema(), admin, owner).await?
        {
            return Ok(Err(why));
        }
        if let Err(error) = settle(admin).await {
            // A session that is lost has rolled back already.
            let _rolled_back = admin.batch_execute("ROLLBACK").await;
            return Err(error);
        }
        Ok(Ok(Self { only_read: None }))
    }

    pub(super) async fn entries(&self, db: &Client) -> Result<Vec<Entry>, JournalError> {
        let rows = db.query(READ, &[]).await?;
        let mut entries = Vec::new();
        for (row, seq) in rows.iter().zip(1_u64..) {
            let text: String = row.try_get(0)?;
            let entry = serde_json::from_str(&text).map_err(|_not_an_entry| JournalError::Broken {
                place: "the table".to_owned(),
                seq,
            });
            entries.push(entry?);
        }
        Ok(entries)
    }

    /// Writes a line, where the table is ours.
    pub(super) async fn write(&self, entry: &Entry, db: &Client) -> Result<(), JournalError> {
        if self.only_read.is_some() {
            return Ok(());
        }
        let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
        let text = serde_json::to_string(entry).unwrap_or_default();
        let phase = format!("{:?}", entry.phase).to_lowercase();
        db.execute(WRITE, &[&seq, &entry.command, &entry.step, &phase, &text])
            .await?;
        Ok(())
    }
}

/// Makes what is missing; nothing is left of it when something cannot be made.
async fn make(
    has_schema: bool,
    admin: &Client,
    owner: Option<&Client>,
) -> Result<Result<(), String>, JournalError> {
    // An earlier version put it where the owner of the database can take it away; it moves, if it is ours.
    let earlier = Place::of("public", admin).await?;
    let table = match earlier.verdict(admin).await? {
        _ if !earlier.has_table() => format!("CREATE TABLE {SCHEMA}.{TABLE} ({COLUMNS});"),
        Verdict::Ours => format!("ALTER TABLE public.{TABLE} SET SCHEMA {SCHEMA};"),
        Verdict::AnotherAdministrators(owner) => {
            return Ok(Err(format!(
                "public.{TABLE} belongs to `{owner}`; run this as that user once, and it moves"
            )));
        }
        Verdict::Refused(why) => return Err(why),
    };
    let schema = if has_schema {
        String::new()
    } else {
        format!("CREATE SCHEMA {SCHEMA};")
    };
    // One message is one transaction.
    let script = format!("{schema}{table}");
    let Err(refused) = admin.batch_execute(&script).await else {
        return Ok(Ok(()));
    };
    let made = match owner {
        Some(owner) => make_with_help(&script, admin, owner).await,
        None => Err(refused),
    };
    Ok(made.map_err(|why| said(&why)))
}

/// The owner of the database lets the administrator make a schema in it, for as long as that takes.
async fn make_with_help(script: &str, admin: &Client, owner: &Client) -> Result<(), Error> {
    let row = admin.query_one(NAMES, &[]).await?;
    let (database, user): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let (database, user) = (identifier(&database), identifier(&user));
    let grant = format!("GRANT CREATE ON DATABASE {database} TO {user}");
    owner.batch_execute(&grant).await?;
    let made = admin.batch_execute(script).await;
    let revoke = format!("REVOKE CREATE ON DATABASE {database} FROM {user}");
    owner.batch_execute(&revoke).await?;
    made
}

/// Takes from everybody else what a schema or a table may have got by default privileges, and looks at both once more,
/// while nothing can be changed about them. What is right then stays right: only the owner could change it.
async fn settle(admin: &Client) -> Result<(), JournalError> {
    admin.batch_execute(&format!("BEGIN; SET LOCAL lock_timeout = '5s'; LOCK TABLE {SCHEMA}.{TABLE} IN ROW EXCLUSIVE MODE")).await?;
    let place = Place::of(SCHEMA, admin).await?;
    if let Verdict::Refused(why) = place.verdict(admin).await? {
        return Err(why);
    }
    for (on, privilege) in [("SCHEMA ", "USAGE"), ("TABLE ", "SELECT")] {
        let name = if on == "TABLE " {
            format!("{SCHEMA}.{TABLE}")
        } else {
            SCHEMA.to_owned()
        };
        for grantee in faults::grantees(&place, admin).await? {
            let revoke = format!("REVOKE ALL ON {on}{name} FROM {grantee} CASCADE");
            admin.batch_execute(&revoke).await?;
        }
        // A dump by the owner of the database locks every table there is, and fails at the first it may not read.
        let grant = format!("GRANT {privilege} ON {on}{name} TO PUBLIC");
        admin.batch_execute(&grant).await?;
    }
    admin.batch_execute("COMMIT").await?;
    Ok(())
}

/// The lines of the table, when there is one that can be believed.
///
/// # Errors
/// Why it is not read.
pub(super) async fn read(db: &Client) -> Result<Option<Vec<Entry>>, String> {
    let looked = async {
        let place = Place::of(SCHEMA, db).await?;
        if !place.has_table() {
            return Ok(None);
        }
        if let Verdict::Refused(why) = place.verdict(db).await? {
            return Err(why);
        }
        let table = JournalTable { only_read: None };
        table.entries(db).await.map(Some)
    };
    looked.await.map_err(|error| error.to_string())
}

fn said(error: &Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned())
}

const COLUMNS: &str = "
    seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT pg_catalog.now(), command text NOT NULL, step text NOT NULL,
    phase text NOT NULL, entry text NOT NULL";
const READ: &str = "SELECT entry FROM salrs_iam.salrs_iam_journal ORDER BY seq";
const WRITE: &str = "INSERT INTO salrs_iam.salrs_iam_journal (seq, command, step, phase, entry) VALUES ($1, $2, $3, $4, $5)";
const NAMES: &str = "SELECT pg_catalog.current_database()::text, session_user::text";
