//! Containers that start and end get their networks and lose them.

use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd as _;
use std::path::Path;

use bollard_stubs::models::EndpointSettings;
use indexmap::IndexMap;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::attachment::{Attachment, Endpoint};
use super::document::{Driver, Network};
use super::link::{Links, Pair};
use super::networks::{Networks, Services};
use super::{Attached, Guest, NamesReady, dns, endpoint, namespace, ports};
use crate::{Error, Result};

impl Networks {
    /// Connects a container that is about to start: links, addresses, routes, names, published
    /// ports. `namespace` is the file its network namespace is mounted on.
    ///
    /// # Errors
    /// 400, 403 and 404 for networks and addresses that are not to be had, 500 for ports that are
    /// in use and when the kernel refuses; nothing is left behind.
    pub(crate) async fn setup(&self, guest: &Guest<'_>, namespace: &Path) -> Result<Attached> {
        self.teardown(guest.id).await?;
        let wanted = ports::parse(guest.ports)?;
        if guest
            .endpoints
            .keys()
            .any(|key| self.find(key).is_ok_and(|found| found.is_default_bridge()))
        {
            self.give_default_subnet().await?;
        }
        let attachment = self.reserve(guest, namespace)?;
        match self.raise(guest, attachment, &wanted).await {
            Ok(attached) => Ok(attached),
            Err(error) => {
                if let Err(error) = self.teardown(guest.id).await {
                    tracing::error!("networks of container {}: {error}", guest.name);
                }
                Err(error)
            }
        }
    }

    fn reserve(&self, guest: &Guest<'_>, namespace: &Path) -> Result<Attachment> {
        let mut state = self.state.lock();
        let mut attachment = Attachment {
            container: guest.id.to_owned(),
            name: guest.name.to_owned(),
            hostname: guest.hostname.to_owned(),
            namespace: namespace.to_owned(),
            dns: guest.dns.to_vec(),
            endpoints: Vec::new(),
            publications: Vec::new(),
        };
        for (key, settings) in guest.endpoints {
            let network = state.find(key)?;
            if attachment.on(&network.id).is_some() {
                let name = &network.name;
                let message = format!("container {} names network {name} twice", guest.name);
                return Err(Error::bad_request(message));
            }
            let link = format!("{}{}", network.link_prefix(), attachment.endpoints.len());
            attachment
                .endpoints
                .push(endpoint::reserve(&state, network, settings, link)?);
            if network.driver != Driver::Bridge && guest.endpoints.len() > 1 {
                let message = format!(
                    "container cannot be connected to {} and other networks",
                    network.name
                );
                return Err(Error::bad_request(message));
            }
        }
        state
            .attachments
            .insert(attachment.container.clone(), attachment.clone());
        Ok(attachment)
    }

    async fn raise(
        &self,
        guest: &Guest<'_>,
        mut attachment: Attachment,
        wanted: &[ports::Wanted],
    ) -> Result<Attached> {
        let networks = self.networks_of(&attachment);
        let is_host = networks
            .iter()
            .any(|network| network.driver == Driver::Host);
        let outward = self.outward(&attachment);
        let mut services = Services::default();
        if let Some(target) = outward {
            let wanted = self.with_addresses(&attachment, wanted)?;
            let bound = ports::bind_all(&wanted).map_err(|error| refused(&attachment, &error))?;
            attachment.publications = bound.iter().map(ports::Bound::publication).collect();
            services.target = Some(target);
            services.proxies = ports::serve(bound, target)?;
        }
        // Known before it is made, so that it can be taken away whatever happens.
        self.save_attachment(&attachment).await?;
        self.state
            .lock()
            .attachments
            .insert(attachment.container.clone(), attachment.clone());
        let mut names = None;
        if !is_host {
            let inner = enter(&attachment.namespace).await?;
            inner.up("lo").await?;
            let (serving, ready) = self.serve_names(&attachment);
            (services.names, names) = (serving, Some(ready));
            for (one, network) in attachment.endpoints.iter().zip(&networks) {
                self.plug(one, network, &attachment.namespace, &inner)
                    .await?;
            }
            self.route(&attachment, &inner).await?;
        }
        self.services()
            .insert(attachment.container.clone(), services);
        self.settle_firewall(&attachment, &networks).await?;
        for network in &networks {
            self.tell("connect", network, Some(&attachment.container));
        }
        let keys = guest.endpoints.keys();
        let shown = attachment
            .endpoints
            .iter()
            .zip(&networks)
            .map(|(one, network)| endpoint::shown(&attachment, one, network));
        Ok(Attached {
            endpoints: keys.cloned().zip(shown).collect::<IndexMap<_, _>>(),
            ports: if is_host {
                ports::shown(&std::collections::HashMap::new(), &[])
            } else {
                ports::shown(guest.ports, &attachment.publications)
            },
            nameserver: names.is_some().then_some(dns::ADDRESS),
            names,
            hosts: self.hosts(guest, &attachment)?,
        })
    }

