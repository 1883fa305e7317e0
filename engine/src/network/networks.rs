//! All networks of the engine.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use super::attachment::Attachment;
use super::document::{Driver, Network};
use super::firewall::{self, Firewall, Redirect, Rules};
use super::ipam::{self, Pool, hardware_address};
use super::lingering::Lingering;
use super::link::Links;
use super::ports::{self, Publication};
use super::state::Inner;
use super::{Shared, create};
use crate::container::brief;
use crate::events::{Events, Kind};
use crate::store::Documents;
use crate::{Error, Layout, Result};

/// How long the default bridge stays without containers.
const UNUSED: Duration = Duration::from_secs(5);

/// The networks, and the containers on them.
#[derive(Debug)]
pub(crate) struct Networks {
    pub(super) state: Shared,
    events: Arc<Events>,
    documents: Arc<Documents<Network>>,
    attachments: Arc<Documents<Attachment>>,
    links: OnceCell<Links>,
    pub(super) firewall: Arc<Firewall>,
    /// Making and removing bridges, one after the other.
    bridges: Arc<tokio::sync::Mutex<Bridges>>,
    /// Links that are left to their namespaces.
    pub(super) lingering: Lingering,
    /// Name servers and proxies, by the container's id.
    pub(super) services: Mutex<HashMap<String, Services>>,
}

/// The bridges that are there: how often each was asked for, by the network's id.
type Bridges = HashMap<String, u64>;

/// What runs in this process for one container; ends when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Services {
    pub(super) names: JoinSet<()>,
    pub(super) proxies: JoinSet<()>,
    /// Where the proxies carry to.
    pub(super) target: Option<IpAddr>,
}

impl Networks {
    /// Loads the networks, and makes the three that are always there; nothing of the kernel is
    /// touched.
    ///
    /// # Errors
    /// 500 when a folder or a document cannot be read or written.
    pub(crate) fn open(layout: &Layout, events: Arc<Events>) -> Result<Self> {
        let documents = Documents::open(layout.networks(), "network")?;
        let attachments = Documents::open_volatile(layout.containers_run(), "attachment")?;
        let mut inner = Inner::default();
        let mut networks: Vec<(String, Network)> = documents.load()?;
        for network in create::builtin() {
            if !networks.iter().any(|(_, known)| known.name == network.name) {
                documents.put(&network.id, &network)?;
                networks.push((network.id.clone(), network));
            }
        }
        networks.sort_by(|(_, one), (_, other)| one.created.cmp(&other.created));
        inner.networks.extend(networks);
        inner.attachments.extend(attachments.load()?);
        Ok(Self {
            state: Arc::new(super::state::State::new(inner)),
            events,
            documents: Arc::new(documents),
            attachments: Arc::new(attachments),
            links: OnceCell::new(),
            firewall: Arc::default(),
            bridges: Arc::default(),
            lingering: Lingering::default(),
            services: Mutex::default(),
        })
    }

    /// Takes up what a former daemon has left: bridges, name servers and published ports of the
    /// containers that run; those that ended meanwhile are torn down.
    ///
    /// # Errors
    /// None of a single container or network: those are told in the daemon's log.
    pub(crate) async fn adopt(&self, running: &HashSet<String>) -> Result<()> {
        if let Err(error) = self.give_default_subnet().await {
            tracing::warn!("the default bridge has no subnet: {error}");
        }
        let (networks, attachments) = {
            let state = self.state.lock();
            let own = state.networks.values().filter(|network| !network.builtin);
            (
                own.cloned().collect::<Vec<_>>(),
                state.attachments.keys().cloned().collect::<Vec<_>>(),
            )
        };
        for network in &networks {
            if let Err(error) = self.raise_bridge(network).await {
                tracing::error!("network {}: {error}", network.name);
            }
        }
        for container in &attachments {
            if self.services().contains_key(container) {
                continue;
            }
            let adopted = if running.contains(container) {
                self.serve_again(container).await
            } else {
                self.teardown(container).await
            };
            if let Err(error) = adopted {
                tracing::error!("networks of container {container}: {error}");
            }
        }
        if networks.is_empty() && attachments.is_empty() {
            return Ok(());
        }
        self.apply_firewall().await
    }

