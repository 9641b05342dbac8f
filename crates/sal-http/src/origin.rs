//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderName, header};

/// The caller's address and name. Both are for people to read and for counting tries: a caller can say what it likes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// A proxy's word (the last address in `X-Forwarded-For`) where there is one, because behind a load balancer all
    /// connections come from the same address; `unknown` where there is nothing.
    pub address: String,
    /// `User-Agent`, at most 200 characters.
    pub client: String,
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Origin {
    /// Reads it from a request.
    pub fn of(parts: &Parts) -> Self {
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let forwarded = text(HeaderName::from_static("x-forwarded-for"))
            .and_then(|list| list.rsplit(',').next())
            .and_then(|address| address.trim().parse::<IpAddr>().ok());
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = forwarded.or_else(|| peer.map(|ConnectInfo(peer)| peer.ip()));
        Self {
            address: address.map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
            client: text(header::USER_AGENT)
                .unwrap_or_default()
                .chars()
                .take(200)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn origin(forwarded: Option<&str>, peer: Option<&str>) -> Origin {
        let mut request = Request::builder().header("user-agent", "x".repeat(300));
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        if let Some(peer) = peer {
            parts
                .extensions
                .insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        }
        Origin::of(&parts)
    }

    #[test]
    fn the_nearest_proxy_counts_then_the_connection() {
        let peer = Some("192.0.2.9:1234");
        assert_eq!(origin(Some("6.6.6.6, 10.0.0.7"), peer).address, "10.0.0.7");
        assert_eq!(origin(Some("not an address"), peer).address, "192.0.2.9");
        assert_eq!(origin(None, None).address, "unknown");
        assert_eq!(origin(None, peer).client.len(), 200);
    }
}
