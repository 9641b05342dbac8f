//! One client, from the first byte to the last.

use std::{io, sync::Arc, time::Duration};

use pg_frames::{CancelKey, ErrorResponse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    cancel::{Remembered, Target},
    client::{Client, Wish, greet, malformed},
    counters::Count,
    listen::{Accepted, Duplex, LocalAccess},
    refusal,
    relay::{Door, Shared},
    splice::{Ended, Traffic, splice},
    upstream::{ClientsLogin, Message, Session, read},
};

/// Serves a client. Errors are connections that broke; refusals have been sent to the client.
pub(crate) async fn serve(accepted: Accepted, door: &Door, shared: &Shared) -> io::Result<()> {
    shared.counters.count(Count::Accepted);
    let is_owners = door.local.is_owners(&accepted);
    // Clients that nobody knows yet are bounded, too, and apart from the others.
    let Ok(asking) = shared.asking.try_acquire() else {
        shared.counters.count(Count::RefusedHere);
        return Ok(());
    };
    let greeting = tokio::time::timeout(GREETING, greet(accepted, door.tls.as_ref()));
    let mut client = match greeting.await {
        Ok(wish) => match wish? {
            Wish::Nothing => return Ok(()),
            Wish::Cancel(key) => return cancel(&key, shared).await,
            Wish::Session(client) => client,
        },
        Err(_elapsed) => return Err(io::ErrorKind::TimedOut.into()),
    };
    let admitted = tokio::time::timeout(GREETING, admit(&mut client, is_owners, door));
    if let Some(refused) = admitted
        .await
        .map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))??
    {
        return turn_away(&mut client, &refused, shared).await;
    }
    // A place is for those who may come in, and is held until the session ends.
    drop(asking);
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

/// The local rules: encryption, user, password. `Some` is the refusal.
async fn admit(
    client: &mut Client,
    is_owners: bool,
    door: &Door,
) -> io::Result<Option<ErrorResponse>> {
    if door.only_tls && !client.encrypted {
        return Ok(Some(refusal::needs_tls()));
    }
    let Some(user) = client.startup.user() else {
        return Ok(Some(refusal::no_user()));
    };
    if user != door.connector.user().as_bytes() {
        return Ok(Some(refusal::other_user(door.connector.user())));
    }
    let right = match &door.access {
        LocalAccess::SameUser => is_owners,
        LocalAccess::Password(password) => client.knows(password).await?,
    };
    Ok((!right).then(refusal::wrong_password))
}

async fn turn_away(client: &mut Client, error: &ErrorResponse, shared: &Shared) -> io::Result<()> {
    shared.counters.count(Count::RefusedHere);
    client.refuse(error).await
}

/// Passes a cancel request on to the server that gave the key; an unknown key is dropped, as Postgres does.
pub(crate) async fn cancel(key: &CancelKey, shared: &Shared) -> io::Result<()> {
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
        GREETING,
        until_ready(&mut client, &mut session, door, shared),
    );
    let why = match ready.await {
        Ok(Ok(Some(key))) => return copy(client, session, shared, key).await,
        Ok(Ok(None)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_elapsed) => format!("no answer within {} s", GREETING.as_secs()),
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
                client.stream.shutdown().await?;
                return Ok(None);
            }
            _ => {}
        }
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

/// How long a client may take until its password; Postgres's `authentication_timeout`.
const GREETING: Duration = Duration::from_secs(60);
/// More than this no client says before it is asked.
const MOST_EARLY: usize = 64 * 1024;
