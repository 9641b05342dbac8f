//! What was done, by whom, when, with before and after: a chain of entries in a file and in a table.
//!
//! Every entry carries the SHA-256 of the one before it, so that a line that was changed or taken
//! out shows. An entry is written before and after every step; on kill -9 the next run finds where
//! the last one stopped. The file comes first, the table second; whichever lacks the other's last
//! entries gets them at the next start.

mod faults;
mod file;
mod table;

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use tokio_postgres::Client;

pub use self::table::{SCHEMA, TABLE};
use self::{file::JournalFile, table::JournalTable};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Which run; lines of one command share it.
    pub run: String,
    /// Who.
    pub actor: Actor,
    /// The command, such as `apply`.
    pub command: String,
    /// The step, or empty for the run as a whole.
    pub step: String,
    /// What happened with it.
    pub phase: Phase,
    /// The exact statements or calls.
    pub statements: Vec<String>,
    /// How roles and memberships were.
    pub before: Value,
    /// How they are.
    pub after: Value,
    /// What else is to be said, such as why it failed.
    pub note: String,
    /// The hash of the line before; empty for the first.
    pub previous: String,
    /// The hash of this line without its hash.
    pub hash: String,
}

/// Who did it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The Postgres user.
    pub database_user: String,
    /// The user of the operating system.
    pub system_user: String,
    /// The machine.
    pub host: String,
    /// The program and its version.
    pub program: String,
}

/// What happened with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It begins.
    Started,
    /// It is done.
    Done,
    /// It failed and changed nothing.
    Failed,
    /// It was undone.
    Undone,
    /// It stays done although something did not work after it: undoing failed, or is not done in AWS.
    Left,
}

/// The journal cannot be read, written or trusted.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The file cannot be used.
    #[error("the journal `{path}` cannot be {action}: {source}; name another place with --journal")]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The table cannot be used.
    #[error("the journal's table cannot be used: {0}")]
    Table(#[from] tokio_postgres::Error),
    /// Somebody else has prepared a table, or a schema for it.
    #[error(
        "{name} is not used for the journal: {}; what others put there would run with the administrator's rights. As `{owner}`: {next}. Then start again: the journal's file has every line, and a new table gets them",
        faults.join(", ")
    )]
    NotOurs {
        /// What was found.
        name: String,
        /// Whose.
        owner: String,
        /// What is wrong with it.
        faults: Vec<String>,
        /// What takes it out of the way.
        next: String,
    },
    /// A line is not what its hash says.
    #[error(
        "the journal in {place} was changed: line {seq} does not fit the line before it; keep it as evidence, move it away, and start again"
    )]
    Broken {
        /// The file or the table.
        place: String,
        /// Where it breaks.
        seq: u64,
    },
    /// File and table tell different stories.
    #[error(
        "the journal's file `{path}` belongs to another database than this, or was changed: line {seq} differs from the table's; name another file with --journal"
    )]
    Different {
        /// The file.
        path: PathBuf,
        /// The first line that differs.
        seq: u64,
    },
}

/// What is to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Note<'a> {
    pub(crate) step: &'a str,
    pub(crate) statements: &'a [String],
    pub(crate) before: Value,
    pub(crate) after: Value,
    pub(crate) note: String,
}

/// An open journal.
pub struct Journal {
    file: JournalFile,
    table: Option<JournalTable>,
    last: Option<(u64, String)>,
    run: String,
    actor: Actor,
    command: &'static str,
}

/// How a journal is opened.
pub struct JournalSettings {
    /// The file; made when it is missing.
    pub path: PathBuf,
    /// Who writes.
    pub actor: Actor,
    /// The command.
    pub command: &'static str,
}

impl Journal {
    /// Opens file and table, checks both chains, and lets each have what the other has more.
    ///
    /// `owner` is a session of the old user, for databases in which the administrator may not make
    /// a schema. Without a table of ours the file alone is written; the second value says why.
    ///
    /// # Errors
    /// [`JournalError`]; nothing was done then.
    pub(crate) async fn open(
        settings: JournalSettings,
        admin: &Client,
        owner: Option<&Client>,
    ) -> Result<(Self, Option<String>), JournalError> {
        let (table, why_not) = match JournalTable::ensure(admin, owner).await? {
            Ok(table) => {
                let why_not = table.only_read.clone();
                (Some(table), why_not)
            }
            Err(why) => (None, Some(why)),
        };
        let journal = Self::join(settings, table.map(|table| (table, admin))).await?;
        Ok((journal, why_not))
    }

    /// As [`Journal::open`]; without a session of an administrator the file alone, whose lines the next run copies.
    ///
    /// # Errors
    /// [`JournalError`]; nothing was done then.
    pub(crate) async fn open_for(
        settings: JournalSettings,
        admin: Option<&Client>,
    ) -> Result<Self, JournalError> {
        match admin {
            Some(admin) => Ok(Self::open(settings, admin, None).await?.0),
            None => Self::join(settings, None).await,
        }
    }

