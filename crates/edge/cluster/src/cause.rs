//! Why a request got no answer, in Go's words.

use crate::failure::go_words;
use std::error::Error;
use std::net::{IpAddr, ToSocketAddrs};
use url::Url;

/// Why a request failed, in the words of Go's `net/http`.
pub(crate) fn cause(error: &(dyn Error + 'static), server: &Url, proxy: Option<&Url>) -> String {
    let (address, dial) = match proxy {
        Some(proxy) => (proxy, "proxyconnect tcp: dial tcp"),
        None => (server, "dial tcp"),
    };
    let mut innermost = error;
    loop {
        if let Some(refused) = innermost.downcast_ref::<rustls::Error>() {
            return tls(refused);
        }
        let wrapped = innermost.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        match wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| innermost.source()) {
            Some(inner) => innermost = inner,
            None => break,
        }
    }
    let host = address.host_str().unwrap_or_default();
    let port = address.port_or_known_default().unwrap_or_default();
    let words = innermost.to_string();
    match innermost.downcast_ref::<std::io::Error>() {
        Some(error) if error.raw_os_error().is_some() => match error.kind() {
            std::io::ErrorKind::ConnectionRefused
            | std::io::ErrorKind::HostUnreachable
            | std::io::ErrorKind::NetworkUnreachable => {
                let bare = host.trim_matches(['[', ']']);
                let mut found = (bare, port).to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
                // The one that Go would have said it tried: of a name's, the first of the old kind.
                found.sort_by_key(|address| !address.is_ipv4());
                let place = found.first().map_or_else(|| format!("{host}:{port}"), ToString::to_string);
                format!("{dial} {place}: connect: {}", go_words(error))
            }
            _ => go_words(error),
        },
        Some(error) if error.kind() == std::io::ErrorKind::TimedOut => format!("{dial} {host}:{port}: i/o timeout"),
        _ if words.contains("failed to lookup address information") => {
            let asked = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
            let asked = asked.lines().find_map(|line| line.strip_prefix("nameserver")?.split_whitespace().next());
            let asked = asked.map(|server| format!(" on {server}:53")).unwrap_or_default();
            format!("{dial}: lookup {host}{asked}: no such host")
        }
        _ => words,
    }
}

/// Why TLS failed, in the words of Go's `crypto/tls`.
fn tls(error: &rustls::Error) -> String {
    use rustls::{CertificateError, Error, InvalidMessage};
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "tls: failed to verify certificate: x509: certificate signed by unknown authority".to_owned()
        }
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
            let wanted = expected.to_str();
            // Of names and addresses, those are told that could have been meant.
            let is_address = |name: &str| name.parse::<IpAddr>().is_ok();
            let names = presented.iter().map(|name| name_within(name));
            let names: Vec<&str> = names.filter(|name| is_address(name) == is_address(&wanted)).collect();
            let valid = match names.as_slice() {
                [] if is_address(&wanted) => {
                    format!("cannot validate certificate for {wanted} because it doesn't contain any IP SANs")
                }
                [] => format!("certificate is not valid for any names, but wanted to match {wanted}"),
                names => format!("certificate is valid for {}, not {wanted}", names.join(", ")),
            };
            format!("tls: failed to verify certificate: x509: {valid}")
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "http: server gave HTTP response to HTTPS client".to_owned()
        }
        other => format!("tls: {other}"),
    }
}

/// The name in `DnsName("kubernetes")` or `IpAddress(10.0.0.1)`, as rustls presents them.
fn name_within(presented: &str) -> &str {
    let inner = presented.split_once('(').map_or(presented, |(_, inner)| inner.trim_end_matches(')'));
    inner.trim_matches('"')
}
