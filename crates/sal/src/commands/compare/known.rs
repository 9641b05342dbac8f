//! Which differences are on purpose. What each number means is read from the page itself.

/// The page of numbered differences.
const QUIRKS: &str = include_str!("../../../../../docs/compat/quirks.md");

/// Lists whose machines differ on purpose: plugin, segment (empty for each), number.
const LISTS: &[(&str, &str, &str)] = &[
    ("DiskSpace", "", "Q-040"),
    ("Memory", "", "Q-041"),
    ("Encryption", "", "Q-110"),
    ("Sip", "unknown", "Q-111"),
    ("Uptime", "", "Q-112"),
    ("MachineModels", "", "Q-113"),
    ("Messages", "", "Q-114"),
    ("OperatingSystem", "", "Q-118"),
];

/// The number for a list.
pub(super) fn list(plugin: &str, segment: &str) -> Option<&'static str> {
    let found = LISTS
        .iter()
        .find(|(name, only, _)| *name == plugin && (only.is_empty() || *only == segment));
    found.map(|(_, _, quirk)| *quirk)
}

/// What this server does, in the words of the page.
pub(super) fn reason(quirk: &str) -> Option<&'static str> {
    let row = QUIRKS.lines().find(|line| {
        line.strip_prefix("| ")
            .is_some_and(|rest| rest.starts_with(quirk))
    })?;
    row.split(" | ").nth(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_on_the_page() {
        for (plugin, segment, quirk) in LISTS {
            assert!(
                reason(quirk).is_some_and(|text| text.len() > 5),
                "{plugin} {segment} {quirk}"
            );
        }
        for quirk in ["Q-009", "Q-109", "Q-139", "Q-902"] {
            assert_eq!(reason(quirk).is_some(), quirk != "Q-902");
        }
    }

    #[test]
    fn a_number_without_a_segment_counts_for_each() {
        assert_eq!(list("DiskSpace", "alert"), Some("Q-040"));
        assert_eq!(list("Sip", "ok"), None);
        assert_eq!(list("Status", "all_machines"), None);
    }
}
