//! What a container asks of one network, and what it gets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bollard_stubs::models::EndpointSettings;

use super::attachment::{Attachment, Endpoint};
use super::document::{Driver, Network};
use super::ipam::{Pool, hardware_address};
use super::state::Inner;
use crate::{Error, Result, identifier};

/// Reserves a place on a network: addresses that were asked for, or free ones.
///
/// # Errors
/// 400 for what makes no sense on this network, 403 for an address that is in use and when none
/// is left.
pub(super) fn reserve(
    state: &Inner,
    network: &Network,
    settings: &EndpointSettings,
    guest_link: String,
) -> Result<Endpoint> {
    let wanted = Wanted::read(settings)?;
    wanted.check(network, settings)?;
    let mut endpoint = Endpoint {
        network: network.id.clone(),
        id: identifier::new(),
        ipv4: None,
        ipv6: None,
        hardware: [0; 6],
        host_link: String::new(),
        guest_link: wanted.guest_link.clone().unwrap_or(guest_link),
        settings: settings.clone(),
    };
    if network.driver != Driver::Bridge {
        return Ok(endpoint);
    }
    let used = state.used(&network.id);
    let place = |pool: &Pool, wanted: Option<IpAddr>| match wanted {
        Some(address) => pool.claim(address, &used).map(|()| address),
        None => pool.allocate(&used).ok_or_else(|| exhausted(network)),
    };
    if let Some(pool) = network.ipv4()
        && let IpAddr::V4(address) = place(pool, wanted.ipv4.map(IpAddr::V4))?
    {
        endpoint.ipv4 = Some(address);
    }
    if let Some(pool) = network.ipv6()
        && let IpAddr::V6(address) = place(pool, wanted.ipv6.map(IpAddr::V6))?
    {
        endpoint.ipv6 = Some(address);
    }
    endpoint.hardware = Endpoint::hardware(wanted.hardware, endpoint.ipv4);
    endpoint.host_link = format!("veth{}", endpoint.id.get(..7).unwrap_or(&endpoint.id));
    Ok(endpoint)
}

fn exhausted(network: &Network) -> Error {
    Error::forbidden(format!(
        "no available addresses on network {}",
        network.name
    ))
}

/// Checks what a container that does not run asks of a network.
///
/// # Errors
/// As [`reserve`], except for addresses.
pub(super) fn check(network: &Network, settings: &EndpointSettings) -> Result<()> {
    Wanted::read(settings)?.check(network, settings)
}

/// Option of an endpoint: the name of the link in the container.
const LINK_NAME: &str = "com.docker.network.endpoint.ifname";
/// How many bytes the name of a link may have.
const LONGEST_LINK_NAME: usize = 15;

/// Addresses and the name of the link that were asked for.
struct Wanted {
    ipv4: Option<Ipv4Addr>,
    ipv6: Option<Ipv6Addr>,
    hardware: Option<[u8; 6]>,
    guest_link: Option<String>,
}

impl Wanted {
    fn read(settings: &EndpointSettings) -> Result<Self> {
        let ipam = settings.ipam_config.clone().unwrap_or_default();
        if ipam
            .link_local_ips
            .is_some_and(|addresses| !addresses.is_empty())
        {
            return Err(Error::not_supported(
                "EndpointSettings.IPAMConfig.LinkLocalIPs",
            ));
        }
        let mut guest_link = None;
        for (option, value) in settings.driver_opts.iter().flatten() {
            match option.as_str() {
                LINK_NAME => guest_link = Some(link_name(value)?),
                _ => return Err(Error::not_supported(format!("endpoint option {option}"))),
            }
        }
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let invalid =
            |kind: &str, text: &str| Error::bad_request(format!("invalid {kind} address: {text}"));
        let ipv4 = given(ipam.ipv4_address)
            .map(|text| text.parse().map_err(|_| invalid("IPv4", &text)))
            .transpose()?;
        let ipv6 = given(ipam.ipv6_address)
            .map(|text| text.parse().map_err(|_| invalid("IPv6", &text)))
            .transpose()?;
        let hardware = given(settings.mac_address.clone())
            .map(|text| hardware(&text).ok_or_else(|| invalid("MAC", &text)))
            .transpose()?;
        Ok(Self {
            ipv4,
            ipv6,
            hardware,
            guest_link,
        })
    }

    fn check(&self, network: &Network, settings: &EndpointSettings) -> Result<()> {
        let is_user_defined = !network.builtin;
        let aliases = settings.aliases.iter().flatten().next().is_some();
        if !is_user_defined && aliases {
            return Err(Error::bad_request(
                "network-scoped aliases are only supported for user-defined networks",
            ));
        }
        let pools = [
            (self.ipv4.is_some(), network.ipv4()),
            (self.ipv6.is_some(), network.ipv6()),
        ];
        for (_, pool) in pools.iter().filter(|(is_wanted, _)| *is_wanted) {
            if !is_user_defined {
                return Err(Error::bad_request(
                    "user specified IP address is supported on user defined networks only",
                ));
            }
            if !pool.is_some_and(|pool| pool.given) {
                return Err(Error::bad_request(
                    "user specified IP address is supported only when connecting to networks \
                     with user configured subnets",
                ));
            }
        }
        Ok(())
    }
}

