//! The way to other servers: a single sign-on provider, a Crypt server. Only for what an administrator asked for.
//!
//! The doors have no HTTP client: the program plugs one in, or none.

use std::error::Error;

use futures_util::future::BoxFuture;

/// One request.
pub struct Call {
    /// Where to.
    pub url: String,
    /// GET without a form, POST with one. It holds secrets.
    pub form: Option<String>,
    /// The `Authorization` header. It is a secret.
    pub authorization: Option<String>,
}

impl Call {
    /// A plain GET.
    #[must_use]
    pub fn get(url: String) -> Self {
        Self {
            url,
            form: None,
            authorization: None,
        }
    }
}

/// What came back.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body, at most [`LIMIT_BYTES`] of it.
    pub body: Vec<u8>,
}

/// Sends requests.
pub trait Outbound: Send + Sync + 'static {
    /// Sends one request. Must follow no redirect, end by itself within seconds, and fail when the body is larger than
    /// [`LIMIT_BYTES`].
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Box<dyn Error + Send + Sync>>>;
}

/// The most bytes of a body: descriptions, keys and tokens have a few thousand.
pub const LIMIT_BYTES: usize = 512 * 1024;
