//! What can go wrong between the house and Postgres.
//!
//! "Not found" is never an error here: reads return an `Option`.

use std::error::Error;

use tokio_postgres::error::SqlState;

/// A statement or a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had: the login was refused, or the server cannot be reached.
    #[error("no database connection could be made")]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// All connections were in use for the whole waiting time.
    #[error("all database connections stayed in use for {waited_seconds} s")]
    PoolBusy {
        /// How long the caller waited.
        waited_seconds: u64,
    },
    /// Postgres refused a statement.
    #[error("the database refused a statement")]
    Statement(#[from] tokio_postgres::Error),
    /// Another writer made or removed a row between our reading and our writing; nothing was written.
    #[error("another writer changed the same rows")]
    Overtaken,
    /// The server is a standby or was demoted: it takes no writes.
    #[error("the database is read-only: it is a standby, or it was demoted by a failover")]
    ReadOnly,
}

impl StoreError {
    /// The SQLSTATE, where Postgres gave one (Postgres manual, appendix A).
    pub fn sql_state(&self) -> Option<&SqlState> {
        match self {
            Self::Statement(error) => error.code(),
            _ => None,
        }
    }

    /// Whether another row has a value that only one may have.
    #[must_use]
    pub fn is_a_duplicate(&self) -> bool {
        self.sql_state() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    /// Whether a table is not there.
    pub fn is_missing_table(&self) -> bool {
        self.sql_state() == Some(&SqlState::UNDEFINED_TABLE)
    }

    /// The error with Postgres's own sentence, for a report to whoever runs the database.
    #[must_use]
    pub fn in_full(&self) -> String {
        let cause = match self {
            Self::Statement(cause) => cause.as_db_error(),
            _ => None,
        };
        match cause {
            Some(cause) => format!("{self}: {}", cause.message()),
            None => self.to_string(),
        }
    }

    /// Whether the same transaction may well succeed when it is run again:
    /// a deadlock, a serialization failure, or a row that another transaction inserted first.
    pub fn is_worth_a_retry(&self) -> bool {
        if matches!(self, Self::Overtaken) {
            return true;
        }
        [
            &SqlState::T_R_DEADLOCK_DETECTED,
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::UNIQUE_VIOLATION,
            &SqlState::FOREIGN_KEY_VIOLATION,
        ]
        .iter()
        .any(|state| self.sql_state() == Some(state))
    }

    /// Whether the connection ended under the statement: another one may well be alive.
    pub fn lost_its_connection(&self) -> bool {
        let Self::Statement(error) = self else {
            return false;
        };
        let ended = [
            &SqlState::ADMIN_SHUTDOWN,
            &SqlState::CRASH_SHUTDOWN,
            &SqlState::CANNOT_CONNECT_NOW,
            &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ];
        error.is_closed() || ended.iter().any(|state| self.sql_state() == Some(state))
    }

    /// Whether the connection leads to a server that takes no writes, or to none: the next statement needs another one.
    pub fn is_of_the_wrong_server(&self) -> bool {
        let read_only = self.sql_state() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION);
        read_only || matches!(self, Self::ReadOnly) || self.lost_its_connection()
    }

    /// Whether a lock was held by somebody else for longer than we wait.
    pub fn waited_for_a_lock(&self) -> bool {
        self.sql_state() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Whether the database is there and has too much to do, holds a lock, or gave way to another writer: the same request
    /// may succeed soon.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::PoolBusy { .. } | Self::Overtaken => true,
            Self::Statement(_) => self.sql_state().is_some_and(|state| {
                // 57014 is statement_timeout, 53300 too many connections, the other 53s are memory, disk and limits; 40P01 is a
                // deadlock, 40001 a serialization failure.
                let is_of_load = state.code().starts_with("53");
                let gave_way = [
                    SqlState::QUERY_CANCELED,
                    SqlState::T_R_DEADLOCK_DETECTED,
                    SqlState::T_R_SERIALIZATION_FAILURE,
                ];
                is_of_load || self.waited_for_a_lock() || gave_way.contains(state)
            }),
            _ => false,
        }
    }

    /// Whether a table, or a column that a later addition of ours gives it, is missing or may not be used.
    pub fn lacks_a_table(&self) -> bool {
        [
            &SqlState::UNDEFINED_TABLE,
            &SqlState::UNDEFINED_COLUMN,
            &SqlState::INSUFFICIENT_PRIVILEGE,
        ]
        .iter()
        .any(|state| self.sql_state() == Some(state))
    }

    /// Whether Postgres did not understand a regular expression.
    pub fn is_about_a_pattern(&self) -> bool {
        self.sql_state() == Some(&SqlState::INVALID_REGULAR_EXPRESSION)
    }

    /// Whether the fault is the database's being away or busy, not the statement's.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Connect(_) | Self::PoolBusy { .. } | Self::Overtaken | Self::ReadOnly => true,
            Self::Statement(error) => {
                error.is_closed()
                    || self.is_busy()
                    || self.is_of_the_wrong_server()
                    || self.sql_state().is_some_and(|state| {
                        let code = state.code();
                        // 25P03 and 25P04: a transaction that waited, or lasted, too long.
                        ["08", "57P", "58", "25P03", "25P04"]
                            .iter()
                            .any(|class| code.starts_with(class))
                    })
            }
        }
    }
}
