//! The numbered differences from the original: each is written down, each has its test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::sources::{Source, with_extensions};

/// Where quirks are written down: a heading `## Q-012 …` or a table row `| Q-012 | …`.
const PAGE: &str = "docs/compat/quirks.md";

/// Quirks without a test, and tests of quirks nobody wrote down.
pub(crate) fn findings(root: &Path) -> Result<Vec<String>> {
    let page = root.join(PAGE);
    let page =
        std::fs::read_to_string(&page).with_context(|| format!("reading {}", page.display()))?;
    // Not xtask: the tests below look like tests of quirks.
    let mut sources = with_extensions(root, &["rs"])?;
    sources.retain(|source| source.path.starts_with("crates"));
    Ok(compare(&page, &sources))
}

fn compare(page: &str, sources: &[Source]) -> Vec<String> {
    let (written, mut findings) = written_down(page);
    let mut tested: BTreeMap<u16, String> = BTreeMap::new();
    for source in sources {
        for test in test_functions(&source.text) {
            for number in numbers_in_name(test) {
                tested
                    .entry(number)
                    .or_insert_with(|| format!("{test} in {}", source.path.display()));
            }
        }
    }
    for number in written
        .iter()
        .filter(|number| !tested.contains_key(*number))
    {
        findings.push(format!(
            "Q-{number:03} has no test with q{number:03} in its name"
        ));
    }
    for (number, test) in tested
        .iter()
        .filter(|(number, _)| !written.contains(*number))
    {
        findings.push(format!(
            "Q-{number:03} is tested by {test} but not written down in {PAGE}"
        ));
    }
    findings
}

/// The numbers on the page, and those that are on it twice.
fn written_down(page: &str) -> (BTreeSet<u16>, Vec<String>) {
    let (mut numbers, mut twice) = (BTreeSet::new(), Vec::new());
    for line in page.lines() {
        let start = match line.strip_prefix('|') {
            Some(row) => Some(row),
            None if line.starts_with('#') => Some(line.trim_start_matches('#')),
            None => None,
        };
        let name = start.map(|start| start.trim_start().trim_start_matches(['*', '`', '[']));
        let Some(number) = name
            .and_then(|name| name.strip_prefix("Q-"))
            .and_then(leading_number)
        else {
            continue;
        };
        if !numbers.insert(number) {
            twice.push(format!("Q-{number:03} is on {PAGE} twice"));
        }
    }
    (numbers, twice)
}

/// Names of the functions with an attribute such as `#[test]` or `#[tokio::test]`.
fn test_functions(text: &str) -> Vec<&str> {
    let (mut names, mut is_test) = (Vec::new(), false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.contains("::test");
        } else if let Some((_, name)) = line
            .split_once("fn ")
            .filter(|(before, _)| !before.contains("//"))
        {
            if is_test {
                names.extend(name.split(['(', '<']).next());
            }
            is_test = false;
        } else if !line.starts_with("//") && !line.is_empty() {
            is_test = false;
        }
    }
    names
}

/// The quirks a test's name carries: `q012_…`, `…_q_012`, as a word of the name.
fn numbers_in_name(name: &str) -> Vec<u16> {
    let words: Vec<&str> = name.split('_').collect();
    let joined = words.iter().filter_map(|word| word.strip_prefix('q'));
    let apart = words.windows(2).filter_map(|pair| match pair {
        ["q", number] => Some(*number),
        _ => None,
    });
    joined
        .chain(apart)
        .filter(|digits| digits.len() == 3)
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

/// Three digits at the start of a text, not followed by another.
fn leading_number(text: &str) -> Option<u16> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    (digits.len() == 3).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE_TEXT: &str = "# Quirks\n\n## Q-001 a heading\nas in Q-999\n\n| number | what |\n|---|---|\n| Q-002 | a row |\n| [Q-003](#x) | a link |\n";

    fn sources(text: &str) -> Vec<Source> {
        vec![Source {
            path: "crates/a/src/lib.rs".into(),
            text: text.to_owned(),
        }]
    }

    #[test]
    fn a_page_and_its_tests_agree() {
        let tests = "
            #[test]
            fn q001_is_so() {}
            #[tokio::test]
            #[expect(clippy::panic, reason = \"x\")]
            async fn the_row_of_q_002() {}
            // a comment
            #[test]
            // fn q777() in a comment
            fn both_q003_and_q001() {}
            fn q555_is_not_a_test() {}";
        assert_eq!(compare(PAGE_TEXT, &sources(tests)), Vec::<String>::new());
    }

    #[test]
    fn a_quirk_without_a_test_and_a_test_without_a_quirk_are_named() {
        let tests = "#[test]\nfn q001_and_q002() {}\n#[test]\nfn q0033_is_no_number() {}\n#[test]\nfn q042_unknown() {}";
        assert_eq!(
            compare(PAGE_TEXT, &sources(tests)),
            [
                "Q-003 has no test with q003 in its name",
                "Q-042 is tested by q042_unknown in crates/a/src/lib.rs but not written down in docs/compat/quirks.md",
            ]
        );
    }

    #[test]
    fn a_number_used_twice_is_named() {
        let findings = compare(
            "## Q-001 a\n## Q-001 b\n",
            &sources("#[test]\nfn q001() {}"),
        );
        assert_eq!(findings, ["Q-001 is on docs/compat/quirks.md twice"]);
    }
}
