//! Whether a policy document lets somebody connect, and the usual mistakes by name.
//!
//! A reading of one document, not of all that IAM weighs: organisations, boundaries and session
//! policies come on top. The proof is a login.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use self::condition::Holds;

mod condition;

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
    /// It depends on what only AWS knows of the caller; says on what.
    Uncertain(String),
    /// It says nothing about connecting.
    Silent,
}

/// Reads a document for a resource such as `arn:aws:rds-db:…:dbuser:db-ABC/user`; without a time, what is limited in
/// time is uncertain.
#[must_use]
pub fn judge(document: &str, resource: &str, now: Option<Timestamp>) -> Verdict {
    let Ok(document) = serde_json::from_str::<Value>(document) else {
        return Verdict::Mistaken("the document is no JSON".to_owned());
    };
    let statements: Vec<&Value> = match document.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let has = |statement: &&&Value, effect: &str| {
        statement.get("Effect").and_then(Value::as_str) == Some(effect)
    };
    let connecting = || statements.iter().filter(|statement| is_about(statement));
    let mut uncertain = None;
    for statement in connecting().filter(|statement| has(statement, "Deny")) {
        match denies(statement, resource, now) {
            Some(Verdict::Denies) => return Verdict::Denies,
            other => uncertain = uncertain.or(other),
        }
    }
    let mut allowed = false;
    let mut mistake = None;
    for statement in connecting().filter(|statement| has(statement, "Allow")) {
        match allows(statement, resource, now) {
            Verdict::Allows => allowed = true,
            Verdict::Uncertain(why) => uncertain = uncertain.or(Some(Verdict::Uncertain(why))),
            Verdict::Mistaken(why) => mistake = Some(why),
            Verdict::Denies | Verdict::Silent => {}
        }
    }
    let otherwise = mistake.or_else(|| statements.iter().find_map(|one| misnamed(one)));
    match uncertain {
        Some(uncertain) => uncertain,
        None if allowed => Verdict::Allows,
        None => otherwise.map_or(Verdict::Silent, Verdict::Mistaken),
    }
}

/// Whether a statement says anything about connecting.
fn is_about(statement: &Value) -> bool {
    let fits = |action: &&str| fits(&action.to_ascii_lowercase(), CONNECT);
    match statement.get("NotAction") {
        Some(others) => !texts(Some(others)).iter().any(fits),
        None => texts(statement.get("Action")).iter().any(fits),
    }
}

/// Whether it names a resource, and if that depends on a policy variable, which one.
fn covers(statement: &Value, resource: &str) -> Result<bool, String> {
    if let Some(others) = statement.get("NotResource") {
        return Ok(!texts(Some(others))
            .iter()
            .any(|pattern| fits(pattern, resource)));
    }
    let patterns = texts(statement.get("Resource"));
    if patterns.iter().any(|pattern| fits(pattern, resource)) {
        return Ok(true);
    }
    let depends = patterns.iter().find_map(|pattern| {
        let (wide, variable) = without_variables(pattern)?;
        fits(&wide, resource).then_some(variable)
    });
    depends.map_or(Ok(false), Err)
}

/// A pattern with a star in place of every policy variable, and the first of them (IAM User Guide, "Policy variables").
fn without_variables(pattern: &str) -> Option<(String, String)> {
    let mut wide = String::new();
    let mut first = None;
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (variable, after) = after.split_once('}')?;
        wide.push_str(before);
        // These three stand for themselves.
        wide.push(match variable {
            "*" | "?" => '?',
            "$" => '$',
            _ => '*',
        });
        if !matches!(variable, "*" | "?" | "$") {
            first.get_or_insert_with(|| format!("${{{variable}}}"));
        }
        rest = after;
    }
    wide.push_str(rest);
    Some((wide, first?))
}

fn denies(statement: &Value, resource: &str, now: Option<Timestamp>) -> Option<Verdict> {
    match (
        covers(statement, resource),
        condition::holds(statement, now),
    ) {
        (Ok(false), _) | (_, Holds::No(_)) => None,
        (Ok(true), Holds::Yes) => Some(Verdict::Denies),
        (Ok(true), Holds::Never(key) | Holds::Unknown(key)) => Some(Verdict::Uncertain(format!(
            "a statement denies it under a condition on `{key}`"
        ))),
        (Err(variable), _) => Some(Verdict::Uncertain(format!(
            "a statement denies it for `{variable}`"
        ))),
    }
}

fn allows(statement: &Value, resource: &str, now: Option<Timestamp>) -> Verdict {
    let holds = condition::holds(statement, now);
    match (covers(statement, resource), holds) {
        (Ok(false), _) => {
            let patterns = texts(statement.get("Resource"));
            let differences = patterns.iter();
            let mut differences = differences.filter_map(|pattern| difference(pattern, resource));
            differences
                .next()
                .map_or(Verdict::Silent, Verdict::Mistaken)
        }
        (_, Holds::Never(key)) => Verdict::Mistaken(format!(
            "the condition key `{key}` is not supported for rds-db:connect, so that the statement never applies"
        )),
        (_, Holds::No(why)) => Verdict::Mistaken(why),
        (Err(variable), _) => Verdict::Uncertain(format!(
            "it allows what the variable `{variable}` makes of its resource"
        )),
        (Ok(true), Holds::Unknown(key)) => {
            Verdict::Uncertain(format!("it allows it under a condition on `{key}`"))
        }
        (Ok(true), Holds::Yes) => Verdict::Allows,
    }
}

