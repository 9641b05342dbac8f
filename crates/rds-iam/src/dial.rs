//! Opens the connection, by TCP or through a unix socket, and makes a TCP connection notice a dead peer.
//!
//! The addresses are tried in turn, each with a fair share of the time that is left, so that one
//! that swallows packets does not use it up. After a failover the old writer may simply vanish:
//! keep-alive finds that on idle connections, the user timeout on busy ones.

mod socket;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, UnixStream},
    time::Instant,
};

pub(crate) use self::socket::{Peer, Socket};
use crate::failure::LoginFailure;

const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);
const KEEPALIVE_PROBES: u32 = 3;
/// Data that nobody acknowledges for this long ends the connection.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(15);

/// The socket that a host stands for which is a folder, by libpq's rule.
pub(crate) fn socket_of(host: &str, port: u16) -> Option<PathBuf> {
    let folder = host.starts_with('/').then(|| Path::new(host))?;
    Some(folder.join(format!(".s.PGSQL.{port}")))
}

/// Connects through a unix socket before `deadline`.
pub(crate) async fn dial_socket(
    path: &Path,
    deadline: Instant,
) -> Result<UnixStream, LoginFailure> {
    let attempt = tokio::time::timeout_at(deadline, UnixStream::connect(path)).await;
    let connected = attempt.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()));
    connected.map_err(|source| LoginFailure::Socket {
        path: path.to_owned(),
        source,
    })
}

/// Connects to the first address that answers before `deadline`.
pub(crate) async fn dial(
    addresses: &[IpAddr],
    port: u16,
    deadline: Instant,
) -> Result<TcpStream, LoginFailure> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let share = deadline.saturating_duration_since(Instant::now()) / left.max(1);
        left = left.saturating_sub(1);
        let attempt = TcpStream::connect((*address, port));
        match tokio::time::timeout(share, attempt).await {
            Ok(Ok(stream)) => {
                return prepare(stream).map_err(|source| failed(addresses, port, source));
            }
            Ok(Err(error)) => last = error,
            Err(_elapsed) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failed(addresses, port, last))
}

fn failed(addresses: &[IpAddr], port: u16, source: io::Error) -> LoginFailure {
    LoginFailure::Dial {
        addresses: addresses
            .iter()
            .map(|address| SocketAddr::new(*address, port))
            .collect(),
        source,
    }
}

fn prepare(stream: TcpStream) -> io::Result<TcpStream> {
    keep_alive(&stream)?;
    #[cfg(target_os = "linux")]
    SockRef::from(&stream).set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    Ok(stream)
}

/// Makes a connection notice that its peer has vanished, and send small packets at once.
///
/// # Errors
/// The system's.
pub fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(KEEPALIVE_IDLE)
            .with_interval(KEEPALIVE_INTERVAL)
            .with_retries(KEEPALIVE_PROBES),
    )
}

/// Takes the bound on unacknowledged data off: a server that does not read for a while, as it waits for a lock in the
/// middle of a COPY, is not dead. Keep-alive still finds one that is.
pub(crate) fn be_patient(stream: &TcpStream) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    SockRef::from(stream).set_tcp_user_timeout(None)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_next_address_is_tried_and_the_socket_is_watched() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // 127.0.0.2 is this machine too, but nobody listens there.
        let addresses = [IpAddr::from([127, 0, 0, 2]), IpAddr::from([127, 0, 0, 1])];
        let deadline = Instant::now() + Duration::from_secs(5);
        let stream = dial(&addresses, port, deadline).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
    }

    #[tokio::test]
    async fn nobody_listening_is_told_with_every_address() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let deadline = Instant::now() + Duration::from_secs(5);
        let failure = dial(&[IpAddr::from([127, 0, 0, 1])], port, deadline)
            .await
            .unwrap_err();
        assert!(failure.to_string().contains(&format!("127.0.0.1:{port}")));
    }
}
