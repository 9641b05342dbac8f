//! Tokens: when they count, what their scopes and units let through, and what is told to whom.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use sal_http::api_token::TokenSecret;
use sal_testkit::{Filled, TestServer, golden};
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{Answer, json_of};

/// Makes a token of `admin`; `more` are columns and their values.
pub(crate) async fn token(name: &str, more: &[(&str, &str)], db: &Client) -> TokenSecret {
    let secret = TokenSecret::draw();
    let of = |column: &str, default: &str| {
        let found = more.iter().find(|(name, _)| *name == column);
        found.map_or_else(|| default.to_owned(), |(_, value)| (*value).to_owned())
    };
    let sql = format!(
        "INSERT INTO salrs_api_token (name, user_id, created, expires, can_write, sees_keys, units, secret_hash, secrets)
         SELECT '{name}', id, now(), {}, {}, {}, {}, $1, 1 FROM auth_user WHERE username = 'admin'",
        of("expires", "NULL"),
        of("can_write", "false"),
        of("sees_keys", "false"),
        of("units", "NULL"),
    );
    assert_eq!(db.execute(&sql, &[&secret.hash()]).await.unwrap(), 1);
    secret
}

pub(crate) const WRITES: (&str, &str) = ("can_write", "true");

/// A program with a token.
pub(crate) struct Bearer<'a> {
    pub(crate) server: &'a TestServer,
    pub(crate) secret: &'a TokenSecret,
}

impl Bearer<'_> {
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.server.http.request(method, self.server.url(path));
        request = request.bearer_auth(self.secret.reveal());
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        Answer {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }
}

pub(crate) async fn number(sql: &str, db: &Client) -> i64 {
    db.query_one(sql, &[]).await.unwrap().get(0)
}

/// What ends a token, and takes that back.
const ENDS: &[(&str, &str)] = &[
    (
        "salrs_api_token SET revoked = now()",
        "salrs_api_token SET revoked = NULL",
    ),
    (
        "salrs_api_token SET expires = now() - interval '1 second'",
        "salrs_api_token SET expires = now() + interval '1 hour'",
    ),
    (
        "salrs_api_token SET former_hash = secret_hash, secret_hash = NULL, former_ends = now() - interval '1 second'",
        "salrs_api_token SET former_ends = now() + interval '1 hour'",
    ),
    (
        "auth_user SET is_active = false WHERE username = 'admin'",
        "auth_user SET is_active = true WHERE username = 'admin'",
    ),
    (
        "server_userprofile SET level = 'RW' WHERE user_id = (SELECT id FROM auth_user WHERE username = 'admin')",
        "server_userprofile SET level = 'GA' WHERE user_id = (SELECT id FROM auth_user WHERE username = 'admin')",
    ),
    (
        "salrs_api_token SET user_id = 99999",
        "salrs_api_token SET user_id = (SELECT id FROM auth_user WHERE username = 'admin')",
    ),
];

#[tokio::test]
async fn a_token_that_ended_is_refused_in_the_same_words_as_one_that_never_was() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let secret = token("imaging", &[], &db).await;
    let program = Bearer {
        server: &server,
        secret: &secret,
    };
    assert_eq!(
        program.get("/api/v2/machines/").await.status,
        StatusCode::OK
    );
    let never = TokenSecret::draw();
    let stranger = Bearer {
        server: &server,
        secret: &never,
    };
    let unknown = stranger.get("/api/v2/machines/").await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    for (spoil, mend) in ENDS {
        db.batch_execute(&format!("UPDATE {spoil}")).await.unwrap();
        let answer = program.get("/api/v2/machines/").await;
        assert_eq!(
            (answer.status, &answer.body),
            (unknown.status, &unknown.body),
            "{spoil}"
        );
        let challenge = "Bearer realm=\"Sal\", error=\"invalid_token\"";
        assert_eq!(answer.headers["www-authenticate"], challenge, "{spoil}");
        db.batch_execute(&format!("UPDATE {mend}")).await.unwrap();
        let answer = program.get("/api/v2/machines/").await;
        assert_eq!(answer.status, StatusCode::OK, "{mend}");
    }
    db.batch_execute("UPDATE salrs_api_token SET former_hash = NULL")
        .await
        .unwrap();
    assert_eq!(program.get("/api/v2/machines/").await.body, unknown.body);
}

