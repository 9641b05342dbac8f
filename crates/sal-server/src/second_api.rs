//! `/api/v2/…` until it is built: 501 in the API's own form, to every method and with any key.
//!
//! A page that says 404 would be read as "no such machine" by scripts, which then make it or forget it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// Whether `path` is the second API's.
pub(crate) fn has(path: &str) -> bool {
    path.strip_prefix("/api/v2")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// 501 with a sentence where Django's framework has its own.
pub(crate) fn not_yet() -> Response {
    let mut response = Response::new(serde_json::json!({ "detail": DETAIL }).to_string().into());
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// What the addresses of the first API say: it went in Sal 4, and what took its place is not here either.
pub(crate) const FIRST_IS_GONE: &str = "API v1 is gone, as in Sal 4. This server does not have its successor /api/v2/ yet: \
    use a Django Sal on the same database, or the exports of /machines/.\n";

const DETAIL: &str = "This server does not have the REST API yet; nothing was looked up and nothing was changed. \
    Use a Django Sal on the same database, or the exports of /machines/.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_api_is_its_root_and_what_is_below() {
        for path in ["/api/v2", "/api/v2/", "/api/v2/machines/C02/", "/api/v2/x?"] {
            assert!(has(path), "{path}");
        }
        for path in [
            "/api/",
            "/api/v1/",
            "/api/v22/",
            "/api/v2x",
            "/apiv2/",
            "/x/api/v2/",
        ] {
            assert!(!has(path), "{path}");
        }
    }
}
