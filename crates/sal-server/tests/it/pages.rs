//! Every page with every kind of text that a machine may send, and with the demo fleet: valid HTML, nothing unescaped,
//! the security policy on each, never a 5xx.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on must stop, and say where"
)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sal_http::Access;
use sal_testkit::TestServer;
use serde_json::json;

use crate::access::{Person, Stage, rows};

/// Texts that would run, break out or mislead if anything forgot to escape them.
const HOSTILE: [&str; 6] = [
    "<img src=x onerror=\"window.ran=1\">",
    "</script><script>window.ran=1</script>",
    "\"' onmouseover='window.ran=1' x=\"",
    "{{ 7*7 }}{% raw %}${7*7}",
    "javascript:window.ran=1//\\",
    "=HYPERLINK(\"http://evil.example\")\u{202e}gnp.exe",
];

/// The stage of the access matrix with hostile texts wherever a machine can put one.
pub(crate) struct HostileStage {
    pub(crate) server: TestServer,
    stage_pages: Vec<String>,
    admin: Option<Person>,
    stage: Stage,
}

pub(crate) async fn hostile_fleet() -> HostileStage {
    let stage = Stage::set().await;
    let key: String = stage
        .db
        .query_one(
            "SELECT key FROM server_machinegroup ORDER BY id LIMIT 1",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    for (number, text) in HOSTILE.iter().enumerate() {
        let (status, answer) = stage
            .server
            .checkin(&key, checkin(&key, number, text))
            .await;
        assert_eq!(status, 200, "{answer}");
    }
    furnish(&stage).await;
    let pages = pages(&stage).await;
    let people = stage.people().await;
    let admin = people.into_iter().find(|person| person.name == "admin");
    HostileStage {
        server: stage.server.beside(),
        stage_pages: pages,
        admin,
        stage,
    }
}

/// Puts the texts where people and inventories put theirs.
async fn furnish(stage: &Stage) {
    stage
        .db
        .execute(
            "UPDATE server_machinegroup SET name = $1 WHERE id = (SELECT max(id) FROM server_machinegroup)",
            &[&HOSTILE[0]],
        )
        .await
        .unwrap();
    let application = "INSERT INTO inventory_application (name, bundleid, bundlename, \"servicepackIneffect\") VALUES ($1, $1, $1, '')";
    stage.db.execute(application, &[&HOSTILE[1]]).await.unwrap();
    stage
        .db
        .batch_execute(
            "INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
             SELECT m.id, a.id, left(a.name, 60), a.name FROM server_machine m, (SELECT id, name FROM inventory_application ORDER BY id DESC LIMIT 1) a;
             UPDATE licenses_license SET notes = '</script><script>window.ran=1</script>';
             UPDATE server_salsetting SET value = '<b>bold</b>' WHERE name = 'ssh_account'",
        )
        .await
        .unwrap();
}

/// The addresses of all pages, with things of the own unit, and those of a hostile machine.
async fn pages(stage: &Stage) -> Vec<String> {
    let machine: i64 = stage
        .db
        .query_one(
            "SELECT id FROM server_machine WHERE serial = 'HOSTILE0'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    let mut pages: Vec<String> = rows()
        .into_iter()
        .filter(|(path, who, _)| {
            *who != Access::Anyone && !path.contains("export") && !path.contains("/csv/")
        })
        .map(|(.., example)| stage.fill(example, true))
        .collect();
    for tab in ["items", "applications", "profiles", "facts", "timeline"] {
        pages.push(format!("/machine_detail/{machine}/?tab={tab}"));
    }
    for widget in ["Messages", "XprotectVersion", "Pending3rdPartyUpdates"] {
        let data =
            percent_encoding::utf8_percent_encode(HOSTILE[0], percent_encoding::NON_ALPHANUMERIC);
        pages.push(format!("/machines/?widget={widget}&data={data}&q={data}"));
    }
    pages.push("/".to_owned());
    pages
}

impl HostileStage {
    /// Addresses of pages that show what machines sent.
    pub(crate) fn pages(&self) -> Vec<String> {
        self.stage_pages.clone()
    }

    async fn get(&self, path: &str) -> (u16, String, String) {
        let admin = self.admin.as_ref().expect("the seed has an administrator");
        self.stage.send("GET", path, admin).await
    }
}

fn checkin(key: &str, number: usize, text: &str) -> String {
    let serial = format!("HOSTILE{number}");
    json!({
        "Machine": {
            "extra_data": {
                "serial": serial, "hostname": text, "console_user": text, "os_family": "Darwin",
                "operating_system": text, "machine_model": text, "machine_model_friendly": text, "cpu_type": text,
                "memory": text, "hd_percent": text,
            },
            "facts": {text: text, "ipv4_address": text},
        },
        "Munki": {
            "extra_data": {"munki_version": text, "manifest": text},
            "facts": {text: text},
            "messages": [{"message_type": "ERROR", "text": text}, {"message_type": "WARNING", "text": text}],
            "managed_items": {
                text: {"status": "PENDING", "date_managed": "2025-03-01T08:00:00Z", "data": {"version": text, text: text}},
            },
        },
        text: {"facts": {"a": text}},
        "plugin_results": [
            {"plugin": "XprotectVersion", "historical": false, "data": {"Version": text}},
            {"plugin": text, "historical": false, "data": {text: text}},
        ],
        "Sal": {"extra_data": {"key": key, "sal_version": text}},
    })
    .to_string()
}

#[tokio::test]
async fn hostile_texts_are_shown_as_texts_on_every_page() {
    let stage = hostile_fleet().await;
    let mut seen = 0;
    for path in stage.pages() {
        let (status, _, text) = stage.get(&path).await;
        assert!(status < 500, "{path}: {status}");
        for raw in [
            "<img src=x",
            "<script>window.ran",
            "onmouseover='window.ran",
            "<b>bold",
        ] {
            assert!(!text.contains(raw), "{path} shows {raw} as it is");
        }
        seen += usize::from(text.contains("onerror"));
    }
    assert!(seen > 12, "the texts are on {seen} pages");
    // A file for a spreadsheet has no formula, and the one for programs has the text as it was.
    let (_, _, csv) = stage.get("/machines/export/?format=csv").await;
    assert!(
        csv.contains("'=HYPERLINK")
            && !csv.contains(",=HYPERLINK")
            && !csv.contains(",\"=HYPERLINK")
    );
    let (_, _, jsonl) = stage.get("/machines/export/?format=jsonl").await;
    assert!(jsonl.contains("\"=HYPERLINK"));
}

#[tokio::test]
async fn every_page_is_valid_html_and_has_its_policy() {
    let stage = hostile_fleet().await;
    let admin = stage
        .admin
        .as_ref()
        .and_then(|admin| admin.cookie.clone())
        .unwrap();
    let mut pages = Vec::new();
    for path in stage.pages() {
        let request = stage
            .server
            .http
            .get(stage.server.url(&path))
            .header("cookie", &admin);
        let answer = request.send().await.unwrap();
        let is_page = answer.status() == 200
            && answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html");
        if !is_page {
            continue;
        }
        let policy = answer.headers().get("content-security-policy");
        let policy = policy.map_or("", |policy| policy.to_str().unwrap());
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        pages.push(json!({"path": path, "text": answer.text().await.unwrap()}));
    }
    assert!(pages.len() > 50, "{} pages", pages.len());
    assert_eq!(judge(&json!(pages).to_string()), "");
}

/// What html5lib (Python, strict) and a few rules of HTML that no parser checks have against these pages.
fn judge(pages: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "`./dev test` says where it put the judge"
    )]
    let folder = std::env::var_os("SAL_TESTS_PYTHON")
        .map_or_else(|| PathBuf::from("/var/tmp/sal-tests-python"), PathBuf::from);
    let mut python = Command::new(folder.join("bin/python"))
        .args(["-c", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("html5lib is installed; `./dev test` does it");
    let mut input = python.stdin.take().unwrap();
    input.write_all(pages.as_bytes()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

const JUDGE: &str = r#"
import json, sys, collections
import html5lib
for page in json.load(sys.stdin):
    path, text = page["path"], page["text"]
    is_whole = text.lstrip().lower().startswith("<!doctype")
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(text) if is_whole else parser.parseFragment(text)
    for (line, column), code, detail in parser.errors:
        print(path, line, column, code, detail, text.split("\n")[line - 1][max(0, column - 60):column + 20])
    ids = collections.Counter(e.get("id") for e in tree.iter() if e.get("id") is not None)
    for name, times in ids.items():
        if times > 1: print(path, "the id", name, times, "times")
    for e in tree.iter():
        if not isinstance(e.tag, str): continue
        if e.tag == "label" and e.get("for") and e.get("for") not in ids: print(path, "a label for nothing:", e.get("for"))
        if e.tag == "img" and e.get("alt") is None: print(path, "an image without alt")
        for name in e.attrib:
            if name == "style" or name.startswith("on"): print(path, "an attribute", name)
        if e.tag == "a" and (e.get("href") or "").strip().lower().startswith("javascript:"): print(path, "a javascript: link")
"#;
