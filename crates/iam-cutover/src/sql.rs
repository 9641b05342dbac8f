//! Names, texts and settings as SQL takes them.
//!
//! Roles and databases cannot be parameters of `CREATE ROLE` and `GRANT`, so they are quoted here,
//! whatever characters are in them (Postgres manual, 4.1 Lexical Structure).

/// A name as SQL takes it.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL takes it, with backslashes in either mode of `standard_conforming_strings`.
pub fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// The value of a setting, as `ALTER ROLE … SET` takes it.
///
/// Lists of names are stored quoted one by one, and given one by one, as pg_dump does.
pub(crate) fn setting_value(name: &str, value: &str) -> String {
    if QUOTED_LISTS.contains(&name.to_ascii_lowercase().as_str()) && !value.trim().is_empty() {
        let parts: Vec<String> = rds_iam::guard::names(value)
            .iter()
            .map(|part| literal(part))
            .collect();
        return parts.join(", ");
    }
    literal(value)
}

/// The settings that are lists of quoted names (Postgres source: `GUC_LIST_QUOTE`).
const QUOTED_LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_stay_what_they_are() {
        assert_eq!(identifier("a\"b;--"), "\"a\"\"b;--\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
    }

    #[test]
    fn lists_of_names_are_kept_and_empty_ones_are_a_text() {
        let path = "\"$user\", public";
        assert_eq!(setting_value("search_path", path), "'$user', 'public'");
        assert_eq!(setting_value("search_path", "\"\""), "''");
        assert_eq!(
            setting_value("search_path", "\"a\"\"b, c\", d"),
            "'a\"b, c', 'd'"
        );
        assert_eq!(setting_value("Search_Path", ""), "''");
        assert_eq!(setting_value("work_mem", "8MB"), "'8MB'");
        assert_eq!(setting_value("DateStyle", "ISO, MDY"), "'ISO, MDY'");
    }
}