    /// One network by its name, its id or the beginning of its id.
    ///
    /// # Errors
    /// 404 when there is none.
    pub(crate) fn find(&self, reference: &str) -> Result<Network> {
        self.state.lock().find(reference).cloned()
    }

    /// Creates a network with its bridge.
    ///
    /// # Errors
    /// 400 for what makes no sense, 403 for a subnet that overlaps another, 409 for a name that
    /// is in use, 500 when the kernel refuses.
    pub(crate) async fn create(&self, mut network: Network) -> Result<Network> {
        let links = self.links().await?;
        let taken = if network.ipv4().is_none() {
            links.taken().await?
        } else {
            Vec::new()
        };
        network.foreign = links.index(&network.bridge).await?.is_some();
        {
            let mut state = self.state.lock();
            create::settle(&mut network, &state, &taken)?;
            state.networks.insert(network.id.clone(), network.clone());
        }
        match self.establish(&network).await {
            Ok(()) => {
                self.tell("create", &network, None);
                Ok(network)
            }
            Err(error) => {
                self.state.lock().networks.shift_remove(&network.id);
                self.abolish(&network)
                    .await
                    .unwrap_or_else(|error| tracing::error!("{error}"));
                Err(error)
            }
        }
    }

    async fn establish(&self, network: &Network) -> Result<()> {
        self.save(network).await?;
        self.raise_bridge(network).await?;
        self.apply_firewall().await
    }

    /// Removes a network.
    ///
    /// # Errors
    /// 404 when there is none, 403 when it is always there or containers are on it, 500 when
    /// the kernel refuses.
    pub(crate) async fn remove(&self, reference: &str) -> Result<()> {
        let network = {
            let mut state = self.state.lock();
            let network = state.find(reference)?.clone();
            if network.builtin {
                let name = &network.name;
                let message = format!("{name} is a pre-defined network and cannot be removed");
                return Err(Error::forbidden(message));
            }
            if let Some(message) = create::in_use(&state, &network) {
                return Err(Error::forbidden(message));
            }
            state.networks.shift_remove(&network.id);
            network
        };
        self.abolish(&network).await?;
        self.tell("destroy", &network, None);
        Ok(())
    }

    async fn abolish(&self, network: &Network) -> Result<()> {
        let applied = self.apply_firewall().await;
        let lowered = self.lower_bridge(network).await;
        let (documents, id) = (self.documents.clone(), network.id.clone());
        let removed = brief(move || documents.remove(&id)).await;
        applied.and(lowered).and(removed)
    }

    async fn save(&self, network: &Network) -> Result<()> {
        let (documents, network) = (self.documents.clone(), network.clone());
        brief(move || documents.put(&network.id, &network)).await
    }

    pub(super) async fn save_attachment(&self, attachment: &Attachment) -> Result<()> {
        let (attachments, attachment) = (self.attachments.clone(), attachment.clone());
        brief(move || attachments.put(&attachment.container, &attachment)).await
    }

    pub(super) async fn forget_attachment(&self, container: &str) -> Result<()> {
        let (attachments, container) = (self.attachments.clone(), container.to_owned());
        brief(move || attachments.remove_alone(&container)).await
    }

    pub(super) async fn links(&self) -> Result<&Links> {
        self.links.get_or_try_init(|| async { Links::open() }).await
    }

