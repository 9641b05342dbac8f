//! A program with a key: one connection that stays open.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::header::{ETAG, IF_NONE_MATCH};
use serde_json::Value;
use tokio::time::Instant;

use super::super::stage::Stage;

pub(super) struct Program {
    http: reqwest::Client,
    url: String,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) tag: Option<String>,
    /// From sending until the last byte.
    pub(super) time: Duration,
    body: Vec<u8>,
}

impl Answer {
    /// Where the next page is.
    pub(super) fn next(&self) -> Result<Option<String>> {
        let page: Value = serde_json::from_slice(&self.body).context("reading a page")?;
        Ok(page.get("next").and_then(Value::as_str).map(str::to_owned))
    }

    /// How many rows all pages have.
    pub(super) fn count(&self) -> Result<u64> {
        let page: Value = serde_json::from_slice(&self.body).context("reading a page")?;
        page.get("count").and_then(Value::as_u64).context("a count")
    }
}

impl Program {
    pub(super) fn new(stage: &Stage) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(600))
            .build()
            .context("an HTTP client")?;
        Ok(Self {
            http,
            url: stage.url.clone(),
        })
    }

    /// Asks for a path or an address; `known` is the tag of the answer that the program has.
    pub(super) async fn get(&self, path: &str, known: Option<&str>) -> Result<Answer> {
        let started = Instant::now();
        let mut request = self.request(path);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        let answer = request.send().await.with_context(|| path.to_owned())?;
        let status = answer.status().as_u16();
        let tag = answer.headers().get(ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = answer.bytes().await.context("reading an answer")?.to_vec();
        Ok(Answer {
            status,
            tag,
            time: started.elapsed(),
            body,
        })
    }

    /// Reads a stream to its end, which says how many rows it has.
    pub(super) async fn stream(&self, path: &str) -> Result<u64> {
        let mut answer = self.request(path).send().await.context("asking")?;
        if !answer.status().is_success() {
            bail!("{path} was answered {}", answer.status());
        }
        let (mut lines, mut end) = (0_u64, Vec::new());
        while let Some(part) = answer.chunk().await.context("reading a stream")? {
            for byte in &part {
                lines += u64::from(*byte == b'\n');
            }
            end.extend_from_slice(part.get(part.len().saturating_sub(END)..).unwrap_or(&[]));
            let spare = end.len().saturating_sub(END);
            end.drain(..spare);
        }
        let end = String::from_utf8_lossy(&end);
        let rows = lines.saturating_sub(1);
        if !end.ends_with(&format!("{{\"end\":true,\"rows\":{rows}}}\n")) {
            bail!("{path} ended without its end: {end}");
        }
        Ok(rows)
    }

    fn request(&self, path: &str) -> reqwest::RequestBuilder {
        let url = match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}{path}", self.url),
        };
        let request = self.http.get(url);
        request
            .header("publickey", "benchbenchbenchbenchbench")
            .header("privatekey", "a-benchmark-key")
    }
}

/// As long as the last line may be.
const END: usize = 64;
