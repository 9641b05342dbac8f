//! The Postgres behind the gate: sessions and cancel requests go there over its unix socket.
//!
//! The client's own start-up message is passed on, so the backend's session is that very user's.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use pg_frames::{CancelKey, FirstPacket, Startup};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional_with_sizes};
use tokio::net::{TcpStream, UnixStream};

use super::Duplex;
use super::greeting::malformed;
use super::rules::Membership;
use crate::faults::InstanceRole;

/// The Postgres behind all doors; another one after a failover.
pub(crate) struct Backend(RwLock<Place>);

/// Where a Postgres listens.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// For whoever the gate has asked already.
    pub(crate) socket: PathBuf,
    /// For those whom the backend asks for their password, where the socket trusts everybody.
    pub(crate) password_port: Option<u16>,
}

/// A client and its backend, past the gate.
pub(super) struct Session {
    pub(super) client: Box<dyn Duplex>,
    pub(super) backend: Box<dyn Duplex>,
}

impl Backend {
    pub(crate) fn at(place: Place) -> Self {
        Self(RwLock::new(place))
    }

    /// New sessions are opened there.
    pub(crate) fn move_to(&self, place: Place) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = place;
    }

    /// Where passwords are asked for.
    pub(super) fn password_port(&self) -> Option<u16> {
        self.place().password_port
    }

    fn place(&self) -> Place {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Opens a backend session with the client's start-up message.
    pub(super) async fn open(
        &self,
        mut startup: Startup,
        role: InstanceRole,
        membership: Membership,
    ) -> io::Result<Box<dyn Duplex>> {
        if role == InstanceRole::Reader {
            make_read_only(&mut startup);
        }
        let place = self.place();
        let mut backend: Box<dyn Duplex> = match (membership, place.password_port) {
            (Membership::Other, Some(port)) => {
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            _ => Box::new(UnixStream::connect(&place.socket).await?),
        };
        backend
            .write_all(&startup.to_bytes().map_err(malformed)?)
            .await?;
        Ok(backend)
    }

    /// Passes a cancel request on; the answer is that the backend closes.
    pub(super) async fn cancel(&self, key: CancelKey) -> io::Result<()> {
        let mut backend = UnixStream::connect(&self.place().socket).await?;
        let packet = FirstPacket::Cancel(key).to_bytes().map_err(malformed)?;
        backend.write_all(&packet).await?;
        // The client may take our closing as "done", so wait until it is.
        backend.read_to_end(&mut Vec::new()).await?;
        Ok(())
    }
}

impl Session {
    /// Copies both ways until both sides have ended.
    pub(super) async fn splice(mut self) -> io::Result<()> {
        copy_bidirectional_with_sizes(&mut self.client, &mut self.backend, CHUNK, CHUNK).await?;
        Ok(())
    }
}

fn make_read_only(startup: &mut Startup) {
    let mut options = startup.parameter(b"options").unwrap_or_default().to_vec();
    options.extend(b" -c default_transaction_read_only=on");
    startup.parameters.push((b"options".to_vec(), options));
}

const CHUNK: usize = 16 * 1024;
