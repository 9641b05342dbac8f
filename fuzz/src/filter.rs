//! What somebody types as a filter.
//!
//! What is read is written back as text that says the same; what makes sense becomes SQL that has exactly the places of
//! its parameters, and none of what was typed in its text; what stands at any place can be completed.

use jiff::{Timestamp, tz::TimeZone};
use sal_query::{
    Expr,
    check::{self, NothingNamed, check_expr},
    complete::complete,
    parse,
};

use crate::Outcome;

/// Checks one text, if it is one.
pub fn check(data: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(data) else {
        return Outcome::Refused;
    };
    for cursor in [0, text.len() / 2, text.len()] {
        let found = complete(text, cursor);
        assert!(text.get(found.replace.clone()).is_some(), "{found:?}");
    }
    let parsed = match parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(text.get(error.at.clone()).is_some(), "{error:?}");
            assert!(!error.message.is_empty());
            return Outcome::Refused;
        }
    };
    let printed = parsed.expr.to_string();
    let again = parse(&printed).unwrap_or_else(|error| panic!("{printed:?}: {error}"));
    assert_eq!(again.expr, parsed.expr, "{printed:?}");
    let json = serde_json::to_string(&parsed.expr).expect("a tree is JSON");
    let back: Expr = serde_json::from_str(&json).expect("and JSON a tree");
    assert_eq!(back, parsed.expr, "{json}");
    let zone = TimeZone::UTC;
    let checked = check::check(&parsed, &zone, &NothingNamed);
    if let Err(error) = &checked {
        assert!(text.get(error.at.clone()).is_some(), "{error:?}");
    }
    let as_data = check_expr(&parsed.expr, &zone, &NothingNamed);
    let Ok(condition) = checked else {
        assert!(as_data.is_err(), "{json}");
        return Outcome::Refused;
    };
    assert_eq!(as_data.as_ref(), Ok(&condition), "{json}");
    let fragment = condition.to_sql(Timestamp::UNIX_EPOCH, FIRST);
    let places = places(&fragment.text);
    let wanted: Vec<usize> = (FIRST..FIRST + fragment.parameters.len()).collect();
    assert_eq!(places, wanted, "{}", fragment.text);
    assert!(fragment.text.is_ascii(), "{}", fragment.text);
    Outcome::Accepted
}

const FIRST: usize = 2;

/// The numbers of all places in a statement, each once.
fn places(sql: &str) -> Vec<usize> {
    let mut places: Vec<usize> = sql
        .split('$')
        .skip(1)
        .filter_map(|rest| rest.split_once("::")?.0.parse().ok())
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}
