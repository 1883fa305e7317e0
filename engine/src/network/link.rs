//! Links, addresses and routes of one network namespace, through netlink.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::Arc;

use futures::TryStreamExt as _;
use ipnet::IpNet;
use nix::errno::Errno;
use rtnetlink::packet_route::address::AddressAttribute;
use rtnetlink::packet_route::link::{InfoData, InfoKind, InfoVeth, LinkMessage};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
use rtnetlink::{Handle, LinkBridge, LinkMessageBuilder, LinkUnspec, RouteMessageBuilder};

use tokio::sync::Mutex;

use crate::{Error, Result};

/// A netlink socket.
#[derive(Clone)]
pub(crate) struct Links {
    handle: Handle,
    /// The kernel gives one list at a time to a socket, and EBUSY to who asks for a second one.
    listing: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Links")
    }
}

/// A pair of links between a bridge and a container.
pub(crate) struct Pair<'a> {
    /// Name on the host.
    pub(crate) host: &'a str,
    /// Name in the container.
    pub(crate) guest: &'a str,
    /// Index of the bridge that the host's end is plugged into.
    pub(crate) bridge: u32,
    /// The container's namespace.
    pub(crate) namespace: BorrowedFd<'a>,
    /// Hardware address of the container's end.
    pub(crate) hardware: [u8; 6],
    /// Bytes a packet may have; the kernel's default without it.
    pub(crate) mtu: Option<u32>,
}

fn is(error: &rtnetlink::Error, errno: Errno) -> bool {
    matches!(error, rtnetlink::Error::NetlinkError(message) if message.raw_code() == -(errno as i32))
}

fn failed(doing: &str, what: impl std::fmt::Display, error: &rtnetlink::Error) -> Error {
    let cause = match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io().to_string(),
        other => other.to_string(),
    };
    Error::internal(format!("{doing} {what}: {cause}"))
}

