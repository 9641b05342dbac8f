//! The journal as a table in the deployment's database, for whoever does not have the file.

use tokio_postgres::{Client, Error};

use super::{Entry, JournalError};

/// The table's name; the prefix is that of this project's own tables.
pub const TABLE: &str = "salrs_iam_journal";

/// The table, which exists.
pub(super) struct JournalTable;

impl JournalTable {
    /// Makes the table where it is missing; as the administrator, else as the old user.
    ///
    /// # Errors
    /// Why there can be none.
    pub(super) async fn ensure(admin: &Client, owner: Option<&Client>) -> Result<Self, String> {
        if admin.query(READ, &[]).await.is_ok() {
            return Ok(Self);
        }
        let refused = match admin.batch_execute(CREATE).await {
            Ok(()) => return Ok(Self),
            Err(error) => error,
        };
        let Some(owner) = owner else {
            return Err(said(&refused));
        };
        let admin_name: Result<String, Error> = async {
            let row = admin
                .query_one("SELECT quote_ident(session_user)", &[])
                .await?;
            row.try_get(0)
        }
        .await;
        let admin_name = admin_name.map_err(|error| said(&error))?;
        let create = format!("{CREATE} GRANT SELECT, INSERT ON public.{TABLE} TO {admin_name};");
        owner
            .batch_execute(&create)
            .await
            .map_err(|error| said(&error))?;
        Ok(Self)
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

    pub(super) async fn write(&self, entry: &Entry, db: &Client) -> Result<(), JournalError> {
        let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
        let text = serde_json::to_string(entry).unwrap_or_default();
        let phase = format!("{:?}", entry.phase).to_lowercase();
        db.execute(WRITE, &[&seq, &entry.command, &entry.step, &phase, &text])
            .await?;
        Ok(())
    }
}

fn said(error: &Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned())
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS public.salrs_iam_journal (
    seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL, step text NOT NULL,
    phase text NOT NULL, entry text NOT NULL);";
const READ: &str = "SELECT entry FROM public.salrs_iam_journal ORDER BY seq";
const WRITE: &str = "INSERT INTO public.salrs_iam_journal (seq, command, step, phase, entry) VALUES ($1, $2, $3, $4, $5)";
