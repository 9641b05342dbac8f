//! Whatever is sent, on whichever route: an answer that is no 5xx, and never half a submission.
#![expect(
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "tests: lists of hostile things"
)]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sal_testkit::{Filled, TestServer, golden};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn key() -> String {
    golden::seed_value("key1").unwrap().unwrap()
}

fn valid() -> Value {
    json!({
        "Machine": {"extra_data": {"serial": "C02A", "hostname": "h", "hd_space": 5, "memory_kb": 7, "os_family": "Darwin"},
                    "facts": {"a": 1}},
        "Sal": {"extra_data": {"key": key(), "sal_version": "4.9.0"}},
        "Munki": {"extra_data": {"munki_version": "6"}, "managed_items": {"x": {"status": "PRESENT", "date_managed": "2025-01-01", "data": {"a": 1}}},
                  "messages": [{"message_type": "ERROR", "text": "t", "date": "2025-01-01"}]},
        "plugin_results": [{"plugin": "P", "historical": false, "data": {"k": "v"}}],
    })
}

/// Every place in a value, the value itself included.
fn places(value: &Value, here: String, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, inner)| places(inner, format!("{here}/{key}"), all)),
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(at, inner)| places(inner, format!("{here}/{at}"), all));
        }
        _ => {}
    }
    all.push(here);
}

#[tokio::test]
async fn a_wrong_type_in_any_place_of_a_checkin_is_stored_or_refused() {
    let server = TestServer::start(Filled::Seeded).await;
    let mut all = Vec::new();
    places(&valid(), String::new(), &mut all);
    let wrong = [
        json!(null),
        json!(true),
        json!(-1.5e300),
        json!("x"),
        json!(""),
        json!([]),
        json!({}),
        json!([[{}]]),
        json!({"a": {"b": []}}),
    ];
    assert!(all.len() > 25);
    for place in &all {
        for value in &wrong {
            let mut body = valid();
            *body.pointer_mut(place).unwrap() = value.clone();
            let (code, text) = server.checkin(&key(), body.to_string()).await;
            assert!(code < 500, "{place} = {value}: {code} {text}");
            // A 200 means that the machine row and all other parts are there.
            let expected = if code == 200 { 1 } else { 0 };
            let db = server.database.connect().await;
            let sql = "WITH gone AS (DELETE FROM salrs_checkin) SELECT count(*) FROM server_machine WHERE last_checkin > now() - interval '1 hour'";
            let count: i64 = db.query_one(sql, &[]).await.unwrap().get(0);
            assert!(
                count >= expected,
                "{place} = {value}: answered {code} with {count} machines"
            );
        }
    }
}

const FORMS: &[&str] = &[
    "/report_broken_client/",
    "/inventory/submit/",
    "/catalog/submit/",
    "/catalog/hash/",
    "/profiles/submit/",
    "/preflight-v2/",
];
const FIELDS: &[&str] = &[
    "serial",
    "key",
    "name",
    "sha256hash",
    "catalogs",
    "broken_client",
    "base64bz2inventory",
    "base64inventory",
    "base64bz2catalog",
    "base64bz2profiles",
    "base64profiles",
    "os_family",
];

/// Values as they stand in a form, encoded or not.
fn hostile_values() -> Vec<String> {
    let deep = format!(
        "<plist>{}{}</plist>",
        "<array>".repeat(10_000),
        "</array>".repeat(10_000)
    );
    let wide = format!(
        "<plist><dict>{}</dict></plist>",
        "<key>k</key><string>v</string>".repeat(100_000)
    );
    let scalars = [
        "<string>x</string>",
        "<integer>99999999999999999999</integer>",
        "<date>x</date>",
        "<data>!</data>",
        "<true/>",
        "<dict/>",
        "<array/>",
        "<array><string/></array>",
        "<dict><key>_computerlevel</key><dict/></dict>",
    ];
    let mut values: Vec<String> = scalars
        .iter()
        .map(|inner| format!("<plist>{inner}</plist>"))
        .chain([deep, wide])
        .collect();
    values.push("bplist00\u{1}\u{2}\u{3}".to_owned());
    let mut all: Vec<String> = values
        .iter()
        .flat_map(|plist| {
            [
                STANDARD.encode(plist),
                STANDARD.encode(bz2(plist.as_bytes())),
            ]
        })
        .map(|value| value.replace('+', "%2B"))
        .collect();
    all.push(
        STANDARD
            .encode(bz2(&vec![0; 100_000_000]))
            .replace('+', "%2B"),
    );
    all.push(
        STANDARD
            .encode(&bz2(b"<plist><array/></plist>")[..20])
            .replace('+', "%2B"),
    );
    all.extend(
        [
            "",
            "%",
            "%zz",
            "%00",
            "a%00b",
            "%ed%a0%80",
            "%ff%fe",
            "<script>alert(1)</script>",
            "%e2%80%aertl",
            "'; DROP TABLE server_machine; --",
            "+/",
            "C02A",
        ]
        .map(str::to_owned),
    );
    all.push("x".repeat(1_000_000));
    all
}

