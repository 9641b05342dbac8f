//! One client, from the first byte to the last.

use std::{io, sync::Arc, time::Duration};

use pg_frames::{CancelKey, ErrorResponse};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout_at},
};

use crate::{
    cancel::{Remembered, Target},
    client::{Client, Wish, greet, malformed},
    counters::Count,
    guesses::Held,
    listen::{Accepted, Duplex, LocalAccess, Peer},
    places::Room,
    refusal,
    relay::{Door, Shared},
    splice::{Ended, Traffic, splice},
    upstream::{ClientsLogin, Message, Session, read},
};

/// A client that has just come.
pub(crate) struct Arrival {
    pub(crate) accepted: Accepted,
    /// Whether it may come in without a password.
    pub(crate) peer: Peer,
    /// Until when it has to have said who it is; it began with the connection, before any byte.
    pub(crate) deadline: Instant,
    /// Whether the relay is about to end; cancel requests of sessions that still run are served to the end.
    pub(crate) draining: bool,
}

/// Serves a client. Errors are connections that broke; refusals have been sent to the client.
pub(crate) async fn serve(
    arrival: Arrival,
    door: &Door,
    room: &Arc<Room>,
    shared: &Shared,
) -> io::Result<()> {
    if !arrival.draining {
        shared.counters.count(Count::Accepted);
    }
    let Ok(place) = room.enter(arrival.accepted.origin).await else {
        // It is silent, or one of very many: there is nothing that could be said to it yet.
        shared.counters.count(Count::RefusedFull);
        return Ok(());
    };
    let deadline = arrival.deadline;
    let admitted = tokio::select! {
        () = place.lost() => {
            shared.counters.count(Count::SentAway);
            return Ok(());
        }
        admitted = timeout_at(deadline, admit(arrival, door, shared)) => admitted,
    };
    // From here on the client is known, and needs no place among those that are not.
    drop(place);
    let Ok(admitted) = admitted else {
        shared.counters.count(Count::TooSlow);
        return Err(io::ErrorKind::TimedOut.into());
    };
    match admitted? {
        Admitted::Nobody => Ok(()),
        Admitted::Cancel(key) => cancel(&key, shared).await,
        Admitted::Refused(mut client, refusal) => turn_away(&mut client, &refusal, shared).await,
        Admitted::Guessed(mut client, held) => {
            // The client may close; its address waits all the same.
            tokio::time::sleep(held.delay).await;
            turn_away(&mut client, &refusal::wrong_password(), shared).await
        }
        Admitted::Client(client) => log_in(client, door, shared).await,
    }
}

/// Logs a client in upstream, and serves it. A place is held until the session ends.
async fn log_in(mut client: Client, door: &Door, shared: &Shared) -> io::Result<()> {
    let Ok(_place) = shared.places.try_acquire() else {
        return turn_away(
            &mut client,
            &refusal::too_many(shared.settings.most_connections),
            shared,
        )
        .await;
    };
    let _open = shared.counters.opened();
    let mut login = ClientsLogin {
        startup: &client.startup,
    };
    let mut early = Vec::new();
    let logged_in = tokio::select! {
        logged_in = door.connector.connect_by(&mut login) => logged_in,
        // Nobody is logged in for a client that has gone.
        () = gone(&mut *client.stream, &mut early) => return Ok(()),
    };
    let mut session = match logged_in {
        Ok(session) => session,
        Err(error) => {
            shared.counters.count(Count::RefusedUpstream);
            let explanation = error.explain();
            tracing::warn!(code = explanation.code, next_step = %explanation.next_step, "a client's upstream login failed: {}", explanation.what);
            return client.refuse(&refusal::upstream(&error)).await;
        }
    };
    // What a hasty client has sent before it was asked.
    session.stream.write_all(&early).await?;
    relay(client, session, door, shared).await
}

/// Ends when the client closes; what it sends meanwhile is kept.
async fn gone(stream: &mut dyn Duplex, early: &mut Vec<u8>) {
    let mut buffer = [0; 1024];
    while early.len() < MOST_EARLY {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => early.extend(buffer.get(..read).unwrap_or_default()),
        }
    }
    std::future::pending().await
}

/// What became of a client at the door.
enum Admitted {
    /// It closed without a word.
    Nobody,
    Cancel(CancelKey),
    Refused(Client, ErrorResponse),
    /// Its password was wrong, and the answer waits.
    Guessed(Client, Held),
    Client(Client),
}

/// Hears who a client is, and applies the local rules: encryption, user, password.
async fn admit(arrival: Arrival, door: &Door, shared: &Shared) -> io::Result<Admitted> {
    let origin = arrival.accepted.origin;
    let mut client = match greet(arrival.accepted.stream, door.tls.as_ref()).await? {
        Wish::Nothing => return Ok(Admitted::Nobody),
        Wish::Cancel(key) => return Ok(Admitted::Cancel(key)),
        Wish::Session(client) => client,
    };
    let refusal = match client.startup.user() {
        _ if arrival.draining => Some(refusal::draining()),
        _ if door.only_tls && !client.encrypted => Some(refusal::needs_tls()),
        None => Some(refusal::no_user()),
        Some(user) if user != door.connector.user().as_bytes() => {
            Some(refusal::other_user(door.connector.user()))
        }
        Some(_) => None,
    };
    if let Some(refusal) = refusal {
        return Ok(Admitted::Refused(client, refusal));
    }
    let password = match &door.access {
        LocalAccess::SameUser => {
            return Ok(match arrival.peer {
                Peer::Owner => Admitted::Client(client),
                Peer::Other { owner, uid } => {
                    Admitted::Refused(client, refusal::other_peer(owner, uid))
                }
                Peer::Remote => Admitted::Refused(client, refusal::wrong_password()),
            });
        }
        LocalAccess::Password(password) => password,
    };
    let given = client.password().await?;
    // Looked at only now: many could be asked before the first of them answers.
    if !shared.guesses.may_try(origin) {
        shared.counters.count(Count::NotLookedAt);
        return Ok(Admitted::Refused(client, refusal::too_many_guesses()));
    }
    if given.is(password) {
        return Ok(Admitted::Client(client));
    }
    let held = shared.guesses.wrong(origin);
    shared.counters.count(Count::WrongPassword);
    tracing::warn!(%origin, wrong = held.wrong, delay_ms = held.delay.as_millis(), "a wrong local password came from {origin}, number {} lately", held.wrong);
    Ok(Admitted::Guessed(client, held))
}