    /// The firewall has to know a bridge before its containers begin, published ports soon.
    async fn settle_firewall(&self, attachment: &Attachment, networks: &[Network]) -> Result<()> {
        if networks.iter().any(Network::is_default_bridge) {
            return self.apply_firewall().await;
        }
        if !attachment.publications.is_empty() {
            self.apply_firewall_later();
        }
        Ok(())
    }

    /// Its own addresses with its host name, and the extra hosts.
    fn hosts(&self, guest: &Guest<'_>, attachment: &Attachment) -> Result<Vec<(IpAddr, String)>> {
        let own = attachment.endpoints.iter().flat_map(Endpoint::addresses);
        let mut hosts: Vec<_> = own
            .map(|address| (address, guest.hostname.to_owned()))
            .collect();
        for host in guest.extra_hosts {
            let invalid = || Error::bad_request(format!("bad format for add-host: {host:?}"));
            let (name, address) = host.split_once([':', '=']).ok_or_else(invalid)?;
            let address = match address {
                "host-gateway" => self.host_gateway(attachment),
                given => given
                    .trim_matches(['[', ']'])
                    .parse()
                    .map_err(|_| invalid())?,
            };
            hosts.push((address, name.to_owned()));
        }
        hosts.extend(self.state.lock().links_on_default_bridge(attachment));
        Ok(hosts)
    }

    /// An address of the host that the container reaches.
    fn host_gateway(&self, attachment: &Attachment) -> IpAddr {
        let state = self.state.lock();
        let gateway = attachment
            .gateway(|id| state.networks.get(id))
            .map(|(_, network)| network);
        let first = || {
            attachment
                .endpoints
                .iter()
                .find_map(|one| state.networks.get(&one.network))
        };
        let pool = gateway.or_else(first).and_then(Network::ipv4);
        pool.map_or(IpAddr::from([127, 0, 0, 1]), |pool| pool.gateway)
    }

    /// Takes away everything that a container has of the networks; nothing when it has nothing.
    ///
    /// # Errors
    /// The first failure, after everything was tried.
    pub(crate) async fn teardown(&self, container: &str) -> Result<()> {
        self.end_services(container).await;
        let Some(attachment) = self.state.lock().attachments.remove(container) else {
            return Ok(());
        };
        let mut result = Ok(());
        let mut networks = Vec::new();
        self.lingering
            .leave(self.links().await?, &attachment.endpoints);
        for one in &attachment.endpoints {
            networks.extend(self.find(&one.network).ok());
        }
        for network in networks
            .iter()
            .filter(|network| network.is_default_bridge())
        {
            result = result.and(self.lower_later(network).await);
        }
        if !attachment.publications.is_empty() {
            self.apply_firewall_later();
        }
        for network in &networks {
            self.tell("disconnect", network, Some(container));
        }
        result.and(self.forget_attachment(container).await)
    }

    /// Whether a container that does not run may be connected to a network so; gives the network.
    ///
    /// # Errors
    /// 404 for an unknown network, 400 for what makes no sense.
    pub(crate) fn check(&self, reference: &str, settings: &EndpointSettings) -> Result<Network> {
        let network = self.find(reference)?;
        endpoint::check(&network, settings)?;
        Ok(network)
    }

    /// A container has another name: its name is answered from now on.
    ///
    /// # Errors
    /// 500 when that cannot be kept.
    pub(crate) async fn rename(&self, container: &str, name: &str) -> Result<()> {
        let attachment = {
            let mut state = self.state.lock();
            let Some(attachment) = state.attachments.get_mut(container) else {
                return Ok(());
            };
            name.clone_into(&mut attachment.name);
            attachment.clone()
        };
        self.save_attachment(&attachment).await
    }

    /// Name server and published ports of a container that runs, after a restart of the daemon.
    pub(super) async fn serve_again(&self, container: &str) -> Result<()> {
        let Some(attachment) = self.state.lock().attachments.get(container).cloned() else {
            return Ok(());
        };
        let networks = self.networks_of(&attachment);
        if networks
            .iter()
            .any(|network| network.driver == Driver::Host)
        {
            return Ok(());
        }
        let services = Services {
            names: self.serve_names(&attachment).0,
            ..Services::default()
        };
        self.services().insert(container.to_owned(), services);
        self.publish_again(&attachment, self.outward(&attachment))
            .await
    }

