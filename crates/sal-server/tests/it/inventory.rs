//! `/inventory/` beyond the recordings: spellings of serials, what is written, races, hostile payloads.

use futures_util::future::join_all;
use plist::Value;
use sal_http::HttpConfig;
use sal_testkit::{Filled, TestServer};

use crate::packed::{check_in, dict, encode, get, pack, plist, post, text};

fn listing(items: &[(&str, &str, &str)]) -> String {
    let items: String = items
        .iter()
        .map(|(name, version, path)| dict(&[("name", name), ("version", version), ("path", path)]))
        .collect();
    plist(&format!("<array>{items}</array>"))
}

async fn submit(server: &TestServer, serial: &str, inventory: &str) -> (u16, String) {
    let packed = pack(inventory.as_bytes());
    let fields = [("serial", serial), ("base64bz2inventory", packed.as_str())];
    post(server, "/inventory/submit/", &fields).await
}

const ITEMS: &str = "SELECT string_agg(concat_ws(' ', a.name, i.version, i.path), ', ' ORDER BY a.name, i.version, i.path)
    FROM inventory_inventoryitem i JOIN inventory_application a ON a.id = i.application_id";
const PLACES: &str =
    "SELECT string_agg(ctid::text, ' ' ORDER BY ctid) FROM inventory_inventoryitem";

#[tokio::test]
async fn q020_every_spelling_of_a_serial_finds_its_machine() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "vmw+/x").await;
    let inventory = listing(&[("A", "1", "/a")]);
    let (code, answer) = submit(&server, "VMw+/x", &inventory).await;
    assert_eq!(
        (code, answer.as_str()),
        (200, "Inventory submitted for VMw+/x.\n")
    );
    let hash = text(&server, "SELECT sha256hash FROM inventory_inventory").await;
    for path in ["VMWX", "vmwx", "vmw+/x", "VMW%2B%2FX", "V/M/W/X"] {
        let path = format!("/inventory/hash/{path}/");
        assert_eq!(get(&server, &path).await, (200, hash.clone()), "{path}");
    }
    // Made by hand, so neither cleaned nor in upper case.
    let db = server.database.connect().await;
    let copy = "INSERT INTO server_machine (serial, machine_group_id, memory_kb, os_family, deployed, broken_client)
        SELECT $1, machine_group_id, 0, '', true, false FROM server_machine LIMIT 1";
    for serial in ["by/hand", "UP/PER"] {
        db.execute(copy, &[&serial]).await.unwrap();
        let (code, _) = submit(&server, serial, &inventory).await;
        assert_eq!(code, 200);
    }
    assert_eq!(get(&server, "/inventory/hash/up/per/").await.1, hash);
    assert_eq!(get(&server, "/inventory/hash/BYHAND/").await.1, "NOT FOUND");
    let nowhere = get(&server, "/inventory/hash/%00%ff/").await;
    assert_eq!(nowhere, (200, "NOT FOUND".to_owned()));
}

#[tokio::test]
async fn the_key_is_asked_for_after_the_method_and_the_slash() {
    let server = TestServer::start(Filled::Seeded).await;
    let get = async |path: &str| {
        let answer = server.http.get(server.url(path)).send().await.unwrap();
        let location = answer.headers().get("location").cloned();
        let location = location.map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), location.unwrap_or_default())
    };
    for path in [
        "/inventory/submit/",
        "/catalog/submit/",
        "/catalog/hash/",
        "/profiles/submit/",
    ] {
        assert_eq!(get(path).await.0, 405, "{path}");
        let slashed = path.to_owned();
        let bare = path.trim_end_matches('/');
        assert_eq!(get(bare).await, (301, slashed), "{path}");
        let posted = server.http.post(server.url(path)).send().await.unwrap();
        assert_eq!(posted.status(), 401, "{path}");
    }
    assert_eq!(get("/inventory/hash/C02/").await.0, 401);
    let slashed = "/inventory/hash/C02/".to_owned();
    assert_eq!(get("/inventory/hash/C02").await, (301, slashed));
}

