//! What a session runs over: TCP, or the unix socket of a relay, of a tunnel or of Postgres itself.

use std::{net::SocketAddr, path::PathBuf};

use tokio::net::{TcpStream, UnixStream};
use tokio_util::either::Either;

/// The way to the server, before TLS: TCP on the left, a unix socket on the right.
pub(crate) type Socket = Either<TcpStream, UnixStream>;

/// Whom a session talks to.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    Tcp(SocketAddr),
    Unix(PathBuf),
}
