//! Whatever is typed as a value or a name: the answer is machines or a clean refusal, never an error of the database.

use jiff::tz::TimeZone;
use sal_query::check::{NothingNamed, check_expr};
use sal_query::expr::{CastName, Compare, Expr, Op, Quantifier, Takes};
use sal_query::{Condition, catalogue, pattern::checked_pattern};
use sal_store::devices::count_devices;
use sal_store::overview::count_machines;
use sal_store::scope::Scope;

use super::{oracle::matches, random::wrapped, stage::Stage};

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = TEXTS.iter().map(|&text| text.to_owned()).collect();
    for (text, times) in [("x", 10_000), ("9", 10_000), ("1.", 5_000), ("🦀", 3_000)] {
        texts.push(text.repeat(times));
    }
    texts
}

fn patterns() -> Vec<String> {
    let mut patterns: Vec<String> = PATTERNS.iter().map(|&text| text.to_owned()).collect();
    patterns.push("x".repeat(10_000));
    patterns.push("x*".repeat(500));
    patterns
}

const TEXTS: &[&str] = &[
    "",
    " ",
    "'",
    "\"",
    "''",
    "\\",
    "\\\\",
    "%",
    "_",
    "%%%",
    "\\%",
    "a\0b",
    "\0",
    "'; DROP TABLE server_machine; --",
    "$1",
    "$1::text",
    ":name",
    "{}",
    "{1,2}",
    "(",
    ")",
    "/",
    "//",
    "a/",
    "/a",
    "\r\n",
    "\t",
    "\u{feff}",
    "\u{202e}gnirts",
    "שלום",
    "مرحبا",
    "e\u{301}",
    "👩‍👩‍👧‍👦",
    "\u{1F600}",
    "İıſß",
    "\u{10ffff}",
    "ﬀ",
    // Numbers at and behind the ends of their types.
    "0",
    "-0",
    "-1",
    "1e5",
    "1e999",
    "NaN",
    "Infinity",
    "-Infinity",
    "0x10",
    "1_000",
    "+5",
    "٣",
    "1.",
    ".1",
    "1.5",
    "1.5.2",
    "2147483647",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999999999999999999999",
    "0.000000000000000000000000000001",
    "1..2",
    "15.",
    "15.*",
    ".*",
    "*",
    "*.*",
    "x.x",
    ".x",
    "8EB",
    "9223372036854775807KiB",
    "999999999999999PB",
    "10 GB",
    "10 apples",
    "-10GB",
    // Dates at and behind the ends of the calendars of both programs.
    "0001-01-01",
    "9999-12-31",
    "-009999-01-01",
    "10000-01-01",
    "0000-00-00",
    "2026-02-29",
    "2024-02-29",
    "2026-13-01",
    "1899-12-31",
    "1900-01-01",
    "2900-12-31",
    "2901-01-01",
    "9999-12-31T23:59:59.999999999Z",
    "-9999-01-02T00:00:00Z",
    "-009999-01-02T01:59:59Z",
    "2026-11-22T12:00:00+25:00",
    "2026-11-22 24:00:00",
    "2026-11-22 23:59:60",
    "2026-11-22T12:00:00[Europe/Berlin]",
    "infinity",
    "now",
    "today",
    "epoch",
    "1d",
    "0d",
    "999999999999d",
    "36525d",
    "36526d",
    "1s",
    "14 days",
    "yes",
    "NO",
    "tRuE",
    "on",
    "null",
    "NULL",
];

