//! `multipart/form-data` (RFC 7578), which Django reads wherever it reads a form: `curl -F`, PowerShell `-Form`, Django's
//! own test client.

use std::convert::Infallible;

use axum::body::Bytes;
use futures_util::stream;

use crate::error::AppError;

/// Whether a content type names it.
#[must_use]
pub fn is_multipart(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    media_type.eq_ignore_ascii_case("multipart/form-data")
}

/// Names and contents of the parts, in their order; bytes that are no UTF-8 are replaced. A file is a field here, too
/// `curl -F field=@file` means its content.
///
/// # Errors
/// 400 for a body without boundary, or one that ends in the middle.
pub async fn parts(content_type: &str, body: Bytes) -> Result<Vec<(String, String)>, AppError> {
    let unreadable = |error: multer::Error| {
        AppError::BadRequest(format!("The multipart form cannot be read: {error}."))
    };
    let boundary = multer::parse_boundary(content_type).map_err(unreadable)?;
    let whole = stream::iter([Ok::<_, Infallible>(body)]);
    let mut multipart = multer::Multipart::new(whole, boundary);
    let mut parts = Vec::new();
    while let Some(part) = multipart.next_field().await.map_err(unreadable)? {
        let Some(name) = part.name().map(str::to_owned) else {
            continue;
        };
        let content = part.bytes().await.map_err(unreadable)?;
        parts.push((name, String::from_utf8_lossy(&content).into_owned()));
    }
    Ok(parts)
}
