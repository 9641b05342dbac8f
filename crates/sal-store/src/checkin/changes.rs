//! What one check-in writes: only differences, as values, with every id already known.

use jiff::Timestamp;
use uuid::Uuid;

use crate::ids::{GroupId, MachineId, SourceId};
use crate::machine_changes::ChangeLine;

/// All columns of `server_machine` that a check-in decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MachineColumns {
    /// Host name, at most 256 characters.
    pub hostname: Option<String>,
    /// Operating system version, as sent.
    pub operating_system: Option<String>,
    /// RAM as text, as sent.
    pub memory: Option<String>,
    /// RAM in KiB.
    pub memory_kb: i32,
    /// Free disk space in bytes.
    pub hd_space: Option<i64>,
    /// Disk size in bytes.
    pub hd_total: Option<i64>,
    /// Used disk space in percent, as text.
    pub hd_percent: Option<String>,
    /// Who is logged in at the console.
    pub console_user: Option<String>,
    /// Model identifier.
    pub machine_model: Option<String>,
    /// Model name.
    pub machine_model_friendly: Option<String>,
    /// Processor.
    pub cpu_type: Option<String>,
    /// Processor speed, as sent.
    pub cpu_speed: Option<String>,
    /// `Darwin`, `Windows`, `Linux`, `ChromeOS` or whatever the client says.
    pub os_family: String,
    /// Munki's version.
    pub munki_version: Option<String>,
    /// Munki's manifest.
    pub manifest: Option<String>,
    /// The client's version.
    pub sal_version: Option<String>,
    /// Whether the machine counts as in use.
    pub deployed: bool,
}

/// The machine's row: which one, and what it becomes. `broken_client` always becomes false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineWrite {
    /// The row, or none for a machine seen for the first time.
    pub id: Option<MachineId>,
    /// The cleaned serial number.
    pub serial: String,
    /// The group of the key in the body.
    pub group: GroupId,
    /// The time of this check-in; also `first_checkin` of a new machine.
    pub now: Timestamp,
    /// Everything else.
    pub columns: MachineColumns,
}

/// A fact to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFact {
    /// Who told us.
    pub source: SourceId,
    /// Its name.
    pub name: String,
    /// Its value, as Python's `str()` writes it.
    pub data: String,
}

/// A fact of which every value is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoricalFact {
    /// The fact.
    pub fact: NewFact,
    /// When it was recorded.
    pub recorded: Timestamp,
}

/// A managed item to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// A new time-ordered key.
    pub id: Uuid,
    /// Who manages it.
    pub source: SourceId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: ItemUpdate,
}

/// A managed item that is there and whose state is another now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedItem {
    /// The row.
    pub id: Uuid,
    /// Its state.
    pub state: ItemUpdate,
    /// Whether its details are the same as before, so that they need not travel.
    pub same_data: bool,
}

/// A managed item's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemUpdate {
    /// PRESENT, ABSENT, PENDING, ERROR, UNKNOWN or at most seven other characters.
    pub status: String,
    /// When it got there.
    pub date_managed: Timestamp,
    /// Details as JSON text, as Python's `json.dumps` writes it.
    pub data: Option<String>,
}

/// A line in a managed item's history, written where the newest line of the item says another status or there is none.
/// One that exists already is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemHistory {
    /// A new time-ordered key.
    pub id: Uuid,
    /// Who manages it.
    pub source: SourceId,
    /// The item's name.
    pub name: String,
    /// The status it changed to.
    pub status: String,
    /// When.
    pub recorded: Timestamp,
}

/// A message to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Who sent it.
    pub source: SourceId,
    /// ERROR, WARNING, OTHER, DEBUG or at most seven other characters.
    pub kind: String,
    /// Its text.
    pub text: Option<String>,
    /// Its date.
    pub date: Timestamp,
}

/// A message that is there and only got a new date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageUpdate {
    /// The row.
    pub id: i64,
    /// Its new date.
    pub date: Timestamp,
}

/// A row of plugin script results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// Its name.
    pub name: String,
    /// Its value, as Python's `str()` writes it.
    pub data: String,
    /// `<plugin>: <name>`, what searches look for.
    pub key: String,
}

