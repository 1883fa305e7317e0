//! What one container can see of the others.

use std::net::IpAddr;

use crate::network::attachment::{Attachment, Endpoint};
use crate::network::document::Network;
use crate::network::state::Inner;

impl Inner {
    /// The addresses behind a name as one container sees it: the links of each of its networks,
    /// then names and aliases there, from the first network that knows the name. `None` when
    /// the name is no container's.
    pub(crate) fn resolve(&self, container: &str, name: &str) -> Option<Vec<IpAddr>> {
        let own = self.attachments.get(container)?;
        let mut on_networks = own.endpoints.iter().filter_map(|endpoint| {
            let network = self.networks.get(&endpoint.network)?;
            Some((endpoint, network))
        });
        on_networks.find_map(|(endpoint, network)| {
            let found = self.linked(endpoint, network, name);
            let found = found.or_else(|| self.named(network, name));
            found.filter(|addresses| !addresses.is_empty())
        })
    }

    /// Addresses and names of what a container is linked to on the default bridge, where no name server answers.
    pub(crate) fn links_on_default_bridge(&self, own: &Attachment) -> Vec<(IpAddr, String)> {
        let mut found = Vec::new();
        for endpoint in &own.endpoints {
            let network = self.networks.get(&endpoint.network);
            let Some(network) = network.filter(|network| network.is_default_bridge()) else {
                continue;
            };
            for link in endpoint.settings.links.iter().flatten() {
                let (_, alias) = link.split_once(':').unwrap_or((link, link));
                let addresses = self.linked(endpoint, network, alias).unwrap_or_default();
                found.extend(
                    addresses
                        .into_iter()
                        .map(|address| (address, alias.to_owned())),
                );
            }
        }
        found
    }

    fn linked(&self, own: &Endpoint, network: &Network, name: &str) -> Option<Vec<IpAddr>> {
        let links = own.settings.links.iter().flatten();
        let mut parts = links.map(|link| link.split_once(':').unwrap_or((link, link)));
        let (target, _) = parts.find(|(_, alias)| alias.eq_ignore_ascii_case(name))?;
        let is_target =
            |other: &&Attachment| other.name == target || other.container.starts_with(target);
        let other = self.on(&network.id).find(is_target)?;
        Some(other.on(&network.id)?.addresses().collect())
    }

    fn named(&self, network: &Network, name: &str) -> Option<Vec<IpAddr>> {
        if network.is_default_bridge() {
            return None;
        }
        let found = self.exactly_named(network, name);
        if !found.is_empty() {
            return Some(found);
        }
        // A name may say its network: `web.backend`.
        let (name, suffix) = name.rsplit_once('.')?;
        let is_here = suffix.eq_ignore_ascii_case(&network.name);
        is_here.then(|| self.exactly_named(network, name))
    }

    fn exactly_named(&self, network: &Network, name: &str) -> Vec<IpAddr> {
        let endpoints = self.on(&network.id).filter_map(|other| {
            let endpoint = other.on(&network.id)?;
            let mut names = other.names(endpoint).into_iter();
            names
                .any(|known| known.eq_ignore_ascii_case(name))
                .then_some(endpoint)
        });
        endpoints.flat_map(Endpoint::addresses).collect()
    }

    /// The name of the container with an address, `web.backend`, as one container sees it.
    pub(crate) fn reverse(&self, container: &str, address: IpAddr) -> Option<String> {
        let own = self.attachments.get(container)?;
        own.endpoints.iter().find_map(|endpoint| {
            let network = self.networks.get(&endpoint.network)?;
            let has_it = |other: &&Attachment| {
                let endpoint = other.on(&network.id);
                endpoint.is_some_and(|endpoint| endpoint.addresses().any(|own| own == address))
            };
            let other = self.on(&network.id).find(has_it)?;
            Some(format!("{}.{}", other.name, network.name))
        })
    }

    /// Whether an address is of a network that the container is on.
    pub(crate) fn is_local(&self, container: &str, address: IpAddr) -> bool {
        let endpoints = self
            .attachments
            .get(container)
            .map(|own| own.endpoints.iter());
        let networks = endpoints.into_iter().flatten();
        networks
            .filter_map(|endpoint| self.networks.get(&endpoint.network))
            .any(|network| {
                network
                    .pools
                    .iter()
                    .any(|pool| pool.subnet.contains(&address))
            })
    }

    /// The name servers that were given to a container; `None` when it may ask nobody, being on
    /// internal networks alone. Empty: those of the host.
    pub(crate) fn upstreams(&self, container: &str) -> Option<Vec<String>> {
        let own = self.attachments.get(container)?;
        own.gateway(|id| self.networks.get(id))?;
        Some(own.dns.clone())
    }
}
