//! Whether a policy document lets somebody connect, and the usual mistakes by name.
//!
//! A reading of one document, not of all that IAM weighs: organisations, boundaries and session
//! policies come on top. The proof is a login.

use serde::Serialize;
use serde_json::Value;

/// What a document says to `rds-db:connect` on one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "why")]
pub enum Verdict {
    /// It allows it.
    Allows,
    /// It denies it, whatever else allows it.
    Denies,
    /// It means to allow connecting, but not this; says what is wrong.
    Mistaken(String),
    /// It says nothing about connecting.
    Silent,
}

/// Reads a document for a resource such as `arn:aws:rds-db:…:dbuser:db-ABC/user`.
#[must_use]
pub fn judge(document: &str, resource: &str) -> Verdict {
    let Ok(document) = serde_json::from_str::<Value>(document) else {
        return Verdict::Mistaken("the document is no JSON".to_owned());
    };
    let statements = match document.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let about: Vec<&Value> = statements
        .into_iter()
        .filter(|statement| {
            texts(statement.get("Action"))
                .iter()
                .any(|action| fits(&action.to_ascii_lowercase(), "rds-db:connect"))
        })
        .collect();
    let covers = |statement: &Value| {
        texts(statement.get("Resource"))
            .iter()
            .any(|pattern| fits(pattern, resource))
    };
    let has = |statement: &&&Value, effect: &str| {
        statement.get("Effect").and_then(Value::as_str) == Some(effect)
    };
    if about
        .iter()
        .filter(|statement| has(statement, "Deny"))
        .any(|statement| covers(statement))
    {
        return Verdict::Denies;
    }
    let mut mistake = None;
    for statement in about.iter().filter(|statement| has(statement, "Allow")) {
        match (covers(statement), condition(statement)) {
            (true, None) => return Verdict::Allows,
            (true, Some(key)) => {
                mistake = Some(format!(
                    "the condition key `{key}` is not supported for rds-db:connect, so that the statement never applies"
                ));
            }
            (false, _) => {
                let patterns = texts(statement.get("Resource"));
                mistake = mistake.or_else(|| {
                    patterns
                        .iter()
                        .find_map(|pattern| difference(pattern, resource))
                });
            }
        }
    }
    mistake.map_or(Verdict::Silent, Verdict::Mistaken)
}

/// The first unsupported key of its conditions (AWS, "Limitations for IAM database authentication").
fn condition(statement: &Value) -> Option<String> {
    let operators = statement.get("Condition")?.as_object()?;
    let mut keys = operators
        .values()
        .filter_map(Value::as_object)
        .flat_map(|keys| keys.keys());
    keys.find(|key| UNSUPPORTED.iter().any(|bad| bad.eq_ignore_ascii_case(key)))
        .cloned()
}

/// Says in which part a resource differs from the right one.
fn difference(found: &str, wanted: &str) -> Option<String> {
    const NAMES: [&str; 6] = [
        "prefix",
        "partition",
        "service",
        "region",
        "account",
        "word `dbuser`",
    ];
    let (found_parts, wanted_parts): (Vec<&str>, Vec<&str>) = (
        found.splitn(7, ':').collect(),
        wanted.splitn(7, ':').collect(),
    );
    for ((name, found_part), wanted_part) in NAMES.iter().zip(&found_parts).zip(&wanted_parts) {
        if !fits(found_part, wanted_part) {
            return Some(format!(
                "`{found}` has `{found_part}` as {name}, where `{wanted_part}` belongs"
            ));
        }
    }
    let (Some(found_end), Some(wanted_end)) = (found_parts.get(6), wanted_parts.get(6)) else {
        return Some(format!(
            "`{found}` is no resource of rds-db:connect; the right one is `{wanted}`"
        ));
    };
    let (wanted_id, wanted_user) = wanted_end.split_once('/')?;
    let Some((id, user)) = found_end.split_once('/') else {
        return Some(format!("`{found}` has no `/USER` after the resource id"));
    };
    if !fits(id, wanted_id) {
        let hint = if id.starts_with("db-") || id.starts_with("cluster-") || id.starts_with("prx-")
        {
            "another database's resource id"
        } else {
            "an identifier, not a resource id"
        };
        return Some(format!(
            "`{found}` has `{id}` ({hint}), where `{wanted_id}` belongs"
        ));
    }
    (!fits(user, wanted_user))
        .then(|| format!("`{found}` is for the user `{user}`, not `{wanted_user}`"))
}

