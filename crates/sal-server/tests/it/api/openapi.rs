//! The description of the API, held against the API.

use std::collections::BTreeSet;
use std::path::PathBuf;

use reqwest::{Method, StatusCode};
use sal_testkit::{Filled, TestServer, golden};
use serde_json::{Value, json};

use super::{Program, machines, streams::SOME_OF_ALL};

async fn document(server: &TestServer) -> Value {
    let nobody = Program { server, keys: None };
    let answer = nobody.get("/api/v2/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body
}

async fn filled() -> TestServer {
    let server = TestServer::start(Filled::Seeded).await;
    machines(12, &server).await;
    let db = server.database.connect().await;
    db.batch_execute(SOME_OF_ALL).await.unwrap();
    server
}

fn object<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).unwrap().as_object().unwrap().iter()
}

#[tokio::test]
async fn q187_the_document_has_every_address_and_method_and_no_other() {
    let server = filled().await;
    let document = document(&server).await;
    assert_eq!(document.get("openapi"), Some(&json!("3.1.0")));
    let mut described: BTreeSet<String> = object(&document, "/paths")
        .map(|(path, _)| path.clone())
        .collect();
    assert!(described.remove("/api/v2/openapi.json"));
    let addresses: BTreeSet<String> = sal_api::addresses().into_iter().collect();
    assert_eq!(described, addresses);
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    // The address of many machines is also that of a machine with this serial number.
    let is_own = |path: &str| !path.ends_with("json") && !path.ends_with("/bulk/");
    for (path, item) in object(&document, "/paths").filter(|(path, _)| is_own(path)) {
        let mut methods: BTreeSet<String> = item
            .as_object()
            .unwrap()
            .keys()
            .map(|name| name.to_uppercase())
            .collect();
        methods.remove("PARAMETERS");
        methods.extend(["HEAD".to_owned(), "OPTIONS".to_owned()]);
        let answer = program
            .send(Method::OPTIONS, &path.replace("{id}", "1"), None)
            .await;
        let allowed = answer.headers.get("allow").unwrap().to_str().unwrap();
        assert_eq!(
            methods,
            allowed.split(", ").map(str::to_owned).collect(),
            "{path}"
        );
    }
    let told = document.pointer("/components/responses/429/headers");
    let told: Vec<_> = told.unwrap().as_object().unwrap().keys().collect();
    assert_eq!(told, ["Retry-After", "RateLimit", "RateLimit-Policy"]);
    let old = program.get("/api/v2/openapi").await;
    assert_eq!(old.body, document);
    let mut names = BTreeSet::new();
    each_operation(&document, &mut |_, operation| {
        assert!(names.insert(operation.get("operationId").unwrap().to_string()));
    });
    every_reference_leads_somewhere(&document, &document);
}

fn each_operation(document: &Value, visit: &mut impl FnMut(&str, &Value)) {
    for (path, item) in object(document, "/paths") {
        let operations = item.as_object().unwrap().iter();
        for (_, operation) in operations.filter(|(name, _)| *name != "parameters") {
            visit(path, operation);
        }
    }
}

fn every_reference_leads_somewhere(value: &Value, document: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                assert!(
                    document.pointer(target.trim_start_matches('#')).is_some(),
                    "{target}"
                );
            }
            members
                .values()
                .for_each(|value| every_reference_leads_somewhere(value, document));
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| every_reference_leads_somewhere(value, document)),
        _ => {}
    }
}

