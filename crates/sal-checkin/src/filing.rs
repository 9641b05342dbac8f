//! Files a submission: looks it up, loads what may differ, decides, writes. Each try is whole or nothing.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use sal_http::checkin_key::ShownKey;
use sal_http::{App, AppError, db::machine_client};
use sal_store::StoreError;
use sal_store::checkin::changes::{Memory, Trace};
use sal_store::checkin::{self, Arrival, Present, Seen, Wanted};
use sal_store::ids::{GroupId, SourceId, time_ordered_uuid};
use sal_store::pool::{Client, Tx};
use sal_store::sources::insert_sources;

use crate::digest::{Digests, undated_messages};
use crate::journal::Note;
use crate::moves::Arriving;
use crate::plan::{self, Rules};
use crate::retry;
use crate::submission::Submission;

/// A submission on its way into the tables.
pub(crate) struct Filing<'a> {
    /// The house.
    pub(crate) app: &'a App,
    /// What the caller showed.
    pub(crate) key: &'a ShownKey,
    /// What is learnt on the way.
    pub(crate) note: &'a Note,
    /// What the machine sent.
    pub(crate) submission: &'a Submission,
    /// Its digests.
    pub(crate) digests: Digests,
    /// The time of the check-in.
    pub(crate) now: Timestamp,
    /// Whence it came.
    pub(crate) trace: Trace,
    /// How large it was; large ones have connections of their own.
    pub(crate) body_bytes: usize,
}

impl Filing<'_> {
    /// One try. Nothing is written unless all is.
    pub(crate) async fn file(&self) -> Result<(), AppError> {
        let mut db = machine_client(self.body_bytes, self.app).await?;
        let seen = match self.arrive(&db).await {
            // A session that Postgres ended in the pool is noticed by the first statement. Nothing depends on it yet, and
            // what it may have done is done again with the same result.
            Err(AppError::Store(error)) if error.lost_its_connection() => {
                db = machine_client(self.body_bytes, self.app).await?;
                self.arrive(&db).await?
            }
            other => other?,
        };
        if !seen.authorised {
            return Err(self.key.is_wrong(self.app));
        }
        self.key.is_right(self.app);
        if seen.done {
            return Ok(());
        }
        self.note.has_key();
        let group = seen.group.ok_or(AppError::Unknown(
            "the key in the body is no machine group's",
        ))?;
        if seen.machine.is_none() && !self.app.config.add_new_machines {
            return Err(AppError::Unknown(
                "an unknown serial number, and SAL_ADD_NEW_MACHINES is false",
            ));
        }
        if seen.machine.is_none() {
            self.note.remark("the first check-in of this machine");
        }
        let before = seen.digests.as_deref().and_then(Digests::decode);
        let mut wanted = self.digests.compare(before.as_ref(), self.submission);
        let (tx, present) = self.load(&seen, &wanted, db).await?;
        if present.everything {
            wanted.everything = true;
            wanted.plugins = plan::replaced(self.submission);
        }
        let key = InKey {
            group,
            is_former: seen.by_former_key,
        };
        self.write(key, &present, &wanted, tx).await
    }

    async fn arrive(&self, db: &Client) -> Result<Seen, AppError> {
        let submission = self.submission;
        let arrival = Arrival {
            auth_key: self.key.key.clone(),
            group_key: submission.group_key.clone(),
            serial: submission.serial.clone(),
            now: self.now,
            columns: submission.columns(None, false),
            has_munki: submission.munki.is_some(),
            deploy: self.app.config.deployed_on_checkin,
            digests: self.digests.encode(),
            compared_after: self.now.saturating_sub(COMPARE_EVERY).unwrap_or(self.now),
            plugins: plan::replaced(submission),
            touch_messages: undated_messages(submission) == Some(true),
            trace: self.trace.clone(),
        };
        if self.app.store.has_own_tables() {
            match checkin::arrive(&arrival, db).await {
                Err(error) if error.lacks_a_table() => {
                    tracing::warn!(
                        "check-ins are compared in full: the table salrs_checkin is missing or may not be used; `sal db init` makes it"
                    );
                    self.app.store.note_missing_tables();
                }
                other => return Ok(other?),
            }
        }
        Ok(checkin::arrive_unremembered(&arrival, db).await?)
    }

    /// Reads what may differ; sources that are new are made first and the reading begins again.
    ///
    /// They are made outside the check-in's transaction: inside, their locks and those of the machine's row would be
    /// taken in either order, and two first check-ins of one machine would deadlock.
    async fn load(
        &self,
        seen: &Seen,
        wanted: &Wanted,
        db: Client,
    ) -> Result<(Tx, Present), AppError> {
        let names: Vec<String> = self
            .submission
            .sections
            .iter()
            .map(|section| section.source.clone())
            .collect();
        let plugins = plan::replaced(self.submission);
        let version = seen.version.as_deref();
        let tx = db.transaction();
        let present = checkin::open(seen.machine, version, &names, wanted, &plugins, &tx).await?;
        let missing = missing_sources(&present, &names);
        if missing.is_empty() {
            return Ok((tx, present));
        }
        let db = tx.rollback().await?;
        let ids = missing.iter().map(|_| self.new_id()).collect();
        insert_sources(&db, &ids, &missing).await?;
        let tx = db.transaction();
        let present = checkin::open(seen.machine, version, &names, wanted, &plugins, &tx).await?;
        if missing_sources(&present, &names).is_empty() {
            return Ok((tx, present));
        }
        // Maintenance of a Django Sal removed a source that nothing used yet.
        Err(StoreError::Overtaken.into())
    }

    async fn write(
        &self,
        key: InKey,
        present: &Present,
        wanted: &Wanted,
        tx: Tx,
    ) -> Result<(), AppError> {
        let group = key.group;
        if let Some(machine) = &present.machine {
            let arriving = Arriving {
                id: machine.id,
                serial: &self.submission.serial,
                from: machine.machine_group_id,
                to: group,
                address: &self.trace.address,
            };
            arriving.note(self.note, self.app, &tx).await?;
        }
        let sources: HashMap<String, SourceId> = present
            .sources
            .iter()
            .map(|source| (source.name.clone(), source.id))
            .collect();
        let rules = Rules {
            now: self.now,
            group,
            sources: &sources,
            deploy: self.app.config.deployed_on_checkin,
            historical_facts: &self.app.config.historical_facts,
            wanted,
        };
        let mut changes = plan::plan(present, self.submission, &rules, &mut || self.new_id());
        changes.memory = self.app.store.has_own_tables().then(|| Memory {
            digests: self.digests.encode(),
            compared: wanted.everything,
            by_former_key: key.is_former,
            trace: self.trace.clone(),
        });
        if changes.memory.is_none() {
            changes.lines.clear();
        }
        let written = checkin::write(&changes, tx).await;
        if changes.memory.is_some() {
            return retry::noted(written.map(|()| 0), self.app);
        }
        Ok(written?)
    }

    fn new_id(&self) -> uuid::Uuid {
        time_ordered_uuid(self.now, &mut rand::rng())
    }
}

fn missing_sources(present: &Present, names: &[String]) -> Vec<String> {
    let known: HashSet<&str> = present
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    let mut missing: Vec<String> = names
        .iter()
        .filter(|name| !known.contains(name.as_str()))
        .cloned()
        .collect();
    missing.sort();
    missing
}

/// What the key in the body says.
struct InKey {
    group: GroupId,
    /// Whether the group has another one by now.
    is_former: bool,
}

/// How long digests are believed. Rows that somebody changed by hand are put right when everything is compared again.
const COMPARE_EVERY: SignedDuration = SignedDuration::from_hours(24);
