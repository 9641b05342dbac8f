//! The only HTTP client that the server has, and only where an administrator asked for it: single sign-on, Crypt.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::BoxFuture;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, header};
use rustls_pki_types::CertificateDer;
use sal_http::outbound::{Call, LIMIT_BYTES, Outbound, Reply};

/// Asks other servers; follows no redirect.
pub(crate) struct HttpOutbound(Client);

impl HttpOutbound {
    /// Trusts the system's authorities, or Mozilla's where it has none, and these; a request may take `patience` from its first byte to its last.
    pub(crate) fn new(roots: &[Certificate], patience: Duration) -> Result<Self> {
        let known = web_authorities();
        let known = known
            .iter()
            .filter_map(|one| Certificate::from_der(one).ok());
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(patience)
            .user_agent("sal")
            .tls_certs_only(known.chain(roots.iter().cloned()))
            .build()
            .context("setting up TLS for requests to others")?;
        Ok(Self(client))
    }

    async fn call(&self, call: Call) -> Result<Reply, Box<dyn Error + Send + Sync>> {
        let mut request = match call.form {
            None => self.0.get(&call.url),
            Some(form) => self
                .0
                .post(&call.url)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form),
        };
        if let Some(authorization) = call.authorization {
            let mut value = header::HeaderValue::from_str(&authorization)?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.header(header::ACCEPT, "application/json");
        let response = request.send().await?;
        let status = response.status().as_u16();
        let body = read_up_to(LIMIT_BYTES, response).await?;
        Ok(Reply { status, body })
    }
}

impl Outbound for HttpOutbound {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Box<dyn Error + Send + Sync>>> {
        Box::pin(self.call(call))
    }
}

/// The body of an answer, which may be larger than what there is room for.
///
/// # Errors
/// When it is, or breaks off.
pub(crate) async fn read_up_to(most_bytes: usize, mut answer: Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        ensure!(
            body.len().saturating_add(chunk.len()) <= most_bytes,
            "the answer is larger than {most_bytes} bytes"
        );
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The image has no list of authorities, and its operators' providers have certificates of the web's.
pub(crate) fn web_authorities() -> Vec<CertificateDer<'static>> {
    or_mozillas(rds_iam::system_authorities())
}

fn or_mozillas(of_system: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    match of_system.is_empty() {
        true => webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec(),
        false => of_system,
    }
}

/// Reads certificate authorities from a PEM file.
///
/// # Errors
/// When it cannot be read or is not PEM.
pub(crate) fn authorities(variable: &str, path: &Path) -> Result<Vec<Certificate>> {
    let shown = path.display();
    let pem = std::fs::read(path).with_context(|| format!("reading {variable} `{shown}`"))?;
    Certificate::from_pem_bundle(&pem).with_context(|| format!("{variable} `{shown}` is not PEM"))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// Answers every connection with these bytes, and then leaves it open.
    async fn answering(bytes: Vec<u8>) -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let _asked = stream.read(&mut [0; 4096]).await;
                let _sent = stream.write_all(&bytes).await;
                open.push(stream);
            }
        });
        (address, tasks)
    }

    async fn ask(
        bytes: Vec<u8>,
        patience: Duration,
    ) -> Result<Reply, Box<dyn Error + Send + Sync>> {
        let (address, _tasks) = answering(bytes).await;
        let client = HttpOutbound::new(&[], patience).unwrap();
        let call = Call {
            url: format!("http://{address}/"),
            form: None,
            authorization: None,
        };
        client.send(call).await
    }

    #[test]
    fn a_system_without_authorities_has_mozillas_and_one_with_some_has_its_own() {
        let all = or_mozillas(Vec::new());
        assert!(all.len() > 100, "{}", all.len());
        assert!(all.iter().all(|one| Certificate::from_der(one).is_ok()));
        let own = vec![all[0].clone()];
        assert_eq!(or_mozillas(own.clone()), own);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let answer =
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(ask(answer.to_vec(), PATIENCE).await.unwrap().status, 302);
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut_off() {
        let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_vec();
        answer.extend(vec![b'x'; LIMIT_BYTES + 1]);
        let error = ask(answer, PATIENCE).await.err().unwrap();
        assert!(error.to_string().contains("larger than"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_not_waited_for() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx".to_vec();
        assert!(ask(answer, Duration::from_millis(200)).await.is_err());
    }
}
