//! The REST API as programs use it: keys and rights at every address, pages, filters, changes, hostile input.

use reqwest::{Method, StatusCode};
use sal_testkit::{Filled, TestServer, golden};
use serde_json::{Value, json};

/// A program with a pair of keys.
struct Program<'a> {
    server: &'a TestServer,
    /// `rw` or `ro`; none for no keys.
    keys: Option<&'static str>,
}

pub(crate) struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Program<'_> {
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.server.url(path)
        };
        let mut request = self.server.http.request(method, url);
        if let Some(keys) = self.keys {
            let part = |part: &str| {
                golden::seed_value(&format!("{keys}_{part}"))
                    .unwrap()
                    .unwrap()
            };
            request = request
                .header("publickey", part("pub"))
                .header("privatekey", part("priv"));
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }
}

async fn json_of(answer: reqwest::Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

pub(crate) async fn machines(count: u32, server: &TestServer) {
    let db = server.database.connect().await;
    let fill = format!(
        "INSERT INTO server_machine (serial, hostname, os_family, operating_system, memory_kb, machine_group_id, deployed,
             broken_client, last_checkin, first_checkin)
         SELECT 'SER' || lpad(n::text, 4, '0'), 'mac-' || n, 'Darwin', '15.' || n % 7, 0,
             (SELECT min(id) FROM server_machinegroup), n % 2 = 0, false, now() - n * interval '1 minute', now()
         FROM generate_series(1, {count}) n"
    );
    db.batch_execute(&fill).await.unwrap();
}

#[tokio::test]
async fn every_address_asks_who_it_is_and_answers_in_json() {
    let server = TestServer::start(Filled::Seeded).await;
    for address in sal_api::addresses() {
        let path = address.replace("{id}", "999999");
        for method in [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let nobody = Program {
                server: &server,
                keys: None,
            };
            let answer = nobody.send(method.clone(), &path, None).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
            assert_eq!(answer.headers["content-type"], "application/json");
            let reads = Program {
                server: &server,
                keys: Some("ro"),
            };
            let answer = reads.send(method.clone(), &path, None).await;
            let may = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&method);
            assert_eq!(
                answer.status == StatusCode::FORBIDDEN,
                !may,
                "{method} {path}: {}",
                answer.status
            );
            let writes = Program {
                server: &server,
                keys: Some("rw"),
            };
            let answer = writes.send(method.clone(), &path, None).await;
            assert!(
                answer.status.as_u16() < 500,
                "{method} {path}: {}",
                answer.status
            );
            let allow = answer.headers["allow"].to_str().unwrap();
            let refused = answer.status == StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(
                refused,
                !allow.contains(method.as_str()),
                "{method} {path}: {allow}"
            );
        }
    }
}

#[tokio::test]
async fn a_key_is_both_of_its_parts() {
    let server = TestServer::start(Filled::Seeded).await;
    let part = |part: &str| golden::seed_value(part).unwrap().unwrap();
    let (public, private) = (part("ro_pub"), part("ro_priv"));
    for (headers, detail) in [
        (vec![("publickey", public.as_str())], "Invalid API Key"),
        (vec![("privatekey", private.as_str())], "Invalid API Key"),
        (
            vec![
                ("publickey", public.as_str()),
                ("privatekey", part("rw_priv").as_str()),
            ],
            "Invalid API Key",
        ),
        (
            vec![("publickey", ""), ("privatekey", "")],
            "Authentication credentials were not provided.",
        ),
        (
            vec![("publickey", "%00' OR 1=1 --"), ("privatekey", "x")],
            "Invalid API Key",
        ),
    ] {
        let mut request = server.http.get(server.url("/api/v2/machines/"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let body = json_of(answer).await;
        assert_eq!(body, json!({"detail": detail}));
    }
}

/// As a spreadsheet script and an asset adapter do: follow `next` until there is none.
#[tokio::test]
async fn following_next_meets_every_machine_once() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(250, &server).await;
    let program = Program {
        server: &server,
        keys: Some("ro"),
    };
    let moved = program.get("/api/v2/machines").await;
    assert_eq!(moved.status, StatusCode::MOVED_PERMANENTLY);
    assert_eq!(moved.headers["location"], "/api/v2/machines/");
    let mut next = Some("/api/v2/machines/".to_owned());
    let (mut serials, mut pages) = (Vec::new(), 0);
    while let Some(path) = next {
        let answer = program.get(&path).await;
        assert_eq!(
            (answer.status, &answer.body["count"]),
            (StatusCode::OK, &json!(250))
        );
        let rows = answer.body["results"].as_array().unwrap();
        serials.extend(
            rows.iter()
                .map(|row| row["serial"].as_str().unwrap().to_owned()),
        );
        next = answer.body["next"].as_str().map(str::to_owned);
        assert!(next.iter().all(|next| next.starts_with(&server.base_url)));
        pages += 1;
    }
    assert_eq!((serials.len(), pages), (250, 3));
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 250);
    let second = program
        .get("/api/v2/machines/?page=2&os_family=Darwin")
        .await
        .body;
    let url = |query: &str| json!(server.url(&format!("/api/v2/machines/?{query}")));
    assert_eq!(second["previous"], url("os_family=Darwin"));
    assert_eq!(second["next"], url("os_family=Darwin&page=3"));
    let last = program.get("/api/v2/machines/?page=last").await.body;
    assert_eq!(
        (last["results"].as_array().unwrap().len(), &last["next"]),
        (50, &Value::Null)
    );
    let beyond = program.get("/api/v2/machines/?page=4").await;
    assert_eq!(
        (beyond.status, beyond.body),
        (StatusCode::NOT_FOUND, json!({"detail": "Invalid page."}))
    );
}

