//! The one database connection of a request.
//!
//! A handler that only reads or writes names [`Db`] among its arguments and hands `&Client` down. The few that wait
//! for something else in between (hashing a password, another server, somebody's count, a slow reader of a file) take
//! a connection by [`page_client`] for each part and let it go before they wait. `cargo xtask arch` knows which those
//! are: whoever holds one connection and asks for another stops the server as soon as as many requests do so as the
//! pool is large.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sal_store::pool::Lane;
use sal_store::{Client, StoreError};

use crate::app::App;
use crate::error::AppError;

/// The connection of a page, taken when the arguments before it are there. The layers have read the body by then, so
/// that no slow sender holds it.
pub struct Db(pub Client);

impl FromRequestParts<App> for Db {
    type Rejection = AppError;

    async fn from_request_parts(_parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        Ok(Self(page_client(app).await?))
    }
}

/// A connection for a part of a page's work.
///
/// # Errors
/// As [`sal_store::Store::get`].
pub async fn page_client(app: &App) -> Result<Client, StoreError> {
    app.store.get(Lane::Pages).await
}

/// A connection for a request of a program.
///
/// # Errors
/// As [`sal_store::Store::get`].
pub async fn program_client(app: &App) -> Result<Client, StoreError> {
    app.store.get(Lane::Programs).await
}

/// A connection for the next rows of a file that is being sent.
///
/// # Errors
/// As [`sal_store::Store::get`].
pub async fn export_client(app: &App) -> Result<Client, StoreError> {
    app.store.get(Lane::Exports).await
}

/// A connection for a list that is sent to a program from one snapshot, until its end.
///
/// # Errors
/// As [`sal_store::Store::get`].
pub async fn stream_client(app: &App) -> Result<Client, StoreError> {
    app.store.get(Lane::Streams).await
}

/// A connection for a client's request with a body of this size.
///
/// # Errors
/// As [`sal_store::Store::get`].
pub async fn machine_client(body_bytes: usize, app: &App) -> Result<Client, StoreError> {
    let lane = if body_bytes > BULKY_BYTES {
        Lane::BulkyMachines
    } else {
        Lane::Machines
    };
    app.store.get(lane).await
}

/// From here on a submission counts as large. A check-in of a Mac has 20 to 100 KB, an inventory unpacked 60 to 200.
pub const BULKY_BYTES: usize = 512 * 1024;
