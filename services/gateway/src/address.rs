//! Whose request it is, as far as an address can tell: what limits are counted by.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;

use crate::app::App;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who is at the other end of the connection; the listener puts it on every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The address that a request is counted by: an IPv4 address, or the /64 network of an IPv6 one, since whoever has one
/// address of a /64 has them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address(pub IpAddr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromRequestParts<App> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().map_or(Ipv6Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
        Ok(counted(client(peer, &parts.headers, &app.settings.trusted_proxies)))
    }
}

/// The client's own address: the peer's or, where the peer is a trusted proxy, the rightmost address in
/// `X-Forwarded-For` that no trusted proxy has. What stands left of it, the client may have written itself.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut nearest = peer.to_canonical();
    for value in headers.get_all(FORWARDED_FOR).iter().rev() {
        for entry in value.as_bytes().rsplit(|&byte| byte == b',') {
            if !is_trusted(nearest) {
                return nearest;
            }
            // A proxy of ours wrote something that is no address: the proxy itself is the nearest we know.
            let Some(address) = std::str::from_utf8(entry).ok().and_then(parse) else { return nearest };
            nearest = address;
        }
    }
    nearest
}

/// An address with or without a port, as proxies write them.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// What an address is counted as.
pub fn counted(address: IpAddr) -> Address {
    Address(match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    })
}

/// A network, or a single address, as operators write them.
pub fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "not an address such as 10.0.0.1 or a network such as 10.0.0.0/8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|text| network(text).unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_an_address() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", &["10.0.0.1, 10.0.0.2"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn behind_a_proxy_the_rightmost_stranger_counts() {
        let proxies = &["10.0.0.0/8", "::1"];
        assert_eq!(seen("10.0.0.1", &["203.0.113.9"], proxies), "203.0.113.9");
        // The client sent a header of its own; the proxy appended what it saw.
        assert_eq!(seen("10.0.0.1", &["198.51.100.1, 203.0.113.9"], proxies), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1", "203.0.113.9"], proxies), "203.0.113.9");
        // It pretended to be another proxy of ours.
        assert_eq!(seen("10.0.0.1", &["198.51.100.1, 10.9.9.9, 203.0.113.9"], proxies), "203.0.113.9");
        // Two proxies of ours in a row.
        assert_eq!(seen("::1", &["198.51.100.1, 203.0.113.9, 10.0.0.7"], proxies), "203.0.113.9");
    }

    #[test]
    fn what_is_no_address_hides_nobody() {
        let proxies = &["10.0.0.0/8"];
        assert_eq!(seen("10.0.0.1", &[], proxies), "10.0.0.1");
        for broken in ["", "unknown", "_hidden", "203.0.113.999", "203.0.113.9, ", "a:b:c:d:e:f:g:h:i"] {
            assert_eq!(seen("10.0.0.1", &[broken], proxies), "10.0.0.1", "{broken}");
        }
        assert_eq!(seen("10.0.0.1", &["203.0.113.9, garbage"], proxies), "10.0.0.1");
    }

    #[test]
    fn ports_and_brackets_do_not_matter() {
        let proxies = &["10.0.0.1"];
        assert_eq!(seen("10.0.0.1", &["203.0.113.9:4711"], proxies), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["[2001:db8::1]:4711"], proxies), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", &["[2001:db8::1]"], proxies), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", &["2001:db8::1"], proxies), "2001:db8::1");
        assert_eq!(seen("::ffff:10.0.0.1", &["::ffff:203.0.113.9"], proxies), "203.0.113.9");
    }

    #[test]
    fn a_network_of_addresses_counts_once() {
        let counted = |text: &str| counted(text.parse().unwrap());
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), counted("2001:db8:1:2::1"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_ne!(counted("203.0.113.9"), counted("203.0.113.8"));
        assert_eq!(counted("::ffff:203.0.113.9"), counted("203.0.113.9"));
    }
}