fn link_name(text: &str) -> Result<String> {
    let is_usable = |letter: char| !letter.is_whitespace() && letter != '/' && letter != ':';
    let usable = (1..=LONGEST_LINK_NAME).contains(&text.len())
        && text.chars().all(is_usable)
        && !matches!(text, "." | ".." | "lo");
    if usable {
        return Ok(text.to_owned());
    }
    let message = format!("invalid name of a link in a container: {text:?}");
    Err(Error::bad_request(message))
}

fn hardware(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

/// What a container asked of a network, from what the API showed of it while it ran: a hardware
/// address that came with an address goes with it.
pub(crate) fn asked(settings: &EndpointSettings) -> EndpointSettings {
    let address = settings
        .ip_address
        .as_deref()
        .and_then(|text| text.parse().ok());
    let derived = address.map(hardware_address);
    let wanted = settings.mac_address.as_deref().and_then(hardware);
    EndpointSettings {
        mac_address: settings.mac_address.clone().filter(|_| wanted != derived),
        ipam_config: settings.ipam_config.clone(),
        links: settings.links.clone(),
        aliases: settings.aliases.clone(),
        driver_opts: settings.driver_opts.clone(),
        gw_priority: settings.gw_priority,
        network_id: settings.network_id.clone(),
        ..EndpointSettings::default()
    }
}

/// The endpoint as the API shows it: what was asked for with what was given.
pub(super) fn shown(
    attachment: &Attachment,
    endpoint: &Endpoint,
    network: &Network,
) -> EndpointSettings {
    let text = |address: Option<String>| Some(address.unwrap_or_default());
    let prefix = |pool: Option<&Pool>| pool.map_or(0, |pool| i64::from(pool.subnet.prefix_len()));
    let gateway = |pool: Option<&Pool>| {
        text(
            pool.filter(|_| !network.internal)
                .map(|pool| pool.gateway.to_string()),
        )
    };
    let has_names = network.driver == Driver::Bridge && !network.builtin;
    let names = attachment.names(endpoint).into_iter().map(str::to_owned);
    let has_link = !endpoint.host_link.is_empty();
    EndpointSettings {
        network_id: Some(network.id.clone()),
        endpoint_id: Some(endpoint.id.clone()),
        mac_address: text(has_link.then(|| endpoint.mac_address())),
        ip_address: text(endpoint.ipv4.map(|address| address.to_string())),
        ip_prefix_len: Some(endpoint.ipv4.map_or(0, |_| prefix(network.ipv4()))),
        gateway: gateway(network.ipv4()),
        global_ipv6_address: text(endpoint.ipv6.map(|address| address.to_string())),
        global_ipv6_prefix_len: Some(endpoint.ipv6.map_or(0, |_| prefix(network.ipv6()))),
        ipv6_gateway: gateway(network.ipv6()),
        dns_names: has_names.then(|| names.collect()),
        ..endpoint.settings.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_lasts_when_it_was_asked_for() {
        let shown = |hardware: &str| EndpointSettings {
            mac_address: Some(hardware.to_owned()),
            ip_address: Some("10.1.0.2".to_owned()),
            ..EndpointSettings::default()
        };
        assert_eq!(
            asked(&shown("02:42:0a:01:00:02")),
            EndpointSettings::default()
        );
        let kept = asked(&shown("02:42:0a:01:00:09")).mac_address;
        assert_eq!(kept.as_deref(), Some("02:42:0a:01:00:09"));
    }

    #[test]
    fn links_have_names_that_the_kernel_takes() {
        let named = |name: &str| {
            let options = [(LINK_NAME.to_owned(), name.to_owned())];
            let settings = EndpointSettings {
                driver_opts: Some(options.into()),
                ..EndpointSettings::default()
            };
            Wanted::read(&settings).map(|wanted| wanted.guest_link)
        };
        assert_eq!(named("front0").unwrap().as_deref(), Some("front0"));
        for wrong in ["", "lo", "a/b", "a b", "longer-than-allowed"] {
            assert_eq!(named(wrong).unwrap_err().status, 400, "{wrong:?}");
        }
    }

    #[test]
    fn hardware_addresses_are_read() {
        assert_eq!(
            hardware("02:42:AC:11:00:02"),
            Some([2, 0x42, 0xac, 0x11, 0, 2])
        );
        assert_eq!(hardware("02:42:ac:11:00"), None);
        assert_eq!(hardware("02:42:ac:11:00:02:03"), None);
        assert_eq!(hardware("2:42:ac:11:0:02"), None);
    }
}