    /// Chooses a subnet for the default bridge, once and for all.
    pub(super) async fn give_default_subnet(&self) -> Result<()> {
        let needs = |network: &&Network| network.is_default_bridge() && network.pools.is_empty();
        if !self
            .state
            .lock()
            .networks
            .values()
            .any(|network| needs(&network))
        {
            return Ok(());
        }
        let taken = self.links().await?.taken().await?;
        let chosen = {
            let mut state = self.state.lock();
            let pool = Pool::of(ipam::free_subnet(&create::taken(&state, &taken))?, false);
            let network = state
                .networks
                .values_mut()
                .find(|network| needs(&&**network));
            network.map(|network| {
                network.pools.push(pool);
                network.clone()
            })
        };
        match chosen {
            Some(network) => self.save(&network).await,
            None => Ok(()),
        }
    }

    /// Makes a network's bridge if it is not there; gives the index of its link.
    pub(super) async fn raise_bridge(&self, network: &Network) -> Result<u32> {
        let links = self.links().await?;
        let mut up = self.bridges.lock().await;
        if let Some(asked) = up.get_mut(&network.id)
            && let Some(index) = links.index(&network.bridge).await?
        {
            *asked += 1;
            return Ok(index);
        }
        let hardware = match network.ipv4().map(|pool| pool.gateway) {
            Some(IpAddr::V4(gateway)) => Some(hardware_address(gateway)),
            _ => None,
        };
        let index = links
            .bridge(&network.bridge, hardware, network.mtu()?)
            .await?;
        for pool in &network.pools {
            links
                .address(index, pool.gateway, pool.subnet.prefix_len())
                .await?;
        }
        if !network.internal {
            forward(network.ipv6().is_some());
        }
        *up.entry(network.id.clone()).or_default() += 1;
        Ok(index)
    }

    /// Takes a network's bridge away, unless it was there before the network, or is in use.
    pub(super) async fn lower_bridge(&self, network: &Network) -> Result<()> {
        let mut up = self.bridges.lock().await;
        lower(self.links().await?, &self.state, &mut up, network).await
    }

    /// Takes the default bridge and what the firewall has of it away when nobody has used it for
    /// a while.
    pub(super) async fn lower_later(&self, network: &Network) -> Result<()> {
        let (links, network) = (self.links().await?.clone(), network.clone());
        let (state, bridges, firewall) = (
            self.state.clone(),
            self.bridges.clone(),
            self.firewall.clone(),
        );
        let asked = bridges.lock().await.get(&network.id).copied();
        tokio::spawn(async move {
            tokio::time::sleep(UNUSED).await;
            let mut up = bridges.lock().await;
            if up.get(&network.id).copied() != asked {
                // Somebody was there meanwhile: it goes some time after them.
                return;
            }
            let lowered = lower(&links, &state, &mut up, &network).await;
            drop(up);
            let applied = firewall.apply(|| rules(&state.lock())).await;
            if let Err(error) = lowered.and(applied) {
                tracing::error!("network {}: {error}", network.name);
            }
        });
        Ok(())
    }

    pub(super) async fn apply_firewall(&self) -> Result<()> {
        self.firewall.apply(|| rules(&self.state.lock())).await
    }

    /// As [`Self::apply_firewall`], without being waited for: the proxies serve meanwhile.
    pub(super) fn apply_firewall_later(&self) {
        let (firewall, state) = (self.firewall.clone(), self.state.clone());
        tokio::spawn(async move {
            if let Err(error) = firewall.apply(|| rules(&state.lock())).await {
                tracing::error!("published ports: {error}");
            }
        });
    }

    /// Publishes an event of a network.
    pub(super) fn tell(&self, action: &str, network: &Network, container: Option<&str>) {
        let attributes = [
            ("name", Some(network.name.as_str())),
            ("type", Some(network.driver.name())),
            ("container", container),
        ];
        let given = attributes
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
        self.events
            .publish(Kind::NETWORK, action, &network.id, given.collect());
    }