    /// Begins to serve names inside a container's namespace; tells when that is so, or why it cannot be. The kernel
    /// takes some milliseconds to lead there what is sent to the name server's port.
    fn serve_names(&self, attachment: &Attachment) -> (JoinSet<()>, NamesReady) {
        let (state, container) = (self.state.clone(), attachment.container.clone());
        let namespace = attachment.namespace.clone();
        let (ready, waiting) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let sockets = match namespace::inside(&namespace, dns::Sockets::bind).await {
                Ok(sockets) => sockets,
                Err(error) => {
                    // Whoever does not wait has it in the log.
                    tracing::error!("name server: {error}");
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            let _ = ready.send(Ok(()));
            if let Err(error) = dns::serve(state, container, sockets).await {
                tracing::error!("name server: {error}");
            }
        });
        (tasks, waiting)
    }

    async fn end_services(&self, container: &str) {
        self.end_proxies(container).await;
        let services = self.services().remove(container);
        if let Some(mut services) = services {
            services.names.shutdown().await;
        }
    }

    pub(super) async fn plug(
        &self,
        one: &Endpoint,
        network: &Network,
        namespace: &Path,
        inner: &Links,
    ) -> Result<()> {
        if network.driver != Driver::Bridge {
            return Ok(());
        }
        let bridge = self.raise_bridge(network).await?;
        let file = File::open(namespace).map_err(|error| Error::io("open", namespace, error))?;
        let pair = Pair {
            host: &one.host_link,
            guest: &one.guest_link,
            bridge,
            namespace: file.as_fd(),
            hardware: one.hardware,
            mtu: network.mtu()?,
        };
        let links = self.links().await?;
        self.lingering.make_way(links, one).await?;
        links.pair(&pair).await?;
        let index = inner.up(&one.guest_link).await?;
        let pools = [
            (one.ipv4.map(IpAddr::V4), network.ipv4()),
            (one.ipv6.map(IpAddr::V6), network.ipv6()),
        ];
        for (address, pool) in pools {
            if let Some((address, pool)) = address.zip(pool) {
                inner
                    .address(index, address, pool.subnet.prefix_len())
                    .await?;
            }
        }
        Ok(())
    }

    /// The default routes of a container, through the network that leads outside.
    pub(super) async fn route(&self, attachment: &Attachment, inner: &Links) -> Result<()> {
        let gateways: Vec<IpAddr> = {
            let state = self.state.lock();
            let gateway = attachment.gateway(|id| state.networks.get(id));
            let pools = gateway.iter().flat_map(|(_, network)| &network.pools);
            pools.map(|pool| pool.gateway).collect()
        };
        for gateway in gateways {
            inner.default_route(gateway).await?;
        }
        Ok(())
    }

    fn networks_of(&self, attachment: &Attachment) -> Vec<Network> {
        let state = self.state.lock();
        let networks = attachment.endpoints.iter();
        networks
            .filter_map(|one| state.networks.get(&one.network).cloned())
            .collect()
    }

    /// Ports without an address take the one that their network has for them, if it has one.
    fn with_addresses(
        &self,
        attachment: &Attachment,
        wanted: &[ports::Wanted],
    ) -> Result<Vec<ports::Wanted>> {
        let state = self.state.lock();
        let through = attachment.gateway(|id| state.networks.get(id));
        let network = through.and_then(|(one, _)| state.networks.get(&one.network));
        let default = network.map(Network::binding_address).transpose()?.flatten();
        Ok(wanted.iter().map(|one| one.clone().on(default)).collect())
    }

    /// The address behind published ports: on the network that leads outside.
    pub(super) fn outward(&self, attachment: &Attachment) -> Option<IpAddr> {
        let state = self.state.lock();
        let (one, _) = attachment.gateway(|id| state.networks.get(id))?;
        one.addresses().next()
    }
}

/// Opens a netlink socket inside a namespace.
pub(super) async fn enter(namespace: &Path) -> Result<Links> {
    namespace::inside(namespace, Links::open).await
}

/// Docker's words for ports that cannot be published.
fn refused(attachment: &Attachment, error: &Error) -> Error {
    let endpoint = attachment
        .endpoints
        .first()
        .map_or("", |one| one.id.as_str());
    Error::internal(format!(
        "failed to set up container networking: driver failed programming external connectivity on \
         endpoint {} ({endpoint}): {error}",
        attachment.name
    ))
}
