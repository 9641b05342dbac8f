//! Where a request comes from.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use tracing::warn;

use crate::app::App;
use crate::proxies::{last_said, says_https};

/// The caller's address and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The address of whoever connected or, where our own proxies did (`SAL_TRUSTED_PROXIES`), of whoever they vouch
    /// for; `unknown` where there is nothing.
    pub address: String,
    /// What tries are counted by: the address, or the /64 of an IPv6 one. Whoever has one address of it has all.
    pub network: String,
    /// For whom whoever connected claims to ask, while no proxy is named at all: it may be a proxy that nobody has
    /// named yet. Anybody can write it.
    pub claimed: Option<String>,
    /// Whether the browser came by https, as far as we can know.
    pub is_https: bool,
    /// `User-Agent`, at most 200 characters. The caller's own word.
    pub client: String,
}

impl FromRequestParts<App> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

impl Origin {
    /// Reads it from a request.
    pub fn of(parts: &Parts, app: &App) -> Self {
        let proxies = &app.config.trusted_proxies;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let client = peer.map(|peer| proxies.client(peer, &parts.headers));
        let is_proxy = peer.is_some_and(|peer| proxies.has(peer));
        let said = last_said(&parts.headers).filter(|_| !is_proxy);
        if let (Some(peer), Some(_)) = (peer, said) {
            app.unlisted_proxies().notice(peer);
        }
        let agent = parts.headers.get(header::USER_AGENT);
        let agent = agent.and_then(|value| value.to_str().ok());
        Self {
            address: client.map_or_else(unknown, |address| address.to_string()),
            network: client.map_or_else(unknown, network),
            claimed: said.filter(|_| proxies.is_empty()).map(network),
            is_https: is_https(parts, app),
            client: agent.unwrap_or_default().chars().take(200).collect(),
        }
    }
}

/// Whether browsers reach us by https: the configuration says so, or the proxy of ours that asks.
pub(crate) fn is_https(parts: &Parts, app: &App) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let is_proxy = peer.is_some_and(|ConnectInfo(peer)| app.config.trusted_proxies.has(peer.ip()));
    app.config.secure_cookies || (is_proxy && says_https(&parts.headers))
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// An IPv4 address, or the 64 bits of an IPv6 address that a network has to itself.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Peers that forward for others and are in nobody's list. Each is told of once, and few of all.
#[derive(Default)]
pub(crate) struct UnlistedProxies(Mutex<HashSet<IpAddr>>);

impl UnlistedProxies {
    fn notice(&self, peer: IpAddr) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_TOLD || !known.insert(peer) {
            return;
        }
        warn!(
            peer = %peer,
            "{peer} sends X-Forwarded-For, and SAL_TRUSTED_PROXIES does not name it: it is not believed, and all who \
             come through it count as {peer}, in the journal, in the audit and where logins are limited. If {peer} is \
             your proxy or load balancer, set SAL_TRUSTED_PROXIES={peer} (or its network) and start again; see \
             docs/guides/behind-a-proxy.md"
        );
    }
}

/// Whoever connects can send the header; the log shall not fill with it.
const MOST_TOLD: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let of = |text: &str| network(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("192.0.2.9"), "192.0.2.9");
    }

    #[test]
    fn few_unlisted_proxies_are_told_of_and_each_once() {
        let unlisted = UnlistedProxies::default();
        for n in 0..200_u8 {
            unlisted.notice(IpAddr::from([10, 0, 0, n]));
            unlisted.notice(IpAddr::from([10, 0, 0, n]));
        }
        assert_eq!(unlisted.0.lock().unwrap().len(), MOST_TOLD);
    }
}
