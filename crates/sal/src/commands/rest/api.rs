//! `sal api`: one request, or all pages of a list.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Method, Url};
use serde_json::{Map, Value};

use super::{Server, refusal};
use crate::cli::Api;
use crate::exit::Exit;
use crate::output;
use crate::wiring::outbound::read_up_to;

/// Sends it and prints what comes.
pub(crate) async fn run(arguments: Api) -> Result<Exit> {
    let name = arguments.method.to_ascii_uppercase();
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    let Some(method) = methods.into_iter().find(|method| method.as_str() == name) else {
        output::problem(&format!(
            "`{}` is none of GET, POST, PUT, PATCH and DELETE",
            arguments.method
        ));
        return Ok(Exit::Usage);
    };
    if arguments.paginate && method != Method::GET {
        output::problem("--paginate is for GET");
        return Ok(Exit::Usage);
    }
    let values = match values(&arguments.values) {
        Ok(values) => values,
        Err(error) => {
            output::problem(&format!("{error:#}"));
            return Ok(Exit::Usage);
        }
    };
    let server = match Server::of_environment()? {
        Ok(server) => server,
        Err(exit) => return Ok(exit),
    };
    let mut url = server.address(&arguments.path)?;
    let is_read = method == Method::GET;
    if is_read && !values.is_empty() {
        url.query_pairs_mut()
            .extend_pairs(values.iter().map(|(name, value)| (name, plain(value))));
    }
    if arguments.paginate {
        return walk(url, &server).await;
    }
    let mut request = server.request(method, url)?;
    if !is_read && !values.is_empty() {
        request = request
            .header("content-type", "application/json")
            .body(Value::Object(values).to_string());
    }
    match answer(&name, &arguments.path, request).await? {
        Ok(body) if body.is_empty() => Ok(Exit::Done),
        Ok(body) => {
            output::data(body.trim_end_matches('\n'));
            Ok(Exit::Done)
        }
        Err(exit) => Ok(exit),
    }
}

/// Follows `next`; a row in each line.
async fn walk(first: Url, server: &Server) -> Result<Exit> {
    let mut next = Some(first);
    while let Some(url) = next {
        let path = url.path().to_owned();
        let request = server.request(Method::GET, url)?;
        let body = match answer("GET", &path, request).await? {
            Ok(body) => body,
            Err(exit) => return Ok(exit),
        };
        let page: Value =
            serde_json::from_str(&body).with_context(|| format!("{path} is no JSON"))?;
        let Some(rows) = page.get("results").and_then(Value::as_array) else {
            bail!("{path} has no pages; leave --paginate out");
        };
        for row in rows {
            output::data(&row.to_string());
        }
        let following = page.get("next").and_then(Value::as_str);
        next = following
            .map(|next| Url::parse(next).with_context(|| format!("`{next}` is no address")))
            .transpose()?;
    }
    Ok(Exit::Done)
}

async fn answer(
    method: &str,
    path: &str,
    request: reqwest::RequestBuilder,
) -> Result<Result<String, Exit>> {
    let what = format!("{method} {path}");
    let answer = request.send().await.map_err(reqwest::Error::without_url);
    let answer = answer.with_context(|| format!("{what}: SAL_URL does not answer"))?;
    if !answer.status().is_success() {
        output::problem(&refusal(&what, answer).await);
        return Ok(Err(Exit::Failed));
    }
    let body = read_up_to(LARGEST_BYTES, answer).await;
    let body = body.with_context(|| format!("{what}: reading the answer"))?;
    Ok(Ok(String::from_utf8(body).context("the answer is no text")?))
}

/// `name=text` and `name:=JSON`.
fn values(written: &[String]) -> Result<Map<String, Value>> {
    let mut values = Map::new();
    for pair in written {
        let (name, text) = pair
            .split_once('=')
            .with_context(|| format!("`{pair}` is not name=value"))?;
        let (name, value) = match name.strip_suffix(':') {
            Some(name) => {
                let value = serde_json::from_str(text);
                (
                    name,
                    value.with_context(|| format!("`{text}` of `{name}` is no JSON"))?,
                )
            }
            None => (name, Value::from(text)),
        };
        ensure!(!name.is_empty(), "`{pair}` has no name");
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}

/// As it stands in an address.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Larger lists are for `sal export`.
const LARGEST_BYTES: usize = 256 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_texts_unless_they_are_said_to_be_json() {
        let written = ["filter=a = 'b'", "n:=7", "users:=[1, 2]", "empty="].map(str::to_owned);
        let read = values(&written).unwrap();
        assert_eq!(
            Value::Object(read).to_string(),
            r#"{"filter":"a = 'b'","n":7,"users":[1,2],"empty":""}"#
        );
        for wrong in ["page", "=1", "n:=x"] {
            assert!(values(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
