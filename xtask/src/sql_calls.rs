//! Calls in SQL that may run as an administrator: every one says `pg_catalog`, part of `cargo xtask arch`.
//!
//! In a database that somebody else owns, a name without a schema may mean that somebody's function, view or type. The
//! sessions look in `pg_catalog` only (`rds_iam::guard`); that the names say so too keeps a statement right wherever it
//! is sent from. Statements are found in string literals, `rust_strings.rs`; those of the deployment's own sessions
//! (`sal-store`) are not looked at.

use std::path::Path;

use anyhow::Result;

use crate::rust_strings::strings;
use crate::sources::{Source, with_extensions};

/// Whose statements are looked at.
const LOOKED_AT: &[&str] = &[
    "crates/iam-cutover/src",
    "crates/rds-iam/src",
    "crates/pg-relay/src",
    "crates/sal/src",
];
/// These work in databases of their own.
const LEFT_OUT: &[&str] = &[
    "crates/sal/src/commands/bench",
    "crates/sal/src/commands/demo.rs",
    "crates/sal/src/commands/lab",
];

/// Every name that does not say where it is from.
pub(crate) fn findings(root: &Path) -> Result<Vec<String>> {
    let sources = with_extensions(root, &["rs"])?;
    Ok(sources
        .iter()
        .filter(|source| counts(source))
        .flat_map(in_source)
        .collect())
}

fn counts(source: &Source) -> bool {
    let below = |folders: &[&str]| folders.iter().any(|folder| source.path.starts_with(folder));
    below(LOOKED_AT) && !below(LEFT_OUT) && !source.path.ends_with("tests.rs")
}

fn in_source(source: &Source) -> Vec<String> {
    let written = source
        .text
        .split("\n#[cfg(test)]\n")
        .next()
        .unwrap_or_default();
    let statements = strings(written)
        .into_iter()
        .filter(|(_, text)| is_sql(text));
    let finding = |line: usize, name: String| {
        format!(
            "{}:{line}: `{name}` without `pg_catalog.` in SQL that may run as an administrator",
            source.path.display()
        )
    };
    statements
        .flat_map(|(line, text)| {
            unqualified(&text)
                .into_iter()
                .map(move |(below, name)| (line + below, name))
        })
        .map(|(line, name)| finding(line, name))
        .collect()
}

/// Whether a text is a statement, or a part of one that calls something of Postgres's.
fn is_sql(text: &str) -> bool {
    let words = tokens(text);
    words
        .iter()
        .any(|token| VERBS.contains(&token.text.as_str()))
        || words
            .windows(2)
            .any(|pair| matches!(pair, [name, open] if open.text == "(" && is_known(&name.text)))
}

fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|known| name.starts_with(known))
}

/// Names of functions, catalogs and types that do not say `pg_catalog`, each with its line below the first.
fn unqualified(sql: &str) -> Vec<(usize, String)> {
    let tokens = tokens(sql);
    let at = |index: usize| {
        tokens
            .get(index)
            .map(|token| token.text.as_str())
            .unwrap_or_default()
    };
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let name = token.text.as_str();
        if !name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_') {
            continue;
        }
        let before = index.checked_sub(1).map(at).unwrap_or_default();
        let schema = match before {
            "." => index.checked_sub(2).map(at),
            _ => None,
        };
        if schema == Some("pg_catalog") {
            continue;
        }
        let is_call = at(index + 1) == "("
            && (tokens.get(index + 1).is_some_and(|open| open.touches) || is_known(name));
        let is_catalog = schema.is_none()
            && name.starts_with("pg_")
            && !HARMLESS.contains(&name)
            && at(index + 1) != "."
            && !is_call
            && (matches!(before, "FROM" | "JOIN" | "," | "INTO" | "UPDATE" | "ONLY"));
        let is_cast = before == "::" && name.starts_with("reg");
        if (is_call && !GRAMMAR.contains(&name)) || is_catalog || is_cast {
            found.push((token.line, name.to_owned()));
        }
    }
    found
}

/// A word, a sign, or `::`.
struct Token {
    text: String,
    /// Which line, from 0.
    line: usize,
    /// Whether it follows what is before it without a blank.
    touches: bool,
}

