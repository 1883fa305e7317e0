//! Running containers join networks and leave them.

use bollard_stubs::models::EndpointSettings;

use super::attachment::{Attachment, Endpoint};
use super::connect::enter;
use super::document::{Driver, Network};
use super::endpoint;
use super::link::Links;
use super::networks::Networks;
use crate::{Error, Result};

impl Networks {
    /// Connects a running container to one more network.
    ///
    /// # Errors
    /// 400, 403 and 404 as for [`Self::setup`], 409 when the container does not run.
    pub(crate) async fn join(
        &self,
        container: &str,
        reference: &str,
        settings: &EndpointSettings,
    ) -> Result<EndpointSettings> {
        let (network, one, attachment) = {
            let mut state = self.state.lock();
            let network = state.find(reference)?.clone();
            let known = state.attachments.get(container);
            let known = known.ok_or_else(|| not_running(container))?;
            Self::may_change(known, &network)?;
            if known.on(&network.id).is_some() {
                let (name, network) = (&known.name, &network.name);
                let message =
                    format!("endpoint with name {name} already exists in network {network}");
                return Err(Error::forbidden(message));
            }
            let mut links = (0..).map(|number| format!("eth{number}"));
            let is_free = |link: &String| {
                known
                    .endpoints
                    .iter()
                    .all(|other| other.guest_link != *link)
            };
            let link = links.find(is_free).unwrap_or_default();
            let one = endpoint::reserve(&state, &network, settings, link)?;
            let known = state
                .attachments
                .get_mut(container)
                .ok_or_else(|| not_running(container))?;
            known.endpoints.push(one.clone());
            (network, one, known.clone())
        };
        if let Err(error) = self.join_kernel(&attachment, &one, &network).await {
            if let Err(error) = self.leave(container, &network.id).await {
                tracing::error!("network {}: {error}", network.name);
            }
            return Err(error);
        }
        self.tell("connect", &network, Some(container));
        Ok(endpoint::shown(&attachment, &one, &network))
    }

    async fn join_kernel(
        &self,
        attachment: &Attachment,
        one: &Endpoint,
        network: &Network,
    ) -> Result<()> {
        self.save_attachment(attachment).await?;
        let inner = enter(&attachment.namespace).await?;
        self.plug(one, network, &attachment.namespace, &inner)
            .await?;
        self.moved(attachment, &inner).await
    }

    /// Takes a running container off a network.
    ///
    /// # Errors
    /// 404 for an unknown network, 403 when the container is not on it, 500 when the kernel
    /// refuses.
    pub(crate) async fn leave(&self, container: &str, reference: &str) -> Result<()> {
        let (network, one, attachment) = {
            let mut state = self.state.lock();
            let network = state.find(reference)?.clone();
            let missing = || {
                let network = &network.name;
                Error::forbidden(format!(
                    "container {container} is not connected to network {network}"
                ))
            };
            let known = state.attachments.get_mut(container).ok_or_else(missing)?;
            let mut others = known.endpoints.iter();
            let position = others
                .position(|other| other.network == network.id)
                .ok_or_else(missing)?;
            if network.driver == Driver::Host {
                return Err(Error::bad_request(
                    "container cannot be disconnected from host network or connected to host network",
                ));
            }
            let one = known.endpoints.remove(position);
            (network, one, known.clone())
        };
        self.unplug(&one).await?;
        self.save_attachment(&attachment).await?;
        let inner = enter(&attachment.namespace).await?;
        self.moved(&attachment, &inner).await?;
        if network.is_default_bridge() {
            self.lower_bridge(&network).await?;
            self.apply_firewall().await?;
        }
        self.tell("disconnect", &network, Some(container));
        Ok(())
    }

    fn may_change(attachment: &Attachment, network: &Network) -> Result<()> {
        let is_fixed = attachment
            .endpoints
            .iter()
            .any(|one| one.host_link.is_empty());
        if network.driver == Driver::Host || (is_fixed && network.driver == Driver::Bridge) {
            return Err(Error::bad_request(
                "container cannot be disconnected from host network or connected to host network",
            ));
        }
        if network.driver == Driver::Null || is_fixed {
            return Err(Error::bad_request(
                "container cannot be connected to multiple networks with one of the networks in private (none) mode",
            ));
        }
        Ok(())
    }

    /// The container's end goes with the host's.
    async fn unplug(&self, one: &Endpoint) -> Result<()> {
        if one.host_link.is_empty() {
            return Ok(());
        }
        self.links().await?.remove(&one.host_link).await
    }

    /// After a change of networks: other default routes, and other addresses behind the ports.
    async fn moved(&self, attachment: &Attachment, inner: &Links) -> Result<()> {
        inner.no_default_route(true).await?;
        inner.no_default_route(false).await?;
        self.route(attachment, inner).await?;
        let target = self.outward(attachment);
        let former = self
            .services()
            .get(&attachment.container)
            .and_then(|services| services.target);
        if target != former && !attachment.publications.is_empty() {
            self.publish_again(attachment, target).await?;
            self.apply_firewall().await?;
        }
        Ok(())
    }
}

fn not_running(container: &str) -> Error {
    Error::conflict(format!("container {container} is not running"))
}
