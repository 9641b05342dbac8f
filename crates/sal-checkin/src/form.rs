//! `application/x-www-form-urlencoded` as Django reads it: unknown bytes are replaced, the last value of a name counts.

use std::collections::HashMap;

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use sal_http::memory::Reserved;
use sal_http::{App, AppError};

/// The fields of a form, and the room they take.
pub(crate) struct Form {
    pub(crate) fields: HashMap<String, String>,
    _room: Reserved,
}

/// Reads a request's form body, which may not be larger than the limit.
pub(crate) async fn read(app: &App, request: Request) -> Result<Form, AppError> {
    let (parts, body) = request.into_parts();
    let body = app.memory().read(body, app.config.body_limit_bytes).await?;
    // Replaced, decoded, and the field that is taken out of it.
    let room = app.memory().reserve(body.bytes.len() * 4).await?;
    Ok(Form {
        fields: fields(&parts.headers, &body.bytes),
        _room: room,
    })
}

/// A field that must be there, though it may be empty.
pub(crate) fn required<'a>(
    fields: &'a HashMap<String, String>,
    name: &str,
) -> Result<&'a str, AppError> {
    let field = fields.get(name).map(String::as_str);
    field.ok_or_else(|| {
        AppError::BadRequest(format!(
            "The form is missing the required field \"{name}\"!"
        ))
    })
}

/// The fields of a form body; empty when the body is no form.
pub(crate) fn fields(headers: &HeaderMap, body: &[u8]) -> HashMap<String, String> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return HashMap::new();
    }
    pairs(&String::from_utf8_lossy(body)).collect()
}

/// Names and values of a form or a query, in their order.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_name_counts_and_bad_bytes_are_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded; charset=utf-8"
                .parse()
                .unwrap(),
        );
        let read = fields(&headers, b"a=1&a=2&b=x+y%20z&c=%ff&d&&=e");
        assert_eq!(read["a"], "2");
        assert_eq!(read["b"], "x y z");
        assert_eq!(read["c"], "\u{fffd}");
        assert_eq!(read["d"], "");
        assert_eq!(fields(&HeaderMap::new(), b"a=1"), HashMap::new());
    }
}