/// The words and signs outside of quotes and comments.
fn tokens(sql: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut letters = sql.chars().peekable();
    let (mut line, mut touches) = (0, false);
    while let Some(letter) = letters.next() {
        let mut text = letter.to_string();
        match letter {
            '\n' => line += 1,
            '\'' | '"' => {
                for inside in letters.by_ref().take_while(|inside| *inside != letter) {
                    line += usize::from(inside == '\n');
                }
                text = "'".to_owned();
            }
            '-' if letters.peek() == Some(&'-') => {
                letters
                    .by_ref()
                    .take_while(|inside| *inside != '\n')
                    .for_each(drop);
                line += 1;
                touches = false;
                continue;
            }
            ':' if letters.peek() == Some(&':') => {
                letters.next();
                text.push(':');
            }
            first if is_letter(first) => {
                while let Some(next) = letters.next_if(|next| is_letter(*next)) {
                    text.push(next);
                }
            }
            _ => {}
        }
        let is_blank = letter.is_whitespace();
        if !is_blank {
            found.push(Token {
                text,
                line,
                touches,
            });
        }
        touches = !is_blank;
    }
    found
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Words with which a statement begins, as this house writes them.
const VERBS: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "CREATE", "ALTER", "LOCK",
];
/// How functions of Postgres's begin that are worth finding in a part of a statement, too.
const KNOWN: &[&str] = &[
    "pg_",
    "has_",
    "quote_",
    "to_reg",
    "current_setting",
    "set_config",
    "format",
    "unnest",
    "aclexplode",
    "shobj_",
    "obj_",
];
/// What looks like a call and is grammar (Postgres manual, appendix C).
const GRAMMAR: &[&str] = &[
    "any",
    "all",
    "array",
    "bit",
    "cast",
    "char",
    "character",
    "coalesce",
    "decimal",
    "exists",
    "extract",
    "float",
    "greatest",
    "in",
    "interval",
    "least",
    "nullif",
    "numeric",
    "overlay",
    "position",
    "row",
    "substring",
    "time",
    "timestamp",
    "trim",
    "values",
    "varchar",
    "varying",
];
/// Schemas, which have none themselves, and the file that messages name.
const HARMLESS: &[&str] = &["pg_catalog", "pg_temp", "pg_hba"];

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        assert!(is_sql(sql), "{sql}");
        unqualified(sql).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn what_does_not_say_where_it_is_from_is_found() {
        for (sql, expected) in [
            (
                "SELECT quote_ident(nspname) FROM pg_catalog.pg_namespace",
                &["quote_ident"][..],
            ),
            ("SELECT format ('%I', x)", &["format"]),
            (
                "SELECT 1 FROM pg_roles r, pg_class JOIN pg_authid a",
                &["pg_roles", "pg_class", "pg_authid"],
            ),
            (
                "SELECT 'x'::regclass, $1::regrole",
                &["regclass", "regrole"],
            ),
            ("SELECT public.f(1), other.now()", &["f", "now"]),
            (
                "has_parameter_privilege(session_user, s.name, 'SET')",
                &["has_parameter_privilege"],
            ),
            (
                "INSERT INTO t (a, b) VALUES (now(), count(*))",
                &["now", "count"],
            ),
            ("WITH x AS (SELECT max(y) FROM z) SELECT x", &["max"]),
            ("CREATE TABLE t (x timestamptz DEFAULT now())", &["now"]),
            ("SELECT pg_catalog.lower(lower(x))", &["lower"]),
        ] {
            assert_eq!(names(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_is_right_or_is_no_call_is_left_alone() {
        for sql in [
            "SELECT pg_catalog.count(*), COALESCE(a, b), EXISTS (SELECT FROM pg_catalog.pg_roles) FROM pg_catalog.pg_class",
            "WITH RECURSIVE above (member, role) AS (SELECT 1, 2) SELECT a.member FROM above a WHERE a.role = ANY($1::text[])",
            "INSERT INTO salrs_iam.salrs_iam_journal (seq, entry) VALUES ($1, $2)",
            "SELECT pg_catalog.format('%I.%I(%s) quote_ident(x)', n.nspname) -- now() pg_roles\nFROM x",
            "SELECT 1 FROM x WHERE c IN ('a') AND d NOT IN(1) AND e = ALL(ARRAY['f'])",
            "SELECT pg_catalog.set_config('search_path', '', false), numeric(10,2), varchar(3)",
            "ALTER FUNCTION {}({}) OWNER TO x",
            "CREATE INDEX ON {table} (word)",
            "SELECT x::pg_catalog.regclass, session_user, current_user",
            "SET search_path = pg_catalog, pg_temp; SELECT 1",
        ] {
            assert_eq!(names(sql), Vec::<String>::new(), "{sql}");
        }
        for text in [
            "the role (see above) is what pg_hba.conf says",
            "`sal iam plan` (again)",
            "fn main(x)",
        ] {
            assert!(!is_sql(text), "{text}");
        }
    }

    #[test]
    fn a_finding_names_file_line_and_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crates/iam-cutover/src");
        std::fs::create_dir_all(&path).unwrap();
        let text = "//! quote_ident(x) in SELECT\nconst A: &str = \"\nSELECT pg_catalog.now(),\n       quote_ident(x)\";\n\n#[cfg(test)]\nmod tests { const B: &str = \"SELECT now()\"; }\n";
        std::fs::write(path.join("read.rs"), text).unwrap();
        let elsewhere = folder.path().join("crates/sal-store/src");
        std::fs::create_dir_all(&elsewhere).unwrap();
        std::fs::write(elsewhere.join("a.rs"), "const A: &str = \"SELECT now()\";").unwrap();
        let found = findings(folder.path()).unwrap();
        assert_eq!(
            found,
            [
                "crates/iam-cutover/src/read.rs:4: `quote_ident` without `pg_catalog.` in SQL that may run as an administrator"
            ]
        );
    }
}