/// Patterns that one of the two libraries does not know, reads otherwise, or takes too long for.
const PATTERNS: &[&str] = &[
    "a**",
    "a*+",
    "a++",
    "a?*",
    "*a",
    "+",
    "?",
    "a{1,1000}",
    "a{256}",
    "a{255}",
    "a{2,1}",
    "(a{200}){200}",
    "((a{100}){100}){100}",
    "a{,5}",
    "a{",
    "{1}",
    "a{1}{2}",
    "(?i)a",
    "a(?i)b",
    "(?i)",
    "(?s).",
    "(?x) a",
    "(?-i)a",
    "(?i:a)",
    "(?=a)",
    "(?!a)",
    "(?<=a)b",
    "(?<n>a)",
    "(?P<n>a)",
    "(?#c)",
    "\\1",
    "(a)\\1",
    "\\Qa\\E",
    "\\b",
    "\\<",
    "\\>",
    "\\y",
    "\\m",
    "\\M",
    "\\Y",
    "\\A",
    "\\Z",
    "\\z",
    "\\d",
    "\\D",
    "\\s",
    "\\S",
    "\\w",
    "\\W",
    "\\n",
    "\\t",
    "\\e",
    "\\a",
    "\\f",
    "\\v",
    "\\r",
    "\\cX",
    "\\x41",
    "\\u0041",
    "\\U00000041",
    "\\u{41}",
    "\\p{L}",
    "\\pL",
    "\\0",
    "\\07",
    "\\8",
    "\\B",
    "\\C",
    "\\K",
    "\\-",
    "\\_",
    "\\/",
    "\\.",
    "\\\\b",
    "\\\\",
    "\\",
    "[a-z]",
    "[z-a]",
    "[]a]",
    "[^]a]",
    "[a",
    "a]",
    "[a-\\d]",
    "[\\d-z]",
    "[\\w]",
    "[^\\w]",
    "[\\W]",
    "[^\\d]",
    "[\\b]",
    "[a&&b]",
    "[a--b]",
    "[a~~b]",
    "[[:alpha:]]",
    "[[.hyphen.]]",
    "[[=a=]]",
    "[a[b]]",
    "[a-]",
    "[-a]",
    "[a-c-e]",
    "[--a]",
    "[\\]]",
    "[\\\\]",
    "[.]",
    "[:alpha:]",
    "***=a",
    "***:a",
    "***",
    "a|",
    "|a",
    "()",
    "(|a)",
    "(?:)",
    "(",
    ")",
    "a)b",
    "^*",
    "$*",
    "^$",
    "a^b",
    "(^a)*",
    "(a*)*",
    "(a|a)*b",
    "(((((((((((((((((((((a)))))))))))))))))))))",
    "\u{e9}",
    "[é-ü]",
    "\n",
    "#",
    " ",
    "{",
    "}",
    "a{1",
    "a{1,",
    "a{1,2",
    "a{x}",
    "(?:a)+?",
    "a*?",
    "a{1,2}?",
    "x*x*x*x*x*x*x*x*x*x*y",
];

#[tokio::test]
async fn no_value_makes_the_database_fail() {
    let stage = Stage::new().await;
    let (texts, patterns) = (texts(), patterns());
    let (mut asked, mut refused) = (0, 0);
    let mut faults = Vec::new();
    // A field of each type has all of it, the others the worst.
    let worst: Vec<String> = WORST.iter().map(|&text| text.to_owned()).collect();
    for (inside, field, of, cast) in subjects() {
        let is_example = of.is_some() || inside.is_none() && EXAMPLES.contains(&field);
        for op in Op::ALL {
            let corpus = match op {
                _ if !is_example => &worst,
                Op::Matches => &patterns,
                _ => &texts,
            };
            let mut together = Vec::new();
            // Two at a time: each value of the corpus, with its neighbour where there are several.
            for pair in corpus.windows(2) {
                let mut compare = Compare::new(field, *op);
                compare.of.clone_from(&of);
                compare.cast = cast;
                match op.takes() {
                    Takes::Nothing => {}
                    Takes::One | Takes::Age => compare.value = Some(pair[0].clone()),
                    Takes::Many => compare.values = Some(pair.to_vec()),
                }
                let expr = wrapped(inside, Quantifier::Any, Expr::Compare(compare));
                match check_expr(&expr, &TimeZone::UTC, &NothingNamed) {
                    Ok(condition) => together.push((expr, condition)),
                    Err(_) => refused += 1,
                }
            }
            asked += together.len();
            faults.extend(failing(&together, &stage).await);
        }
    }
    let first = faults
        .iter()
        .take(40)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(faults.is_empty(), "{} faults\n{first}", faults.len());
    assert!(asked > 5_000 && refused > 5_000, "{asked} {refused}");
}