/// Neither a cookie nor Sal's keys make up for it, and a mistyped one is told so.
#[tokio::test]
async fn who_shows_a_token_is_nobody_else() {
    let server = TestServer::start(Filled::Seeded).await;
    let part = |part: &str| golden::seed_value(part).unwrap().unwrap();
    let mut mistyped = TokenSecret::draw().reveal().to_owned();
    mistyped.pop();
    for (shown, words) in [
        (TokenSecret::draw().reveal(), "is not known"),
        (&mistyped, "mistyped or cut off"),
        ("ghp_abc", "does not begin with `sal_`"),
        ("", "does not begin with `sal_`"),
    ] {
        let request = server.http.get(server.url("/api/v2/machines/"));
        let request = request
            .header("publickey", part("rw_pub"))
            .header("privatekey", part("rw_priv"));
        let request = request.header("authorization", format!("Bearer {shown}"));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{shown}");
        assert!(answer.headers().contains_key("www-authenticate"));
        let detail = json_of(answer).await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{detail}");
    }
    // Another scheme is none of ours.
    let request = server.http.get(server.url("/api/v2/machines/"));
    let request = request
        .header("publickey", part("rw_pub"))
        .header("privatekey", part("rw_priv"));
    let answer = request.basic_auth("sal", Some("x")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn scopes_say_whether_a_token_writes_and_sees_group_keys() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let keys = ("sees_keys", "true");
    for (name, more, writes, sees) in [
        ("reads", vec![], false, false),
        ("writes", vec![WRITES], true, false),
        ("sees", vec![keys], false, true),
        ("does all", vec![WRITES, keys], true, true),
    ] {
        let secret = token(name, &more, &db).await;
        let program = Bearer {
            server: &server,
            secret: &secret,
        };
        let list = program.get("/api/v2/machine_groups/").await.body["results"].clone();
        let one = program
            .get(&format!("/api/v2/machine_groups/{}/", list[0]["id"]))
            .await
            .body;
        assert_eq!(list[0]["key"].is_string(), sees, "{name}: {list}");
        assert_eq!(
            (&one["key"], one["key"].is_null()),
            (&list[0]["key"], !sees),
            "{name}"
        );
        let unit = list[0]["business_unit"].clone();
        let new = json!({"name": "New", "business_unit": unit});
        let made = program
            .send(Method::POST, "/api/v2/machine_groups/", Some(new))
            .await;
        if writes {
            assert_eq!(made.status, StatusCode::CREATED, "{name}");
            assert_eq!(made.body["key"].is_string(), sees, "{name}: {}", made.body);
        } else {
            assert_eq!(made.status, StatusCode::FORBIDDEN, "{name}");
            let challenge = made.headers["www-authenticate"].to_str().unwrap();
            assert!(
                challenge.ends_with("error=\"insufficient_scope\", scope=\"write\""),
                "{challenge}"
            );
        }
    }
    // Nothing to find out by their order either.
    let secret = token("sorts", &[], &db).await;
    let program = Bearer {
        server: &server,
        secret: &secret,
    };
    let ids = async |ordering: &str| {
        program
            .get(&format!(
                "/api/v2/machine_groups/?fields=id&ordering={ordering}"
            ))
            .await
            .body
    };
    assert_eq!(ids("key").await["results"], ids("id").await["results"]);
    assert_eq!(ids("-key").await["results"], ids("id").await["results"]);
}

#[tokio::test]
async fn wrong_tokens_are_limited_by_address_and_right_ones_go_on() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    server.set_clock(now);
    let (right, wrong) = (token("right", &[], &db).await, TokenSecret::draw());
    let [right, wrong] = [&right, &wrong].map(|secret| Bearer {
        server: &server,
        secret,
    });
    assert_eq!(right.get("/api/v2/").await.status, StatusCode::OK);
    for _ in 0..100 {
        assert_eq!(wrong.get("/api/v2/").await.status, StatusCode::UNAUTHORIZED);
    }
    let locked = wrong.get("/api/v2/").await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(locked.headers["retry-after"], "900");
    assert_eq!(right.get("/api/v2/").await.status, StatusCode::OK);
    server
        .app
        .refusals()
        .flush(server.app.now(), &server.app.store)
        .await;
    let lines = "SELECT count(*) FROM salrs_audit WHERE kind = 'login' AND action = 'refused' AND username = '(unknown)'
        AND detail LIKE 'API token from 127.0.0.1, 100 times%'";
    assert_eq!(number(lines, &db).await, 1);
    server.set_clock(now + SignedDuration::from_mins(15));
    assert_eq!(wrong.get("/api/v2/").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_last_use_is_noted_once_a_minute_and_after_the_answer() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    let secret = token("used", &[], &db).await;
    let program = Bearer {
        server: &server,
        secret: &secret,
    };
    let noted = "SELECT coalesce(extract(epoch FROM last_used), 0)::bigint FROM salrs_api_token WHERE last_address = '127.0.0.1' OR last_used IS NULL";
    let second = |seconds| (now + SignedDuration::from_secs(seconds)).as_second();
    for (seconds, is_noted) in [(0, 0), (30, 0), (59, 0), (61, 61), (62, 61), (130, 130)] {
        server.set_clock(now + SignedDuration::from_secs(seconds));
        assert_eq!(program.get("/api/v2/").await.status, StatusCode::OK);
        server.app.write_late().await;
        assert_eq!(
            number(noted, &db).await,
            second(is_noted),
            "after {seconds} s"
        );
    }
}

/// The secret and its parts are in no table, and the former works until its end.
#[tokio::test]
async fn only_a_hash_of_a_secret_is_stored() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let secret = token("kept", &[WRITES], &db).await;
    let program = Bearer {
        server: &server,
        secret: &secret,
    };
    program
        .send(
            Method::POST,
            "/api/v2/business_units/",
            Some(json!({"name": "Made"})),
        )
        .await;
    let tables = db
        .query(
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname LIKE 'salrs\\_%'",
            &[],
        )
        .await
        .unwrap();
    assert!(tables.len() > 5);
    let secret_part: String = secret.reveal().chars().skip(4).take(16).collect();
    for table in tables {
        let table: String = table.get(0);
        let sql = format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{secret_part}%'");
        assert_eq!(number(&sql, &db).await, 0, "{table}");
    }
}
