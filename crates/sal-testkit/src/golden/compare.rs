//! Compares a recorded answer with ours: what differs, in words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::canonical::{canonical, equal};
use super::report::Verdict;
use super::scenario::Answer;
use super::tables::Tables;

/// No more differences than these are listed for one answer.
const LIMIT: usize = 12;
/// Headers that count.
const HEADERS: [&str; 4] = [
    "location",
    "www-authenticate",
    "allow",
    "content-disposition",
];

/// The verdict over an answer, the differences outside tables, and those of tables.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) verdict: Verdict,
    pub(super) answer: Vec<String>,
    pub(super) tables: Vec<String>,
}

/// Compares two answers. Of what the original answered with a 5xx only the status counts.
pub(super) fn compare(want: &Answer, got: &Answer, status_only: bool) -> Comparison {
    let mut answer = Vec::new();
    if want.status != got.status {
        answer.push(format!("status {}, expected {}", got.status, want.status));
    }
    if want.status >= 500 {
        let verdict = if answer.is_empty() {
            Verdict::PeerErrorSame
        } else {
            Verdict::PeerErrorDifferent
        };
        return Comparison {
            verdict,
            answer,
            tables: Vec::new(),
        };
    }
    let mut tables = Vec::new();
    if !status_only {
        compare_content(want, got, &mut answer);
        if let (Some(want), Some(got)) = (&want.tables_changed, &got.tables_changed) {
            tables = table_differences(want, got);
        }
    }
    let same = answer.is_empty() && tables.is_empty();
    if same && !status_only && page(want.page.as_ref()) != page(got.page.as_ref()) {
        let mut reasons = Vec::new();
        let (want, got) = (
            want.page.clone().unwrap_or_default(),
            got.page.clone().unwrap_or_default(),
        );
        differences(&want, &got, "page", &mut reasons);
        return Comparison {
            verdict: Verdict::Soft,
            answer: reasons,
            tables,
        };
    }
    let verdict = if same {
        Verdict::Same
    } else {
        Verdict::Different
    };
    Comparison {
        verdict,
        answer,
        tables,
    }
}

/// The differences of two dumps, table by table.
pub(super) fn table_differences(want: &Tables, got: &Tables) -> Vec<String> {
    let names: BTreeSet<_> = want.keys().chain(got.keys()).collect();
    let rows =
        |tables: &Tables, name: &String| tables.get(name).map(|rows| Value::Array(rows.clone()));
    let mut reasons = Vec::new();
    for name in names {
        let path = format!("tables/{name}");
        match (rows(want, name), rows(got, name)) {
            (Some(want), Some(got)) => differences(&want, &got, &path, &mut reasons),
            (None, Some(got)) => reasons.push(format!("{path}: extra {}", short(&got))),
            (Some(want), None) => {
                reasons.push(format!("{path}: missing, expected {}", short(&want)))
            }
            (None, None) => {}
        }
    }
    reasons
}

/// Rows added and rows removed between two states of a table, each as canonical text.
pub(super) fn row_changes(before: &[Value], after: &[Value]) -> (Vec<String>, Vec<String>) {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for row in after {
        *counts.entry(canonical(row)).or_default() += 1;
    }
    for row in before {
        *counts.entry(canonical(row)).or_default() -= 1;
    }
    let pick = |wanted: fn(i64) -> bool| {
        let rows = counts.iter().filter(|(_, count)| wanted(**count));
        rows.flat_map(|(row, count)| (0..count.abs()).map(move |_| row.clone()))
            .collect()
    };
    (pick(|count| count > 0), pick(|count| count < 0))
}

fn compare_content(want: &Answer, got: &Answer, reasons: &mut Vec<String>) {
    let plain = |text: &str| text.to_lowercase().replace(' ', "");
    if plain(&want.content_type) != plain(&got.content_type) {
        reasons.push(format!(
            "content-type {:?}, expected {:?}",
            got.content_type, want.content_type
        ));
    }
    for name in HEADERS {
        let (want, got) = (want.headers.get(name), got.headers.get(name));
        if want.map(|text| without_application(text)) != got.map(|text| without_application(text)) {
            reasons.push(format!("{name} {got:?}, expected {want:?}"));
        }
    }
    differences(&want.body, &got.body, "body", reasons);
}

/// Ids of applications depend on the order in which a server stores an inventory: `/inventory/list/all/0/7/`.
fn without_application(text: &str) -> String {
    let Some((before, after)) = text.split_once("/inventory/") else {
        return text.to_owned();
    };
    let mut parts: Vec<&str> = after.split('/').collect();
    if let ["application" | "list", _, _, id, ..] = parts.as_mut_slice() {
        *id = "<application>";
    }
    format!("{before}/inventory/{}", parts.join("/"))
}

/// Texts and links of a page, sorted: the original leaves the order of many lists open.
fn page(page: Option<&Value>) -> Option<String> {
    let mut page = page?.clone();
    for (_, values) in page.as_object_mut()? {
        super::canonical::sort(values.as_array_mut()?);
    }
    Some(canonical(&page))
}

