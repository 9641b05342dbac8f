//! `/catalog/` beyond the recordings: what is missing, binary plists, races, and rows that stay as they are.

use futures_util::future::join_all;
use plist::Value;
use sal_http::HttpConfig;
use sal_testkit::{Filled, TestServer, golden};

use crate::packed::{dict, key, pack, plist, post, text};

const HASH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const ROWS: &str = "SELECT string_agg(concat_ws(' ', name, left(sha256hash, 3), length(content)), ', ' ORDER BY id)
    FROM catalog_catalog";
const PLACES: &str = "SELECT string_agg(ctid::text, ' ' ORDER BY ctid) FROM catalog_catalog";

async fn submit(server: &TestServer, name: &str, hash: &str, content: &[u8]) -> (u16, String) {
    let (key, packed) = (key(), pack(content));
    let fields = [
        ("key", key.as_str()),
        ("name", name),
        ("sha256hash", hash),
        ("base64bz2catalog", packed.as_str()),
    ];
    post(server, "/catalog/submit/", &fields).await
}

async fn hashes(server: &TestServer, key: &str, names: &[&str]) -> (u16, String) {
    let names: String = names.iter().map(|name| dict(&[("name", name)])).collect();
    let packed = pack(plist(&format!("<array>{names}</array>")).as_bytes());
    let fields = [("key", key), ("catalogs", packed.as_str())];
    post(server, "/catalog/hash/", &fields).await
}

#[tokio::test]
async fn catalogs_belong_to_a_group_and_names_may_be_paths() {
    let server = TestServer::start(Filled::Seeded).await;
    let name = "/Library/Managed Installs/catalogs/production";
    let sent = submit(&server, name, HASH, plist("<array/>").as_bytes()).await;
    assert_eq!(sent, (200, "Catalogs submitted.".to_owned()));
    let (code, answer) = hashes(&server, &key(), &[name, "x &amp; y"]).await;
    assert_eq!(code, 200);
    let both = format!(
        "<string>{name}</string>\n\t\t<key>sha256hash</key>\n\t\t<string>{HASH}</string>\n\t</dict>\n\t<dict>\n\t\t\
         <key>name</key>\n\t\t<string>x &amp; y</string>\n\t\t<key>sha256hash</key>\n\t\t<string>NOT FOUND</string>"
    );
    assert!(answer.contains(&both), "{answer}");
    let other = golden::seed_value("key2").unwrap().unwrap();
    let (_, answer) = hashes(&server, &other, &[name]).await;
    assert!(answer.contains("NOT FOUND") && !answer.contains(HASH));
}

#[tokio::test]
async fn q027_what_is_missing_is_named_and_a_hash_is_computed() {
    let server = TestServer::start(Filled::Seeded).await;
    let (key, packed) = (key(), pack(plist("<array/>").as_bytes()));
    let fields = [("key", key.as_str()), ("base64bz2catalog", packed.as_str())];
    let (code, answer) = post(&server, "/catalog/submit/", &fields).await;
    assert_eq!(code, 400);
    assert!(answer.contains("\"name\""), "{answer}");
    let (code, answer) = hashes(&server, "", &["production"]).await;
    assert_eq!(code, 400);
    assert!(answer.contains("\"key\""), "{answer}");
    assert_eq!(text(&server, ROWS).await, "");
    let content = plist("<array/>");
    let long = "c".repeat(65);
    assert_eq!(
        submit(&server, "long", &long, content.as_bytes()).await.0,
        200
    );
    let right = format!(
        "SELECT (sha256hash = encode(sha256('{content}'::bytea), 'hex'))::text FROM catalog_catalog"
    );
    assert_eq!(text(&server, &right).await, "true");
}

#[tokio::test]
async fn q027_a_binary_catalog_is_stored_as_xml() {
    let server = TestServer::start(Filled::Seeded).await;
    let mut binary = Vec::new();
    let list = Value::Array(vec![Value::from("Firefox"), Value::from(true)]);
    list.to_writer_binary(&mut binary).unwrap();
    assert_eq!(submit(&server, "b", HASH, &binary).await.0, 200);
    let content = text(&server, "SELECT content FROM catalog_catalog").await;
    assert!(content.starts_with("<?xml"), "{content}");
    assert_eq!(Value::from_reader_xml(content.as_bytes()).unwrap(), list);
}

#[tokio::test]
async fn an_equal_catalog_writes_nothing_and_another_one_keeps_its_row() {
    let server = TestServer::start(Filled::Seeded).await;
    let mut places = Vec::new();
    for content in ["<array/>", "<array/>", "<dict/>"] {
        assert_eq!(
            submit(&server, "p", HASH, plist(content).as_bytes())
                .await
                .0,
            200
        );
        places.push(text(&server, PLACES).await);
    }
    assert_eq!(places[0], places[1]);
    assert_ne!(places[1], places[2]);
    assert_eq!(
        text(&server, "SELECT count(*)::text FROM catalog_catalog").await,
        "1"
    );
    assert!(
        text(&server, "SELECT content FROM catalog_catalog")
            .await
            .contains("<dict/>")
    );
}

#[tokio::test]
async fn q033_twenty_first_submissions_at_once_make_one_row_and_twins_are_healed() {
    let server = TestServer::start(Filled::Seeded).await;
    let content = plist("<array/>");
    let answers = join_all((0..20).map(|_| submit(&server, "p", HASH, content.as_bytes()))).await;
    assert!(answers.iter().all(|(code, _)| *code == 200), "{answers:?}");
    assert_eq!(
        text(&server, "SELECT count(*)::text FROM catalog_catalog").await,
        "1"
    );
    let db = server.database.connect().await;
    let twin = "INSERT INTO catalog_catalog (name, machine_group_id, sha256hash, content)
        SELECT name, machine_group_id, 'old', 'old' FROM catalog_catalog";
    db.batch_execute(twin).await.unwrap();
    let (_, answer) = hashes(&server, &key(), &["p"]).await;
    assert!(answer.contains(HASH), "the first row counts");
    assert_eq!(submit(&server, "p", "zz", content.as_bytes()).await.0, 200);
    let rows = format!("p zz {}", content.len());
    assert_eq!(text(&server, ROWS).await, rows);
}

#[tokio::test]
async fn q028_an_unpacked_catalog_may_be_large_but_not_endless() {
    let config = HttpConfig {
        unpacked_limit_bytes: 2 * 1024 * 1024,
        ..HttpConfig::default()
    };
    let server = TestServer::with(Filled::Seeded, config).await;
    let filled = |megabytes: usize| {
        let text = "x".repeat(megabytes * 1024 * 1024);
        plist(&format!("<array><string>{text}</string></array>"))
    };
    assert_eq!(
        submit(&server, "large", HASH, filled(1).as_bytes()).await.0,
        200
    );
    assert_eq!(
        submit(&server, "endless", HASH, filled(2).as_bytes())
            .await
            .0,
        400
    );
    let names = "SELECT string_agg(name, ' ') FROM catalog_catalog";
    assert_eq!(text(&server, names).await, "large");
}
