//! Compares versions the way people read them: numbers as numbers, `10.9` before `10.10`.
//!
//! Meant for sorting, not for deciding: any two texts have an order, nonsense included.

use std::cmp::Ordering;

/// Compares two versions, older first. A version that continues another is newer: `14` < `14.1`.
#[must_use]
pub fn compare(left: &str, right: &str) -> Ordering {
    parts(left).cmp(parts(right)).then_with(|| left.cmp(right))
}

/// A piece of a version; words come before numbers, so `2.0b1` is older than `2.0.1`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Word(&'a str),
    /// Digits without leading zeros, by length and then by value: no overflow.
    Number(usize, &'a str),
}

fn parts(version: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = version;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = rest.chars().next()?;
        let digits = first.is_ascii_digit();
        let end = rest
            .find(|c: char| !c.is_alphanumeric() || c.is_ascii_digit() != digits)
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(if digits {
            let number = part.trim_start_matches('0');
            Part::Number(number.len(), number)
        } else {
            Part::Word(part)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_people_read_them() {
        let mut versions = ["15.1", "10.9.5", "15.0b2", "9", "10.10", "15", "15.0.1", ""];
        versions.sort_by(|left, right| compare(left, right));
        assert_eq!(
            versions,
            ["", "9", "10.9.5", "10.10", "15", "15.0b2", "15.0.1", "15.1"]
        );
    }

    #[test]
    fn numbers_beyond_any_integer_are_compared() {
        let long = "1".repeat(60);
        assert_eq!(compare(&long, "2"), Ordering::Greater);
        assert!(compare("007", "7").is_ne());
        assert_eq!(compare("é1", "é2"), Ordering::Less);
    }
}
