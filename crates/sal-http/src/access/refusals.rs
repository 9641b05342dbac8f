//! Refused logins in the audit log: a line for each user, address and quarter of an hour, which counts.
//!
//! A log that everybody on the network can fill is none, and one that leaves out is none either. So the first refusals
//! are written at once, and later ones change the number in their line: whenever it has doubled, after a minute, and when
//! somebody looks or the server stops. Where there are too many lines, all others share one. A name that is no user's
//! is never written: it may be a password in the wrong field.

mod book;

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sal_store::{
    Store, StoreError,
    audit::{insert_refusals, update_refusals},
    pool::Executor,
    pool::Lane,
};
use tracing::warn;

use self::book::{Book, Due};
pub use self::book::{Refusal, Why};

/// The refusals of this process.
#[derive(Default)]
pub struct Refusals(Mutex<Book>);

impl Refusals {
    /// Counts a refusal, and writes it where it is time to. A log that cannot be written keeps nobody out.
    pub async fn note(&self, refusal: Refusal, now: Timestamp, store: &Store) {
        let due = self.book().count(refusal, now);
        if due {
            self.write(now, store, Which::Due).await;
        }
    }

    /// Writes every number that was not written yet.
    pub async fn flush(&self, now: Timestamp, store: &Store) {
        self.write(now, store, Which::All).await;
    }

    async fn write(&self, now: Timestamp, store: &Store, which: Which) {
        let due = self.book().take_due(now, which);
        if due.is_empty() {
            return;
        }
        let mut hand = Hand {
            refusals: self,
            lines: due,
            now,
        };
        let written = async {
            let db = store.get(Lane::Pages).await?;
            for line in &mut hand.lines {
                line.write(&db).await?;
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = written.await {
            warn!("refused logins could not be noted yet: {error}");
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lines that somebody writes. Whoever hangs up in the middle of it leaves the rest to the next.
struct Hand<'a> {
    refusals: &'a Refusals,
    lines: Vec<Due>,
    now: Timestamp,
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        self.refusals.book().settle(&self.lines, self.now);
    }
}

/// Which lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those whose time it is.
    Due,
    /// All that changed.
    All,
}

impl Due {
    async fn write(&mut self, db: &impl Executor) -> Result<(), StoreError> {
        let detail = self.detail();
        let changed = match self.row {
            Some(row) => update_refusals(db, &row, detail.as_str()).await?,
            None => 0,
        };
        // Without a row, and where somebody removed it, there is a new one.
        if changed == 0 {
            let (user, action) = (self.refusal.user.as_str(), self.refusal.why.action());
            let made = insert_refusals(db, &self.first, user, action, detail.as_str()).await?;
            self.row = made.first().map(|row| row.id);
        }
        self.is_written = true;
        Ok(())
    }
}
