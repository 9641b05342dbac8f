//! The provider's six addresses.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{CLIENT_ID, CLIENT_SECRET, Granted, Inner, locked, object};

type Fields = HashMap<String, String>;

pub(super) fn router(inner: Arc<Inner>) -> Router {
    let base = "/realms/sal";
    Router::new()
        .route(
            &format!("{base}/.well-known/openid-configuration"),
            get(describe),
        )
        .route(&format!("{base}/keys"), get(show_keys))
        .route(&format!("{base}/login"), get(log_in))
        .route(&format!("{base}/token"), post(hand_out))
        .route(&format!("{base}/userinfo"), get(tell))
        .with_state(inner)
}

async fn describe(State(inner): State<Arc<Inner>>) -> Response {
    inner.note("description");
    let script = locked(&inner.script).clone();
    if script.is_broken {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let issuer = &inner.issuer;
    let mut document = object(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/login"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
    }));
    if script.userinfo.is_some() {
        document.extend(object(
            json!({"userinfo_endpoint": format!("{issuer}/userinfo")}),
        ));
    }
    replace(&mut document, script.description);
    Json(document).into_response()
}

async fn show_keys(State(inner): State<Arc<Inner>>) -> Response {
    inner.note("keys");
    if locked(&inner.script).is_broken {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let key = locked(&inner.key).public();
    Json(json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "not for tokens"}, key]}))
        .into_response()
}

async fn log_in(State(inner): State<Arc<Inner>>, Query(asked): Query<Fields>) -> Response {
    let field = |name: &str| asked.get(name).map_or("", String::as_str);
    let script = locked(&inner.script).clone();
    let is_right = field("response_type") == "code"
        && field("response_mode") == "query"
        && field("client_id") == CLIENT_ID
        && field("scope").split(' ').any(|scope| scope == "openid")
        && field("code_challenge_method") == "S256"
        && !field("state").is_empty()
        && !field("nonce").is_empty();
    if !is_right {
        return (StatusCode::BAD_REQUEST, "not a request of OpenID Connect").into_response();
    }
    let state = if script.swaps_state {
        field("state").chars().rev().collect()
    } else {
        field("state").to_owned()
    };
    let mut back = vec![("state", state), ("iss", inner.issuer.clone())];
    match script.denies {
        Some((error, description)) => {
            back.push(("error", error));
            back.push(("error_description", description));
        }
        None => {
            let code = format!("code-{:016x}", rand::random::<u64>());
            let granted = Granted {
                challenge: field("code_challenge").to_owned(),
                nonce: field("nonce").to_owned(),
                redirect_uri: field("redirect_uri").to_owned(),
            };
            locked(&inner.codes).insert(code.clone(), granted);
            back.push(("code", code));
        }
    }
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query: Vec<_> = back
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    Redirect::to(&format!("{}?{}", field("redirect_uri"), query.join("&"))).into_response()
}

async fn hand_out(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    inner.note("token");
    let script = locked(&inner.script).clone();
    if script.is_broken {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if let Some(elsewhere) = &script.redirects_to {
        return Redirect::temporary(elsewhere).into_response();
    }
    if !is_our_client(&headers, &form) {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let Some(granted) = locked(&inner.codes).remove(field("code")) else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let challenge = digest(&SHA256, field("code_verifier").as_bytes());
    let is_right = field("grant_type") == "authorization_code"
        && field("redirect_uri") == granted.redirect_uri
        && BASE64_URL_SAFE_NO_PAD.encode(challenge) == granted.challenge;
    if !is_right {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let access_token = ACCESS_TOKEN;
    let hash = digest(&SHA256, access_token.as_bytes());
    let (half, _rest) = hash.as_ref().split_at(16);
    let now = script.now.as_second();
    let mut claims = script.person;
    let standard = object(json!({
        "iss": inner.issuer, "aud": CLIENT_ID, "nonce": granted.nonce, "iat": now, "exp": now + 300,
        "at_hash": BASE64_URL_SAFE_NO_PAD.encode(half),
    }));
    claims.extend(standard);
    replace(&mut claims, script.claims);
    let id_token = locked(&inner.key).sign(&claims, script.signature);
    Json(json!({"token_type": "Bearer", "access_token": access_token, "id_token": id_token}))
        .into_response()
}

/// What is known of whoever the access token is for.
async fn tell(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    inner.note("userinfo");
    let script = locked(&inner.script).clone();
    let bearer = headers.get(header::AUTHORIZATION);
    let is_right = bearer.is_some_and(|value| value == &format!("Bearer {ACCESS_TOKEN}"));
    match script.userinfo {
        Some(_) if !is_right => StatusCode::UNAUTHORIZED.into_response(),
        Some(Value::Null) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(claims) => Json(claims).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

const ACCESS_TOKEN: &str = "access-token-of-the-test";

/// By header or by form, encoded as RFC 6749 §2.3.1 wants it.
fn is_our_client(headers: &HeaderMap, form: &Fields) -> bool {
    let Some(basic) = headers.get(header::AUTHORIZATION) else {
        return form.get("client_id").is_some_and(|id| id == CLIENT_ID)
            && form
                .get("client_secret")
                .is_some_and(|secret| secret == CLIENT_SECRET);
    };
    let pair = basic
        .to_str()
        .ok()
        .and_then(|basic| basic.strip_prefix("Basic "))
        .and_then(|encoded| BASE64_STANDARD.decode(encoded).ok())
        .and_then(|pair| String::from_utf8(pair).ok())
        .unwrap_or_default();
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    pair.split_once(':')
        .is_some_and(|(id, secret)| decode(id) == CLIENT_ID && decode(secret) == CLIENT_SECRET)
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}

fn replace(map: &mut Map<String, Value>, others: Map<String, Value>) {
    for (name, value) in others {
        if value.is_null() {
            map.remove(&name);
        } else {
            map.insert(name, value);
        }
    }
}
