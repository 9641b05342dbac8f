//! `/profiles/submit/` beyond the recordings: payloads, dates, what stays, and races.

use futures_util::future::join_all;
use sal_testkit::{Filled, TestServer};

use crate::packed::{check_in, encode, pack, plist, post, text};

const DATE: &str = "<key>ProfileInstallDate</key><string>2025-03-01 08:00:00 +0000</string>";
const ROWS: &str = "SELECT string_agg(concat_ws(' ', p.identifier, p.display_name, to_char(p.install_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24'),
        (SELECT string_agg(l.identifier, '+' ORDER BY l.identifier) FROM profiles_payload l WHERE l.profile_id = p.id)),
        ', ' ORDER BY p.identifier, p.display_name) FROM profiles_profile p";
const PLACES: &str = "SELECT string_agg(t.place::text, ' ' ORDER BY t.place) FROM (
    SELECT ctid AS place FROM profiles_profile UNION ALL SELECT ctid FROM profiles_payload) t";

/// Profiles by identifier, name, the rest, and the identifiers of their payloads.
fn profiles(all: &[(&str, &str, &str, &[&str])]) -> String {
    let profile = |(identifier, name, rest, payloads): &(&str, &str, &str, &[&str])| {
        let payloads: String = payloads
            .iter()
            .map(|id| format!("<dict><key>PayloadIdentifier</key><string>{id}</string></dict>"))
            .collect();
        format!(
            "<dict><key>ProfileIdentifier</key><string>{identifier}</string>\
             <key>ProfileDisplayName</key><string>{name}</string>{rest}\
             <key>ProfileItems</key><array>{payloads}</array></dict>"
        )
    };
    let all: String = all.iter().map(profile).collect();
    plist(&format!(
        "<dict><key>_computerlevel</key><array>{all}</array></dict>"
    ))
}

async fn submit(server: &TestServer, field: &str, payload: &str) -> (u16, String) {
    let fields = [("serial", "C02A"), (field, payload)];
    post(server, "/profiles/submit/", &fields).await
}

async fn submit_packed(server: &TestServer, profiles: &str) -> u16 {
    submit(server, "base64bz2profiles", &pack(profiles.as_bytes()))
        .await
        .0
}

async fn server_with_machine() -> TestServer {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    server
}

#[tokio::test]
async fn q023_the_payloads_of_all_profiles_are_stored_twins_included() {
    let server = server_with_machine().await;
    let all = profiles(&[
        ("b", "B", DATE, &["q", "r"]),
        ("a", "A", DATE, &["p", "p"]),
        ("a", "A2", DATE, &["s"]),
        ("c", "C", DATE, &[]),
    ]);
    assert_eq!(submit_packed(&server, &all).await, 200);
    let rows =
        "a A 2025-03-01 08 p+p, a A2 2025-03-01 08 s, b B 2025-03-01 08 q+r, c C 2025-03-01 08";
    assert_eq!(text(&server, ROWS).await, rows);
    let before = text(&server, PLACES).await;
    assert_eq!(submit_packed(&server, &all).await, 200);
    assert_eq!(
        text(&server, PLACES).await,
        before,
        "the same again writes nothing"
    );
}

#[tokio::test]
async fn only_what_differs_is_written() {
    let server = server_with_machine().await;
    let first = profiles(&[
        ("a", "A", DATE, &["p"]),
        ("b", "B", DATE, &["q"]),
        ("c", "C", DATE, &["r"]),
    ]);
    assert_eq!(submit_packed(&server, &first).await, 200);
    let ids = "SELECT string_agg(identifier || id, ' ' ORDER BY id) FROM profiles_profile WHERE identifier <> 'c'";
    let before = text(&server, ids).await;
    let second = profiles(&[("b", "New", DATE, &["q", "s"]), ("a", "A", DATE, &[])]);
    assert_eq!(submit_packed(&server, &second).await, 200);
    assert_eq!(text(&server, ids).await, before, "rows keep their ids");
    let rows = "a A 2025-03-01 08, b New 2025-03-01 08 q+s";
    assert_eq!(text(&server, ROWS).await, rows);
    assert_eq!(
        text(&server, "SELECT count(*)::text FROM profiles_payload").await,
        "2"
    );
}

#[tokio::test]
async fn q024_a_profile_without_a_readable_date_keeps_its_own_or_gets_now() {
    let server = server_with_machine().await;
    server.set_clock("2026-01-01T10:00:00Z".parse().unwrap());
    let date = "<key>ProfileInstallDate</key><date>2025-03-01T08:00:00Z</date>";
    let nonsense = "<key>ProfileInstallDate</key><string>soon</string>";
    assert_eq!(
        submit_packed(&server, &profiles(&[("a", "A", date, &[])])).await,
        200
    );
    let later = profiles(&[("a", "A", "", &[]), ("b", "B", nonsense, &[])]);
    let rows = "a A 2025-03-01 08, b B 2026-01-01 10";
    assert_eq!(submit_packed(&server, &later).await, 200);
    assert_eq!(text(&server, ROWS).await, rows);
    server.set_clock("2026-01-02T11:00:00Z".parse().unwrap());
    assert_eq!(submit_packed(&server, &later).await, 200);
    assert_eq!(text(&server, ROWS).await, rows, "now is taken only once");
}

#[tokio::test]
async fn q025_profiles_that_are_not_compressed_are_read() {
    let server = server_with_machine().await;
    let plain = encode(profiles(&[("a", "A", DATE, &["p"])]).as_bytes());
    let answer = submit(&server, "base64profiles", &plain).await;
    assert_eq!(answer, (200, "Profiles submitted for C02A.\n".to_owned()));
    assert_eq!(text(&server, ROWS).await, "a A 2025-03-01 08 p");
}

#[tokio::test]
async fn q026_profiles_that_cannot_be_read_remove_none() {
    let server = server_with_machine().await;
    let one = profiles(&[("a", "A", DATE, &["p"])]);
    assert_eq!(submit_packed(&server, &one).await, 200);
    for payload in ["%%%%", "aGVsbG8=", &pack(b"hello")] {
        let answer = submit(&server, "base64bz2profiles", payload).await;
        let usual = (200, "Profiles submitted for C02A.\n".to_owned());
        assert_eq!(answer, usual, "{payload}");
    }
    let shapes = [
        "<array/>",
        "<dict><key>_computerlevel</key><string>x</string></dict>",
    ];
    for shape in shapes {
        assert_eq!(submit_packed(&server, &plist(shape)).await, 400, "{shape}");
    }
    assert_eq!(text(&server, ROWS).await, "a A 2025-03-01 08 p");
    assert_eq!(submit_packed(&server, &plist("<dict/>")).await, 200);
    assert_eq!(
        text(&server, ROWS).await,
        "",
        "no profiles at all is an answer"
    );
    assert_eq!(
        text(&server, "SELECT count(*)::text FROM profiles_payload").await,
        "0"
    );
}

#[tokio::test]
async fn twenty_submissions_at_once_store_the_profiles_once() {
    let server = server_with_machine().await;
    let all = profiles(&[("a", "A", DATE, &["p"]), ("b", "B", DATE, &["q"])]);
    let answers = join_all((0..20).map(|_| submit_packed(&server, &all))).await;
    assert!(answers.iter().all(|code| *code == 200), "{answers:?}");
    assert_eq!(
        text(&server, ROWS).await,
        "a A 2025-03-01 08 p, b B 2025-03-01 08 q"
    );
}
