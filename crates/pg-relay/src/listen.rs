//! Where clients come in: a port of this machine, or a unix socket that only its owner may use.

use std::{
    io,
    net::SocketAddr,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rds_iam::Secret;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

/// Where clients come in.
#[derive(Debug)]
pub enum Local {
    /// A TCP port.
    Tcp(TcpListener),
    /// A unix socket.
    Unix(UnixSocket),
}

/// Who may come in.
#[derive(Clone, Debug)]
pub enum LocalAccess {
    /// Processes of this user (and root), by what the kernel says of them; for unix sockets.
    SameUser,
    /// Whoever knows the password; for TCP.
    Password(Secret),
}

/// A unix socket that is removed when it is dropped.
#[derive(Debug)]
pub struct UnixSocket {
    path: PathBuf,
    listener: UnixListener,
    owner: u32,
}

/// The place cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {place}: {source}")]
pub struct ListenError {
    /// Where.
    pub place: String,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// A connection, of either kind.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A client at the door.
pub(crate) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Local {
    /// Listens on a TCP address.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn tcp(address: SocketAddr) -> Result<Self, ListenError> {
        let listener = TcpListener::bind(address).await;
        listener.map(Self::Tcp).map_err(|source| ListenError {
            place: address.to_string(),
            source,
        })
    }

    /// Listens on a unix socket, with rights for its owner only. A socket nobody answers on is
    /// taken for one that a killed relay left.
    ///
    /// # Errors
    /// [`ListenError`]; also when somebody else listens there.
    pub async fn unix(path: &Path) -> Result<Self, ListenError> {
        let failed = |source| ListenError {
            place: path.display().to_string(),
            source,
        };
        if UnixStream::connect(path).await.is_ok() {
            return Err(failed(io::ErrorKind::AddrInUse.into()));
        }
        if path.exists() {
            std::fs::remove_file(path).map_err(failed)?;
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        let only_owner = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, only_owner).map_err(failed)?;
        let owner = std::fs::metadata(path).map_err(failed)?.uid();
        Ok(Self::Unix(UnixSocket {
            path: path.to_owned(),
            listener,
            owner,
        }))
    }

    /// The address, in words.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Tcp(listener) => listener
                .local_addr()
                .map_or_else(|_gone| "?".to_owned(), |address| address.to_string()),
            Self::Unix(socket) => socket.path.display().to_string(),
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // A client whose machine vanishes must not hold its session for ever.
                rds_iam::keep_alive(&stream)?;
                Ok(Accepted::Tcp(stream))
            }
            Self::Unix(socket) => Ok(Accepted::Unix(socket.listener.accept().await?.0)),
        }
    }

    /// Whether the kernel says that this client may come in without a password.
    pub(crate) fn is_owners(&self, client: &Accepted) -> bool {
        match (self, client) {
            (Self::Unix(socket), Accepted::Unix(stream)) => {
                let peer = stream.peer_cred().map(|peer| peer.uid());
                peer.is_ok_and(|uid| uid == socket.owner || uid == 0)
            }
            _ => false,
        }
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // It may have been removed by hand.
        let _removed = std::fs::remove_file(&self.path);
    }
}
