//! What submissions of machines that are not there would store, without a server and without a database.
//!
//! For filling databases: reading and planning are those of this door, so the rows are those that check-ins leave.
//! The other half is `sal_store::bulk`.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sal_store::bulk::NewMachine;
use sal_store::checkin::changes::{Memory, Trace};
use sal_store::checkin::{Present, Wanted};
use sal_store::ids::{GroupId, SourceId};
use sal_store::{inventory as inventory_rows, profiles as profile_rows};
use uuid::Uuid;

use crate::digest::Digests;
use crate::plan::{self, Rules};
use crate::submission::{Context, Submission};
use crate::{inventory, profiles, python};

/// What one machine sends, unpacked.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// The JSON of its check-in.
    pub checkin: &'a [u8],
    /// The plist of its inventory.
    pub inventory: Option<&'a [u8]>,
    /// The plist of its profiles.
    pub profiles: Option<&'a [u8]>,
    /// What its client calls itself.
    pub client: &'a str,
    /// When all that arrives.
    pub at: Timestamp,
}

/// What one machine sent, read.
#[derive(Debug, Clone)]
pub struct Reading {
    submission: Submission,
    inventory: Option<(String, inventory_rows::Changes)>,
    profiles: profile_rows::Changes,
    memory: Memory,
    at: Timestamp,
}

impl Reading {
    /// Reads it as the server would.
    ///
    /// # Errors
    /// Why the server would refuse or ignore it.
    pub fn of(sent: &Sent<'_>) -> Result<Self, String> {
        let text = str::from_utf8(sent.checkin).map_err(|error| error.to_string())?;
        let value = python::parse(text).map_err(|error| error.to_string())?;
        let context = Context {
            now: sent.at,
            zone: &TimeZone::UTC,
            ignore_facts: None,
        };
        let submission =
            Submission::read(&value, &context).map_err(|refusal| refusal.to_string())?;
        let inventory = sent
            .inventory
            .map(|plist| inventory::first(plist, LIMIT_BYTES));
        let profiles = sent
            .profiles
            .map(|plist| profiles::first(plist, LIMIT_BYTES, sent.at, &TimeZone::UTC));
        let memory = Memory {
            digests: Digests::of(&submission, sent.at, &HashSet::new()).encode(),
            compared: true,
            by_former_key: false,
            trace: Trace {
                body_bytes: i32::try_from(sent.checkin.len()).unwrap_or(i32::MAX),
                milliseconds: 0,
                address: String::new(),
                client: sent.client.to_owned(),
            },
        };
        Ok(Self {
            inventory: inventory
                .transpose()
                .map_err(|error| error.to_string())?
                .flatten(),
            profiles: profiles
                .transpose()
                .map_err(|error| error.to_string())?
                .unwrap_or_default(),
            submission,
            memory,
            at: sent.at,
        })
    }

    /// The sources that must be there.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let sections = self.submission.sections.iter();
        sections.map(|section| section.source.as_str())
    }

    /// The rows. `sources` has the ids of all [`Reading::sources`]; `remember` says whether our own tables are there.
    pub fn into_machine(
        self,
        group: GroupId,
        sources: &HashMap<String, SourceId>,
        remember: bool,
        new_id: &mut impl FnMut() -> Uuid,
    ) -> NewMachine {
        let wanted = Wanted {
            everything: true,
            ..Wanted::default()
        };
        let none = HashSet::new();
        let rules = Rules {
            now: self.at,
            group,
            sources,
            deploy: false,
            historical_facts: &none,
            wanted: &wanted,
        };
        let mut checkin = plan::plan(&Present::default(), &self.submission, &rules, new_id);
        checkin.memory = remember.then_some(self.memory);
        NewMachine {
            checkin,
            first_checkin: self.at,
            inventory: self.inventory,
            profiles: self.profiles,
        }
    }
}

/// The greatest plist, as the server's default.
const LIMIT_BYTES: usize = 64 * 1024 * 1024;