#[tokio::test]
async fn no_name_and_no_word_makes_the_database_fail() {
    let stage = Stage::new().await;
    for text in texts().into_iter().chain(patterns()) {
        let words = text.split(' ').map(str::to_owned).collect();
        let mut all = vec![
            Expr::Words { words },
            Expr::compare("machine", Op::Equal, &text),
        ];
        for kind in catalogue::row_kinds() {
            all.push(Expr::Compare(Compare::new(kind.name, Op::Set).of(&text)));
            all.push(Expr::Compare(
                Compare::new(kind.name, Op::Equal).of(&text).value(&text),
            ));
        }
        for expr in all {
            let Ok(condition) = check_expr(&expr, &TimeZone::UTC, &NothingNamed) else {
                continue;
            };
            let faults = failing(&[(expr, condition)], &stage).await;
            assert_eq!(faults, Vec::<String>::new());
        }
    }
}

/// Both read a pattern that is taken, and both mean the same by it.
#[tokio::test]
async fn a_pattern_that_is_taken_means_the_same_to_both() {
    let stage = Stage::new().await;
    let texts = [
        "", "a", "A", "b", "ab", "aa", "abc", "a1", "-", "]", "\\", "a\nb", "\n", "é", "É", "ü",
        "_", "9", " ", "\t", "aaaaaaaa", "x", "{", "}", "#", ".", "&", "~", "^", "$", "a&&b",
        "\u{7}", "ß",
    ];
    let mut taken = 0;
    for pattern in PATTERNS {
        let Ok(pattern) = checked_pattern(pattern) else {
            continue;
        };
        taken += 1;
        for text in texts {
            let theirs: bool = stage
                .db
                .query_one("SELECT $1::text ~ $2::text", &[&text, &pattern])
                .await
                .unwrap_or_else(|error| panic!("{pattern}: {error:?}"))
                .get(0);
            assert_eq!(matches(&pattern, text), theirs, "{pattern:?} on {text:?}");
        }
    }
    assert!(taken > 30, "{taken}");
}

/// A field of each type and place.
const EXAMPLES: [&str; 9] = [
    "hostname",
    "operating_system",
    "hd_percent",
    "hd_space",
    "memory_kb",
    "last_checkin",
    "deployed",
    "group",
    "machine",
];

const WORST: [&str; 14] = [
    "",
    "'",
    "\\",
    "%",
    "a\0b",
    "'; DROP TABLE server_machine; --",
    "9223372036854775808",
    "-9223372036854775808",
    "15.*",
    "1.5.2",
    "0001-01-01",
    "2900-12-31",
    "36525d",
    "(a{200}){200}",
];

type Asked = (
    Option<&'static catalogue::RowKind>,
    &'static str,
    Option<String>,
    Option<CastName>,
);

/// Each field once, and the casts on values without a type.
fn subjects() -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    for column in catalogue::machine_columns() {
        all.push((None, column.name, None, None));
    }
    for kind in catalogue::row_kinds() {
        for column in kind.columns {
            all.push((Some(kind), column.name, None, None));
        }
    }
    for cast in std::iter::once(None).chain(CastName::ALL.iter().copied().map(Some)) {
        all.push((None, "fact", Some("number".to_owned()), cast));
    }
    for name in [
        "group",
        "unit",
        "unit_id",
        "client",
        "address",
        "last_inventory",
        "machine",
    ] {
        all.push((None, name, None, None));
    }
    all
}

/// Asks all at once, each on every machine; where that fails, one by one.
async fn failing(together: &[(Expr, Condition)], stage: &Stage) -> Vec<String> {
    let conditions: Vec<&Condition> = together.iter().map(|(_, condition)| condition).collect();
    let everything = Condition::everything();
    let counts = count_machines(&everything, &conditions, stage.now, &Scope::All, &stage.db).await;
    if counts.is_ok() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (expr, condition) in together {
        let counted = count_devices(condition, stage.now, &Scope::All, &stage.db).await;
        if let Err(error) = counted {
            faults.push(format!(
                "{:.200}: {:.300}",
                expr.to_string(),
                format!("{error:?}")
            ));
        }
    }
    if faults.is_empty() {
        faults.push(format!(
            "{:.200} and more: {counts:?}",
            together[0].0.to_string()
        ));
    }
    faults
}
