//! Subnets of networks and addresses of containers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One subnet of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pool {
    /// The subnet.
    pub(crate) subnet: IpNet,
    /// Where addresses are taken from when none is asked for; the whole subnet without it.
    pub(crate) range: Option<IpNet>,
    /// The bridge's address.
    pub(crate) gateway: IpAddr,
    /// Addresses that no container gets, keyed by what they are for.
    pub(crate) auxiliary: BTreeMap<String, IpAddr>,
    /// Whether the subnet was asked for, so that addresses may be asked for too.
    pub(crate) given: bool,
}

impl Pool {
    /// A pool for the whole subnet, with its first address for the bridge.
    pub(crate) fn of(subnet: IpNet, given: bool) -> Self {
        Self {
            subnet,
            range: None,
            gateway: successor(subnet.network()).unwrap_or(subnet.network()),
            auxiliary: BTreeMap::new(),
            given,
        }
    }

    /// The lowest free address, `used` being those of the network's containers.
    pub(crate) fn allocate(&self, used: &BTreeSet<IpAddr>) -> Option<IpAddr> {
        let range = self.range.unwrap_or(self.subnet);
        let mut candidate = range.network();
        loop {
            if self.is_free(candidate, used) {
                return Some(candidate);
            }
            candidate = successor(candidate).filter(|next| range.contains(next))?;
        }
    }

    /// Checks an address that was asked for.
    ///
    /// # Errors
    /// 403 when it is used or reserved, 400 when it is not of the subnet.
    pub(crate) fn claim(&self, address: IpAddr, used: &BTreeSet<IpAddr>) -> Result<()> {
        if !self.subnet.contains(&address) {
            let message = format!("no configured subnet contains IP address {address}");
            return Err(Error::bad_request(message));
        }
        if self.is_free(address, used) {
            return Ok(());
        }
        Err(Error::forbidden("Address already in use"))
    }

    fn is_free(&self, address: IpAddr, used: &BTreeSet<IpAddr>) -> bool {
        let is_reserved = self.subnet.prefix_len() < self.subnet.max_prefix_len() - 1
            && (address == self.subnet.network()
                || (address.is_ipv4() && address == self.subnet.broadcast()));
        !is_reserved
            && address != self.gateway
            && !used.contains(&address)
            && !self.auxiliary.values().any(|reserved| *reserved == address)
    }
}

fn successor(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => address
            .to_bits()
            .checked_add(1)
            .map(|bits| Ipv4Addr::from(bits).into()),
        IpAddr::V6(address) => address
            .to_bits()
            .checked_add(1)
            .map(|bits| Ipv6Addr::from(bits).into()),
    }
}

/// Whether two subnets share an address.
pub(crate) fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// The first of the default subnets that overlaps nothing in `taken`.
///
/// # Errors
/// 403 when all are taken.
pub(crate) fn free_subnet(taken: &[IpNet]) -> Result<IpNet> {
    let is_free = |subnet: &IpNet| !taken.iter().any(|other| overlap(subnet, other));
    defaults()
        .find(is_free)
        .ok_or_else(|| Error::forbidden("all predefined address pools have been fully subnetted"))
}

/// 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 and 10.0.0.0/8 in twentieths (/20).
fn defaults() -> impl Iterator<Item = IpNet> {
    let wide = (17..=31).map(|second| (Ipv4Addr::new(172, second, 0, 0), 16));
    let narrow = (0..16).map(|part| (Ipv4Addr::new(192, 168, part << 4, 0), 20));
    let many = (0..=255)
        .flat_map(|second| (0..16).map(move |part| (Ipv4Addr::new(10, second, part << 4, 0), 20)));
    let subnets = wide.chain(narrow).chain(many);
    subnets.filter_map(|(address, prefix)| Ipv4Net::new(address, prefix).ok().map(IpNet::V4))
}

/// A private IPv6 subnet (RFC 4193), by chance.
pub(crate) fn random_ipv6_subnet() -> IpNet {
    let mut bytes: [u8; 16] = rand::random();
    bytes[0] = 0xfd;
    let net = Ipv6Net::new(bytes.into(), 64).unwrap_or_default();
    IpNet::V6(net.trunc())
}

/// The hardware address that belongs to an IPv4 address: `02:42:ac:11:00:02`.
pub(crate) fn hardware_address(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x02, 0x42, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_are_taken_from_the_lowest() {
        let pool = Pool::of(net("10.1.0.0/29"), true);
        let mut used = BTreeSet::new();
        let mut given = Vec::new();
        while let Some(address) = pool.allocate(&used) {
            used.insert(address);
            given.push(address.to_string());
        }
        assert_eq!(pool.gateway, ip("10.1.0.1"));
        assert_eq!(
            given,
            ["10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5", "10.1.0.6"]
        );
        used.remove(&ip("10.1.0.3"));
        assert_eq!(pool.allocate(&used), Some(ip("10.1.0.3")));
    }

    #[test]
    fn a_range_and_auxiliary_addresses_are_kept() {
        let mut pool = Pool::of(net("10.1.0.0/16"), true);
        pool.range = Some(net("10.1.5.0/30"));
        pool.auxiliary.insert("printer".to_owned(), ip("10.1.5.0"));
        let mut used = BTreeSet::from([ip("10.1.5.1")]);
        assert_eq!(pool.allocate(&used), Some(ip("10.1.5.2")));
        used.extend([ip("10.1.5.2"), ip("10.1.5.3")]);
        assert_eq!(pool.allocate(&used), None);
        pool.claim(ip("10.1.9.9"), &used).unwrap();
    }

    #[test]
    fn addresses_that_were_asked_for_are_checked() {
        let pool = Pool::of(net("10.1.0.0/24"), true);
        let used = BTreeSet::from([ip("10.1.0.7")]);
        let status = |address| pool.claim(ip(address), &used).map_err(|error| error.status);
        assert_eq!(status("10.1.0.8"), Ok(()));
        assert_eq!(status("10.1.0.7"), Err(403));
        assert_eq!(status("10.1.0.1"), Err(403));
        assert_eq!(status("10.1.0.255"), Err(403));
        assert_eq!(status("10.2.0.1"), Err(400));
    }

    #[test]
    fn a_default_subnet_overlaps_nothing() {
        assert_eq!(free_subnet(&[]).unwrap(), net("172.17.0.0/16"));
        let taken = [net("172.17.3.0/24"), net("172.16.0.0/14")];
        assert_eq!(free_subnet(&taken).unwrap(), net("172.20.0.0/16"));
        let taken = [
            net("172.16.0.0/12"),
            net("192.168.0.0/16"),
            net("10.0.0.0/16"),
        ];
        assert_eq!(free_subnet(&taken).unwrap(), net("10.1.0.0/20"));
        let taken = [
            net("172.16.0.0/12"),
            net("192.168.0.0/16"),
            net("10.0.0.0/8"),
        ];
        assert_eq!(free_subnet(&taken).unwrap_err().status, 403);
    }

    #[test]
    fn ipv6_subnets_are_private() {
        let pool = Pool::of(random_ipv6_subnet(), false);
        assert!(net("fd00::/8").contains(&pool.gateway));
        assert!(
            pool.gateway.to_string().ends_with("::1"),
            "{}",
            pool.gateway
        );
        let address = pool.allocate(&BTreeSet::new()).unwrap();
        assert!(address.to_string().ends_with("::2"));
    }

    #[test]
    fn hardware_addresses_follow_from_ipv4() {
        let address = hardware_address(Ipv4Addr::new(172, 17, 0, 2));
        assert_eq!(address, [0x02, 0x42, 0xac, 0x11, 0, 2]);
    }
}