#[tokio::test]
async fn q021_a_form_without_serial_or_a_plist_of_another_shape_is_400_and_changes_nothing() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    submit(&server, "C02A", &listing(&[("A", "1", "/a")])).await;
    let none = post(&server, "/inventory/submit/", &[("x", "1")]).await;
    assert_eq!(
        none,
        (
            400,
            "The form is missing the required field \"serial\"!".to_owned()
        )
    );
    let (code, answer) = submit(&server, "C02A", &plist("<dict><key>a</key><true/></dict>")).await;
    assert_eq!(code, 400);
    assert_eq!(answer, "The inventory is not a list of applications.");
    assert_eq!(text(&server, ITEMS).await, "A 1 /a");
}

#[tokio::test]
async fn q022_values_that_do_not_fit_cost_nobody_the_rest() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    let (version, name) = ("v".repeat(65), "n".repeat(256));
    let inventory = listing(&[("A", &version, "/a"), (&name, "1", "/b"), ("B", "1", "/b")]);
    assert_eq!(submit(&server, "C02A", &inventory).await.0, 200);
    let kept = format!("A {} /a, B 1 /b", "v".repeat(64));
    assert_eq!(text(&server, ITEMS).await, kept);
}

#[tokio::test]
async fn an_equal_inventory_writes_only_the_date() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    let inventory = listing(&[("A", "1", "/a"), ("A", "1", "/a"), ("B", "2", "")]);
    let mut seen = Vec::new();
    for day in ["2026-01-01", "2026-01-02"] {
        server.set_clock(format!("{day}T10:00:00Z").parse().unwrap());
        assert_eq!(submit(&server, "C02A", &inventory).await.0, 200);
        let date = "SELECT datestamp::date::text FROM inventory_inventory";
        assert_eq!(text(&server, date).await, day);
        seen.push(text(&server, PLACES).await);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].split(' ').count(), 3);
    // The original can lose the items after it stored the hash; the client would never send them again unasked.
    let db = server.database.connect().await;
    db.batch_execute("DELETE FROM inventory_inventoryitem")
        .await
        .unwrap();
    assert_eq!(submit(&server, "C02A", &inventory).await.0, 200);
    assert_eq!(text(&server, ITEMS).await, "A 1 /a, A 1 /a, B 2 ");
}

#[tokio::test]
async fn an_update_of_one_application_moves_one_row() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    let mut names: Vec<String> = (0..500).map(|n| format!("App {n:03}")).collect();
    let items = |names: &[String], version: &'static str| {
        let items: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(n, name)| (name.as_str(), if n == 7 { version } else { "1" }, "/a"))
            .collect();
        listing(&items)
    };
    assert_eq!(submit(&server, "C02A", &items(&names, "1")).await.0, 200);
    let before = text(&server, PLACES).await;
    names.reverse();
    names.rotate_left(1);
    assert_eq!(submit(&server, "C02A", &items(&names, "2")).await.0, 200);
    let after = text(&server, PLACES).await;
    let before: Vec<_> = before.split(' ').collect();
    let stayed = after
        .split(' ')
        .filter(|place| before.contains(place))
        .count();
    assert_eq!((before.len(), stayed), (500, 499));
    let versions =
        "SELECT string_agg(version, '' ORDER BY version DESC) FROM inventory_inventoryitem";
    assert!(text(&server, versions).await.starts_with("21"));
}

#[tokio::test]
async fn printer_proxies_become_applications_and_no_items() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    let proxy = dict(&[
        ("name", "Printer"),
        ("bundleid", "com.apple.print.PrinterProxy"),
    ]);
    let inventory = plist(&format!("<array>{proxy}{proxy}</array>"));
    assert_eq!(submit(&server, "C02A", &inventory).await.0, 200);
    assert_eq!(text(&server, ITEMS).await, "");
    let names = "SELECT string_agg(name, ',') FROM inventory_application";
    assert_eq!(text(&server, names).await, "Printer");
}

