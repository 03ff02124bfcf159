//! Which addresses may be reached: public ones, and those that the operator adds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Keeps requests away from this machine and the networks around it, whoever asks for them.
#[derive(Debug, Clone)]
pub struct Guard {
    extra: Vec<IpNet>,
}

impl Guard {
    /// Public addresses, and these networks.
    pub fn new(extra: Vec<IpNet>) -> Self {
        Self { extra }
    }

    /// Whether this very address may be connected to.
    pub fn permits(&self, address: IpAddr) -> bool {
        is_public(address) || self.extra.iter().any(|network| network.contains(&address))
    }
}

/// All of IPv4 is public, except what IANA's registry of special-purpose addresses (RFC 6890) holds, multicast, and
/// what is reserved.
const SPECIAL_V4: [Ipv4Net; 18] = [
    v4([0, 0, 0, 0], 8),       // this network
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // shared by a carrier's customers
    v4([127, 0, 0, 0], 8),     // this machine
    v4([169, 254, 0, 0], 16),  // link-local, where clouds keep their secrets
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 31, 196, 0], 24), // AS112
    v4([192, 52, 193, 0], 24), // AMT relays
    v4([192, 88, 99, 0], 24),  // 6to4 relays
    v4([192, 168, 0, 0], 16),  // private
    v4([192, 175, 48, 0], 24), // AS112
    v4([198, 18, 0, 0], 15),   // benchmarks
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 4),     // multicast
    v4([240, 0, 0, 0], 4),     // reserved, and broadcast
];

/// Of IPv6 only what is global unicast can be public: this leaves out loopback, mapped and compatible IPv4, link-local,
/// unique-local and multicast without naming them.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What IANA's registry holds inside of it.
const SPECIAL_V6: [Ipv6Net; 6] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // protocol assignments: Teredo, benchmarks, ORCHID …
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), // 6to4, which leads to an IPv4 address inside
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // AS112
    v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16), // 6bone, given back
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
];

/// The one way from IPv6 to IPv4 that is in use (NAT64): as public as the address inside.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) if NAT64.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|network| network.contains(&address))
}

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and the last of every special range of IPv4, or one of it.
    const SPECIAL_IN_V4: &str = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 \
        127.0.0.1 127.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 \
        192.0.0.255 192.0.2.0 192.0.2.255 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.0 192.168.255.255 \
        192.175.48.1 198.18.0.0 198.19.255.255 198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 \
        239.255.255.255 240.0.0.0 255.255.255.255";

    /// This machine, the networks around it, and what is set apart inside of global unicast.
    const SPECIAL_IN_V6: &str = ":: ::1 fe80::1 febf::1 fec0::1 fc00::1 fdff::1 ff02::1 ff0e::1 100::1 5f00::1 4000::1 \
        2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 2001:db8:ffff::1 2620:4f:8000::1 3ffe::1 3fff::1 \
        3fff:fff::1";

    /// IPv4 inside of IPv6, in every way there is; the public ones too where nobody has a use for them.
    const V4_IN_V6: &str = "::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 ::ffff:0:10.0.0.1 64:ff9b::127.0.0.1 \
        64:ff9b::169.254.169.254 64:ff9b::10.0.0.1 64:ff9b:1::8.8.8.8 2002:7f00:1::1 2002:808:808::1 2001::1 \
        2001:0:7f00:1::";

    /// The neighbours of all of these, and others.
    const PUBLIC: &str = "1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
        169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 \
        198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 2001:200::1 \
        2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700::1111 2620:4f:7fff::1 2a00::1 \
        3fff:1000::1 64:ff9b::8.8.8.8";

    fn permits(networks: &[&str], address: &str) -> bool {
        let networks = networks.iter().map(|network| network.parse().unwrap());
        Guard::new(networks.collect()).permits(address.parse().unwrap())
    }

    #[test]
    fn special_addresses_are_not_public() {
        for address in [SPECIAL_IN_V4, SPECIAL_IN_V6, V4_IN_V6].join(" ").split(' ') {
            assert!(!permits(&[], address), "{address}");
        }
    }

    #[test]
    fn all_others_are_public() {
        for address in PUBLIC.split(' ') {
            assert!(permits(&[], address), "{address}");
        }
    }

    #[test]
    fn operators_add_networks() {
        let networks = ["127.0.0.2/32", "fd00::/8"];
        for address in ["127.0.0.2", "fd12::1", "8.8.8.8"] {
            assert!(permits(&networks, address), "{address}");
        }
        for address in ["127.0.0.1", "127.0.0.3", "::ffff:127.0.0.2", "64:ff9b::127.0.0.2", "fc00::1", "::1"]
        {
            assert!(!permits(&networks, address), "{address}");
        }
    }
}
