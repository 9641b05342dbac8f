//! `multipart/form-data` (RFC 7578), which Django reads wherever it reads a form: `curl -F`, PowerShell `-Form`, Django's
//! own test client. The charset of a form counts here and in [`crate::multipart::charset`], as in Django.

use std::convert::Infallible;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{Encoding, UTF_8};
use futures_util::stream;

use crate::error::AppError;

/// Whether a content type names it.
#[must_use]
pub fn is_multipart(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    media_type.eq_ignore_ascii_case("multipart/form-data")
}

/// The charset that a content type names, UTF-8 where it names none that is known.
#[must_use]
pub fn charset(content_type: &str) -> &'static Encoding {
    parameter(content_type, "charset")
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .unwrap_or(UTF_8)
}

/// A parameter of a content type, without its quotes.
fn parameter<'a>(content_type: &'a str, name: &str) -> Option<&'a str> {
    let mut parameters = content_type.split(';').skip(1);
    let value = parameters.find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then_some(value)
    })?;
    let value = value.trim().trim_matches('"');
    (!value.is_empty()).then_some(value)
}

/// Names and contents of the parts, in their order; bytes that the charset has not are replaced. A file is a field here,
/// too: `curl -F field=@file` means its content.
///
/// # Errors
/// 400 for a body without boundary, or one that ends in the middle.
pub async fn parts(content_type: &str, body: Bytes) -> Result<Vec<(String, String)>, AppError> {
    let unreadable = |error: multer::Error| {
        AppError::BadRequest(format!("The multipart form cannot be read: {error}."))
    };
    let boundary = parameter(content_type, "boundary").ok_or_else(|| {
        AppError::BadRequest("The multipart form names no boundary in its content type.".to_owned())
    })?;
    let charset = charset(content_type);
    let whole = stream::iter([Ok::<_, Infallible>(body)]);
    let mut multipart = multer::Multipart::new(whole, boundary);
    let mut parts = Vec::new();
    while let Some(part) = multipart.next_field().await.map_err(unreadable)? {
        let Some(name) = part.name().map(str::to_owned) else {
            continue;
        };
        let encoding = part.headers().get("content-transfer-encoding");
        let is_base64 =
            encoding.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"base64"));
        let content = part.bytes().await.map_err(unreadable)?;
        let content = match is_base64 {
            true => decoded(&content)?,
            false => content,
        };
        let (text, _had_errors) = charset.decode_without_bom_handling(&content);
        parts.push((name, text.into_owned()));
    }
    Ok(parts)
}

fn decoded(content: &[u8]) -> Result<Bytes, AppError> {
    let packed: Vec<u8> = content
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let bytes = STANDARD.decode(packed).map_err(|_error| {
        AppError::BadRequest(
            "A part of the multipart form is said to be base64 and is not.".to_owned(),
        )
    })?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn q136_odd_but_readable_forms_are_read_as_django_reads_them() {
        let body = |part: &str| Bytes::from(format!("--B\r\n{part}\r\n--B--\r\n"));
        let plain = "Content-Disposition: form-data; name=\"a\"\r\n\r\nx";
        for content_type in [
            "multipart/form-data; boundary=B",
            "multipart/form-data; boundary=B ; charset=utf-8",
            "multipart/form-data; charset=utf-8; boundary=\"B\"; foo",
            "Multipart/Form-Data;BOUNDARY=B",
        ] {
            assert!(is_multipart(content_type));
            let found = parts(content_type, body(plain)).await.unwrap();
            assert_eq!(found, [("a".to_owned(), "x".to_owned())], "{content_type}");
        }
        let packed = "Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nQ2Fm\r\nw6k=";
        let found = parts("multipart/form-data; boundary=B", body(packed)).await;
        assert_eq!(found.unwrap(), [("a".to_owned(), "Café".to_owned())]);
        let latin = [
            b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nCaf\xe9\r\n--B--\r\n"
                .as_slice(),
        ]
        .concat();
        let found = parts(
            "multipart/form-data; boundary=B; charset=iso-8859-1",
            latin.into(),
        )
        .await;
        assert_eq!(found.unwrap(), [("a".to_owned(), "Café".to_owned())]);
        for content_type in ["multipart/form-data", "multipart/form-data; boundary="] {
            assert!(parts(content_type, body(plain)).await.is_err());
        }
    }
}