async fn turn_away(client: &mut Client, error: &ErrorResponse, shared: &Shared) -> io::Result<()> {
    shared.counters.count(Count::RefusedHere);
    client.refuse(error).await
}

/// Passes a cancel request on to the server that gave the key; an unknown key is dropped, as Postgres does.
async fn cancel(key: &CancelKey, shared: &Shared) -> io::Result<()> {
    let Some(target) = shared.keys.find(key) else {
        return Ok(());
    };
    shared.counters.count(Count::Cancelled);
    let packet = pg_frames::FirstPacket::Cancel(key.clone())
        .to_bytes()
        .map_err(malformed)?;
    let sent = target.connector.send_once(target.address, &packet).await;
    sent.map_err(io::Error::other)
}

/// From `AuthenticationOk` to the end.
async fn relay(
    mut client: Client,
    mut session: Session,
    door: &Door,
    shared: &Shared,
) -> io::Result<()> {
    client.stream.write_all(&session.said).await?;
    client.stream.flush().await?;
    let ready = tokio::time::timeout(
        GETTING_READY,
        until_ready(&mut client, &mut session, door, shared),
    );
    let why = match ready.await {
        Ok(Ok(Some(key))) => return copy(client, session, shared, key).await,
        Ok(Ok(None)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_elapsed) => format!("no answer within {} s", GETTING_READY.as_secs()),
    };
    shared.counters.count(Count::RefusedUpstream);
    tracing::warn!("a client's session did not become ready: {why}");
    client.refuse(&refusal::broke(&why)).await
}

/// The session itself; the cancel key is known until it ends.
async fn copy(
    mut client: Client,
    mut session: Session,
    shared: &Shared,
    _key: Option<Remembered>,
) -> io::Result<()> {
    let traffic = Traffic::default();
    let spliced = splice(
        &mut *client.stream,
        &mut session.stream,
        shared.settings.idle,
        &traffic,
    )
    .await;
    let (up, down) = traffic.bytes();
    shared.counters.moved(up, down);
    match spliced {
        Ok(Ended::Closed) => {}
        Ok(Ended::Idle) => shared.counters.count(Count::IdleClosed),
        // A client that is killed resets its connection; that is no fault of ours.
        Err(error) => tracing::debug!(%error, "a session broke"),
    }
    Ok(())
}

/// Passes on what follows the login, and learns the cancel key. `None` when the server said no after all.
async fn until_ready(
    client: &mut Client,
    session: &mut Session,
    door: &Door,
    shared: &Shared,
) -> io::Result<Option<Option<Remembered>>> {
    let mut key = None;
    loop {
        let message = read(&mut session.stream).await?;
        if let Some(found) = message.cancel_key() {
            let target = Target {
                connector: Arc::clone(&door.connector),
                address: session.address,
            };
            key = Some(shared.keys.remember(found, target));
        }
        let is_error = message.tag == ErrorResponse::TAG;
        let bytes = if is_error {
            explained(&message)
        } else {
            message.bytes.clone()
        };
        client.stream.write_all(&bytes).await?;
        client.stream.flush().await?;
        match message.tag {
            b'Z' => return Ok(Some(key)),
            ErrorResponse::TAG => {
                shared.counters.count(Count::RefusedUpstream);
                note(&message, door);
                client.stream.shutdown().await?;
                return Ok(None);
            }
            _ => {}
        }
    }
}

/// What the server says of the user and of itself counts as a failed login; a database or a setting that a client got
/// wrong does not.
fn note(message: &Message, door: &Door) {
    let Ok(error) = ErrorResponse::parse(message.body()) else {
        return;
    };
    let sqlstate = error.code().unwrap_or_default();
    if ["28", "53", "57"]
        .iter()
        .any(|class| sqlstate.starts_with(class))
    {
        let text = error.message().unwrap_or_default();
        door.connector.refused_after_login(sqlstate, text);
    }
}

/// The server's error, with our explanation as hint where it has none of its own.
fn explained(message: &Message) -> Vec<u8> {
    let parsed = ErrorResponse::parse(message.body())
        .ok()
        .filter(|error| error.field(b'H').is_none());
    let hinted = parsed.and_then(|error| {
        let text = error.message()?.to_owned();
        let explanation = rds_iam::explain_text(&text)?;
        error
            .with(
                b'H',
                &format!(
                    "{} Next: {}",
                    explanation.likely_cause, explanation.next_step
                ),
            )
            .to_bytes()
            .ok()
    });
    hinted.unwrap_or_else(|| message.bytes.clone())
}

/// How long the server may take from the login until the session is ready.
const GETTING_READY: Duration = Duration::from_secs(60);
/// More than this no client says before it is asked.
const MOST_EARLY: usize = 64 * 1024;