    async fn join(
        settings: JournalSettings,
        table: Option<(JournalTable, &Client)>,
    ) -> Result<Self, JournalError> {
        let mut file = JournalFile::open(&settings.path)?;
        let in_file = file.entries()?;
        check(&in_file, &format!("`{}`", settings.path.display()))?;
        let mut last = in_file.last().cloned();
        if let Some((table, admin)) = &table {
            let in_table = table.entries(admin).await?;
            check(&in_table, "the table")?;
            let both = in_file.iter().zip(&in_table);
            if let Some((one, _)) = both.into_iter().find(|(one, other)| one.hash != other.hash) {
                return Err(JournalError::Different {
                    path: settings.path,
                    seq: one.seq,
                });
            }
            for entry in in_file.iter().skip(in_table.len()) {
                table.write(entry, admin).await?;
            }
            for entry in in_table.iter().skip(in_file.len()) {
                file.write(entry)?;
                last = Some(entry.clone());
            }
        }
        Ok(Self {
            file,
            table: table.map(|(table, _)| table),
            last: last.map(|entry| (entry.seq, entry.hash)),
            run: format!("{:016x}", rand::random::<u64>()),
            actor: settings.actor,
            command: settings.command,
        })
    }

    pub(crate) async fn write(
        &mut self,
        phase: Phase,
        note: Note<'_>,
        at: Timestamp,
        admin: &Client,
    ) -> Result<(), JournalError> {
        let (seq, previous) = match &self.last {
            Some((seq, hash)) => (seq + 1, hash.clone()),
            None => (1, String::new()),
        };
        let mut entry = Entry {
            seq,
            at,
            run: self.run.clone(),
            actor: self.actor.clone(),
            command: self.command.to_owned(),
            step: note.step.to_owned(),
            phase,
            statements: note.statements.to_vec(),
            before: note.before,
            after: note.after,
            note: note.note,
            previous,
            hash: String::new(),
        };
        entry.hash = entry.computed_hash();
        self.file.write(&entry)?;
        if let Some(table) = &self.table {
            table.write(&entry, admin).await?;
        }
        self.last = Some((entry.seq, entry.hash));
        Ok(())
    }
}

impl Entry {
    /// The SHA-256 over the line without its hash, in lower-case hexadecimal.
    #[must_use]
    pub fn computed_hash(&self) -> String {
        let mut bare = self.clone();
        bare.hash = String::new();
        let text = serde_json::to_string(&bare).unwrap_or_default();
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Checks numbers and hashes of a whole chain.
///
/// # Errors
/// [`JournalError::Broken`] at the first line that does not fit.
pub fn check(entries: &[Entry], place: &str) -> Result<(), JournalError> {
    let mut previous = String::new();
    for (entry, seq) in entries.iter().zip(1_u64..) {
        if entry.seq != seq || entry.previous != previous || entry.hash != entry.computed_hash() {
            return Err(JournalError::Broken {
                place: place.to_owned(),
                seq,
            });
        }
        previous.clone_from(&entry.hash);
    }
    Ok(())
}

/// What the last run left unfinished, by its file: the last line, where that says that something began.
///
/// A file that is missing or cannot be read says nothing.
#[must_use]
pub fn unfinished(path: &Path) -> Option<Entry> {
    let last = file::last_line(path)?;
    let entry: Entry = serde_json::from_str(&last).ok()?;
    (entry.phase == Phase::Started).then_some(entry)
}

/// The journal's lines in the table; `None` when there is no table or it cannot be read.
pub async fn read_table(db: &Client) -> Option<Vec<Entry>> {
    look_at_table(db).await.ok().flatten()
}

/// The journal's lines in the table; `None` when there is no table.
///
/// # Errors
/// Why a table that is there is not read: it may not be, or it is not an administrator's.
pub async fn look_at_table(db: &Client) -> Result<Option<Vec<Entry>>, String> {
    table::read(db).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: u64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for seq in 1..=length {
            let mut entry = Entry {
                seq,
                at: Timestamp::UNIX_EPOCH,
                run: "r".to_owned(),
                actor: Actor::default(),
                command: "apply".to_owned(),
                step: "s".to_owned(),
                phase: Phase::Done,
                statements: vec!["GRANT \"a\" TO \"b\"".to_owned()],
                before: Value::Null,
                after: serde_json::json!({"z": 1, "a": 2}),
                note: String::new(),
                previous: entries
                    .last()
                    .map(|last| last.hash.clone())
                    .unwrap_or_default(),
                hash: String::new(),
            };
            entry.hash = entry.computed_hash();
            entries.push(entry);
        }
        entries
    }

    #[test]
    fn a_changed_moved_or_missing_line_breaks_the_chain() {
        let good = chain(4);
        assert!(check(&good, "x").is_ok());
        let text = serde_json::to_string(&good).unwrap();
        let read: Vec<Entry> = serde_json::from_str(&text).unwrap();
        assert!(check(&read, "x").is_ok(), "it survives being written");
        let changes: [fn(&mut Vec<Entry>); 4] = [
            |entries| entries[1].statements[0].push('x'),
            |entries| entries.swap(1, 2),
            |entries| drop(entries.remove(1)),
            |entries| {
                entries[1].note = "forged".to_owned();
                entries[1].hash = entries[1].computed_hash();
            },
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(matches!(check(&bad, "x"), Err(JournalError::Broken { .. })));
        }
    }
}