impl Links {
    /// Opens a socket in the namespace of the calling thread; its traffic runs on the current
    /// tokio runtime.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(crate) fn open() -> Result<Self> {
        let (connection, handle, _) = rtnetlink::new_connection()
            .map_err(|error| Error::internal(format!("open a netlink socket: {error}")))?;
        tokio::spawn(connection);
        Ok(Self {
            handle,
            listing: Arc::default(),
        })
    }

    /// The index of a link; `None` when there is none of this name.
    ///
    /// # Errors
    /// 500 when the kernel cannot be asked.
    pub(crate) async fn index(&self, name: &str) -> Result<Option<u32>> {
        let mut links = self.handle.link().get().match_name(name).execute();
        match links.try_next().await {
            Ok(link) => Ok(link.map(|link| link.header.index)),
            Err(error) if is(&error, Errno::ENODEV) => Ok(None),
            Err(error) => Err(failed("find link", name, &error)),
        }
    }

    async fn existing(&self, name: &str) -> Result<u32> {
        let missing = || Error::internal(format!("there is no link {name}"));
        self.index(name).await?.ok_or_else(missing)
    }

    /// Makes a bridge that is up, or takes the one that is there; gives its index.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(crate) async fn bridge(
        &self,
        name: &str,
        hardware: Option<[u8; 6]>,
        mtu: Option<u32>,
    ) -> Result<u32> {
        let mut bridge = LinkBridge::new(name);
        // Otherwise its address changes with every link that is plugged in.
        if let Some(hardware) = hardware {
            bridge = bridge.address(hardware.to_vec());
        }
        if let Some(mtu) = mtu {
            bridge = bridge.mtu(mtu);
        }
        match self.handle.link().add(bridge.build()).execute().await {
            Err(error) if !is(&error, Errno::EEXIST) => Err(failed("create bridge", name, &error)),
            _ => self.existing(name).await,
        }
    }

    /// Makes a pair of links; the host's end is up, the container's end is still down.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(crate) async fn pair(&self, pair: &Pair<'_>) -> Result<()> {
        let mut guest = LinkMessageBuilder::<LinkUnspec>::new()
            .name(pair.guest)
            .address(pair.hardware.to_vec())
            .setns_by_fd(pair.namespace.as_raw_fd());
        let mut host = LinkMessageBuilder::<LinkUnspec>::new_with_info_kind(InfoKind::Veth)
            .name(pair.host)
            .controller(pair.bridge)
            .up();
        if let Some(mtu) = pair.mtu {
            guest = guest.mtu(mtu);
            host = host.mtu(mtu);
        }
        let host = host.set_info_data(InfoData::Veth(InfoVeth::Peer(guest.build())));
        let added = self.handle.link().add(host.build()).execute().await;
        added.map_err(|error| failed("create link", pair.host, &error))
    }

    /// Sets a link up.
    ///
    /// # Errors
    /// 500 when there is none, or the kernel refuses.
    pub(crate) async fn up(&self, name: &str) -> Result<u32> {
        let index = self.existing(name).await?;
        let message: LinkMessage = LinkUnspec::new_with_index(index).up().build();
        let set = self.handle.link().set(message).execute().await;
        set.map_err(|error| failed("set up link", name, &error))?;
        Ok(index)
    }

    /// Sets a link down, so that nothing goes through it; nothing when there is none.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(crate) async fn down(&self, name: &str) -> Result<()> {
        let Some(index) = self.index(name).await? else {
            return Ok(());
        };
        let message: LinkMessage = LinkUnspec::new_with_index(index).down().build();
        match self.handle.link().set(message).execute().await {
            Err(error) if !is(&error, Errno::ENODEV) => Err(failed("set down link", name, &error)),
            _ => Ok(()),
        }
    }

    /// Removes a link; nothing when there is none.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(crate) async fn remove(&self, name: &str) -> Result<()> {
        let Some(index) = self.index(name).await? else {
            return Ok(());
        };
        match self.handle.link().del(index).execute().await {
            Err(error) if !is(&error, Errno::ENODEV) => Err(failed("remove link", name, &error)),
            _ => Ok(()),
        }
    }

    /// Gives a link an address; nothing when it has it.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(crate) async fn address(&self, index: u32, address: IpAddr, prefix: u8) -> Result<()> {
        match self
            .handle
            .address()
            .add(index, address, prefix)
            .execute()
            .await
        {
            Err(error) if !is(&error, Errno::EEXIST) => Err(failed("add address", address, &error)),
            _ => Ok(()),
        }
    }

    /// Sets the default route of the gateway's family, or takes it away.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(crate) async fn default_route(&self, gateway: IpAddr) -> Result<()> {
        let route = RouteMessageBuilder::<IpAddr>::new();
        let any: IpAddr = match gateway {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let route = route
            .destination_prefix(any, 0)
            .and_then(|route| route.gateway(gateway));
        let route = route
            .map_err(|error| Error::internal(format!("{error:?}")))?
            .build();
        let added = self.handle.route().add(route).replace().execute().await;
        added.map_err(|error| failed("add a default route through", gateway, &error))
    }

    /// Takes away the default routes of one family.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(crate) async fn no_default_route(&self, is_ipv4: bool) -> Result<()> {
        for route in self.routes(is_ipv4).await? {
            let is_default = route.header.destination_prefix_length == 0
                && route
                    .attributes
                    .iter()
                    .any(|attribute| matches!(attribute, RouteAttribute::Gateway(_)));
            if is_default {
                let removed = self.handle.route().del(route).execute().await;
                removed.map_err(|error| failed("remove", "a default route", &error))?;
            }
        }
        Ok(())
    }

    async fn routes(&self, is_ipv4: bool) -> Result<Vec<RouteMessage>> {
        let message = if is_ipv4 {
            RouteMessageBuilder::<Ipv4Addr>::new().build()
        } else {
            RouteMessageBuilder::<Ipv6Addr>::new().build()
        };
        let _listing = self.listing.lock().await;
        let routes = self
            .handle
            .route()
            .get(message)
            .execute()
            .try_collect()
            .await;
        routes.map_err(|error| failed("list", "routes", &error))
    }

    /// Every subnet that the namespace has a route or an address in, without the default routes.
    ///
    /// # Errors
    /// 500 when the kernel cannot be asked.
    pub(crate) async fn taken(&self) -> Result<Vec<IpNet>> {
        let mut taken = Vec::new();
        for route in self.routes(true).await? {
            let prefix = route.header.destination_prefix_length;
            for attribute in &route.attributes {
                if let RouteAttribute::Destination(RouteAddress::Inet(address)) = attribute
                    && prefix > 0
                {
                    taken.extend(IpNet::new((*address).into(), prefix).ok());
                }
            }
        }
        let _listing = self.listing.lock().await;
        let addresses: Vec<_> = self
            .handle
            .address()
            .get()
            .execute()
            .try_collect()
            .await
            .map_err(|error| failed("list", "addresses", &error))?;
        for address in addresses {
            let prefix = address.header.prefix_len;
            for attribute in &address.attributes {
                if let AddressAttribute::Address(address) = attribute {
                    taken.extend(IpNet::new(*address, prefix).ok());
                }
            }
        }
        Ok(taken)
    }

    /// Names of all links that begin with `prefix`.
    ///
    /// # Errors
    /// 500 when the kernel cannot be asked.
    #[cfg(test)]
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        let _listing = self.listing.lock().await;
        let links: Vec<LinkMessage> = self
            .handle
            .link()
            .get()
            .execute()
            .try_collect()
            .await
            .map_err(|error| failed("list", "links", &error))?;
        let names = links.into_iter().flat_map(|link| link.attributes);
        Ok(names
            .filter_map(|attribute| match attribute {
                rtnetlink::packet_route::link::LinkAttribute::IfName(name) => Some(name),
                _ => None,
            })
            .collect())
    }
}
