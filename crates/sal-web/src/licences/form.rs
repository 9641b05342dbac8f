//! The form of a licence: what was typed, and what it means. Pure.

use sal_store::{ids::UnitId, licences::Licence};
use serde::Deserialize;

use crate::given_name::given_name;

/// What was typed, under Sal's names.
#[derive(Default, Deserialize)]
pub(super) struct LicenceForm {
    #[serde(default)]
    pub(super) item_name: String,
    #[serde(default)]
    pub(super) total: String,
    #[serde(default)]
    pub(super) cost_per_seat: String,
    #[serde(default)]
    pub(super) business_unit: String,
    #[serde(default)]
    pub(super) inventory_name: String,
    #[serde(default)]
    pub(super) inventory_version: String,
    #[serde(default)]
    pub(super) inventory_bundleid: String,
    #[serde(default)]
    pub(super) inventory_bundlename: String,
    #[serde(default)]
    pub(super) inventory_path: String,
    #[serde(default)]
    pub(super) notes: String,
}

impl LicenceForm {
    /// The form of a licence that exists.
    pub(super) fn of(licence: &Licence) -> Self {
        let licence = licence.clone();
        Self {
            item_name: licence.item_name,
            total: licence.total.to_string(),
            cost_per_seat: licence.cost_per_seat.to_string(),
            business_unit: licence.business_unit_id.to_string(),
            inventory_name: licence.inventory_name,
            inventory_version: licence.inventory_version,
            inventory_bundleid: licence.inventory_bundleid,
            inventory_bundlename: licence.inventory_bundlename,
            inventory_path: licence.inventory_path,
            notes: licence.notes,
        }
    }

    /// Whether this unit is chosen.
    pub(super) fn is_of(&self, unit: &UnitId) -> bool {
        self.business_unit == unit.to_string()
    }

    /// The licence, or a sentence for each thing that is wrong.
    pub(super) fn licence(&self) -> Result<Licence, Vec<String>> {
        let mut problems = Vec::new();
        let mut text = |what: &str, typed: &str, most: usize| {
            let typed = typed.trim();
            if typed.chars().count() > most || typed.contains('\0') {
                problems.push(format!("{what} has at most {most} characters."));
            }
            typed.to_owned()
        };
        let licence = Licence {
            inventory_name: text("The application's name", &self.inventory_name, 256),
            inventory_version: text("The version", &self.inventory_version, 32),
            inventory_bundleid: text("The bundle ID", &self.inventory_bundleid, 256),
            inventory_bundlename: text("The bundle name", &self.inventory_bundlename, 256),
            inventory_path: text("The path", &self.inventory_path, 1024),
            notes: text("The text of the notes", &self.notes, MOST_NOTES),
            item_name: self.item_name.trim().to_owned(),
            total: number(&self.total).unwrap_or_else(|| {
                problems.push(format!("Seats are {A_NUMBER}"));
                0
            }),
            cost_per_seat: number(&self.cost_per_seat).unwrap_or_else(|| {
                problems.push(format!("What a seat costs is {A_NUMBER}"));
                0
            }),
            business_unit_id: UnitId(self.business_unit.trim().parse().unwrap_or_else(|_error| {
                problems.push(NO_UNIT.to_owned());
                0
            })),
        };
        if let Err(problem) = given_name(&self.item_name, NAME) {
            problems.insert(0, problem);
        } else if [".", ".."].contains(&self.item_name.trim()) {
            // Browsers take them out of addresses, so the licence could never be opened.
            problems.insert(0, "A name is more than dots.".to_owned());
        }
        if problems.is_empty() {
            Ok(licence)
        } else {
            Err(problems)
        }
    }
}

/// A number that its column can hold; nothing typed is 0, as in Sal.
fn number(typed: &str) -> Option<i32> {
    match typed.trim() {
        "" => Some(0),
        typed => typed.parse().ok().filter(|number| *number >= 0),
    }
}

/// The longest name, in characters: the width of Sal's column.
const NAME: usize = 64;
/// The longest notes; the column would hold anything.
const MOST_NOTES: usize = 20_000;
const A_NUMBER: &str = "a whole number from 0 to 2,147,483,647.";
/// When there is no such unit, or none was chosen.
pub(super) const NO_UNIT: &str = "Choose the business unit that has the licence.";

#[cfg(test)]
mod tests {
    use super::*;

    fn form(total: &str, name: &str) -> LicenceForm {
        LicenceForm {
            item_name: name.to_owned(),
            total: total.to_owned(),
            business_unit: "3".to_owned(),
            inventory_path: " /Applications/X.app ".to_owned(),
            ..LicenceForm::default()
        }
    }

    #[test]
    fn what_was_typed_becomes_a_licence() {
        let licence = form("12", " Office ").licence().unwrap();
        assert_eq!((licence.item_name.as_str(), licence.total), ("Office", 12));
        assert_eq!(
            (licence.inventory_path.as_str(), licence.cost_per_seat),
            ("/Applications/X.app", 0)
        );
        assert_eq!(licence.business_unit_id, UnitId(3));
        let again = LicenceForm::of(&licence);
        assert_eq!(again.licence().unwrap(), licence);
        assert!(again.is_of(&UnitId(3)) && !again.is_of(&UnitId(30)));
    }

    #[test]
    fn every_mistake_is_named() {
        for total in ["-1", "1.5", "x", "2147483648"] {
            assert_eq!(form(total, "a").licence().unwrap_err().len(), 1, "{total}");
        }
        let long = "ä".repeat(65);
        for name in ["", "  ", "..", "a\0b", &long] {
            assert_eq!(form("1", name).licence().unwrap_err().len(), 1, "{name}");
        }
        let mut all = form("x", "");
        all.business_unit = String::new();
        all.inventory_version = "1".repeat(33);
        all.notes = "\0".to_owned();
        assert_eq!(all.licence().unwrap_err().len(), 5);
    }
}
