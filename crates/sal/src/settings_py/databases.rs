//! `DATABASES`: where the database is and who logs in. The password is never repeated.

use super::literal::Value;
use super::translate::{Findings, Line, line_of};

/// Notes what a dictionary of databases is here.
pub(super) fn note(value: &Value, line: usize, findings: &mut Findings) {
    let Some(database) = value.get("default") else {
        findings.not_understood("DATABASES", line, "there is no literal `default` in it");
        return;
    };
    if let Value::Dict(databases) = value
        && databases.len() > 1
    {
        findings.no_equivalent(
            "DATABASES",
            line,
            "one database is used, `default`; for a standby write its name into DB_HOST when it takes over",
        );
    }
    match database.get("ENGINE") {
        Some(Value::Text(engine)) if engine.contains("sqlite") => findings.no_equivalent(
            "DATABASES",
            line,
            "SQLite: this server needs Postgres; docs/guides/switch-from-django-sal.md, \"From SQLite to Postgres\", has how to take the data along",
        ),
        Some(Value::Text(engine)) if engine.contains("postg") => {
            postgres(database, engine, line, findings);
        }
        Some(Value::Text(_)) => {
            findings.no_equivalent("DATABASES", line, "this server needs Postgres");
        }
        _ => findings.not_understood("DATABASES", line, "its ENGINE is not a literal"),
    }
}

fn postgres(database: &Value, engine: &str, line: usize, findings: &mut Findings) {
    for (key, variable) in [
        ("HOST", "DB_HOST"),
        ("PORT", "DB_PORT"),
        ("NAME", "DB_NAME"),
        ("USER", "DB_USER"),
    ] {
        put(database.get(key), key, variable, line, findings);
    }
    let options = database.get("OPTIONS");
    let option = |key: &str| options.and_then(|options| options.get(key));
    let is_iam =
        engine.contains("iam") || matches!(option("use_iam_auth"), Some(Value::Bool(true)));
    if is_iam {
        findings.set(
            "AWS_IAM",
            "true".to_owned(),
            Line {
                name: "DATABASES",
                line,
            },
        );
    } else if !matches!(database.get("PASSWORD"), None | Some(Value::None)) {
        findings.yourself(
            "DB_PASS",
            line,
            "the password is not shown: set DB_PASS yourself, or DB_PASS_FILE to a file with it",
        );
    }
    put(
        option("region_name"),
        "OPTIONS region_name",
        "AWS_RDS_REGION",
        line,
        findings,
    );
    put(
        option("sslmode"),
        "OPTIONS sslmode",
        "DB_SSLMODE",
        line,
        findings,
    );
    put(
        option("sslrootcert"),
        "OPTIONS sslrootcert",
        "DB_SSLROOTCERT",
        line,
        findings,
    );
    if let Some(Value::Dict(options)) = options {
        let is_known =
            |key: &Value| matches!(key, Value::Text(key) if OPTIONS.contains(&key.as_str()));
        if options.iter().any(|(key, _value)| !is_known(key)) {
            findings.no_equivalent(
                "DATABASES",
                line,
                "of OPTIONS only sslmode, sslrootcert, region_name and use_iam_auth have a counterpart",
            );
        }
    }
}

const OPTIONS: &[&str] = &["region_name", "sslmode", "sslrootcert", "use_iam_auth"];

fn put(
    value: Option<&Value>,
    key: &'static str,
    variable: &'static str,
    line: usize,
    findings: &mut Findings,
) {
    let name = "DATABASES";
    match value {
        None | Some(Value::None) => {}
        Some(Value::Dynamic {
            of_environment: true,
            ..
        }) => findings.nothing(name),
        Some(Value::Int(number)) => findings.set(variable, number.to_string(), Line { name, line }),
        Some(Value::Text(text)) if text.is_empty() => {}
        // A URL there would be one with a password in it.
        Some(Value::Text(text))
            if !(text.contains("://") || key == "HOST" && text.contains('@')) =>
        {
            match line_of(text) {
                Ok(text) => findings.set(variable, text, Line { name, line }),
                Err(why) => {
                    findings.not_understood(
                        name,
                        line,
                        &format!("its {key}: {why}; set {variable} yourself"),
                    );
                }
            }
        }
        Some(other) => {
            let line = match other {
                Value::Dynamic { line, .. } => *line,
                _ => line,
            };
            findings.not_understood(
                name,
                line,
                &format!("its {key} is not a plain literal; set {variable} yourself"),
            );
        }
    }
}
