//! Turns a template into an answer, with the headers every page carries.
//!
//! The content security policy allows this server's own files and nothing else: no inline script, no inline
//! style, no other host. Templates must therefore do without `style=` and `on…=` attributes.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sal_http::{AppError, django};

/// Renders a page.
///
/// # Errors
/// When a template fails, which only running out of memory can cause.
pub(crate) fn render(template: &impl Template) -> Result<Response, AppError> {
    render_with_status(StatusCode::OK, template)
}

/// Renders a page with a status other than 200.
pub(crate) fn render_with_status(
    status: StatusCode,
    template: &impl Template,
) -> Result<Response, AppError> {
    let body = template
        .render()
        .map_err(|error| AppError::internal("rendering a page", error))?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    Ok((status, headers, body).into_response())
}

/// Sends the browser to another path of this server.
pub(crate) fn redirect(path: &str) -> Response {
    let location =
        HeaderValue::from_str(path).unwrap_or_else(|_not_ascii| HeaderValue::from_static("/"));
    let mut response = django::answer(StatusCode::FOUND, "");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// A path of this server that it is safe to go to after logging in, or `/`.
pub(crate) fn safe_next(next: Option<&str>) -> &str {
    let safe = |next: &&str| {
        next.starts_with('/')
            && !next.starts_with("//")
            && !next.contains('\\')
            && next.bytes().all(|byte| byte.is_ascii_graphic())
    };
    next.filter(safe).unwrap_or("/")
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_host_after_logging_in() {
        for next in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\r\nb",
            "javascript:",
            "",
        ] {
            assert_eq!(safe_next(Some(next)), "/", "{next}");
        }
        assert_eq!(safe_next(Some("/machines/?q=a%20b")), "/machines/?q=a%20b");
        assert_eq!(safe_next(None), "/");
    }
}
