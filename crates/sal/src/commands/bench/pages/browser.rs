//! A browser that is logged in as the administrator.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::header::{COOKIE, SET_COOKIE};
use tokio::time::Instant;

use super::super::stage::{PASSWORD, Stage};

/// The browser: a connection that stays open, and a cookie.
pub(super) struct Browser {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// From sending until the last byte.
    pub(super) time: Duration,
}

impl Browser {
    pub(super) async fn log_in(stage: &Stage) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(600))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("an HTTP client")?;
        let form = [("username", "admin"), ("password", PASSWORD)];
        let answer = http
            .post(format!("{}/login/", stage.url))
            .form(&form)
            .send()
            .await
            .context("logging in")?;
        let cookie = answer
            .headers()
            .get(SET_COOKIE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map(str::to_owned);
        let Some(cookie) = cookie else {
            bail!("logging in was answered {}", answer.status());
        };
        Ok(Self {
            http,
            url: stage.url.clone(),
            cookie,
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer> {
        let started = Instant::now();
        let answer = self
            .http
            .get(format!("{}{path}", self.url))
            .header(COOKIE, &self.cookie)
            .send()
            .await
            .with_context(|| format!("asking for {path}"))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.context("reading a page")?.to_vec();
        Ok(Answer {
            status,
            body,
            time: started.elapsed(),
        })
    }

    /// Follows the link to the next page, at most `times`; where that leads.
    pub(super) async fn leaf(&self, path: &str, times: u32) -> Result<String> {
        let mut path = path.to_owned();
        for _ in 0..times {
            let answer = self.get(&path).await?;
            let Some(next) = next_page(&String::from_utf8_lossy(&answer.body), &path) else {
                break;
            };
            path = next;
        }
        Ok(path)
    }
}

/// The link whose relation is `next`.
fn next_page(html: &str, path: &str) -> Option<String> {
    let tag = html
        .split("<a ")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .find(|tag| tag.contains("rel=\"next\""))?;
    let (_, href) = tag.split_once("href=\"")?;
    let href = href.split('"').next()?;
    let href = href.replace("&amp;", "&").replace("&#38;", "&");
    // A link that begins with a question mark stays on its page.
    Some(if href.starts_with('?') {
        format!("{}{href}", path.split('?').next().unwrap_or_default())
    } else {
        href
    })
}

#[cfg(test)]
mod tests {
    use super::next_page;

    #[test]
    fn the_next_page_is_found_and_its_link_unescaped() {
        let html = r#"<a class="button" href="/m/?page=1" rel="prev">a</a> <a rel="next" href="/m/?q=a&#38;page=3">b</a>"#;
        assert_eq!(next_page(html, "/m/").as_deref(), Some("/m/?q=a&page=3"));
        let html = r#"<a href="?after=7&amp;x=1" rel="next">b</a>"#;
        assert_eq!(
            next_page(html, "/m/?x=1").as_deref(),
            Some("/m/?after=7&x=1")
        );
        assert_eq!(next_page("<a href=\"/x/\">", "/m/"), None);
    }
}