#[tokio::test]
async fn forty_machines_with_the_same_new_applications_make_each_of_them_once() {
    let server = TestServer::start(Filled::Seeded).await;
    join_all((0..20).map(|n| {
        let server = &server;
        async move { check_in(server, &format!("C02{n:02}")).await }
    }))
    .await;
    let names: Vec<String> = (0..60).map(|n| format!("App {n}")).collect();
    let answers = join_all((0..40).map(|n| {
        let mut items: Vec<_> = names.iter().map(|name| (name.as_str(), "1", "")).collect();
        items.rotate_left(n);
        let (server, inventory) = (&server, listing(&items));
        async move {
            submit(server, &format!("C02{:02}", n % 20), &inventory)
                .await
                .0
        }
    }))
    .await;
    assert!(answers.iter().all(|code| *code == 200), "{answers:?}");
    let counts = "SELECT (SELECT count(*) FROM inventory_application) || ' ' ||
        (SELECT count(*) FROM inventory_inventory) || ' ' || (SELECT count(*) FROM inventory_inventoryitem)";
    assert_eq!(text(&server, counts).await, "60 20 1200");
}

#[tokio::test]
async fn binary_plists_and_raw_plus_signs_are_read() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    let item = Value::Dictionary(
        [
            ("name".to_owned(), Value::from("Ünï \u{1f5a5}")),
            ("version".to_owned(), Value::from(5)),
        ]
        .into_iter()
        .collect(),
    );
    let mut binary = Vec::new();
    let list = Value::Array(vec![item]);
    list.to_writer_binary(&mut binary).unwrap();
    let plain = encode(&binary);
    let fields = [("serial", "C02A"), ("base64inventory", plain.as_str())];
    let sent = post(&server, "/inventory/submit/", &fields).await;
    assert_eq!(sent.0, 200);
    assert_eq!(text(&server, ITEMS).await, "Ünï \u{1f5a5} 5 ");
    // A client that does not escape the plus signs of base64 sends what reads as blanks.
    let packed = (0..)
        .map(|n| pack(listing(&[("P", &n.to_string(), "")]).as_bytes()))
        .find(|packed| packed.contains('+'))
        .unwrap();
    let blanks = packed.replace('+', " ");
    let fields = [("serial", "C02A"), ("base64bz2inventory", blanks.as_str())];
    assert_eq!(post(&server, "/inventory/submit/", &fields).await.0, 200);
    assert!(text(&server, ITEMS).await.starts_with("P "));
}

#[tokio::test]
async fn q028_bombs_are_400_and_the_server_goes_on() {
    assert_eq!(HttpConfig::default().unpacked_limit_bytes, 33_554_432);
    let config = HttpConfig {
        unpacked_limit_bytes: 1024 * 1024,
        ..HttpConfig::default()
    };
    let server = TestServer::with(Filled::Seeded, config).await;
    check_in(&server, "C02A").await;
    let bomb = pack(&vec![b' '; 3 * 1024 * 1024]);
    assert!(bomb.len() < 1000);
    let fields = [("serial", "C02A"), ("base64bz2inventory", bomb.as_str())];
    let (code, answer) = post(&server, "/inventory/submit/", &fields).await;
    assert_eq!(code, 400);
    assert!(answer.contains("1048576 bytes"), "{answer}");
    let deep = plist(&format!(
        "{}{}",
        "<array>".repeat(100_000),
        "</array>".repeat(100_000)
    ));
    assert_eq!(submit(&server, "C02A", &deep).await.0, 400);
    let inventory = listing(&[("A", "1", "")]);
    assert_eq!(submit(&server, "C02A", &inventory).await.0, 200);
}

#[tokio::test]
async fn q029_what_cannot_be_unpacked_is_200_and_changes_nothing() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    let inventory = listing(&[("A", "1", "/a")]);
    submit(&server, "C02A", &inventory).await;
    let whole = pack(inventory.as_bytes());
    let cut: String = whole.chars().take(whole.len() / 2).collect();
    let nul = pack(plist("<array><string>\0</string></array>").as_bytes());
    for payload in ["ü", "%%%%", "A", "====", cut.as_str(), nul.as_str(), " "] {
        let fields = [("serial", "C02A"), ("base64bz2inventory", payload)];
        let answer = post(&server, "/inventory/submit/", &fields).await;
        let usual = (200, "Inventory submitted for C02A.\n".to_owned());
        assert_eq!(answer, usual, "{payload}");
    }
    assert_eq!(text(&server, ITEMS).await, "A 1 /a");
}
