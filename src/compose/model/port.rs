//! `ports`.

use super::Extensions;

/// One published port or port range.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Port {
    /// A name for people.
    pub name: Option<String>,
    /// `ingress` or `host`.
    pub mode: Option<String>,
    /// Address of the host to bind; all where absent.
    pub host_ip: Option<String>,
    /// Port inside the container.
    pub target: Option<u32>,
    /// Port or range (`8000-8005`) on the host; the engine chooses where absent.
    pub published: Option<String>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: Option<String>,
    /// The application's protocol, a hint.
    pub app_protocol: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}
