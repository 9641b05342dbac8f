//! Where clients come in: a port of this machine, or a unix socket that only its owner may use.

use std::{
    io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rds_iam::Secret;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

use crate::{folder, places::Origin};

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
pub(crate) struct Accepted {
    pub(crate) stream: LocalStream,
    pub(crate) origin: Origin,
}

/// Its connection.
pub(crate) enum LocalStream {
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
    /// [`ListenError`]; also when somebody else listens there, and when others could put a socket of theirs in its place.
    pub async fn unix(path: &Path) -> Result<Self, ListenError> {
        let failed = |source| ListenError {
            place: path.display().to_string(),
            source,
        };
        let refused = |why: String| failed(io::Error::new(io::ErrorKind::PermissionDenied, why));
        let folder = path.parent().unwrap_or(Path::new("/"));
        if let Some(why) = folder::objection(folder, us().map_err(failed)?).map_err(failed)? {
            return Err(refused(why));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(failed(io::ErrorKind::AddrInUse.into()));
        }
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => {
                std::fs::remove_file(path).map_err(failed)?;
            }
            Ok(_) => return Err(refused("something that is no socket is there".to_owned())),
            Err(_nothing) => {}
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
                let (stream, address) = listener.accept().await?;
                Ok(Accepted {
                    stream: LocalStream::Tcp(stream),
                    origin: Origin::of(address.ip()),
                })
            }
            Self::Unix(socket) => {
                let (stream, _) = socket.listener.accept().await?;
                let peer = stream.peer_cred();
                Ok(Accepted {
                    stream: LocalStream::Unix(stream),
                    origin: Origin::User(peer.map_or(u32::MAX, |peer| peer.uid())),
                })
            }
        }
    }

    /// Who the kernel says that this client is.
    pub(crate) fn peer(&self, client: &Accepted) -> Peer {
        match (self, client.origin) {
            (Self::Unix(socket), Origin::User(uid)) if uid == socket.owner || uid == 0 => {
                Peer::Owner
            }
            (Self::Unix(socket), Origin::User(uid)) => Peer::Other {
                owner: socket.owner,
                uid,
            },
            _ => Peer::Remote,
        }
    }
}

/// Who the kernel says that a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The socket's owner, or root: may come in without a password.
    Owner,
    /// Another user of this machine.
    Other { owner: u32, uid: u32 },
    /// Nobody whom the kernel knows.
    Remote,
}

/// Who we are: the kernel says it of any socket of ours.
fn us() -> io::Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // It may have been removed by hand.
        let _removed = std::fs::remove_file(&self.path);
    }
}