/// A text or a list of texts.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// IAM's wildcards: `*` is any text, `?` one character.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = pattern.get(1..).unwrap_or_default();
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| fits(rest, text.get(at..).unwrap_or_default()))
        }
        Some(first) => {
            let mut chars = text.chars();
            let same = chars
                .next()
                .is_some_and(|next| first == '?' || first == next);
            same && fits(
                pattern.get(first.len_utf8()..).unwrap_or_default(),
                chars.as_str(),
            )
        }
    }
}

const UNSUPPORTED: [&str; 6] = [
    "aws:Referer",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:UserAgent",
    "aws:VpcSourceIp",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WANTED: &str = "arn:aws:rds-db:us-west-2:123456789012:dbuser:db-ABC/salawsiam";

    fn allow(resource: &str) -> String {
        json!({"Statement": {"Effect": "Allow", "Action": "rds-db:connect", "Resource": resource}})
            .to_string()
    }

    #[test]
    fn right_and_wide_policies_allow() {
        for resource in [
            WANTED,
            "*",
            "arn:aws:rds-db:us-west-2:123456789012:dbuser:*/salawsiam",
            "arn:aws:rds-db:*:*:dbuser:db-ABC/*",
        ] {
            assert_eq!(
                judge(&allow(resource), WANTED),
                Verdict::Allows,
                "{resource}"
            );
        }
        let all =
            json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}).to_string();
        assert_eq!(judge(&all, WANTED), Verdict::Allows);
    }

    #[test]
    fn the_usual_mistakes_are_named() {
        let cases = [
            (
                "arn:aws:rds-db:us-west-2:123456789012:dbuser:sal-sandbox/salawsiam",
                "an identifier, not a resource id",
            ),
            (
                "arn:aws:rds-db:us-west-2:123456789012:dbuser:db-OTHER/salawsiam",
                "another database's",
            ),
            (
                "arn:aws:rds-db:us-west-2:123456789012:dbuser:db-ABC/SalAwsIam",
                "for the user `SalAwsIam`",
            ),
            (
                "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/salawsiam",
                "`us-east-1` as region",
            ),
            (
                "arn:aws:rds-db:us-west-2:999999999999:dbuser:db-ABC/salawsiam",
                "as account",
            ),
            (
                "arn:aws:rds:us-west-2:123456789012:db:sal-sandbox",
                "`rds` as service",
            ),
            (
                "arn:aws:rds-db:us-west-2:123456789012:dbuser/db-ABC/salawsiam",
                "as word `dbuser`",
            ),
            (
                "arn:aws:rds-db:us-west-2:123456789012:dbuser:db-ABC:salawsiam",
                "no `/USER`",
            ),
        ];
        for (resource, hint) in cases {
            let Verdict::Mistaken(why) = judge(&allow(resource), WANTED) else {
                panic!("{resource}")
            };
            assert!(why.contains(hint), "{resource}: {why}");
        }
    }

    #[test]
    fn denials_conditions_and_silence_are_told_apart() {
        let denied = json!({"Statement": [
            {"Effect": "Allow", "Action": "rds-db:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "rds-db:connect", "Resource": WANTED},
        ]})
        .to_string();
        assert_eq!(judge(&denied, WANTED), Verdict::Denies);
        let limited =
            json!({"Statement": {"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}})
            .to_string();
        assert!(
            matches!(judge(&limited, WANTED), Verdict::Mistaken(why) if why.contains("aws:SourceIp"))
        );
        let other = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
            .to_string();
        assert_eq!(judge(&other, WANTED), Verdict::Silent);
        assert!(matches!(judge("{", WANTED), Verdict::Mistaken(_)));
    }
}
