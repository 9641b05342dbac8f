//! `sal healthcheck`: what a container's health check runs, as the image has nothing else to run.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use crate::cli::Healthcheck;
use crate::commands;
use crate::config::{Environment, server};
use crate::exit::Exit;
use crate::output;
use crate::wiring::outbound::read_up_to;

/// Less than the 5 s after which Docker, Podman and ECS give up by default or by our files.
const PATIENCE: Duration = Duration::from_secs(4);

/// The reasons of `/readyz` are short.
const LONGEST_BYTES: usize = 64 * 1024;

/// Asks, and says in one line what came.
pub(crate) async fn run(arguments: Healthcheck) -> Result<Exit> {
    let mut environment = Environment::read();
    let listen = server::listen(&mut environment);
    let token = environment.secret("SAL_STATUS_TOKEN");
    // The server has told its warnings already.
    if let Err(exit) = commands::checked(environment) {
        return Ok(exit);
    }
    let url = address(arguments.url.as_deref(), listen, arguments.live)?;
    let mut request = client()?.get(url.clone());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.map_err(|error| {
        let is_late = error.is_timeout();
        let cause = innermost(&error);
        match is_late {
            true => anyhow::anyhow!("no answer from {url} within {} s", PATIENCE.as_secs()),
            false => anyhow::anyhow!("no answer from {url}: {cause}"),
        }
    })?;
    let status = answer.status();
    let said = read_up_to(LONGEST_BYTES, answer).await;
    let said = said.with_context(|| format!("reading the answer of {url}"))?;
    let said = String::from_utf8_lossy(&said);
    let said = said.trim();
    if status.is_success() {
        output::data(said);
        return Ok(Exit::Done);
    }
    output::problem(&format!("{url} answered {}: {said}", status.as_u16()));
    Ok(Exit::Failed)
}

/// The last cause, which is the system's; what is before it repeats the address.
fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last.to_string()
}

/// No proxy and no authorities: it is this machine that is asked.
fn client() -> Result<Client> {
    let builder = Client::builder().no_proxy().tls_certs_only([]);
    let builder = builder.redirect(Policy::none()).timeout(PATIENCE);
    builder.build().context("setting up an HTTP client")
}

/// Where to ask: an address that was listened on for all is asked by this machine's own.
fn address(given: Option<&str>, listen: SocketAddr, is_live: bool) -> Result<Url> {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    let own = format!("http://{}", SocketAddr::new(ip, listen.port()));
    let text = given.unwrap_or(&own);
    let url = Url::parse(text)
        .with_context(|| format!("--url `{text}` is not an address; write it as {own}"))?;
    let path = if is_live { "/livez" } else { "/readyz" };
    url.join(path)
        .with_context(|| format!("--url `{text}` is not an address; write it as {own}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_asked_where_it_listens() {
        for (listen, live, asked) in [
            ("0.0.0.0:8000", false, "http://127.0.0.1:8000/readyz"),
            ("[::]:80", true, "http://[::1]/livez"),
            ("10.1.2.3:8080", false, "http://10.1.2.3:8080/readyz"),
        ] {
            let url = address(None, listen.parse().unwrap(), live).unwrap();
            assert_eq!(url.as_str(), asked);
        }
        let listen = "0.0.0.0:8000".parse().unwrap();
        let given = address(Some("http://sal:9100"), listen, true).unwrap();
        assert_eq!(given.as_str(), "http://sal:9100/livez");
        let error = address(Some("sal"), listen, true).unwrap_err();
        assert!(error.to_string().contains("http://127.0.0.1:8000"));
    }
}