/// Lists the paths at which two values differ.
fn differences(want: &Value, got: &Value, path: &str, reasons: &mut Vec<String>) {
    if reasons.len() >= LIMIT || equal(want, got) {
        return;
    }
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            let names: BTreeSet<_> = want.keys().chain(got.keys()).collect();
            for name in names {
                match (want.get(name), got.get(name)) {
                    (Some(want), Some(got)) => {
                        differences(want, got, &format!("{path}/{name}"), reasons)
                    }
                    (None, Some(got)) => {
                        reasons.push(format!("{path}/{name}: extra {}", short(got)))
                    }
                    (Some(want), None) => {
                        reasons.push(format!("{path}/{name}: missing, expected {}", short(want)))
                    }
                    (None, None) => {}
                }
            }
        }
        (Value::Array(want), Value::Array(got)) => list_differences(want, got, path, reasons),
        (want, got) => reasons.push(format!("{path}: {}, expected {}", short(got), short(want))),
    }
    reasons.truncate(LIMIT);
}

fn list_differences(want: &[Value], got: &[Value], path: &str, reasons: &mut Vec<String>) {
    let flat = want
        .iter()
        .chain(got)
        .all(|value| !value.is_array() && !value.is_object());
    if want.len() == got.len() && flat {
        for (number, (want, got)) in want.iter().zip(got).enumerate() {
            differences(want, got, &format!("{path}[{number}]"), reasons);
        }
        return;
    }
    if want.len() != got.len() {
        reasons.push(format!(
            "{path}: {} entries, expected {}",
            got.len(),
            want.len()
        ));
    }
    let keys = |values: &[Value]| values.iter().map(canonical).collect::<BTreeSet<_>>();
    let (want_keys, got_keys) = (keys(want), keys(got));
    if want_keys == got_keys {
        reasons.push(format!("{path}: same entries, other order"));
        return;
    }
    let missing: Vec<_> = want
        .iter()
        .filter(|value| !got_keys.contains(&canonical(value)))
        .collect();
    let extra: Vec<_> = got
        .iter()
        .filter(|value| !want_keys.contains(&canonical(value)))
        .collect();
    for (want, got) in missing.iter().zip(&extra).take(3) {
        differences(want, got, &format!("{path}[]"), reasons);
    }
    for value in missing.iter().skip(extra.len()).take(3) {
        reasons.push(format!("{path}[]: missing {}", short(value)));
    }
    for value in extra.iter().skip(missing.len()).take(3) {
        reasons.push(format!("{path}[]: extra {}", short(value)));
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.chars().count() {
        0..160 => text,
        _ => format!("{}...", text.chars().take(157).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: Value) -> Answer {
        Answer {
            status,
            body,
            content_type: "text/html; charset=utf-8".to_owned(),
            ..Answer::default()
        }
    }

    #[test]
    fn status_body_headers_and_type_count() {
        let want = answer(200, json!({"text": "ok"}));
        assert_eq!(compare(&want, &want.clone(), false).verdict, Verdict::Same);
        let mut spaced = want.clone();
        spaced.content_type = "text/html;charset=UTF-8".to_owned();
        assert_eq!(compare(&want, &spaced, false).verdict, Verdict::Same);
        let mut got = answer(404, json!({"text": "no"}));
        got.headers.insert("allow".to_owned(), "POST".to_owned());
        got.headers.insert("vary".to_owned(), "Cookie".to_owned());
        let compared = compare(&want, &got, false);
        assert_eq!(compared.verdict, Verdict::Different);
        assert_eq!(
            compared.answer,
            [
                "status 404, expected 200",
                "allow Some(\"POST\"), expected None",
                "body/text: \"no\", expected \"ok\""
            ]
        );
        assert_eq!(
            compare(&want, &answer(200, Value::Null), true).verdict,
            Verdict::Same
        );
    }

    #[test]
    fn of_a_failure_of_the_original_only_the_status_counts() {
        let want = answer(500, Value::Null);
        assert_eq!(
            compare(&want, &answer(500, json!(1)), false).verdict,
            Verdict::PeerErrorSame
        );
        assert_eq!(
            compare(&want, &answer(400, json!(1)), false).verdict,
            Verdict::PeerErrorDifferent
        );
    }

    #[test]
    fn another_text_on_a_page_is_soft_and_another_order_is_not_seen() {
        let mut want = answer(404, Value::Null);
        want.page = Some(json!({"text": ["a", "b"], "links": []}));
        let mut got = want.clone();
        got.page = Some(json!({"text": ["b", "a"], "links": []}));
        assert_eq!(compare(&want, &got, false).verdict, Verdict::Same);
        got.page = Some(json!({"text": ["b", "c"], "links": []}));
        assert_eq!(compare(&want, &got, false).verdict, Verdict::Soft);
    }

    #[test]
    fn rows_that_differ_are_named() {
        let want = BTreeMap::from([(
            "fact".to_owned(),
            vec![json!({"n": 1, "v": "x"}), json!({"n": 2})],
        )]);
        let got = BTreeMap::from([
            ("fact".to_owned(), vec![json!({"n": 1, "v": "y"})]),
            ("plugin".to_owned(), vec![]),
        ]);
        assert_eq!(
            table_differences(&want, &got),
            [
                "tables/fact: 1 entries, expected 2",
                "tables/fact[]/v: \"y\", expected \"x\"",
                "tables/fact[]: missing {\"n\":2}",
                "tables/plugin: extra []",
            ]
        );
    }

    #[test]
    fn changes_of_rows_count_duplicates() {
        let (added, removed) = row_changes(
            &[json!(1), json!(1), json!(2)],
            &[json!(1), json!(3), json!(3)],
        );
        assert_eq!(
            (added, removed),
            (
                vec!["3".to_owned(); 2],
                vec!["1".to_owned(), "2".to_owned()]
            )
        );
    }
}
