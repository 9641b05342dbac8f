//! Whether the database has what the server said it has.

use std::collections::HashMap;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Client;

use super::caller::{Caller, MARK};

/// What was told, and what is there.
pub(super) struct Proof {
    told: u32,
    lost: Vec<String>,
    stored_though_refused: u32,
}

impl Proof {
    /// Looks every machine up. Of a machine the last check-in that was told 200 has to be there, or a later one: each
    /// wrote over those before.
    pub(super) async fn of(callers: &[Caller], db: &Client) -> Result<Self> {
        let sql = "SELECT serial, hostname, (extract(epoch FROM last_checkin) * 1000000)::bigint FROM server_machine";
        let rows = db
            .query(sql, &[])
            .await
            .context("asking for the machines")?;
        let there: HashMap<String, (String, i64)> = rows
            .iter()
            .map(|row| (row.get(0), (row.get(1), row.get(2))))
            .collect();
        let mut proof = Self {
            told: 0,
            lost: Vec::new(),
            stored_though_refused: 0,
        };
        for caller in callers {
            let machine = there.get(caller.serial());
            let mark = machine.and_then(|(name, _)| name.strip_prefix(MARK)?.parse().ok());
            let seen = machine.and_then(|(_, at)| Timestamp::from_microsecond(*at).ok());
            proof.judge(caller, mark, seen);
        }
        Ok(proof)
    }

    fn judge(&mut self, caller: &Caller, mark: Option<u32>, seen: Option<Timestamp>) {
        self.told += caller.told;
        if let Some(stored) = caller.stored {
            // The database has microseconds.
            let sent = stored.sent - SignedDuration::from_micros(1);
            let is_there = mark.is_some_and(|mark| mark >= stored.mark)
                && seen.is_some_and(|seen| seen >= sent);
            if !is_there {
                self.lost.push(caller.serial().to_owned());
            }
        }
        let before = caller.stored.map(|stored| stored.mark);
        if let Some((last, true)) = caller.last {
            let refused_is_there = mark == Some(last) && before != Some(last);
            self.stored_though_refused += u32::from(refused_is_there);
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.lost.is_empty()
    }

    pub(super) fn lost(&self) -> usize {
        self.lost.len()
    }

    pub(super) fn told(&self) -> u32 {
        self.told
    }

    pub(super) fn stored_though_refused(&self) -> u32 {
        self.stored_though_refused
    }

    pub(super) fn words(&self) -> String {
        format!(
            "{} check-ins were told 200. Machines without their last one in the database: {}; refused and stored all the \
             same: {}",
            self.told,
            self.lost(),
            self.stored_though_refused
        )
    }

    pub(super) fn accusation(&self) -> String {
        let some: Vec<&str> = self.lost.iter().take(10).map(String::as_str).collect();
        format!(
            "the database does not have the last check-in of {} machines that were told 200: {}",
            self.lost.len(),
            some.join(", ")
        )
    }
}
