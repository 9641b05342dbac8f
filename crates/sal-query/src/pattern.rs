//! Regular expressions that Postgres and our library read alike.

use regex::Regex;

/// Postgres would only say at night that it cannot read a pattern: what it and our library read alike is taken.
///
/// # Errors
/// Says why the pattern cannot be used.
pub fn checked_pattern(pattern: &str) -> Result<String, String> {
    let odd =
        |why: &str| format!("`{pattern}` is no regular expression that can be used here: {why}");
    Regex::new(pattern).map_err(|_unreadable| odd("it cannot be read"))?;
    let escapes_are_known = pattern
        .split('\\')
        .skip(1)
        .all(|rest| !rest.starts_with(['p', 'P', 'b', 'B', 'x', 'u', 'U', 'A', 'z']));
    if !escapes_are_known || pattern.contains("[[") || pattern.contains("(?P") {
        return Err(odd(
            "use only plain characters, classes, groups, and \\d \\s \\w",
        ));
    }
    let body = pattern.strip_prefix("(?i)").unwrap_or(pattern);
    if body.replace("(?:", "(").contains("(?") {
        return Err(odd("of groups with `?` only (?:…) and a leading (?i)"));
    }
    Ok(pattern.to_owned())
}
