//! What must hold for JSON alone.
//!
//! Python's JSON is plain JSON and a little more: `NaN`, infinities, lone surrogates, numbers without bounds,
//! deeper nesting. Inside plain JSON both readers must agree; outside, only one of those may be the reason.

use sal_checkin::python::{Value, dumps, parse, text};

/// Whoever reads plain JSON must read the same. `serde_json` uses one key for itself, which is left alone.
pub(super) fn agrees_with_a_second_opinion(raw: &str, ours: Option<&Value<'_>>) {
    if raw.contains("$serde_json") {
        return;
    }
    match (serde_json::from_str::<serde_json::Value>(raw), ours) {
        (Ok(theirs), Some(ours)) => {
            assert!(equal(&theirs, ours), "{theirs:?} was read as {ours:?}")
        }
        (Ok(theirs), None) => panic!("{theirs:?} is JSON and was refused"),
        (Err(error), Some(_)) => {
            let more = ["NaN", "Infinity", "\\u"]
                .iter()
                .any(|part| raw.contains(part));
            let deep = raw.bytes().filter(|byte| b"[{".contains(byte)).count() > 120;
            assert!(more || deep, "taken, although: {error}");
        }
        (Err(_), None) => {}
    }
}

/// `parse(dumps(x)) == x`, and what is written is written the same again.
pub(super) fn survives_writing_and_reading(value: &Value<'_>) {
    let written = dumps(value);
    assert!(
        written.is_ascii(),
        "{written:?} has letters that are not escaped"
    );
    let again = parse(&written).expect("what was written can be read");
    assert!(same(value, &again), "{value:?} came back as {again:?}");
    assert_eq!(dumps(&again), written);
    assert_eq!(text(&again), text(value));
}

fn equal(theirs: &serde_json::Value, ours: &Value<'_>) -> bool {
    match (theirs, ours) {
        (serde_json::Value::Null, Value::Null) => true,
        (serde_json::Value::Bool(theirs), Value::Bool(ours)) => theirs == ours,
        (serde_json::Value::String(theirs), Value::Text(ours)) => theirs == ours,
        (serde_json::Value::Number(theirs), Value::Int(ours)) => {
            let theirs = theirs.to_string();
            theirs == *ours || (theirs == "-0" && ours == "0")
        }
        (serde_json::Value::Number(theirs), Value::Float(ours)) => {
            theirs.to_string().parse::<f64>() == Ok(*ours)
        }
        (serde_json::Value::Array(theirs), Value::List(ours)) => {
            let pairs = || theirs.iter().zip(ours);
            theirs.len() == ours.len() && pairs().all(|(theirs, ours)| equal(theirs, ours))
        }
        (serde_json::Value::Object(theirs), Value::Dict(ours)) => {
            let found = |name: &str, theirs| ours.get(name).is_some_and(|ours| equal(theirs, ours));
            theirs.len() == ours.len() && theirs.iter().all(|(name, value)| found(name, value))
        }
        _ => false,
    }
}

/// Equality, except that a NaN is a NaN and a minus zero is no zero.
fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Dict(one), Value::Dict(other)) => {
            let mut pairs = one.iter().zip(other.iter());
            one.len() == other.len()
                && pairs.all(|((name, one), (named, other))| name == named && same(one, other))
        }
        (one, other) => one == other,
    }
}
