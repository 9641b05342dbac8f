//! The first API, which went in Sal 4: 410, and where the same thing is now.

use axum::extract::OriginalUri;
use axum::http::StatusCode;
use axum::response::Response;
use sal_http::django;
use sal_store::resources::RESOURCES;
use serde_json::json;

use crate::{ROOT, answer};

/// What is below `/api/` and not of the second API.
pub(crate) async fn answer(OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path();
    if is_first_api(path) {
        gone(path)
    } else if is_first_api(&format!("{path}/")) {
        django::append_slash(path, uri.query())
    } else {
        django::not_found()
    }
}

/// Whether `path` is one of API v1: `/api/`, `/api/v1/` and what is below them, unless it begins with a `v` or a `2`, as
/// the second API does. So it was written in the original.
fn is_first_api(path: &str) -> bool {
    ["/api/v1/", "/api/"].iter().any(|prefix| {
        let Some(rest) = path.strip_prefix(prefix) else {
            return false;
        };
        rest.is_empty()
            || rest.len() > 1 && rest.ends_with('/') && !rest.starts_with(['v', '2', '/'])
    })
}

/// 410 that names the address in the second API.
fn gone(path: &str) -> Response {
    let rest = path
        .strip_prefix("/api/v1/")
        .or_else(|| path.strip_prefix("/api/"))
        .unwrap_or_default();
    let name = rest.split('/').next().unwrap_or_default();
    let now = RESOURCES.into_iter().find(|resource| resource.name == name);
    let address = match now {
        Some(_) => format!("{ROOT}/{rest}"),
        None => format!("{ROOT}/"),
    };
    let detail = format!("API v1 is gone since Sal 4. Use {address} instead.");
    let body = json!({ "detail": detail, "address": address });
    answer::json(StatusCode::GONE, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_api_is_told_from_the_second() {
        for path in [
            "/api/",
            "/api/machines/",
            "/api/facts/C02/",
            "/api/v1/",
            "/api/v1/machines/",
        ] {
            assert!(is_first_api(path), "{path}");
        }
        for path in [
            "/api/v2/",
            "/api/v2/machines/",
            "/api/machines",
            "/api/v1/v",
            "/apis/",
            "/",
            "/api/x",
        ] {
            assert!(!is_first_api(path), "{path}");
        }
    }
}
