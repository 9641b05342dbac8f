//! `POST /theme/`: light, dark, or as the system has it, kept in a cookie.

use axum::{
    Form,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
    routing::post,
};
use sal_http::{Access, Routes};
use serde::Deserialize;

use crate::{
    page::{redirect, safe_next},
    shell::{THEME_COOKIE, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new().route("/theme/", Access::Anyone, post(choose_theme))
}

#[derive(Deserialize)]
struct ThemeForm {
    theme: String,
}

async fn choose_theme(headers: HeaderMap, Form(form): Form<ThemeForm>) -> Response {
    let theme = Theme::parse(&form.theme).0;
    let mut response = redirect(came_from(&headers));
    let text = format!("{THEME_COOKIE}={theme}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// The path of the page whose button was pressed.
fn came_from(headers: &HeaderMap) -> &str {
    let referrer = headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok());
    let path = referrer.and_then(|url| {
        let (_, after_scheme) = url.split_once("://")?;
        let at = after_scheme.find('/')?;
        after_scheme.get(at..)
    });
    safe_next(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_choice_is_kept_and_the_page_comes_back() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::REFERER,
            HeaderValue::from_static("https://sal.example/machines/?q=a"),
        );
        let form = ThemeForm {
            theme: "dark".to_owned(),
        };
        let response = choose_theme(headers, Form(form)).await;
        assert_eq!(response.headers()[header::LOCATION], "/machines/?q=a");
        assert!(
            response.headers()[header::SET_COOKIE]
                .to_str()
                .unwrap()
                .starts_with("sal_theme=dark;")
        );
    }

    #[tokio::test]
    async fn an_unknown_theme_follows_the_system() {
        let form = ThemeForm {
            theme: "x; Domain=evil".to_owned(),
        };
        let response = choose_theme(HeaderMap::new(), Form(form)).await;
        assert_eq!(response.headers()[header::LOCATION], "/");
        assert!(
            response.headers()[header::SET_COOKIE]
                .to_str()
                .unwrap()
                .starts_with("sal_theme=auto;")
        );
    }
}