/// New results of a plugin script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewScript {
    /// The script's name for itself.
    pub plugin: String,
    /// Whether earlier results are kept.
    pub historical: bool,
    /// The rows.
    pub rows: Vec<NewRow>,
}

/// A row that is there and got a new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowUpdate {
    /// The row.
    pub id: i64,
    /// Its new value.
    pub data: String,
}

/// Whence a check-in came, and how large it was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// Bytes of the body.
    pub body_bytes: i32,
    /// Milliseconds from the request's arrival until its rows were about to be written.
    pub milliseconds: i32,
    /// The client's address.
    pub address: String,
    /// What the client calls itself.
    pub client: String,
}

/// What is remembered of a check-in beside Sal's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// What it held.
    pub digests: Vec<u8>,
    /// Whether all rows were compared.
    pub compared: bool,
    /// Whether it came with a key that its group had before.
    pub by_former_key: bool,
    /// Whence it came.
    pub trace: Trace,
}

/// Everything one check-in writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The machine's row.
    pub machine: MachineWrite,
    /// What to remember; none where our table is missing.
    pub memory: Option<Memory>,
    /// New facts.
    pub facts_new: Vec<NewFact>,
    /// Facts with another value: row and value.
    pub facts_changed: Vec<RowUpdate>,
    /// Facts that are gone.
    pub facts_gone: Vec<i64>,
    /// Values to keep.
    pub facts_kept: Vec<HistoricalFact>,
    /// New managed items.
    pub items_new: Vec<NewItem>,
    /// Managed items with another state.
    pub items_changed: Vec<ChangedItem>,
    /// Managed items that are gone.
    pub items_gone: Vec<Uuid>,
    /// Lines of history.
    pub histories: Vec<ItemHistory>,
    /// What became of the machine.
    pub lines: Vec<ChangeLine>,
    /// New messages.
    pub messages_new: Vec<NewMessage>,
    /// Messages with another date.
    pub messages_changed: Vec<MessageUpdate>,
    /// Messages that are gone.
    pub messages_gone: Vec<i64>,
    /// Results of scripts that were not there, or are kept beside earlier ones.
    pub scripts_new: Vec<NewScript>,
    /// Plugins whose results are there and get a new time.
    pub plugins_touched: Vec<String>,
    /// Whether all messages get the time of the check-in.
    pub touch_messages: bool,
    /// Results to remove with their rows.
    pub scripts_gone: Vec<i64>,
    /// Rows to add to results that are there.
    pub rows_new: Vec<(i64, NewRow)>,
    /// Rows with another value.
    pub rows_changed: Vec<RowUpdate>,
    /// Rows that are gone.
    pub rows_gone: Vec<i64>,
}

impl Changes {
    /// Whether a fact is new, has another value, or is gone.
    pub(super) fn has_other_facts(&self) -> bool {
        !(self.facts_new.is_empty() && self.facts_changed.is_empty() && self.facts_gone.is_empty())
    }

    /// Whether a managed item is new, has another state, or is gone.
    pub(super) fn has_other_items(&self) -> bool {
        !(self.items_new.is_empty() && self.items_changed.is_empty() && self.items_gone.is_empty())
    }

    /// Whether rows that are there become others, or lines of history may be due.
    pub(super) fn has_rows_to_change(&self) -> bool {
        !(self.facts_changed.is_empty()
            && self.rows_changed.is_empty()
            && self.items_changed.is_empty()
            && self.histories.is_empty())
    }

    /// A check-in that writes nothing but the machine's row.
    pub fn only(machine: MachineWrite) -> Self {
        Self {
            machine,
            memory: None,
            facts_new: Vec::new(),
            facts_changed: Vec::new(),
            facts_gone: Vec::new(),
            facts_kept: Vec::new(),
            items_new: Vec::new(),
            items_changed: Vec::new(),
            items_gone: Vec::new(),
            histories: Vec::new(),
            lines: Vec::new(),
            messages_new: Vec::new(),
            messages_changed: Vec::new(),
            messages_gone: Vec::new(),
            scripts_new: Vec::new(),
            plugins_touched: Vec::new(),
            touch_messages: false,
            scripts_gone: Vec::new(),
            rows_new: Vec::new(),
            rows_changed: Vec::new(),
            rows_gone: Vec::new(),
        }
    }
}
