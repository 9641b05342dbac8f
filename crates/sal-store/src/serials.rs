//! `server_machine` by serial number, for submissions that bring more than one spelling of it.

use crate::error::StoreError;
use crate::ids::MachineId;
use crate::pool::Tx;

crate::queries! {
    /// The machine with the first of these serial numbers that there is, locked against other submissions of it
    /// until the transaction ends.
    lock_first(serials: Vec<String>) -> /// A machine that exists.
    FoundMachine {
        /// Its id.
        id: MachineId,
    } = "SELECT id FROM server_machine WHERE serial = ANY($1::text[])
         ORDER BY array_position($1::text[], serial::text) LIMIT 1 FOR NO KEY UPDATE";
}

/// Begins the transaction and locks the machine, in one round trip once the statement is known.
pub async fn begin_with_machine(
    serials: &Vec<String>,
    tx: &Tx,
) -> Result<Option<MachineId>, StoreError> {
    tx.know(&[ALL]).await?;
    let (begun, found) = tokio::join!(biased; tx.send_begin(), lock_first(tx, serials));
    begun?;
    Ok(found?.first().map(|machine| machine.id))
}

/// What makers and hypervisors put where no serial number was given, as a check-in cleans it. All machines that say so
/// would be one row.
pub const PLACEHOLDERS: [&str; 18] = [
    "NOT AVAILABLE",
    "NOT SPECIFIED",
    "NOT APPLICABLE",
    "UNAVAILABLE",
    "UNKNOWN",
    "NONE",
    "NULL",
    "(NULL)",
    "NA",
    "N.A.",
    "0",
    "DEFAULT STRING",
    "SYSTEM SERIAL NUMBER",
    "SYSTEM SERIAL#",
    "SERIAL NUMBER",
    "TO BE FILLED BY O.E.M.",
    "INVALID",
    "SERNUM",
];

/// Whether a cleaned serial number says that there is none: one of [`PLACEHOLDERS`], or one character again and again.
#[must_use]
pub fn is_placeholder(serial: &str) -> bool {
    let mut characters = serial.chars();
    let first = characters.next();
    let is_one_character = (LEAST_REPEATED..=MOST_REPEATED).contains(&serial.chars().count())
        && characters.all(|character| Some(character) == first);
    PLACEHOLDERS.contains(&serial) || is_one_character
}

/// A condition on `machine` for rows that [`apart`] made, or that Sal made before. A pattern with a back reference
/// would take six times as long over a large fleet.
pub(crate) fn has_placeholder() -> String {
    let words = PLACEHOLDERS.map(|word| format!("'{word}'")).join(", ");
    let given = "split_part(machine.serial, ' @ ', 1)";
    format!(
        "({given} IN ({words}) OR (length({given}) BETWEEN {LEAST_REPEATED} AND {MOST_REPEATED} \
         AND ltrim({given}, left({given}, 1)) = ''))"
    )
}

/// The serial number under which a machine that has none is filed: the placeholder with the machine's name.
#[must_use]
pub fn apart(placeholder: &str, hostname: &str) -> String {
    // As in any serial number, `+` and `/` go: every route finds it by the cleaned form.
    let name = hostname.to_uppercase().replace(['+', '/'], "");
    let name = name.trim();
    if name.is_empty() {
        return placeholder.to_owned();
    }
    let whole = format!("{placeholder} @ {name}");
    if whole.chars().count() <= SERIAL_LENGTH {
        return whole;
    }
    // Names that begin alike are told apart by their ends.
    let end: String = whole.chars().rev().take(KEPT_END).collect();
    let start = whole.chars().take(SERIAL_LENGTH - KEPT_END - 1);
    start.chain(['~']).chain(end.chars().rev()).collect()
}

/// How much of a name's end stays where the middle is left out.
const KEPT_END: usize = 40;
/// The length of `server_machine.serial`.
pub const SERIAL_LENGTH: usize = 100;
/// `00000000` is none, and `1111` might be one of somebody's own.
const LEAST_REPEATED: usize = 6;
/// As long as a UUID; beyond it no maker's field goes, and a name has room behind it.
const MOST_REPEATED: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q137_placeholders_are_known_and_serial_numbers_are_none() {
        for none in ["NOT AVAILABLE", "0", "00000000", "XXXXXXXXXX", "......"] {
            assert!(is_placeholder(none), "{none}");
        }
        let as_long_as_the_column = "S".repeat(SERIAL_LENGTH);
        for serial in [
            &as_long_as_the_column,
            "C02A",
            "VMWARE-56 4D",
            "AAAAA",
            "NOT AVAILABLE @ MAC-1",
            "",
            "1111",
        ] {
            assert!(!is_placeholder(serial), "{serial}");
        }
    }

    #[test]
    fn q137_machines_without_a_serial_number_are_told_apart_by_their_names() {
        assert_eq!(apart("NONE", " lab-1 "), "NONE @ LAB-1");
        assert_eq!(apart("NONE", "/ +0200 a/b"), "NONE @ 0200 AB");
        assert_eq!(apart("NONE", ""), "NONE");
        let long = |last: &str| apart("NONE", &format!("{}{last}", "x".repeat(120)));
        assert_eq!(long("1").chars().count(), SERIAL_LENGTH);
        assert_ne!(long("1"), long("2"));
    }
}
