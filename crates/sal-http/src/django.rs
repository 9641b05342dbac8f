//! How Django answers, where clients or scripts may have come to depend on it.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// The content type of nearly every answer of Django Sal to its clients, JSON included (sal-protocol §0).
pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// An answer with Django's content type.
pub fn answer(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HTML);
    response
}

/// 405 as Django's `require_POST` sends it: the allowed method and no body.
pub fn only_post() -> Response {
    let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, "");
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// What stands in the head of pages without a style sheet: legible on phones, and dark where the system is.
pub const HEAD: &str = "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
    <meta name=\"color-scheme\" content=\"light dark\">";

/// An error page for machines and people alike: a heading, a sentence, nothing else.
///
/// `heading` and `sentence` must not hold anything from a request.
pub fn error_page(status: StatusCode, heading: &str, sentence: &str) -> Response {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head>{HEAD}<title>{heading}</title></head>\
         <body><h1>{heading}</h1><p>{sentence}</p><p><a href=\"/\">Go to the overview</a></p></body></html>\n"
    );
    answer(status, body)
}

/// As Django escapes HTML.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
}

/// 404. Clients take the heading `Page not found` for the mark of a too old server (sal-protocol §0), so this is another.
pub fn not_found() -> Response {
    error_page(
        StatusCode::NOT_FOUND,
        "Not found",
        "There is nothing at this address.",
    )
}

/// 301 to the same path with a slash, as Django's `APPEND_SLASH` does. `query` is kept.
pub fn append_slash(path: &str, query: Option<&str>) -> Response {
    let mut target = format!("{path}/");
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    let Ok(location) = HeaderValue::from_str(&target) else {
        return not_found();
    };
    let mut response = answer(StatusCode::MOVED_PERMANENTLY, "");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_escaped_as_django_does() {
        assert_eq!(
            escaped("<a b=\"c'&\">"),
            "&lt;a b=&quot;c&#x27;&amp;&quot;&gt;"
        );
    }
}
