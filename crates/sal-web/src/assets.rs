//! `/static/…`: style sheet, scripts and icon, from inside the program.
//!
//! Names contain a hash of the contents, so answers may be kept forever; a new version has new names.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sal_http::{Access, AppError, Routes};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file inside the program.
pub(crate) struct Asset {
    name: &'static str,
    media_type: &'static str,
    /// Entity tag, with its quotes.
    tag: &'static str,
    bytes: &'static [u8],
}

pub(crate) fn routes() -> Routes {
    Routes::new().route("/static/{name}", Access::Anyone, get(show_asset))
}

async fn show_asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, AppError> {
    let asset = ALL
        .iter()
        .find(|asset| asset.name == name)
        .ok_or(AppError::NotFound)?;
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| {
            tags.split(',')
                .any(|tag| tag.trim().trim_start_matches("W/") == asset.tag)
        });
    let kept = [
        (header::ETAG, HeaderValue::from_static(asset.tag)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
        (header::VARY, HeaderValue::from_static("Accept-Encoding")),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let media_type = HeaderValue::from_static(asset.media_type);
    Ok((kept, [(header::CONTENT_TYPE, media_type)], asset.bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_asset_may_be_kept_forever_and_is_not_sent_twice() {
        let name = || Path(SAL_CSS.trim_start_matches("/static/").to_owned());
        let first = show_asset(name(), HeaderMap::new()).await.unwrap();
        assert_eq!(
            first.headers()[header::CONTENT_TYPE],
            "text/css; charset=utf-8"
        );
        assert!(
            first.headers()[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        let mut again = HeaderMap::new();
        again.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        let second = show_asset(name(), again).await.unwrap();
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn what_is_not_an_asset_is_not_found() {
        for name in [
            "sal.css",
            "styles/00-colours.css",
            "..",
            "../Cargo.toml",
            "",
        ] {
            let answer = show_asset(Path(name.to_owned()), HeaderMap::new()).await;
            assert!(matches!(answer, Err(AppError::NotFound)), "{name}");
        }
    }

    #[test]
    fn no_asset_reaches_for_another_host() {
        for asset in ALL.iter().filter(|asset| !asset.name.starts_with("htmx")) {
            let text = String::from_utf8_lossy(asset.bytes).replace("http://www.w3.org/", "");
            assert!(!text.contains("://"), "{}", asset.name);
        }
    }
}