/// `rds:connect`, which IAM takes and which allows nothing.
fn misnamed(statement: &Value) -> Option<String> {
    let actions = texts(statement.get("Action"));
    let wrong = actions
        .iter()
        .find(|action| action.eq_ignore_ascii_case("rds:connect"))?;
    Some(format!(
        "it allows `{wrong}`, which is no action; the one for logging in is `{CONNECT}`"
    ))
}

const CONNECT: &str = "rds-db:connect";

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
                judge(&allow(resource), WANTED, None),
                Verdict::Allows,
                "{resource}"
            );
        }
        let all =
            json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}).to_string();
        assert_eq!(judge(&all, WANTED, None), Verdict::Allows);
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
            let Verdict::Mistaken(why) = judge(&allow(resource), WANTED, None) else {
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
        assert_eq!(judge(&denied, WANTED, None), Verdict::Denies);
        let limited =
            json!({"Statement": {"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}})
            .to_string();
        assert!(
            matches!(judge(&limited, WANTED, None), Verdict::Mistaken(why) if why.contains("aws:SourceIp"))
        );
        let other = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
            .to_string();
        assert_eq!(judge(&other, WANTED, None), Verdict::Silent);
        assert!(matches!(judge("{", WANTED, None), Verdict::Mistaken(_)));
    }

    fn of(statement: &Value) -> Verdict {
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        judge(
            &json!({"Statement": statement}).to_string(),
            WANTED,
            Some(now),
        )
    }

    #[test]
    fn what_only_aws_knows_of_the_caller_is_uncertain_and_no_mistake() {
        let before = "arn:aws:rds-db:us-west-2:123456789012:dbuser:";
        for resource in [
            "db-ABC/${aws:PrincipalTag/db-user}",
            "db-ABC/${aws:username}",
            "${aws:PrincipalTag/database}/salawsiam",
            "*/sal${aws:userid}",
        ] {
            let verdict = of(&json!({"Effect": "Allow", "Action": "rds-db:connect",
                "Resource": format!("{before}{resource}")}));
            assert!(
                matches!(&verdict, Verdict::Uncertain(why) if why.contains("${aws:")),
                "{resource}: {verdict:?}"
            );
        }
        // Whatever the variable is, this names another database.
        let other = of(&json!({"Effect": "Allow", "Action": "rds-db:connect",
            "Resource": format!("{before}db-OTHER/${{aws:username}}")}));
        assert!(matches!(other, Verdict::Mistaken(_)), "{other:?}");
        let tagged = of(
            &json!({"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}),
        );
        assert!(matches!(tagged, Verdict::Uncertain(_)), "{tagged:?}");
        // AWS attaches this when somebody revokes a role's older sessions.
        let revoked = of(&json!([
            {"Effect": "Allow", "Action": "rds-db:connect", "Resource": WANTED},
            {"Effect": "Deny", "Action": "*", "Resource": "*",
             "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-05-01T00:00:00Z"}}},
        ]));
        assert!(matches!(revoked, Verdict::Uncertain(_)), "{revoked:?}");
    }

    #[test]
    fn the_neighbors_action_is_named() {
        for action in ["rds:connect", "RDS:Connect"] {
            let Verdict::Mistaken(why) =
                of(&json!({"Effect": "Allow", "Action": [action], "Resource": WANTED}))
            else {
                panic!("{action}")
            };
            assert!(why.contains("`rds-db:connect`"), "{why}");
        }
        let wide = json!({"Effect": "Allow", "Action": "rds:Describe*", "Resource": "*"});
        assert_eq!(of(&wide), Verdict::Silent);
    }

    #[test]
    fn time_that_is_over_or_has_not_come_is_a_denial() {
        let limited = |operator: &str, key: &str, time: &str| {
            of(
                &json!({"Effect": "Allow", "Action": "rds-db:connect", "Resource": WANTED,
                "Condition": {(operator): {(key): time}}}),
            )
        };
        for (operator, time) in [
            ("DateLessThan", "2026-05-31T23:59:59Z"),
            ("DateLessThanEquals", "2026-05-31"),
            ("DateGreaterThan", "2026-06-02T00:00:00Z"),
            ("DateGreaterThanEqualsIfExists", "2027-01-01T00:00:00+02:00"),
        ] {
            let verdict = limited(operator, "aws:CurrentTime", time);
            assert!(
                matches!(&verdict, Verdict::Mistaken(why) if why.contains("2026-06-01")),
                "{operator} {time}: {verdict:?}"
            );
        }
        let past = limited("NumericLessThan", "aws:EpochTime", "1700000000");
        assert!(matches!(past, Verdict::Mistaken(_)), "{past:?}");
        for (operator, time) in [
            ("DateLessThan", "2026-06-02T00:00:00Z"),
            ("DateGreaterThan", "2026-05-01T00:00:00Z"),
        ] {
            let verdict = limited(operator, "aws:currenttime", time);
            assert_eq!(verdict, Verdict::Allows, "{operator} {time}");
        }
        let denied = of(&json!([
            {"Effect": "Allow", "Action": "rds-db:connect", "Resource": WANTED},
            {"Effect": "Deny", "Action": "*", "Resource": "*",
             "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}},
        ]));
        assert_eq!(denied, Verdict::Denies);
    }

    #[test]
    fn what_is_said_by_exception_counts() {
        let all_but = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
        assert_eq!(of(&all_but), Verdict::Allows);
        let not_this = json!({"Effect": "Allow", "Action": "rds-db:*", "NotResource": WANTED});
        assert_eq!(of(&not_this), Verdict::Silent);
    }
}
