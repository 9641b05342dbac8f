//! The tables of Sal in two databases of one server.

use anyhow::{Context, Result};
use sal_store::schema::{self, Content};

use super::finding::Part;
use crate::commands;
use crate::config::database::DatabaseConfig;
use crate::exit::Exit;

/// Rows of the original that are not meant to be the same in both.
const OWN: &[(&str, &str)] = &[
    ("django_session", "Q-109"),
    ("inventory_application", "Q-107"),
    ("search_searchcache", "Q-108"),
    ("search_searchfieldcache", "Q-108"),
];

/// Compares the old server's database with the environment's.
pub(super) async fn compare(config: &DatabaseConfig, old: &str) -> Result<Result<Part, Exit>> {
    let mut of_old = config.clone();
    old.clone_into(&mut of_old.name);
    let mut contents = Vec::new();
    for config in [&of_old, config] {
        let db = match commands::connected(config).await? {
            Ok(db) => db,
            Err(exit) => return Ok(Err(exit)),
        };
        let read = schema::contents(&db).await;
        contents.push(read.with_context(|| format!("reading the tables of `{}`", config.name))?);
    }
    let [old, new] = contents.as_slice() else {
        return Ok(Ok(Part::new(NAME)));
    };
    Ok(Ok(differences(old, new)))
}

const NAME: &str = "Tables";

fn differences(old: &[Content], new: &[Content]) -> Part {
    let mut part = Part::new(NAME);
    let mut names: Vec<_> = old
        .iter()
        .chain(new)
        .map(|content| content.table.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let of = |all: &[Content]| all.iter().find(|content| content.table == name).cloned();
        let how = match (of(old), of(new)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(old), Some(new)) if old.rows == new.rows => {
                Some(format!("{} rows in both, with other content", old.rows))
            }
            (Some(old), Some(new)) => Some(format!("old {} rows, new {}", old.rows, new.rows)),
            (Some(_), None) => Some("only in the old database".to_owned()),
            (None, _) => Some("only in the new database".to_owned()),
        };
        let quirk = OWN.iter().find(|(table, _)| *table == name);
        part.note(name, how, quirk.map(|(_, quirk)| *quirk));
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(table: &str, rows: i64, digest: &str) -> Content {
        Content {
            table: table.to_owned(),
            rows,
            digest: digest.to_owned(),
        }
    }

    #[test]
    fn counts_and_contents_are_told_apart() {
        let old = [
            content("a", 3, "x"),
            content("b", 3, "x"),
            content("c", 1, "x"),
            content("gone", 0, ""),
        ];
        let new = [
            content("a", 3, "x"),
            content("b", 3, "y"),
            content("c", 2, "z"),
            content("made", 0, ""),
        ];
        let part = differences(&old, &new);
        assert_eq!(part.equal, 1);
        let said: Vec<_> = part
            .findings
            .iter()
            .map(|finding| format!("{}: {}", finding.what, finding.how))
            .collect();
        assert_eq!(
            said,
            [
                "b: 3 rows in both, with other content",
                "c: old 1 rows, new 2",
                "gone: only in the old database",
                "made: only in the new database",
            ]
        );
    }
}