#[tokio::test]
async fn q184_filters_and_search_are_what_the_documentation_says() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(40, &server).await;
    let program = Program {
        server: &server,
        keys: Some("ro"),
    };
    for (query, count) in [
        ("serial=SER0007", 1),
        ("hostname=mac-7", 1),
        ("hostname=MAC-7", 0),
        ("deployed=true", 20),
        ("deployed=False", 20),
        ("deployed=0&hostname=mac-7", 1),
        ("hostname=", 40),
        ("search=mac-1", 11),
        ("search=MAC-1%20ser0012", 1),
        ("search=mac,0012", 1),
        ("search=%25", 0),
        ("machine_group__name=nope", 0),
        ("filter=os_version%20%3E%3D%2015.6", 5),
        ("filter=os_version%20%3E%3D%2015.6&deployed=1", 3),
        ("nonsense=1", 40),
    ] {
        let answer = program.get(&format!("/api/v2/machines/?{query}")).await;
        assert_eq!(
            answer.body["count"],
            json!(count),
            "{query}: {}",
            answer.body
        );
        assert_eq!(
            answer.headers.contains_key("warning"),
            query.contains("nonsense"),
            "{query}"
        );
    }
    for (query, field) in [
        ("deployed=maybe", "deployed"),
        ("memory_kb=x", "memory_kb"),
        ("last_checkin=soon", "last_checkin"),
        ("filter=os_versoin%20%3D%201", "filter"),
        ("ordering=nope", "ordering"),
        ("fields=id,nope", "fields"),
        ("page_size=0", "page_size"),
        ("nonsense=1&strict=1", "nonsense"),
    ] {
        let answer = program.get(&format!("/api/v2/machines/?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(
            answer.body[field][0].is_string(),
            "{query}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn lists_are_ordered_sized_and_cut_to_fields() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(12, &server).await;
    let program = Program {
        server: &server,
        keys: Some("ro"),
    };
    let path = "/api/v2/machines/?ordering=-operating_system,serial&page_size=2&fields=serial,operating_system";
    let answer = program.get(path).await.body;
    assert_eq!(
        answer["results"],
        json!([{"serial": "SER0006", "operating_system": "15.6"}, {"serial": "SER0005", "operating_system": "15.5"}])
    );
    assert_eq!(answer["count"], json!(12));
}

#[tokio::test]
async fn q183_serial_numbers_with_dots_and_slashes_are_found() {
    let server = TestServer::start(Filled::Seeded).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let group = program.get("/api/v2/machine_groups/").await.body["results"][0]["id"].clone();
    for (serial, path) in [
        ("a.b", "a.b"),
        ("a/b", "a%2Fb"),
        ("v1.json", "v1%2Ejson.json"),
    ] {
        let new = json!({"serial": serial, "machine_group": group});
        let made = program
            .send(Method::POST, "/api/v2/machines/", Some(new))
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{serial}: {}", made.body);
        let found = program.get(&format!("/api/v2/machines/{path}/")).await;
        assert_eq!(found.body["serial"], json!(serial));
    }
}

#[tokio::test]
async fn q185_browsers_get_json_too_and_unknown_kinds_nothing() {
    let server = TestServer::start(Filled::Seeded).await;
    let program = Program {
        server: &server,
        keys: Some("ro"),
    };
    let accept = |value: &'static str| {
        let part = |part: &str| golden::seed_value(part).unwrap().unwrap();
        let request = server.http.get(server.url("/api/v2/machines/"));
        let request = request
            .header("publickey", part("ro_pub"))
            .header("privatekey", part("ro_priv"));
        request.header("accept", value).send()
    };
    let browser = accept("text/html,application/xhtml+xml;q=0.9")
        .await
        .unwrap();
    assert_eq!(browser.headers()["content-type"], "application/json");
    let other = accept("image/png").await.unwrap();
    assert_eq!(other.status(), StatusCode::NOT_ACCEPTABLE);
    let body = json_of(other).await;
    assert_eq!(
        body["detail"],
        "Could not satisfy the request Accept header."
    );
    assert_eq!(
        program.get("/api/v2/machines.json").await.status,
        StatusCode::OK
    );
    assert_eq!(
        program.get("/api/v2/machines/?format=json").await.status,
        StatusCode::OK
    );
    assert_eq!(
        program.get("/api/v2/machines/?format=xml").await.status,
        StatusCode::NOT_FOUND
    );
    let nowhere = program.get("/api/v2/no/such/thing/").await;
    assert_eq!(
        (nowhere.status, nowhere.body),
        (StatusCode::NOT_FOUND, json!({"detail": "Not found."}))
    );
}

#[tokio::test]
async fn q015_what_is_gone_names_the_address_that_took_its_place() {
    let server = TestServer::start(Filled::Seeded).await;
    let program = Program {
        server: &server,
        keys: None,
    };
    for (path, now) in [
        ("/api/", "/api/v2/"),
        ("/api/v1/", "/api/v2/"),
        ("/api/machines/", "/api/v2/machines/"),
        ("/api/v1/machines/C02/", "/api/v2/machines/C02/"),
        ("/api/v1/nope/", "/api/v2/"),
    ] {
        let answer = program.get(path).await;
        assert_eq!(
            (answer.status, &answer.body["address"]),
            (StatusCode::GONE, &json!(now)),
            "{path}"
        );
    }
    let moved = program.get("/api/v1/machines").await;
    assert_eq!(moved.headers["location"], "/api/v1/machines/");
}

#[tokio::test]
async fn q188_machines_come_by_name_and_long_lists_by_their_ids() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(12, &server).await;
    let db = server.database.connect().await;
    // Moves the row to the end of the table.
    db.batch_execute("UPDATE server_machine SET hostname = 'aaa' WHERE serial = 'SER0005'")
        .await
        .unwrap();
    let program = Program {
        server: &server,
        keys: Some("ro"),
    };
    db.batch_execute(
        "INSERT INTO server_fact (machine_id, fact_name, fact_data)
         SELECT id, 'f' || 100 - id, '1' FROM server_machine; UPDATE server_fact SET fact_data = '2' WHERE fact_name = 'f95'",
    )
    .await
    .unwrap();
    let column = async |path: &str, name: &str| -> Vec<Value> {
        let rows = program.get(path).await.body["results"].clone();
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row[name].clone())
            .collect()
    };
    let names = column("/api/v2/machines/", "hostname").await;
    assert_eq!(names[..3], [json!("aaa"), json!("mac-1"), json!("mac-10")]);
    let ids = column("/api/v2/facts/", "id").await;
    assert!(ids.iter().map(|id| id.as_i64().unwrap()).is_sorted());
}