/// Every parameter of the document is one that the server knows: with `strict` the others are errors.
#[tokio::test]
async fn every_described_parameter_is_known() {
    let server = filled().await;
    let document = document(&server).await;
    let program = Program {
        server: &server,
        keys: Some("ro"),
    };
    for resource in sal_store::resources::RESOURCES {
        let path = format!("/api/v2/{}/", resource.name);
        let parameters = format!("/paths/{}/get/parameters", path.replace('/', "~1"));
        let names: Vec<&str> = document
            .pointer(&parameters)
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| {
                let shared = parameter.get("$ref").and_then(Value::as_str);
                let found = shared.map_or(Some(parameter), |shared| {
                    document.pointer(shared.trim_start_matches('#'))
                });
                found.unwrap().get("name").unwrap().as_str().unwrap()
            })
            .collect();
        let filters: Vec<&str> = resource.filters().map(|filter| filter.name).collect();
        assert!(
            filters.iter().all(|filter| names.contains(filter)),
            "{path}"
        );
        let query: Vec<String> = names
            .iter()
            .filter(|name| !APART.contains(name))
            .map(|name| format!("{name}="))
            .collect();
        let answer = program
            .get(&format!("{path}?strict=1&{}", query.join("&")))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        let changes = format!("{path}?strict=1&changed_since=start");
        let is_known = program.get(&changes).await.status == StatusCode::OK;
        assert_eq!(is_known, names.contains(&"changed_since"), "{path}");
    }
}

/// Parameters that an empty value of is refused, or that are asked for alone.
const APART: [&str; 6] = [
    "page",
    "page_size",
    "strict",
    "format",
    "changed_since",
    "until",
];

#[tokio::test]
async fn real_answers_are_as_described() {
    let server = filled().await;
    let document = document(&server).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    for resource in sal_store::resources::RESOURCES {
        let path = format!("/api/v2/{}/", resource.name);
        let page = program.get(&path).await.body;
        fits(
            &page,
            &schema(&format!("{}Page", resource.object)),
            &document,
        )
        .unwrap();
        let row = page.pointer("/results/0").unwrap();
        let all: Vec<&str> = resource.fields().collect();
        let described: Vec<&String> = object(
            &document,
            &format!("/components/schemas/{}/properties", resource.object),
        )
        .map(|(name, _)| name)
        .collect();
        assert_eq!(described, all, "{path}");
        let id = row
            .get(if resource.name == "machines" {
                "serial"
            } else {
                "id"
            })
            .unwrap();
        let one = program
            .get(&format!(
                "{path}{}/",
                id.as_str().map_or(id.to_string(), str::to_owned)
            ))
            .await;
        assert_eq!(one.status, StatusCode::OK, "{path}{id}");
        fits(&one.body, &schema(resource.object), &document).unwrap();
        let wrong = program.get(&format!("{path}?page_size=x")).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        fits(&wrong.body, &schema("FieldErrors"), &document).unwrap();
        let nowhere = program.get(&format!("{path}?page=9999")).await;
        fits(&nowhere.body, &schema("Detail"), &document).unwrap();
    }
    let search = program.get("/api/v2/saved_searches/").await.body;
    let id = search.pointer("/results/0/id").unwrap();
    let short = program
        .get(&format!("/api/v2/saved_searches/{id}/execute/"))
        .await
        .body;
    fits(
        short.pointer("/0").unwrap(),
        &schema("FoundMachine"),
        &document,
    )
    .unwrap();
    assert!(fits(&json!({"id": "1"}), &schema("FoundMachine"), &document).is_err());
    assert!(fits(&json!({"nope": 1}), &schema("FoundMachine"), &document).is_err());
}

