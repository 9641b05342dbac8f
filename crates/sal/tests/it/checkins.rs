//! A fleet of Macs, its check-ins, and whether what is stored of one is the whole of it.
//!
//! What a row must hold is read from the submission itself, not from what the server made of another one.

use std::collections::BTreeSet;

use fake_fleet::{Client, Family, Fleet, FleetOptions, Submission};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::server::{CHECKIN_PATIENCE, Server};
use crate::stage::{KEY, Stage};

/// Some Macs; the same ones in every test.
pub(crate) struct Macs {
    fleet: Fleet,
    indices: Vec<u32>,
}

impl Macs {
    pub(crate) fn new(count: usize) -> Self {
        let fleet = Fleet::new(FleetOptions {
            machines: 10_000,
            facts: 80,
            items: 60,
            ..FleetOptions::default()
        });
        let is_mac = |index: &u32| fleet.machine(*index).family() == Family::Darwin;
        let indices = (0..10_000).filter(is_mac).take(count).collect();
        Self { fleet, indices }
    }

    pub(crate) fn count(&self) -> usize {
        self.indices.len()
    }

    /// The check-in of a Mac's run; every run is an hour after the one before.
    pub(crate) fn checkin(&self, mac: usize, run: u32) -> Submission {
        let first: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
        let at = first + SignedDuration::from_hours(run.into());
        self.fleet.machine(self.indices[mac]).checkin(run, at, KEY)
    }

    /// Lets a Mac check in; the status, or 0 when there was no answer.
    pub(crate) async fn check_in(&self, mac: usize, run: u32, server: &Server) -> u16 {
        self.check_in_at(&server.url, mac, run).await
    }

    pub(crate) async fn check_in_at(&self, url: &str, mac: usize, run: u32) -> u16 {
        let client = Client::new(url, KEY, CHECKIN_PATIENCE).unwrap();
        let answer = client.submit(&self.checkin(mac, run)).await;
        answer.map_or(0, |outcome| outcome.status)
    }
}

/// Everything of one check-in that ends up in rows of its own, one text each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Content {
    facts: BTreeSet<String>,
    items: BTreeSet<String>,
    scripts: BTreeSet<String>,
    messages: BTreeSet<String>,
    hd_space: String,
}

impl Content {
    /// What the submission says.
    pub(crate) fn submitted(submission: &Submission) -> Self {
        let body: Value = serde_json::from_slice(&submission.body).unwrap();
        let mut content = Self {
            facts: BTreeSet::new(),
            items: BTreeSet::new(),
            scripts: BTreeSet::new(),
            messages: BTreeSet::new(),
            hd_space: body["Machine"]["extra_data"]["hd_space"].to_string(),
        };
        for (source, section) in body.as_object().unwrap() {
            content.add_section(source, section);
        }
        for result in body["plugin_results"].as_array().unwrap() {
            let plugin = result["plugin"].as_str().unwrap();
            for (name, value) in result["data"].as_object().unwrap() {
                let line = format!("{plugin}|{name}|{}", python_text(value));
                content.scripts.insert(line);
            }
        }
        content
    }

    fn add_section(&mut self, source: &str, section: &Value) {
        for (name, value) in section["facts"].as_object().into_iter().flatten() {
            let line = format!("{source}|{name}|{}", python_text(value));
            self.facts.insert(line);
        }
        for (name, item) in section["managed_items"].as_object().into_iter().flatten() {
            let (status, date) = (item["status"].as_str().unwrap(), seconds(item));
            self.items
                .insert(format!("{source}|{name}|{status}|{date}"));
        }
        for message in section["messages"].as_array().into_iter().flatten() {
            let text = message["text"].as_str().unwrap();
            self.messages.insert(format!("{source}|{text}"));
        }
    }

    /// What the tables hold of a machine; `None` when there is no such machine.
    pub(crate) async fn stored(serial: &str, stage: &Stage) -> Option<Self> {
        let lines = async |sql: &str| -> BTreeSet<String> {
            let sql = sql.replace("$SERIAL", &format!("'{serial}'"));
            let rows = stage.rows(&sql).await;
            rows.into_iter().map(|row| row.join("|")).collect()
        };
        Some(Self {
            hd_space: lines("SELECT hd_space FROM server_machine WHERE serial = $SERIAL")
                .await
                .into_iter()
                .next()?,
            facts: lines(FACTS).await,
            items: lines(ITEMS).await,
            scripts: lines(SCRIPTS).await,
            messages: lines(MESSAGES).await,
        })
    }
}

/// The run whose check-in is stored, whole; panics when what is stored is of no run or of several.
pub(crate) async fn stored_run(
    mac: usize,
    runs: std::ops::Range<u32>,
    macs: &Macs,
    stage: &Stage,
) -> Option<u32> {
    let serial = macs.checkin(mac, 0).serial;
    let stored = Content::stored(&serial, stage).await?;
    let found = runs
        .rev()
        .find(|run| Content::submitted(&macs.checkin(mac, *run)) == stored);
    assert!(found.is_some(), "{serial} is of no single run: {stored:#?}");
    found
}

/// `str()` of Python, as far as the fleet's values need it.
fn python_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

/// The time of an item, as seconds.
fn seconds(item: &Value) -> i64 {
    let text = item["date_managed"].as_str().unwrap();
    let parsed = text
        .parse()
        .or_else(|_other| Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text));
    parsed.unwrap().as_second()
}

const FACTS: &str = "SELECT s.name, f.fact_name, f.fact_data FROM server_fact f \
     JOIN server_machine m ON m.id = f.machine_id \
     JOIN server_managementsource s ON s.id = f.management_source_id WHERE m.serial = $SERIAL";
const ITEMS: &str = "SELECT s.name, i.name, i.status, extract(epoch FROM i.date_managed)::bigint \
     FROM server_manageditem i JOIN server_machine m ON m.id = i.machine_id \
     JOIN server_managementsource s ON s.id = i.management_source_id WHERE m.serial = $SERIAL";
const SCRIPTS: &str = "SELECT p.plugin, r.pluginscript_name, r.pluginscript_data \
     FROM server_pluginscriptrow r JOIN server_pluginscriptsubmission p ON p.id = r.submission_id \
     JOIN server_machine m ON m.id = p.machine_id WHERE m.serial = $SERIAL";
const MESSAGES: &str = "SELECT s.name, x.text FROM server_message x \
     JOIN server_machine m ON m.id = x.machine_id \
     JOIN server_managementsource s ON s.id = x.management_source_id WHERE m.serial = $SERIAL";