/// A form of a browser of another site, with the session of a global admin in its cookie.
#[tokio::test]
async fn another_sites_browser_changes_nothing_with_a_session() {
    let server = TestServer::start(Filled::Seeded).await;
    let form = [("username", "admin"), ("password", "password")];
    let login = server
        .http
        .post(server.url("/login/"))
        .form(&form)
        .send()
        .await
        .unwrap();
    let cookie = login.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let send = |origin: Option<&'static str>| {
        let mut request = server.http.post(server.url("/api/v2/business_units/"));
        request = request
            .header("cookie", &cookie)
            .form(&[("name", "made by a form")]);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.send()
    };
    let refused = send(Some("https://evil.example")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let body = json_of(refused).await;
    assert!(
        body["detail"]
            .as_str()
            .unwrap()
            .starts_with("Nothing was changed"),
        "{body}"
    );
    assert_eq!(send(None).await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn each_change_is_in_the_audit_log_with_the_name_of_the_key() {
    let server = TestServer::start(Filled::Seeded).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let unit = program
        .send(
            Method::POST,
            "/api/v2/business_units/",
            Some(json!({"name": "New"})),
        )
        .await
        .body;
    let path = format!("/api/v2/business_units/{}/", unit["id"]);
    program
        .send(Method::PATCH, &path, Some(json!({"name": "Newer"})))
        .await;
    let gone = program.send(Method::DELETE, &path, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(program.get(&path).await.status, StatusCode::NOT_FOUND);
    let db = server.database.connect().await;
    let rows = db
        .query(
            "SELECT username, action, object_name FROM salrs_audit ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    let lines: Vec<(String, String, String)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let name = &lines.last().unwrap().0;
    assert!(name.starts_with("API key "), "{name}");
    let line = |action: &str, object: &str| (name.clone(), action.to_owned(), object.to_owned());
    assert_eq!(
        lines,
        [
            line("made", "New"),
            line("changed", "Newer"),
            line("removed", "Newer")
        ]
    );
}

#[tokio::test]
async fn no_address_and_no_parameter_is_a_fault_of_the_server() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(3, &server).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let hostile = [
        "%00",
        "'%3B%20DROP%20TABLE%20x--",
        "%F0%9F%92%A3",
        "%FF",
        "9999999999999999999999",
        "-1",
        "%25%25",
        "a%0Ab",
    ];
    for resource in sal_store::resources::RESOURCES {
        for text in hostile {
            let answer = program
                .get(&format!("/api/v2/{}/{text}/", resource.name))
                .await;
            assert_eq!(
                answer.status,
                StatusCode::NOT_FOUND,
                "{} {text}",
                resource.name
            );
            let path = format!("/api/v2/{}/{text}/", resource.name);
            let status = program.send(Method::DELETE, &path, None).await.status;
            let is_refused = match status {
                StatusCode::NOT_FOUND => true,
                status => !resource.is_writable && status == StatusCode::METHOD_NOT_ALLOWED,
            };
            assert!(is_refused, "DELETE {path}: {status}");
            let parameters = resource.filters().map(|filter| filter.name);
            for name in parameters.chain([
                "search",
                "ordering",
                "fields",
                "filter",
                "page",
                "page_size",
            ]) {
                let answer = program
                    .get(&format!("/api/v2/{}/?{name}={text}", resource.name))
                    .await;
                assert!(
                    answer.status.as_u16() < 500,
                    "{} {name}={text}: {}",
                    resource.name,
                    answer.status
                );
            }
        }
    }
}

#[tokio::test]
async fn no_value_of_a_field_is_a_fault_of_the_server() {
    let server = TestServer::start(Filled::Seeded).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let group = program.get("/api/v2/machine_groups/").await.body["results"][0]["id"].clone();
    for value in [
        json!("a\u{0}b"),
        json!({"a": [1]}),
        json!(1e300),
        json!("💣".repeat(300)),
        json!([]),
        json!(-1),
        json!(true),
    ] {
        for field in [
            "serial",
            "hostname",
            "memory_kb",
            "hd_space",
            "last_checkin",
            "os_family",
            "deployed",
            "machine_group",
            "hd_percent",
        ] {
            let mut new = json!({"serial": "HOSTILE", "machine_group": group});
            new[field] = value.clone();
            let answer = program
                .send(Method::POST, "/api/v2/machines/", Some(new))
                .await;
            assert!(
                answer.status.as_u16() < 500,
                "{field} {value}: {} {}",
                answer.status,
                answer.body
            );
            program
                .send(Method::DELETE, "/api/v2/machines/HOSTILE/", None)
                .await;
        }
    }
}

#[tokio::test]
async fn a_hundred_programs_at_once_make_one_machine() {
    let server = TestServer::start(Filled::Seeded).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let group = program.get("/api/v2/machine_groups/").await.body["results"][0]["id"].clone();
    let new = json!({"serial": "ONLYONE", "machine_group": group});
    let made = (0..100).map(|_| program.send(Method::POST, "/api/v2/machines/", Some(new.clone())));
    let answers = futures_util::future::join_all(made).await;
    let count = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!(
        (count(StatusCode::CREATED), count(StatusCode::BAD_REQUEST)),
        (1, 99)
    );
}

/// By OFFSET, as many rows would be missed as go away on pages before.
#[tokio::test]
async fn a_walk_misses_no_row_while_others_go_and_come() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(1, &server).await;
    let db = server.database.connect().await;
    db.batch_execute(
        "INSERT INTO server_fact (machine_id, fact_name, fact_data)
         SELECT (SELECT max(id) FROM server_machine), 'f' || n, n::text FROM generate_series(1, 350) n;
         INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Walk');
         INSERT INTO server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)
         SELECT gen_random_uuid(), (SELECT max(id) FROM server_machine), (SELECT id FROM server_managementsource WHERE name = 'Walk'),
             'i' || n, 'PRESENT', now() FROM generate_series(1, 350) n",
    )
    .await
    .unwrap();
    let program = Program {
        server: &server,
        keys: Some("ro"),
    };
    for (resource, table, name) in [
        ("facts", "server_fact", "fact_name"),
        (
            "managed_item_histories",
            "server_manageditemhistory",
            "name",
        ),
    ] {
        let mut next = Some(format!("/api/v2/{resource}/"));
        let mut met = Vec::new();
        while let Some(path) = next {
            let answer = program.get(&path).await;
            assert_eq!(answer.body["count"], json!(350));
            let rows = answer.body["results"].as_array().unwrap();
            met.extend(
                rows.iter()
                    .map(|row| row[name].as_str().unwrap().to_owned()),
            );
            if met.len() == 100 {
                let gone = format!(
                    "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT 50)"
                );
                db.batch_execute(&gone).await.unwrap();
            }
            next = answer.body["next"].as_str().map(str::to_owned);
        }
        met.sort();
        met.dedup();
        assert_eq!(met.len(), 350, "{resource}");
    }
}

#[tokio::test]
async fn of_twenty_renames_to_one_serial_number_one_wins() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(20, &server).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let paths: Vec<String> = (1..=20)
        .map(|n| format!("/api/v2/machines/SER{n:04}/"))
        .collect();
    let renamed = paths
        .iter()
        .map(|path| program.send(Method::PATCH, path, Some(json!({"serial": "WIN"}))));
    let answers = futures_util::future::join_all(renamed).await;
    let count = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!(
        (count(StatusCode::OK), count(StatusCode::BAD_REQUEST)),
        (1, 19)
    );
    let lost = answers
        .iter()
        .find(|answer| answer.status != StatusCode::OK)
        .unwrap();
    assert_eq!(
        lost.body,
        json!({"serial": ["machine with this serial already exists."]})
    );
}