    pub(super) fn services(&self) -> std::sync::MutexGuard<'_, HashMap<String, Services>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the kernel forward between links.
fn forward(ipv6: bool) {
    let switches = [
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/sys/net/ipv6/conf/all/forwarding",
    ];
    for switch in &switches[..if ipv6 { 2 } else { 1 }] {
        let is_on = std::fs::read_to_string(switch).is_ok_and(|text| text.trim() != "0");
        if !is_on && let Err(error) = std::fs::write(switch, "1") {
            tracing::warn!("containers cannot reach beyond this host: {switch}: {error}");
        }
    }
}

async fn lower(links: &Links, state: &Shared, up: &mut Bridges, network: &Network) -> Result<()> {
    if network.driver != Driver::Bridge
        || network.foreign
        || state.lock().on(&network.id).next().is_some()
    {
        return Ok(());
    }
    up.remove(&network.id);
    links.remove(&network.bridge).await
}

/// What the firewall has to do for the present networks and containers.
pub(super) fn rules(state: &Inner) -> Rules {
    let is_up = |network: &&Network| {
        network.driver == Driver::Bridge
            && (!network.builtin || state.on(&network.id).next().is_some())
    };
    let default = state
        .networks
        .values()
        .find(|network| network.is_default_bridge());
    let tag = default
        .and_then(|network| network.id.get(..8))
        .unwrap_or_default();
    let mut redirects: Vec<Redirect> = state
        .attachments
        .values()
        .flat_map(|attachment| redirects(state, attachment))
        .collect();
    redirects.sort_by_key(|redirect| (redirect.protocol, redirect.host));
    Rules {
        tag: tag.to_owned(),
        bridges: state.networks.values().filter(is_up).map(bridge).collect(),
        redirects,
    }
}

fn bridge(network: &Network) -> firewall::Bridge {
    firewall::Bridge {
        link: network.bridge.clone(),
        subnets: network
            .pools
            .iter()
            .map(|pool| pool.subnet.trunc())
            .collect(),
        internal: network.internal,
        masquerade: network.is_on("com.docker.network.bridge.enable_ip_masquerade", true),
        talkative: network.is_on("com.docker.network.bridge.enable_icc", true),
    }
}

fn redirects(state: &Inner, attachment: &Attachment) -> Vec<Redirect> {
    let Some((endpoint, network)) = attachment.gateway(|id| state.networks.get(id)) else {
        return Vec::new();
    };
    let redirect = |publication: &Publication| {
        let is_family = |address: &IpAddr| address.is_ipv4() == publication.host.is_ipv4();
        let address = endpoint.addresses().find(is_family)?;
        Some(Redirect {
            protocol: publication.protocol,
            host: publication.host,
            link: network.bridge.clone(),
            target: (address, publication.port).into(),
        })
    };
    attachment
        .publications
        .iter()
        .filter_map(redirect)
        .collect()
}

impl Networks {
    /// Listens on published ports for a container again, or anew after it moved to another
    /// address.
    pub(super) async fn publish_again(
        &self,
        attachment: &Attachment,
        target: Option<IpAddr>,
    ) -> Result<()> {
        self.end_proxies(&attachment.container).await;
        let Some(target) = target else { return Ok(()) };
        let mut bound = Vec::new();
        for publication in &attachment.publications {
            match ports::bind_again(*publication) {
                Ok(one) => bound.push(one),
                // The other ports are worth having.
                Err(error) => tracing::error!("container {}: {error}", attachment.name),
            }
        }
        let proxies = ports::serve(bound, target)?;
        let mut services = self.services();
        let services = services.entry(attachment.container.clone()).or_default();
        (services.proxies, services.target) = (proxies, Some(target));
        Ok(())
    }

    /// Ends a container's proxies and waits until their ports are free.
    pub(super) async fn end_proxies(&self, container: &str) {
        let proxies = self
            .services()
            .get_mut(container)
            .map(|services| std::mem::take(&mut services.proxies));
        if let Some(mut proxies) = proxies {
            proxies.shutdown().await;
        }
    }
}
