//! The relay: its doors, what they share, and its end.

use std::{sync::Arc, time::Duration};

use rds_iam::Connector;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cancel::CancelKeys,
    client::{Wish, greet},
    counters::Counters,
    listen::{Accepted, Local, LocalAccess},
    refusal, session,
};

/// One place to come in, and the database behind it.
pub struct Door {
    /// Where clients come in.
    pub local: Local,
    /// Who may.
    pub access: LocalAccess,
    /// TLS with clients, for those that want it.
    pub tls: Option<TlsAcceptor>,
    /// Turns away clients that do not want it: for ports beyond this machine.
    pub only_tls: bool,
    /// Logs in upstream.
    pub connector: Arc<Connector>,
}

/// What all doors have in common.
#[derive(Clone, Debug)]
pub struct RelaySettings {
    /// The most sessions at once.
    pub most_connections: usize,
    /// Sessions in which nothing moves for so long are closed; `None` for never.
    pub idle: Option<Duration>,
    /// How long open sessions may go on after the end was asked for.
    pub drain: Duration,
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) settings: RelaySettings,
    pub(crate) places: Semaphore,
    /// Clients that have not said yet who they are.
    pub(crate) asking: Semaphore,
    pub(crate) counters: Arc<Counters>,
    pub(crate) keys: Arc<CancelKeys>,
}

/// A relay with all its doors.
pub struct Relay {
    doors: Vec<Arc<Door>>,
    shared: Arc<Shared>,
}

impl Relay {
    /// A relay; nobody is let in before [`Relay::run`].
    #[must_use]
    pub fn new(doors: Vec<Door>, settings: RelaySettings, counters: Arc<Counters>) -> Self {
        let shared = Shared {
            places: Semaphore::new(settings.most_connections),
            asking: Semaphore::new(settings.most_connections.max(MOST_ASKING)),
            settings,
            counters,
            keys: Arc::default(),
        };
        Self {
            doors: doors.into_iter().map(Arc::new).collect(),
            shared: Arc::new(shared),
        }
    }

    /// Lets clients in until `shutdown`; then lets open sessions end, and cuts what is left.
    pub async fn run(self, shutdown: CancellationToken) {
        let sessions = TaskTracker::new();
        let cut = CancellationToken::new();
        let accepting = TaskTracker::new();
        self.shared.counters.set_listening();
        for door in self.doors {
            let accept = accept(
                door,
                Arc::clone(&self.shared),
                sessions.clone(),
                shutdown.clone(),
                cut.clone(),
            );
            accepting.spawn(accept);
        }
        shutdown.cancelled().await;
        self.shared.counters.set_draining();
        sessions.close();
        let drained = tokio::time::timeout(self.shared.settings.drain, sessions.wait()).await;
        if drained.is_err() {
            let open = self.shared.counters.open();
            tracing::warn!(open, "sessions are cut: they did not end in time");
        }
        cut.cancel();
        sessions.wait().await;
        accepting.close();
        accepting.wait().await;
    }
}

/// Clients at the door at once; they are told nothing beyond it.
const MOST_ASKING: usize = 200;

async fn accept(
    door: Arc<Door>,
    shared: Arc<Shared>,
    sessions: TaskTracker,
    shutdown: CancellationToken,
    cut: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = cut.cancelled() => return,
            accepted = door.local.accept() => accepted,
        };
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no client can be accepted");
                // Out of file descriptors, most likely: give others time to close theirs.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (door, shared, cut) = (Arc::clone(&door), Arc::clone(&shared), cut.clone());
        let draining = shutdown.is_cancelled();
        sessions.spawn(async move {
            let serving = async {
                match draining {
                    // Cancel requests of sessions that still run are served to the end.
                    true => turn_away(accepted, &door, &shared).await,
                    false => session::serve(accepted, &door, &shared).await,
                }
            };
            tokio::select! {
                () = cut.cancelled() => {}
                served = serving => {
                    if let Err(error) = served {
                        tracing::debug!(%error, "a connection ended early");
                    }
                }
            }
        });
    }
}

async fn turn_away(accepted: Accepted, door: &Door, shared: &Shared) -> std::io::Result<()> {
    match greet(accepted, door.tls.as_ref()).await? {
        Wish::Session(mut client) => client.refuse(&refusal::draining()).await,
        Wish::Cancel(key) => session::cancel(&key, shared).await,
        Wish::Nothing => Ok(()),
    }
}
