//! Errors as RFC 9457 has them.

use sal_testkit::{Filled, TestServer, golden};
use serde_json::json;

use super::json_of;

#[tokio::test]
async fn errors_are_problems_for_whoever_accepts_them_and_djangos_for_others() {
    let server = TestServer::start(Filled::Seeded).await;
    let part = |part: &str| golden::seed_value(part).unwrap().unwrap();
    let problem = "application/problem+json";
    let both = "application/json, Application/Problem+JSON;q=0.9";
    let missing = "No Machine matches the given query.";
    for (accept, path, kind, body) in [
        (
            both,
            "machines/nope/",
            problem,
            json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": missing}),
        ),
        (
            "application/json",
            "machines/nope/",
            "application/json",
            json!({"detail": missing}),
        ),
        (
            problem,
            "machines/?page_size=0",
            problem,
            json!({"type": "about:blank", "title": "Bad Request", "status": 400,
                "errors": {"page_size": ["A whole number from 1 to 1000 is needed."]}}),
        ),
    ] {
        let request = server.http.get(server.url(&format!("/api/v2/{path}")));
        let request = request
            .header("publickey", part("ro_pub"))
            .header("privatekey", part("ro_priv"));
        let answer = request.header("accept", accept).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], kind, "{accept} {path}");
        assert!(answer.headers().contains_key("allow"));
        assert_eq!(json_of(answer).await, body, "{accept} {path}");
    }
    let request = server.http.get(server.url("/api/v2/machines/"));
    let request = request
        .header("publickey", part("ro_pub"))
        .header("privatekey", part("ro_priv"));
    let answer = request.header("accept", both).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
}