#[tokio::test]
async fn machines_are_made_or_refused_while_their_unit_goes() {
    let server = TestServer::start(Filled::Seeded).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let unit = program
        .send(
            Method::POST,
            "/api/v2/business_units/",
            Some(json!({"name": "Goes"})),
        )
        .await
        .body["id"]
        .clone();
    let group = json!({"name": "Goes", "business_unit": unit});
    let group = program
        .send(Method::POST, "/api/v2/machine_groups/", Some(group))
        .await
        .body["id"]
        .clone();
    let bodies: Vec<Value> = (0..80)
        .map(|n| json!({"serial": format!("GOES{n}"), "machine_group": group}))
        .collect();
    let made = bodies
        .iter()
        .map(|body| program.send(Method::POST, "/api/v2/machines/", Some(body.clone())));
    let path = format!("/api/v2/business_units/{unit}/");
    let gone = program.send(Method::DELETE, &path, None);
    let (answers, gone) =
        futures_util::future::join(futures_util::future::join_all(made), gone).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    for answer in answers {
        match answer.status {
            StatusCode::CREATED => {}
            StatusCode::BAD_REQUEST => assert!(
                answer.body["machine_group"][0].is_string(),
                "{}",
                answer.body
            ),
            other => panic!("{other}: {}", answer.body),
        }
    }
    assert_eq!(
        program.get("/api/v2/machines/").await.body["count"],
        json!(0)
    );
}

