//! Forms, `application/x-www-form-urlencoded` and `multipart/form-data`, as Django reads them: unknown bytes are replaced, the last value of a name counts.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use encoding_rs::Encoding;
use percent_encoding::percent_decode;
use sal_http::memory::Reserved;
use sal_http::multipart::{charset, is_multipart, parts};
use sal_http::{App, AppError};

/// The fields of a form, and the room they take.
pub(crate) struct Form {
    pub(crate) fields: HashMap<String, String>,
    _room: Reserved,
}

/// Reads a request's form body, which may not be larger than the limit. A body that is no form is refused: nobody must
/// take an answer of 200 for its having been read.
pub(crate) async fn read(app: &App, request: Request) -> Result<Form, AppError> {
    let (form, is_form) = read_whatever(app, request).await?;
    if is_form {
        Ok(form)
    } else {
        Err(AppError::BadRequest(
            "The body must be a form: content type `application/x-www-form-urlencoded` or `multipart/form-data`."
                .to_owned(),
        ))
    }
}

/// Reads a form, and whether the body was one; no body at all is an empty form.
pub(crate) async fn read_whatever(app: &App, request: Request) -> Result<(Form, bool), AppError> {
    let (parts, body) = request.into_parts();
    let body = app.memory().read(body, app.config.body_limit_bytes).await?;
    // Replaced, decoded, and the field that is taken out of it.
    let room = app.memory().reserve(body.bytes.len() * 4).await?;
    let fields = fields(&parts.headers, body.bytes).await?;
    let is_form = fields.is_some();
    let form = Form {
        fields: fields.unwrap_or_default(),
        _room: room,
    };
    Ok((form, is_form))
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

/// The fields of a form body; nothing when the body is no form.
async fn fields(
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Option<HashMap<String, String>>, AppError> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(Some(pairs(&body, charset(content_type)).collect()));
    }
    if is_multipart(content_type) {
        let parts = parts(content_type, body).await?;
        return Ok(Some(parts.into_iter().collect()));
    }
    Ok(body.is_empty().then(HashMap::new))
}

/// Names and values of a form or a query, in their order. The bytes behind percent signs are in the charset, and so are
/// those that came as they are.
pub(crate) fn pairs(
    text: &[u8],
    charset: &'static Encoding,
) -> impl Iterator<Item = (String, String)> {
    text.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(move |pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut half = || decode(halves.next().unwrap_or_default(), charset);
            (half(), half())
        })
}

fn decode(text: &[u8], charset: &'static Encoding) -> String {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let bytes: Vec<u8> = percent_decode(&spaced).collect();
    charset.decode_without_bom_handling(&bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(content_type: &str, body: &str) -> Option<HashMap<String, String>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        let body = Bytes::copy_from_slice(body.as_bytes());
        fields(&headers, body).await.ok().flatten()
    }

    #[tokio::test]
    async fn the_last_value_of_a_name_counts_and_bad_bytes_are_replaced() {
        let urlencoded = "application/x-www-form-urlencoded; charset=utf-8";
        let found = read(urlencoded, "a=1&a=2&b=x+y%20z&c=%ff&d&&=e").await;
        let found = found.unwrap();
        assert_eq!(found["a"], "2");
        assert_eq!(found["b"], "x y z");
        assert_eq!(found["c"], "\u{fffd}");
        assert_eq!(found["d"], "");
        let latin = read(
            "application/x-www-form-urlencoded; charset=ISO-8859-1",
            "a=Caf%E9+%80",
        )
        .await;
        assert_eq!(latin.unwrap()["a"], "Café €");
    }

    #[tokio::test]
    async fn q136_parts_are_fields_with_or_without_file_names() {
        // As curl, Python's requests and PowerShell write them.
        let body = "preamble\r\n--b-1\r\nContent-Disposition: form-data; name=\"serial\"\r\n\r\nC02\r\n\
                    --b-1\r\ncontent-disposition: form-data; name=key\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nk+%2B\r\n\
                    --b-1\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: application/octet-stream\r\n\r\nline\r\nline\r\n\
                    --b-1\r\nContent-Disposition: form-data; name=\"serial\"\r\n\r\nlast\r\n--b-1--\r\n";
        for content_type in [
            "multipart/form-data; boundary=b-1",
            "Multipart/Form-Data; charset=utf-8; boundary=\"b-1\"",
        ] {
            let found = read(content_type, body).await.unwrap();
            assert_eq!(found["serial"], "last");
            assert_eq!(found["key"], "k+%2B");
            assert_eq!(found["f"], "line\r\nline");
        }
        assert_eq!(read("multipart/form-data", body).await, None);
        let cut = body.get(..body.len() - 20).unwrap();
        assert_eq!(read("multipart/form-data; boundary=b-1", cut).await, None);
    }

    #[tokio::test]
    async fn what_is_no_form_is_told_apart_from_no_body() {
        assert_eq!(read("application/json", "{}").await, None);
        assert_eq!(read("text/plain", "a=1").await, None);
        assert_eq!(read("application/json", "").await, Some(HashMap::new()));
    }
}
