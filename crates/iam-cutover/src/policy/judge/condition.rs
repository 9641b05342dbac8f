//! The condition of a statement, as far as a document and a clock can tell.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

/// Whether a condition holds for a login.
pub(super) enum Holds {
    /// It does, or there is none.
    Yes,
    /// It does not; says why.
    No(String),
    /// It has a key that logins never carry (AWS, "Limitations for IAM database authentication").
    Never(String),
    /// It depends on this key, which only AWS knows.
    Unknown(String),
}

/// Judges the whole condition of a statement: every part of it has to hold.
pub(super) fn holds(statement: &Value, now: Option<Timestamp>) -> Holds {
    let operators = statement.get("Condition").and_then(Value::as_object);
    let mut unknown = None;
    for (operator, keys) in operators.into_iter().flatten() {
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            if UNSUPPORTED.iter().any(|bad| bad.eq_ignore_ascii_case(key)) {
                return Holds::Never(key.clone());
            }
            match in_time(operator, key, wanted, now) {
                Some(Holds::Yes) => {}
                Some(other) => return other,
                None => unknown = unknown.or(Some(key.clone())),
            }
        }
    }
    unknown.map_or(Holds::Yes, Holds::Unknown)
}

/// A limit in time; `None` for every other condition.
fn in_time(operator: &str, key: &str, wanted: &Value, now: Option<Timestamp>) -> Option<Holds> {
    let of_now = ["aws:CurrentTime", "aws:EpochTime"];
    if !of_now.iter().any(|name| name.eq_ignore_ascii_case(key)) {
        return None;
    }
    let operator = operator.strip_suffix("IfExists").unwrap_or(operator);
    let comparison = operator
        .strip_prefix("Date")
        .or_else(|| operator.strip_prefix("Numeric"))?;
    let (limit, now) = (time(wanted)?, now?);
    let (holds, word) = match comparison {
        "LessThan" => (now < limit, "until"),
        "LessThanEquals" => (now <= limit, "until"),
        "GreaterThan" => (now > limit, "from"),
        "GreaterThanEquals" => (now >= limit, "from"),
        _ => return None,
    };
    Some(match holds {
        true => Holds::Yes,
        false => Holds::No(format!(
            "it allows it only {word} {limit} ({operator}), and now it is {now}"
        )),
    })
}

/// A date, a time with its zone, or seconds since 1970, as IAM takes them.
fn time(value: &Value) -> Option<Timestamp> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        // One of several: which is not worth reading.
        _ => return None,
    };
    let by_date = |date: Date| Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let time = text.parse::<Timestamp>().ok();
    let time = time.or_else(|| Timestamp::from_second(text.parse().ok()?).ok());
    time.or_else(|| by_date(text.parse().ok()?))
}

const UNSUPPORTED: [&str; 6] = [
    "aws:Referer",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:UserAgent",
    "aws:VpcSourceIp",
];