fn bz2(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[tokio::test]
async fn hostile_fields_on_every_form_are_answered_without_a_5xx() {
    let server = TestServer::start(Filled::Seeded).await;
    assert_eq!(server.checkin(&key(), valid().to_string()).await.0, 200);
    let values = hostile_values();
    for path in FORMS {
        for field in FIELDS {
            for value in &values {
                // Other fields are what the route wants, so that the hostile one is reached.
                let others: Vec<String> = [
                    ("serial", "C02A"),
                    ("key", &key()),
                    ("name", "n"),
                    ("sha256hash", "h"),
                    ("broken_client", "true"),
                ]
                .iter()
                .filter(|(name, _)| name != field)
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
                let request = server
                    .http
                    .post(server.url(path))
                    .basic_auth("sal", Some(key()));
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                let answer = request
                    .body(format!("{}&{field}={value}", others.join("&")))
                    .send()
                    .await
                    .unwrap();
                let shown: String = value.chars().take(60).collect();
                assert!(
                    answer.status().as_u16() < 500,
                    "{path} {field}={shown}: {}",
                    answer.status()
                );
            }
        }
    }
}

#[tokio::test]
async fn hostile_paths_and_bodies_of_no_form_are_answered_without_a_5xx() {
    let server = TestServer::start(Filled::Seeded).await;
    let pieces = [
        "%00",
        "%ff",
        "..%2f..%2fetc",
        "%ed%a0%80",
        "<script>",
        "'",
        "%e2%80%ae",
        &"x".repeat(3000),
    ];
    for piece in pieces {
        for path in [
            format!("/inventory/hash/{piece}/"),
            format!("/preflight-v2/get-script/{piece}/{piece}/"),
            format!("/licenses/available/{piece}/{piece}/?name={piece}&output_style={piece}"),
            format!("/licenses/usage/{}/{piece}/?name={piece}", key()),
        ] {
            let answer = server
                .http
                .get(server.url(&path))
                .basic_auth("sal", Some(key()))
                .send()
                .await
                .unwrap();
            assert!(
                answer.status().as_u16() < 500,
                "{path}: {}",
                answer.status()
            );
        }
    }
    for path in FORMS.iter().chain(&["/checkin/"]) {
        for content_type in [
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "text/xml",
            "",
            "application/x-www-form-urlencoded; charset=utf-16",
        ] {
            for body in [&b"\xff\xfe\x00"[..], b"--x\r\n", b"[", b"", b"&&&===&"] {
                let request = server
                    .http
                    .post(server.url(path))
                    .basic_auth("sal", Some(key()))
                    .header("content-type", content_type);
                let answer = request.body(body.to_vec()).send().await.unwrap();
                assert!(
                    answer.status().as_u16() < 500,
                    "{path} as {content_type}: {}",
                    answer.status()
                );
            }
        }
    }
}

/// What a server answers to raw bytes, until it closes or says nothing for two seconds.
async fn raw(server: &TestServer, pieces: &[&[u8]], close: bool) -> String {
    let address = server.base_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    for piece in pieces {
        // The server may answer and close before all is sent.
        if stream.write_all(piece).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if close {
        stream.shutdown().await.unwrap();
    }
    let mut answer = Vec::new();
    let reading = async {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..read]);
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), reading).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn broken_transports_store_nothing_and_slow_ones_are_waited_for() {
    let server = TestServer::start(Filled::Seeded).await;
    let body = valid().to_string();
    let login = STANDARD.encode(format!("sal:{}", key()));
    let head = |framing: &str| {
        format!("POST /checkin/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\nContent-Type: application/json\r\n{framing}\r\n\r\n").into_bytes()
    };
    let length = |bytes: usize| head(&format!("Content-Length: {bytes}"));
    let (half, size) = (
        &body.as_bytes()[..body.len() / 2],
        format!("{:x}\r\n", body.len()),
    );
    let chunked = head("Transfer-Encoding: chunked");
    let broken: Vec<Vec<&[u8]>> = vec![
        vec![half],
        vec![size.as_bytes(), half],
        vec![b"zz\r\n", body.as_bytes()],
        vec![b"ffffffffffffffff\r\n", body.as_bytes()],
    ];
    for (number, pieces) in broken.iter().enumerate() {
        let first = if number == 0 {
            length(body.len())
        } else {
            chunked.clone()
        };
        let mut all: Vec<&[u8]> = vec![&first];
        all.extend(pieces);
        let answer = raw(&server, &all, true).await;
        assert!(
            !answer.contains(" 200 ") && !answer.contains("HTTP/1.1 50"),
            "{number}: {answer}"
        );
    }
    let short = length(body.len() / 2);
    let answer = raw(&server, &[&short, body.as_bytes()], true).await;
    assert!(
        answer.contains(" 400 ") && !answer.contains("HTTP/1.1 50"),
        "{answer}"
    );
    let both = head(&format!(
        "Content-Length: {}\r\nTransfer-Encoding: chunked",
        body.len()
    ));
    let answer = raw(&server, &[&both, body.as_bytes()], true).await;
    assert!(
        !answer.contains(" 200 ") && !answer.contains("HTTP/1.1 50"),
        "{answer}"
    );
    let db = server.database.connect().await;
    let machines: i64 = db
        .query_one(
            "SELECT count(*) FROM server_machine WHERE serial = 'C02A'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(machines, 0);
    let whole = length(body.len());
    let mut slow: Vec<&[u8]> = vec![&whole];
    slow.extend(body.as_bytes().chunks(10));
    let answer = raw(&server, &slow, false).await;
    assert!(answer.contains(" 200 "), "{answer}");
}

#[tokio::test]
async fn an_answer_that_repeats_a_script_forbids_it_to_run() {
    let server = TestServer::start(Filled::Seeded).await;
    let mut body = valid();
    body["Machine"]["extra_data"]["serial"] = json!("<SCRIPT>ALERT(1)<SCRIPT>");
    let request = server
        .http
        .post(server.url("/checkin/"))
        .basic_auth("sal", Some(key()));
    let answer = request
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let policy = answer
        .headers()
        .get("content-security-policy")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(answer.text().await.unwrap().contains("<SCRIPT>"));
}
