//! [`Address`]: where to listen or to ask, by number or by name.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

/// An address and a port, such as `127.0.0.1:50051`, `[::1]:50051` or `localhost:50051`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// Looks a name up, once. Of several addresses the first is taken, IPv4 before IPv6: that `localhost` is 127.0.0.1
    /// everywhere is what clients rely on.
    ///
    /// # Errors
    /// The name is not known.
    pub fn resolve(&self) -> io::Result<SocketAddr> {
        let found: Vec<_> = (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
        first.copied().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "must be an address and a port, such as 127.0.0.1:50051, [::1]:50051 or localhost:50051".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?.to_string(),
            None => host.to_owned(),
        };
        let of_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '.' | '_');
        let is_ipv6 = host.contains(':') && text.starts_with('[');
        if host.is_empty() || !(is_ipv6 || host.chars().all(of_name)) {
            return Err(wrong());
        }
        Ok(Self { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numbers_or_names_with_a_port() {
        for (text, resolved) in [
            ("127.0.0.1:7", Some("127.0.0.1:7")),
            ("[::1]:7", Some("[::1]:7")),
            ("localhost:0", Some("127.0.0.1:0")),
            ("nowhere.invalid:7", None),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(address.resolve().ok().map(|address| address.to_string()).as_deref(), resolved);
        }
        for text in
            ["", "here", "7", ":7", "localhost:", "localhost:x", "localhost:70000", "::1:7", "http://a:7", "[a]:7"]
        {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
