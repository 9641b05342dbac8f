//! A company's proxy that looks inside of TLS: it takes `CONNECT`, answers with a certificate of its own authority, and
//! passes what it reads to the lab's services. Whoever does not use it, or does not trust its authority, gets nowhere.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rds_lab::Lab;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A running proxy; ends when dropped.
pub(crate) struct LookingProxy {
    /// `http://127.0.0.1:port`.
    pub(crate) url: String,
    /// The authority's certificate.
    pub(crate) ca_pem: String,
    asked: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl LookingProxy {
    pub(crate) async fn start(lab: &Lab) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = parameters.self_signed(&key).unwrap().pem();
        let authority = Arc::new(Issuer::new(parameters, key));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let services = [
            ("sts.", lab.sts_url()),
            ("rds.", lab.rds_url()),
            ("iam.", lab.iam_url()),
            ("monitoring.", lab.monitoring_url()),
            ("logs.", lab.logs_url()),
        ]
        .map(|(name, url)| (name, address_of(&url)));
        let mut tasks = JoinSet::new();
        let noted = Arc::clone(&asked);
        tasks.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (authority, noted) = (Arc::clone(&authority), Arc::clone(&noted));
                clients.spawn(async move {
                    // A client that goes away is no failure of the proxy.
                    let _ended = serve(stream, &authority, &services, &noted).await;
                });
            }
        });
        Self {
            url,
            ca_pem,
            asked,
            _tasks: tasks,
        }
    }

    /// The hosts that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    authority: &Issuer<'static, KeyPair>,
    services: &[(&str, SocketAddr)],
    noted: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let host = target.split(':').next().unwrap_or_default().to_owned();
    noted.lock().unwrap().push(host.clone());
    let service = services.iter().find(|(name, _)| host.starts_with(name));
    let Some((_, address)) = service else {
        return stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
    };
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec![host]).unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            key.serialize_der().try_into().unwrap(),
        )
        .unwrap();
    let mut inner = TlsAcceptor::from(Arc::new(config)).accept(stream).await?;
    let mut upstream = TcpStream::connect(address).await?;
    copy_bidirectional(&mut inner, &mut upstream).await?;
    Ok(())
}

fn address_of(url: &str) -> SocketAddr {
    let rest = url.strip_prefix("http://").unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}