#[tokio::test]
async fn what_would_cost_much_or_fit_nowhere_is_refused_with_a_reason() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(1, &server).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    for search in ["a+".repeat(11), "a".repeat(501), "%00".to_owned()] {
        let answer = program
            .get(&format!("/api/v2/machines/?search={search}"))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert!(answer.body["search"][0].is_string());
    }
    for (field, value, message) in [
        (
            "last_checkin",
            json!("0001-01-01T00:00:00+14:00"),
            "Datetime has wrong format.",
        ),
        (
            "last_checkin",
            json!("-001000-01-01T00:00:00Z"),
            "Datetime has wrong format.",
        ),
        (
            "machine_group",
            serde_json::from_str("100000000000000000000").unwrap(),
            "Invalid pk \"100000000000000000000\"",
        ),
    ] {
        let mut change = json!({});
        change[field] = value;
        let answer = program
            .send(Method::PATCH, "/api/v2/machines/SER0001/", Some(change))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert!(
            answer.body[field][0].as_str().unwrap().starts_with(message),
            "{}",
            answer.body
        );
    }
    let answer = program.get("/api/v2/machines/?n%C3%A9%22=1").await;
    assert_eq!(
        answer.headers["warning"],
        "299 - \"ignored parameters: n%C3%A9%22\""
    );
}

mod bulk;
mod changed;
mod clients;
mod find;
mod group_keys;
mod limits;
mod once;
mod openapi;
mod pages;
mod problem;
mod streams;
pub(crate) mod tokens;
mod trouble;
pub(crate) mod units;
