//! Reads what an early answer left unread of a request's body.
//!
//! A 401 is decided before the body is read. A connection that is closed with unread bytes is reset, and the reset
//! can overtake the answer: one wrong key in a hundred then looks like a broken network. What is read here is bounded
//! in size and time and thrown away; a client that asks first (`Expect: 100-continue`) is answered at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream::{Fuse, poll_fn};

/// A body that is read from two sides, one after the other.
#[derive(Clone)]
struct Shared(Arc<Mutex<Fuse<BodyDataStream>>>);

/// Answers only when the request's body was read, by the handler or here.
pub(crate) async fn read_the_rest(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let shared = Shared(Arc::new(Mutex::new(body.into_data_stream().fuse())));
    let mut rest = shared.clone();
    let mut handed_on = shared;
    let body = Body::from_stream(poll_fn(move |context| handed_on.poll(context)));
    let response = next.run(Request::from_parts(parts, body)).await;
    // In time or not, the answer is the same.
    let _ = tokio::time::timeout(PATIENCE, rest.discard()).await;
    response
}

impl Shared {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.poll_next_unpin(context)
    }

    async fn discard(&mut self) {
        let mut read_bytes = 0;
        let mut rest = poll_fn(|context| self.poll(context));
        while let Some(Ok(bytes)) = rest.next().await {
            read_bytes += bytes.len();
            if read_bytes > MOST_BYTES {
                return;
            }
        }
    }
}

/// As much as the largest body that a handler would take by default.
const MOST_BYTES: usize = 5 * 1024 * 1024;
/// Clients give up after 8 s.
const PATIENCE: Duration = Duration::from_secs(5);
