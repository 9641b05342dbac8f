//! Which proxies are believed when they say for whom they ask (`SAL_TRUSTED_PROXIES`). Pure.
//!
//! Anybody can write `X-Forwarded-For`. A proxy appends the address that it was asked from, so the list is true from its
//! right end up to the first address that is no proxy of ours: that one is the client, and what stands before it is
//! only what the client said. `Forwarded` and `X-Real-IP` are never read, nor is `X-Forwarded-Host`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::{IpNet, Ipv4Net};

/// The networks of our own proxies. None by default: then only the connection itself counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads addresses and networks such as `10.0.0.0/8` and `2001:db8::/32`; `private` stands for all private ones.
    ///
    /// # Errors
    /// A sentence for each part that is none.
    pub fn parse(parts: &[String]) -> Result<Self, Vec<String>> {
        let (mut networks, mut mistakes) = (Vec::new(), Vec::new());
        for part in parts {
            if part.eq_ignore_ascii_case(PRIVATE) {
                networks.extend(PRIVATE_NETWORKS.iter().filter_map(|text| network(text)));
                continue;
            }
            match network(part) {
                Some(network) => networks.push(network),
                None => mistakes.push(format!(
                    "`{part}` is neither an address nor a network; write 10.0.0.7, 10.0.0.0/8, 2001:db8::/32 or private"
                )),
            }
        }
        if mistakes.is_empty() {
            Ok(Self(networks))
        } else {
            Err(mistakes)
        }
    }

    /// Whether no proxy is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether everybody's word would be taken.
    #[must_use]
    pub fn names_everybody(&self) -> bool {
        self.0.iter().any(|network| network.prefix_len() == 0)
    }

    /// Whether this address is one of our proxies.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asks, as far as our proxies vouch for it: the address nearest to us that is none of them. What cannot be read
    /// ends the way there.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        for said in from_the_right(headers) {
            if !self.has(client) {
                break;
            }
            let Some(address) = said else {
                break;
            };
            client = address;
        }
        client
    }
}

/// The address that whoever connected claims to ask for.
pub(crate) fn last_said(headers: &HeaderMap) -> Option<IpAddr> {
    from_the_right(headers).next().flatten()
}

/// Whether our proxy was asked by https. Where several have written it, the nearest one's word counts.
pub(crate) fn says_https(headers: &HeaderMap) -> bool {
    let last = headers.get_all("x-forwarded-proto").iter().next_back();
    last.and_then(|value| value.to_str().ok())
        .and_then(|list| list.rsplit(',').next())
        .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

/// All addresses of all `X-Forwarded-For`, the nearest first. `None` is what cannot be read.
fn from_the_right(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .map(|entry| address(str::from_utf8(entry).ok()?.trim()))
}

/// An address, with a port or in brackets as some proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let plain = text.parse().ok();
    plain
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
        .or_else(|| bare().map(|address: Ipv6Addr| address.into()))
        .map(|address| address.to_canonical())
}

/// A network; IPv4 inside of IPv6 becomes IPv4, as addresses do.
fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_no_network) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    let IpNet::V6(wide) = network else {
        return Some(network.trunc());
    };
    let inner = wide.addr().to_ipv4_mapped();
    match (inner, wide.prefix_len().checked_sub(MAPPED_BITS)) {
        (Some(address), Some(bits)) => Ipv4Net::new(address, bits)
            .ok()
            .map(|n| IpNet::V4(n.trunc())),
        _ => Some(network.trunc()),
    }
}

