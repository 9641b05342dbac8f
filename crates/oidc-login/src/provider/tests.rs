use std::{
    error::Error,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::future::BoxFuture;
use serde_json::json;

use super::*;
use crate::config::Issuer;

/// Answers the description and the keys; `userinfo` answers as a test says.
struct Script {
    userinfo: Box<dyn Fn() -> Option<Reply> + Send + Sync>,
    asked: AtomicUsize,
}

impl Transport for Script {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Box<dyn Error + Send + Sync>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let issuer = "https://login.example.org";
        let body = if call.url.ends_with("/userinfo") {
            match (self.userinfo)() {
                Some(reply) => return Box::pin(async { Ok(reply) }),
                None => return Box::pin(std::future::pending()),
            }
        } else if call.url.ends_with("/keys") {
            json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})
        } else {
            json!({
                "issuer": issuer, "authorization_endpoint": format!("{issuer}/login"),
                "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
            })
        };
        let body = body.to_string().into_bytes();
        Box::pin(async { Ok(Reply { status: 200, body }) })
    }
}

fn client() -> ClientConfig {
    ClientConfig {
        issuer: Issuer::parse("https://login.example.org").unwrap(),
        client_id: "sal".to_owned(),
        client_secret: None,
        redirect_uri: String::new(),
        scopes: "openid".to_owned(),
    }
}

async fn userinfo(
    answer: impl Fn() -> Option<Reply> + Send + Sync + 'static,
) -> Result<Option<Map<String, Value>>, LoginError> {
    let script = Script {
        userinfo: Box::new(answer),
        asked: AtomicUsize::new(0),
    };
    let provider = Provider::new(Arc::new(script));
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let learnt = provider.learn(&client(), now).await.unwrap();
    provider.userinfo("token", &learnt.description).await
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let began = tokio::time::Instant::now();
    let error = userinfo(|| None).await.unwrap_err();
    assert!(error.to_string().contains("took too long"), "{error}");
    assert_eq!(began.elapsed(), PATIENCE);
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_no_object_is_no_knowledge() {
    let reply = |status, body: Vec<u8>| {
        move || {
            Some(Reply {
                status,
                body: body.clone(),
            })
        }
    };
    let large = json!({"sub": "x".repeat(LIMIT_BYTES)}).to_string();
    let error = userinfo(reply(200, large.into_bytes())).await.unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    for body in ["", "[]", "eyJhbGciOiJub25lIn0.e30.", "{\"sub\":", "null"] {
        assert!(userinfo(reply(200, body.into())).await.is_err(), "{body}");
    }
    for status in [204, 302, 401, 500] {
        assert!(
            userinfo(reply(status, b"{\"sub\":\"s\"}".to_vec()))
                .await
                .is_err(),
            "{status}"
        );
    }
    let good = userinfo(reply(200, b"{\"sub\":\"s\"}".to_vec())).await;
    assert_eq!(good.unwrap().unwrap()["sub"], "s");
}

#[tokio::test]
async fn what_was_learnt_is_not_asked_again() {
    let script = Arc::new(Script {
        userinfo: Box::new(|| None),
        asked: AtomicUsize::new(0),
    });
    let transport: Arc<dyn Transport> = script.clone();
    let provider = Provider::new(transport);
    let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
    for (second, asked) in [(0, 2), (3599, 2), (3600, 4)] {
        provider.learn(&client(), at(second)).await.unwrap();
        assert_eq!(script.asked.load(Ordering::Relaxed), asked, "{second}");
    }
}
