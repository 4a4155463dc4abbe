//! Whether a server is asked through a proxy, by the rules of Go's `net/http`.

use crate::settings::Proxies;
use std::net::IpAddr;
use url::{Host, Url};

impl Proxies {
    /// The proxy for `server`, if there is one.
    pub(crate) fn proxy_for(&self, server: &Url) -> Option<&str> {
        let proxy = match server.scheme() {
            "https" => &self.https,
            _ => &self.http,
        };
        (!proxy.is_empty() && !self.is_direct(server)).then_some(proxy)
    }

    fn is_direct(&self, server: &Url) -> bool {
        let (name, address) = match server.host() {
            Some(Host::Domain(name)) => (name.to_lowercase(), None),
            Some(Host::Ipv4(address)) => (address.to_string(), Some(IpAddr::V4(address))),
            Some(Host::Ipv6(address)) => (address.to_string(), Some(IpAddr::V6(address))),
            None => return true,
        };
        if name == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        let port = server.port_or_known_default();
        self.none_for.split(',').map(|entry| entry.trim().to_lowercase()).any(|entry| {
            if entry == "*" {
                return true;
            }
            if let (Some((network, length)), Some(address)) = (entry.split_once('/'), address) {
                return contains(network, length, address);
            }
            let (host, only) = match entry.rsplit_once(':') {
                Some((host, digits)) if !host.contains(':') => (host, digits.parse().ok()),
                _ => (entry.trim_matches(['[', ']']), None),
            };
            if host.is_empty() || only.is_some_and(|only: u16| Some(only) != port) {
                return false;
            }
            if address.is_some() || host.parse::<IpAddr>().is_ok() {
                return host.parse().ok() == address && address.is_some();
            }
            // `.example.com` and `*.example.com` are for what is below, `example.com` for itself too.
            match host.strip_prefix("*.").or_else(|| host.strip_prefix('.')) {
                Some(below) => name.ends_with(&format!(".{below}")),
                None => name == host || name.ends_with(&format!(".{host}")),
            }
        })
    }
}

/// Whether `address` is in the network of `length` bits.
fn contains(network: &str, length: &str, address: IpAddr) -> bool {
    let Ok(length) = length.parse::<u32>() else { return false };
    match (network.parse(), address) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(address)) if length <= 32 => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            u32::from(network) & mask == u32::from(address) & mask
        }
        (Ok(IpAddr::V6(network)), IpAddr::V6(address)) if length <= 128 => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            u128::from(network) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_directly() {
        let is_direct = |none_for: &str, server: &str| {
            let proxies = Proxies { https: "http://p".to_owned(), none_for: none_for.to_owned(), ..Proxies::default() };
            proxies.proxy_for(&Url::parse(server).expect("an address")).is_none()
        };
        for (none_for, server, wanted) in [
            ("", "https://k", false),
            ("", "https://localhost:6443", true),
            ("", "https://127.0.0.1", true),
            ("", "http://k", true),
            ("*", "https://k", true),
            ("k.example", "https://k.example", true),
            ("example", "https://k.example", true),
            (".example", "https://k.example", true),
            (".k.example", "https://k.example", false),
            ("a, 10.0.0.0/8", "https://10.1.2.3:6443", true),
            ("10.1.2.4", "https://10.1.2.3:6443", false),
            ("10.1.2.3:443", "https://10.1.2.3:6443", false),
            ("k:6443", "https://k:6443", true),
        ] {
            assert_eq!(is_direct(none_for, server), wanted, "{none_for} {server}");
        }
    }
}