const PRIVATE: &str = "private";
/// RFC 1918, RFC 6598 (some clouds' containers), RFC 4193, and what never leaves a machine or a cable.
const PRIVATE_NETWORKS: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];
/// How many bits of an IPv6 address say that it is an IPv4 one.
const MAPPED_BITS: u8 = 96;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxies(list: &str) -> TrustedProxies {
        let parts: Vec<_> = list.split(',').map(str::to_owned).collect();
        TrustedProxies::parse(&parts).unwrap()
    }

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    fn client(trusted: &TrustedProxies, peer: &str, lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        let peer = peer.parse().unwrap();
        trusted.client(peer, &headers(&lines)).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_named() {
        let nobody = TrustedProxies::default();
        assert_eq!(client(&nobody, "127.0.0.1", &["6.6.6.6"]), "127.0.0.1");
        let proxies = proxies("10.0.0.7");
        assert_eq!(client(&proxies, "10.0.0.8", &["6.6.6.6"]), "10.0.0.8");
        assert_eq!(client(&proxies, "10.0.0.7", &["6.6.6.6"]), "6.6.6.6");
        assert_eq!(client(&proxies, "10.0.0.7", &[]), "10.0.0.7");
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_counts() {
        let proxies = proxies("10.0.0.0/8,2001:db8:1::/48");
        for (lines, expected) in [
            (&["6.6.6.6, 203.0.113.9"][..], "203.0.113.9"),
            (&["6.6.6.6, 203.0.113.9, 10.1.1.1,10.2.2.2"], "203.0.113.9"),
            (&["6.6.6.6", "203.0.113.9", "10.1.1.1"], "203.0.113.9"),
            (&["6.6.6.6, 203.0.113.9", "2001:db8:1::5"], "203.0.113.9"),
            (&["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            (&["203.0.113.9:51234"], "203.0.113.9"),
            (&["[2001:db8:2::9]:443"], "2001:db8:2::9"),
            (&["[2001:db8:2::9]"], "2001:db8:2::9"),
            (&["::ffff:203.0.113.9, ::ffff:10.1.1.1"], "203.0.113.9"),
        ] {
            assert_eq!(client(&proxies, "10.0.0.7", lines), expected, "{lines:?}");
        }
        // The server listens on both kinds of addresses.
        assert_eq!(client(&proxies, "::ffff:10.0.0.7", &["6.6.6.6"]), "6.6.6.6");
    }

    #[test]
    fn what_cannot_be_read_ends_the_way_at_the_last_proxy() {
        let proxies = proxies("10.0.0.0/8");
        for lines in [
            &["6.6.6.6, unknown"][..],
            &["6.6.6.6,"],
            &["6.6.6.6, _hidden"],
            &["6.6.6.6, 10.0.0.300"],
            &["6.6.6.6; 7.7.7.7"],
            &["for=6.6.6.6"],
            &[""],
        ] {
            assert_eq!(client(&proxies, "10.0.0.7", lines), "10.0.0.7", "{lines:?}");
        }
        let lines = ["6.6.6.6, unknown, 10.9.9.9"];
        assert_eq!(client(&proxies, "10.0.0.7", &lines), "10.9.9.9");
        let odd = headers(&[b"6.6.6.6, \xff"]);
        let peer = "10.0.0.7".parse().unwrap();
        assert_eq!(proxies.client(peer, &odd), peer);
    }

    #[test]
    fn networks_are_written_in_the_usual_ways_and_others_are_named() {
        let parse = |text: &str| TrustedProxies::parse(&[text.to_owned()]);
        let has = |text: &str, address: &str| parse(text).unwrap().has(address.parse().unwrap());
        assert!(has("10.0.0.7", "10.0.0.7") && !has("10.0.0.7", "10.0.0.8"));
        assert!(has("10.1.2.3/8", "10.200.0.1") && !has("10.1.2.3/8", "11.0.0.1"));
        assert!(has("2001:db8::/32", "2001:db8:ffff::1") && !has("2001:db8::/32", "2001:db9::1"));
        assert!(has("::ffff:10.0.0.0/104", "10.9.9.9") && !has("::ffff:10.0.0.0/104", "11.0.0.1"));
        assert!(has("::ffff:10.0.0.7", "10.0.0.7") && has("10.0.0.0/8", "::ffff:10.0.0.7"));
        for address in [
            "127.0.0.1",
            "192.168.3.4",
            "172.31.0.1",
            "100.64.3.2",
            "::1",
            "fd12::1",
        ] {
            assert!(has("Private", address), "{address}");
        }
        assert!(!has("private", "172.32.0.1") && !has("private", "2001:db8::1"));
        assert!(parse("0.0.0.0/0").unwrap().names_everybody());
        for wrong in [
            "10.0.0.0/33",
            "10.0.0",
            "proxy.example.org",
            "10.0.0.0/",
            "*",
            "2001:db8::/129",
        ] {
            let mistakes = parse(wrong).unwrap_err();
            assert!(
                mistakes.iter().all(|text| text.contains(wrong)),
                "{mistakes:?}"
            );
        }
    }

    #[test]
    fn the_nearest_proxy_says_whether_it_was_asked_by_https() {
        let says = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-proto", HeaderValue::from_static(line));
            }
            says_https(&headers)
        };
        assert!(says(&["https"]) && says(&["http", "HTTPS"]) && says(&["http, https"]));
        assert!(
            !says(&[]) && !says(&["http"]) && !says(&["https", "http"]) && !says(&["https, http"])
        );
        assert!(!says(&["httpsx"]) && !says(&[""]));
    }
}