/// What is required is required, and nothing else.
#[tokio::test]
async fn what_may_be_sent_is_as_described() {
    let server = filled().await;
    let document = document(&server).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    for resource in sal_store::resources::RESOURCES
        .into_iter()
        .filter(|resource| resource.is_writable)
    {
        let path = format!("/api/v2/{}/", resource.name);
        let new = format!("/components/schemas/{}New", resource.object);
        let required: BTreeSet<&str> = document
            .pointer(&format!("{new}/required"))
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        let refused = program.send(Method::POST, &path, Some(json!({}))).await;
        let named: BTreeSet<&str> = refused
            .body
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(named, required);
        for (name, schema) in object(&document, &format!("{new}/properties")) {
            let refused = program
                .send(Method::POST, &path, Some(json!({name: null})))
                .await;
            let may_be_null = schema.get("type").unwrap().is_array();
            assert_eq!(
                refused.body.get(name).is_none(),
                may_be_null,
                "{name}: {}",
                refused.body
            );
            if let Some(most) = schema.get("maxLength").and_then(Value::as_u64) {
                let long = "x".repeat(usize::try_from(most).unwrap() + 1);
                let refused = program
                    .send(Method::POST, &path, Some(json!({name: long})))
                    .await;
                assert!(refused.body.get(name).is_some(), "{name}: {}", refused.body);
            }
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value is as a schema says: types, fields, items, choices.
fn fits(value: &Value, schema: &Value, document: &Value) -> Result<(), String> {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return fits(
            value,
            document.pointer(target.trim_start_matches('#')).unwrap(),
            document,
        );
    }
    if let Some(Value::Array(any)) = schema.get("anyOf") {
        let fitting = any
            .iter()
            .any(|schema| fits(value, schema, document).is_ok());
        return fitting
            .then_some(())
            .ok_or_else(|| format!("{value} is none of {any:?}"));
    }
    let kind = kind_of(value);
    let types = schema
        .get("type")
        .ok_or_else(|| format!("{schema} has no type"))?;
    let is_of = types == kind
        || types
            .as_array()
            .is_some_and(|types| types.iter().any(|one| one == kind));
    if !is_of {
        return Err(format!("{value} is no {types}"));
    }
    for item in value.as_array().into_iter().flatten() {
        fits(item, schema.get("items").unwrap(), document)?;
    }
    let Some(members) = value.as_object() else {
        return Ok(());
    };
    for name in schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        members
            .get(name.as_str().unwrap())
            .ok_or_else(|| format!("{name} is missing in {value}"))?;
    }
    for (name, member) in members {
        let described = schema
            .get("properties")
            .and_then(|properties| properties.get(name));
        let others = schema
            .get("additionalProperties")
            .filter(|others| others.is_object());
        match described.or(others) {
            Some(schema) => fits(member, schema, document)?,
            None if schema.get("additionalProperties") == Some(&json!(false)) => {
                return Err(format!("{name} is not described"));
            }
            None => {}
        }
    }
    Ok(())
}

#[tokio::test]
async fn people_read_the_same_on_a_page() {
    let server = filled().await;
    let nobody = server
        .http
        .get(server.url("/api/v2/docs/"))
        .send()
        .await
        .unwrap();
    assert_eq!(nobody.status(), StatusCode::FOUND);
    let form = [("username", "admin"), ("password", "password")];
    let login = server
        .http
        .post(server.url("/login/"))
        .form(&form)
        .send()
        .await
        .unwrap();
    let cookie = login
        .headers()
        .get("set-cookie")
        .unwrap()
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let page = server
        .http
        .get(server.url("/api/v2/docs/"))
        .header("cookie", cookie)
        .send()
        .await
        .unwrap();
    let policy = page
        .headers()
        .get("content-security-policy")
        .unwrap()
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    let text = page.text().await.unwrap();
    for address in sal_api::addresses() {
        assert!(
            text.contains(&format!("<code>{address}</code>")),
            "{address}"
        );
    }
    assert!(text.contains("<code>results.machine_model_friendly</code>"));
    assert!(text.contains("<code>machine_group__business_unit</code>"));
}

/// Reads and changes with whatever the document allows, and what it does not.
#[tokio::test]
async fn schemathesis_finds_nothing() {
    let server = filled().await;
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let folder = std::env::var_os("SAL_TESTS_SCHEMATHESIS").map_or_else(
        || PathBuf::from("/var/tmp/sal-tests-schemathesis"),
        PathBuf::from,
    );
    let part = |part: &str| golden::seed_value(&format!("rw_{part}")).unwrap().unwrap();
    let work = tempfile::tempdir().unwrap();
    let output = tokio::process::Command::new(folder.join("bin/schemathesis"))
        .args(["run", &server.url("/api/v2/openapi.json")])
        .args(["--header", &format!("publickey: {}", part("pub"))])
        .args(["--header", &format!("privatekey: {}", part("priv"))])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "4", "--seed", "7", "--generation-deterministic"])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"])
        .arg("--no-color")
        .current_dir(work.path())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let tail: String = said
        .chars()
        .rev()
        .take(6_000)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    assert!(output.status.success(), "{tail}");
}
