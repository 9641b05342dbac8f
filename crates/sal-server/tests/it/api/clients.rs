//! The calls of programs that people have, as those programs make them. With `--nocapture` each is printed with its answer.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "an answer that lacks something fails the test, and the calls are there to be read"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::{Method, StatusCode};
use sal_testkit::{Filled, TestServer, golden};
use serde_json::{Value, json};

use super::machines;
use super::streams::SOME_OF_ALL;

const MACHINES: usize = 250;

async fn filled() -> TestServer {
    let server = TestServer::start(Filled::Seeded).await;
    machines(250, &server).await;
    let db = server.database.connect().await;
    db.batch_execute(SOME_OF_ALL).await.unwrap();
    server
}

fn key(part: &str) -> String {
    golden::seed_value(&format!("rw_{part}")).unwrap().unwrap()
}

/// A program that follows redirects with its headers, as HTTP libraries do.
struct Client<'a> {
    name: &'static str,
    server: &'a TestServer,
    http: reqwest::Client,
}

impl<'a> Client<'a> {
    fn new(name: &'static str, server: &'a TestServer) -> Self {
        Self {
            name,
            server,
            http: reqwest::Client::builder().build().unwrap(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = match path.starts_with("http") {
            true => path.to_owned(),
            false => self.server.url(&format!("/api/v2/{path}")),
        };
        let mut request = self.http.request(method.clone(), &url);
        request = request
            .header("publickey", key("pub"))
            .header("privatekey", key("priv"));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        tell(
            self.name,
            method.as_str(),
            &url,
            status.as_str(),
            self.server,
        );
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// All rows, by the addresses that the pages name.
    async fn follow(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let mut page = self.get(&path).await;
            rows.append(page["results"].as_array_mut().unwrap());
            next = page["next"].as_str().map(str::to_owned);
        }
        rows
    }
}

fn tell(name: &str, method: &str, url: &str, outcome: &str, server: &TestServer) {
    let path = url.strip_prefix(&server.base_url).unwrap();
    println!("{name:<18} {method:<6} {path:<60} {outcome}");
}

/// The login test has no slash; inventory is joined to machines by their ids.
#[tokio::test]
async fn an_asset_adapter_reads_all_machines_and_their_inventory() {
    let server = filled().await;
    let client = Client::new("asset adapter", &server);
    assert_eq!(client.get("machines").await["count"], json!(MACHINES));
    let machines = client.follow("machines").await;
    let ids: BTreeSet<i64> = machines
        .iter()
        .map(|row| row["id"].as_i64().unwrap())
        .collect();
    assert_eq!((machines.len(), ids.len()), (MACHINES, MACHINES));
    let inventory = client.follow("inventory").await;
    let of: BTreeSet<i64> = inventory
        .iter()
        .map(|row| row["machine"].as_i64().unwrap())
        .collect();
    assert_eq!((inventory.len(), of), (MACHINES, ids));
    assert!(
        inventory
            .iter()
            .all(|row| row["application"]["name"] == "App")
    );
}

#[tokio::test]
async fn a_spreadsheet_script_counts_pages_until_there_is_no_next() {
    let server = filled().await;
    let client = Client::new("spreadsheet script", &server);
    let units = client.get("business_units").await;
    let groups = client.get("machine_groups").await;
    assert!(units["results"].is_array() && groups["results"].is_array());
    let mut serials = BTreeSet::new();
    for number in 1.. {
        let page = client.get(&format!("machines/?page={number}")).await;
        let rows = page["results"].as_array().unwrap();
        serials.extend(rows.iter().map(|row| row["serial"].to_string()));
        if page["next"].is_null() {
            assert_eq!(number, 3);
            break;
        }
    }
    assert_eq!(serials.len(), MACHINES);
    for (name, count) in [("row", 1), ("no%20such", 0)] {
        let rows = client
            .get(&format!("plugin_script_rows/?pluginscript_name={name}"))
            .await;
        assert_eq!(rows["count"], json!(count));
    }
}

#[tokio::test]
async fn a_ruby_client_divides_the_count_by_a_hundred_and_changes_things() {
    let server = filled().await;
    let client = Client::new("Ruby client", &server);
    for list in [
        "machines",
        "facts",
        "inventory",
        "business_units",
        "machine_groups",
    ] {
        let count = client.get(&format!("{list}/")).await["count"]
            .as_u64()
            .unwrap();
        let mut rows = 0;
        for number in 1..=count.div_ceil(100) {
            let page = client.get(&format!("{list}/?page={number}")).await;
            rows += page["results"].as_array().unwrap().len();
        }
        assert_eq!(u64::try_from(rows).unwrap(), count, "{list}");
    }
    let unit = changed(
        "business_units",
        "id",
        json!({"name": "Ruby"}),
        "name",
        &client,
    )
    .await;
    let group = json!({"name": "Rubies", "business_unit": unit});
    let group = changed("machine_groups", "id", group, "name", &client).await;
    let machine = json!({"serial": "C02RUBY", "machine_group": group});
    let machine = changed("machines", "serial", machine, "hostname", &client).await;
    for path in [
        format!("machines/{}/", machine.as_str().unwrap()),
        format!("machine_groups/{group}/"),
        format!("business_units/{unit}/"),
    ] {
        let gone = client.send(Method::DELETE, &path, None).await.0;
        assert_eq!(gone, StatusCode::NO_CONTENT, "{path}");
        let again = client.send(Method::GET, &path, None).await.0;
        assert_eq!(again, StatusCode::NOT_FOUND, "{path}");
    }
    let searches = client.get("saved_searches/").await;
    let id = &searches["results"].as_array().unwrap().last().unwrap()["id"];
    let found = client.get(&format!("saved_searches/{id}/execute/")).await;
    assert_eq!(found.as_array().unwrap().len(), MACHINES);
    // Sal 4 has them no more either.
    for path in ["conditions/", "pending_updates/", "pending_apple_updates/"] {
        let gone = client.send(Method::GET, path, None).await;
        assert_eq!(gone.0, StatusCode::NOT_FOUND, "{path}");
        assert!(gone.1["detail"].is_string(), "{path}");
    }
}

/// Makes one and changes a field of it in both ways; what it is found by.
async fn changed(list: &str, key: &str, new: Value, field: &str, client: &Client<'_>) -> Value {
    let (status, made) = client
        .send(Method::POST, &format!("{list}/"), Some(new.clone()))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{list}: {made}");
    let id = made[key].clone();
    let path = match &id {
        Value::String(id) => format!("{list}/{id}/"),
        id => format!("{list}/{id}/"),
    };
    let mut whole = new;
    whole[field] = json!("put");
    for (method, body, value) in [
        (Method::PUT, whole, "put"),
        (Method::PATCH, json!({ field: "patched" }), "patched"),
    ] {
        let (status, row) = client.send(method, &path, Some(body)).await;
        assert_eq!(
            (status, &row[field]),
            (StatusCode::OK, &json!(value)),
            "{row}"
        );
    }
    assert_eq!(client.get(&path).await[field], json!("patched"));
    id
}

/// Runs a program that prints an answer's body and nothing else, or fails.
async fn run(program: &Path, arguments: &[&str]) -> Value {
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

#[tokio::test]
async fn curl_follows_the_redirect_with_its_headers_and_sends_forms() {
    let server = filled().await;
    let keys = tempfile::NamedTempFile::new().unwrap();
    let headers = format!("publickey: {}\nprivatekey: {}\n", key("pub"), key("priv"));
    std::fs::write(keys.path(), headers).unwrap();
    let keys = format!("@{}", keys.path().display());
    let curl = async |method: &str, path: &str, more: &[&str]| {
        let url = server.url(&format!("/api/v2/{path}"));
        let mut arguments = vec!["-sS", "-L", "--fail-with-body", "-H", keys.as_str()];
        arguments.extend(more);
        arguments.push(&url);
        let body = run(Path::new("curl"), &arguments).await;
        tell("curl", method, &url, "exit 0", &server);
        body
    };
    assert_eq!(curl("GET", "machines", &[]).await["count"], json!(MACHINES));
    let one = curl("GET", "machines/SER0007/", &[]).await;
    assert_eq!(one["hostname"], json!("mac-7"));
    let filter = ["-G", "--data-urlencode", "filter=os_version >= 15.6"];
    let filtered = curl("GET", "machines/", &filter).await;
    assert_eq!(filtered["count"], json!(35));
    let form = curl("POST", "business_units/", &["-d", "name=By curl"]).await;
    let path = format!("business_units/{}/", form["id"]);
    let json = ["-X", "PATCH", "--json", r#"{"name": "By curl, too"}"#];
    assert_eq!(curl("PATCH", &path, &json).await["name"], "By curl, too");
    assert_eq!(curl("DELETE", &path, &["-X", "DELETE"]).await, Value::Null);
    let packed = curl("GET", "machines/?format=json", &["--compressed"]).await;
    assert_eq!(packed["results"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn httpie_reads_and_writes_json() {
    let server = filled().await;
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let folder = std::env::var_os("SAL_TESTS_HTTPIE")
        .map_or_else(|| PathBuf::from("/var/tmp/sal-tests-httpie"), PathBuf::from);
    let (public, private) = (
        format!("publickey:{}", key("pub")),
        format!("privatekey:{}", key("priv")),
    );
    let http = async |method: &str, path: &str, more: &[&str]| {
        let url = server.url(&format!("/api/v2/{path}"));
        let mut arguments = vec!["--ignore-stdin", "--check-status", "--body", "--follow"];
        arguments.extend([method, &url, &public, &private]);
        arguments.extend(more);
        let body = run(&folder.join("bin/http"), &arguments).await;
        tell("httpie", method, &url, "exit 0", &server);
        body
    };
    assert_eq!(http("GET", "machines", &[]).await["count"], json!(MACHINES));
    let found = http("GET", "machines/", &["search==mac-25", "deployed==true"]).await;
    assert_eq!(found["count"], json!(1));
    let made = http("POST", "business_units/", &["name=By httpie"]).await;
    let path = format!("business_units/{}/", made["id"]);
    let changed = http("PATCH", &path, &["name=By httpie, too"]).await;
    assert_eq!(changed["name"], "By httpie, too");
    assert_eq!(http("DELETE", &path, &[]).await, Value::Null);
}
