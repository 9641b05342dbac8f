//! A whole check-in in a transaction that is rolled back: may this login write what machines send?
//!
//! Reading, comparing and writing are those of a real check-in; business unit, group and sources are made in the
//! same transaction, so that it works on an empty database too and leaves nothing behind.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sal_store::checkin::changes::{Memory, Trace};
use sal_store::checkin::{self, Wanted};
use sal_store::groups::{insert_group, insert_unit};
use sal_store::ids::{SourceId, time_ordered_uuid};
use sal_store::pool::Lane;
use sal_store::sources::insert_sources;
use sal_store::{Store, StoreError};

use crate::digest::Digests;
use crate::plan::{self, Rules};
use crate::python;
use crate::submission::{Context, Submission};

/// What a rehearsal would have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    /// Facts.
    pub facts: usize,
    /// Managed items.
    pub items: usize,
    /// Results of plugin scripts.
    pub scripts: usize,
}

/// Why nothing was rehearsed.
#[derive(Debug)]
pub enum NotRehearsed {
    /// A table is not there: nearly always one of the server's own, where no server of this kind has been yet.
    NoTable(String),
    /// It cannot be read or written; says why.
    Failed(String),
}

impl From<StoreError> for NotRehearsed {
    fn from(error: StoreError) -> Self {
        match error.is_missing_table() {
            true => Self::NoTable(error.in_full()),
            false => Self::Failed(error.in_full()),
        }
    }
}

/// Rehearses the check-in of a machine that is not there, with the first connection of `store`.
///
/// # Errors
/// [`NotRehearsed`]; in any case nothing was written.
pub async fn rehearse(
    body: &str,
    store: &Store,
    now: Timestamp,
) -> Result<Rehearsed, NotRehearsed> {
    let value = python::parse(body).map_err(|error| NotRehearsed::Failed(error.to_string()))?;
    let context = Context {
        now,
        zone: &TimeZone::UTC,
        ignore_facts: None,
    };
    let submission = Submission::read(&value, &context)
        .map_err(|refusal| NotRehearsed::Failed(refusal.to_string()))?;
    file(&submission, store, now).await?;
    let sections = &submission.sections;
    Ok(Rehearsed {
        facts: sections.iter().map(|section| section.facts.len()).sum(),
        items: sections.iter().map(|section| section.items.len()).sum(),
        scripts: submission.scripts.len(),
    })
}

async fn file(submission: &Submission, store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let new_id = || time_ordered_uuid(now, &mut rand::rng());
    let names: Vec<String> = submission
        .sections
        .iter()
        .map(|section| section.source.clone())
        .collect();
    let plugins = plan::replaced(submission);
    let wanted = Wanted {
        everything: true,
        plugins: plugins.clone(),
        ..Wanted::default()
    };
    let tx = store.get(Lane::Machines).await?.transaction();
    let mut present = checkin::open(None, None, &names, &wanted, &plugins, &tx).await?;
    // The numbers a check-in needs are made here and go with the transaction.
    let unit = insert_unit(&tx, "sal rehearsal").await?.into_iter().next();
    let unit = unit.ok_or(sal_store::StoreError::Overtaken)?;
    let key = format!("{}{}", new_id().simple(), new_id().simple());
    let group = insert_group(&tx, &unit.id, "sal rehearsal", &key)
        .await?
        .into_iter()
        .next();
    let group = group.ok_or(sal_store::StoreError::Overtaken)?;
    let missing: Vec<String> = names
        .iter()
        .filter(|name| present.sources.iter().all(|source| source.name != **name))
        .cloned()
        .collect();
    let ids = missing.iter().map(|_| new_id()).collect();
    insert_sources(&tx, &ids, &missing).await?;
    let mut sources: HashMap<String, SourceId> = present
        .sources
        .iter()
        .map(|source| (source.name.clone(), source.id))
        .collect();
    sources.extend(missing.into_iter().zip(ids.into_iter().map(SourceId)));
    present.everything = true;
    let none = HashSet::new();
    let rules = Rules {
        now,
        group: group.id,
        sources: &sources,
        deploy: false,
        historical_facts: &none,
        wanted: &wanted,
    };
    let mut changes = plan::plan(&present, submission, &rules, &mut || new_id());
    changes.memory = store.has_own_tables().then(|| Memory {
        by_former_key: false,
        digests: Digests::of(submission, now, &none).encode(),
        compared: true,
        trace: Trace {
            body_bytes: 0,
            milliseconds: 0,
            address: String::new(),
            client: String::new(),
        },
    });
    checkin::rehearse(&changes, tx).await
}
