//! `salrs_change`: what became of machines, a line for each change, written in the transaction of the change.
//!
//! Status changes of managed items are not here: Sal keeps those itself (`server_manageditemhistory`), and whoever shows
//! what happened reads both.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::ids::MachineId;
use crate::pool::Executor;

macro_rules! kinds {
    ($($number:literal $kind:ident $word:literal $doc:literal,)*) => {
        /// What changed. Numbers are stored and stay; words are for addresses, files and programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i16)]
        pub enum ChangeKind {
            $(#[doc = $doc] $kind = $number,)*
        }

        impl ChangeKind {
            /// All, in the order in which they are offered.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its number in the table.
            #[must_use]
            pub const fn number(self) -> i16 {
                match self { $(Self::$kind => $number,)* }
            }

            /// Its word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }

            /// The kind of a number; none for one that a later version of this server stored.
            #[must_use]
            pub const fn of_number(number: i16) -> Option<Self> {
                match number { $($number => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    1 Appeared "appeared" "The first check-in.",
    2 Returned "returned" "A check-in after [`SILENT_DAYS`]; `was` is the one before.",
    3 Missing "missing" "No check-in for [`SILENT_DAYS`]; `was` is the last one.",
    4 Group "group" "Another machine group. Names of group and unit.",
    5 Hostname "hostname" "Another host name.",
    6 User "user" "Another console user.",
    7 System "os" "Another version of the operating system.",
    8 Model "model" "Another model.",
    9 Memory "memory" "Another size of memory.",
    10 Disk "disk" "The disk became nearly full, or is not any more. Used percent.",
    11 Client "client" "Another version of Sal's client.",
    12 Munki "munki" "Another version of Munki.",
    13 Manifest "manifest" "Another manifest of Munki.",
    14 Broken "broken" "Python of the client does not run, or does again.",
    15 Error "error" "An error began or ended; `name` is its text.",
    16 Warning "warning" "A warning began or ended; `name` is its text.",
    17 Item "item" "A managed item is no longer managed; `was` is its last status.",
    18 Application "application" "An application was added, removed or updated. Versions.",
    19 Profile "profile" "A profile was added or removed. Its identifier as `was` or `became`.",
}

/// One change of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLine {
    /// What changed.
    pub kind: ChangeKind,
    /// Of what; empty where the kind says all.
    pub name: String,
    /// What it was; none where it is new.
    pub was: Option<String>,
    /// What it became; none where it is gone.
    pub became: Option<String>,
}

impl ChangeLine {
    /// A line; texts that are longer than [`LONGEST`] are cut.
    #[must_use]
    pub fn new(kind: ChangeKind, name: &str, was: Option<&str>, became: Option<&str>) -> Self {
        let cut = |text: &str| text.chars().take(LONGEST).collect::<String>();
        Self {
            kind,
            name: cut(name),
            was: was.map(cut),
            became: became.map(cut),
        }
    }
}

crate::queries! {
    /// Writes lines of one machine.
    insert_changes(machine: MachineId, at: Timestamp, kinds: Vec<i16>, names: Vec<String>, was: Vec<Option<String>>, became: Vec<Option<String>>) =
        "INSERT INTO salrs_change (machine_id, at, kind, name, was, became)
         SELECT $1, $2, kind, name, was, became
         FROM unnest($3::smallint[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS new (kind, name, was, became, place)
         ORDER BY place";
}

/// Writes these lines of a machine; nothing when there are none.
///
/// # Errors
/// What the database says; [`StoreError::lacks_a_table`] where the addition is missing.
pub async fn write_changes(
    machine: MachineId,
    at: Timestamp,
    lines: &[ChangeLine],
    db: &impl Executor,
) -> Result<u64, StoreError> {
    if lines.is_empty() {
        return Ok(0);
    }
    let kinds = lines.iter().map(|line| line.kind.number()).collect();
    let names = lines.iter().map(|line| line.name.clone()).collect();
    let (was, became) = lines
        .iter()
        .map(|line| (line.was.clone(), line.became.clone()))
        .unzip();
    insert_changes(db, &machine, &at, &kinds, &names, &was, &became).await
}

/// The most characters of a text that are kept.
pub const LONGEST: usize = 255;
/// A machine that did not check in for so long is missing, as on the overview.
pub const SILENT_DAYS: i64 = 30;
/// From so many percent on a disk counts as nearly full, as in Sal's own report.
pub const NEARLY_FULL: i64 = 90;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_and_differ() {
        for kind in ChangeKind::ALL {
            assert_eq!(ChangeKind::of_number(kind.number()), Some(*kind));
            let same = ChangeKind::ALL
                .iter()
                .filter(|other| other.word() == kind.word());
            assert_eq!(same.count(), 1);
        }
        assert_eq!(ChangeKind::of_number(0), None);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "ü".repeat(300);
        let line = ChangeLine::new(ChangeKind::Error, &long, Some(&long), None);
        assert_eq!(line.name.chars().count(), LONGEST);
        assert_eq!(line.was.unwrap().chars().count(), LONGEST);
    }
}
