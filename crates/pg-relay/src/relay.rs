//! The relay: its doors, what they share, and its end.

use std::{io, sync::Arc, time::Duration};

use rds_iam::Connector;
use tokio::{sync::Semaphore, time::Instant};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cancel::CancelKeys,
    counters::{Count, Counters},
    guesses::Guesses,
    listen::{Accepted, Local, LocalAccess},
    places::Room,
    session::{self, Arrival},
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
    /// The most clients at each door that have not said yet who they are.
    pub most_waiting: usize,
    /// The most of these from one address.
    pub most_waiting_per_address: usize,
    /// How long a client may take, from its connection to its password.
    pub greeting: Duration,
    /// Sessions in which nothing moves for so long are closed; `None` for never.
    pub idle: Option<Duration>,
    /// How long clients are taken and sessions may go on after the end was asked for.
    pub drain: Duration,
}

/// How the end is asked for.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// The relay ends when its drain is over, and takes clients until then: an application beside it ends at the same
    /// time, and may open a connection for each of its last requests.
    pub drain: CancellationToken,
    /// Nobody is let in any more, and the relay ends when the open sessions have: nobody needs it now.
    pub quit: CancellationToken,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            most_connections: 100,
            most_waiting: 200,
            most_waiting_per_address: 50,
            greeting: Duration::from_secs(15),
            idle: None,
            drain: Duration::from_secs(8),
        }
    }
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) settings: RelaySettings,
    pub(crate) places: Semaphore,
    pub(crate) guesses: Arc<Guesses>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) keys: Arc<CancelKeys>,
}

/// A relay with all its doors.
pub struct Relay {
    doors: Vec<(Arc<Door>, Arc<Room>)>,
    shared: Arc<Shared>,
}

impl Relay {
    /// A relay; nobody is let in before [`Relay::run`].
    #[must_use]
    pub fn new(doors: Vec<Door>, settings: RelaySettings, counters: Arc<Counters>) -> Self {
        let guesses = Arc::new(Guesses::default());
        let room = |door: Door| {
            let room = Room::new(settings.most_waiting, settings.most_waiting_per_address);
            (Arc::new(door), Arc::new(room))
        };
        let doors: Vec<_> = doors.into_iter().map(room).collect();
        for (door, room) in &doors {
            counters.watch(door.local.place(), Arc::clone(room));
        }
        counters.watch_guesses(Arc::clone(&guesses));
        let shared = Shared {
            places: Semaphore::new(settings.most_connections),
            guesses,
            settings,
            counters,
            keys: Arc::default(),
        };
        Self {
            doors,
            shared: Arc::new(shared),
        }
    }

    /// Lets clients in until the end is near, lets open sessions end, and cuts what is left.
    pub async fn run(self, ending: Ending) {
        let sessions = TaskTracker::new();
        let cut = CancellationToken::new();
        let accepting = TaskTracker::new();
        self.shared.counters.set_listening();
        for (door, room) in self.doors {
            let entrance = Entrance {
                door,
                room,
                shared: Arc::clone(&self.shared),
                sessions: sessions.clone(),
                quit: ending.quit.clone(),
                cut: cut.clone(),
            };
            accepting.spawn(entrance.accept());
        }
        tokio::select! {
            () = ending.drain.cancelled() => {}
            () = ending.quit.cancelled() => {}
        }
        let end = Instant::now() + self.shared.settings.drain;
        self.shared.counters.set_draining();
        let _sooner = tokio::time::timeout_at(end, ending.quit.cancelled()).await;
        // From here on nobody is let in.
        ending.quit.cancel();
        sessions.close();
        let drained = tokio::time::timeout_at(end, sessions.wait()).await;
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

/// One door's loop.
struct Entrance {
    door: Arc<Door>,
    room: Arc<Room>,
    shared: Arc<Shared>,
    sessions: TaskTracker,
    quit: CancellationToken,
    cut: CancellationToken,
}

impl Entrance {
    async fn accept(self) {
        let mut wait = FIRST_WAIT;
        let mut said = None;
        loop {
            let accepted = tokio::select! {
                () = self.cut.cancelled() => return,
                accepted = self.door.local.accept() => accepted,
            };
            match accepted {
                Ok(accepted) => {
                    wait = FIRST_WAIT;
                    self.serve(accepted);
                }
                // The client has gone before it came; that says nothing of us.
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    self.shared.counters.count(Count::AcceptError);
                    if said.is_none_or(|at: Instant| at.elapsed() >= SAID_AGAIN) {
                        said = Some(Instant::now());
                        tracing::error!(door = %self.door.local.place(), %error, "no client can be accepted; open sessions go on. If these are too many open files, raise the limit (ulimit -n), or lower --max-connections and --max-waiting");
                    }
                    // Whoever is silent gives a file back.
                    self.room.make_room();
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    fn serve(&self, accepted: Accepted) {
        let arrival = Arrival {
            peer: self.door.local.peer(&accepted),
            accepted,
            deadline: Instant::now() + self.shared.settings.greeting,
            draining: self.quit.is_cancelled(),
        };
        let (door, room) = (Arc::clone(&self.door), Arc::clone(&self.room));
        let (shared, cut) = (Arc::clone(&self.shared), self.cut.clone());
        self.sessions.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                served = session::serve(arrival, &door, &room, &shared) => {
                    if let Err(error) = served {
                        tracing::debug!(%error, "a connection ended early");
                    }
                }
            }
        });
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
}

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// One line a minute says that it goes on; the metric counts.
const SAID_AGAIN: Duration = Duration::from_secs(60);
