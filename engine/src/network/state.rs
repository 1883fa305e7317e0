//! The networks and who is on them: what the API, the name servers and the firewall look at.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use super::attachment::Attachment;
use super::document::Network;
use crate::{Error, Result, identifier};

/// Shared by the API's handlers and the tasks in the background; locked for moments only.
#[derive(Debug, Default)]
pub(crate) struct State(Mutex<Inner>);

/// What is under the lock.
#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// The networks by their ids.
    pub(crate) networks: IndexMap<String, Network>,
    /// Running containers by their ids.
    pub(crate) attachments: HashMap<String, Attachment>,
}

impl State {
    /// What was on disk.
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Mutex::new(inner))
    }

    /// Looks at it or changes it; never held across an `await`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The network with this id (`default` is the bridge), this name, or the only one whose id begins so.
    ///
    /// # Errors
    /// 404 when there is none, 400 when the beginning fits several.
    pub(crate) fn find(&self, reference: &str) -> Result<&Network> {
        let reference = if reference == "default" {
            "bridge"
        } else {
            reference
        };
        let by_name = || {
            self.networks
                .values()
                .find(|network| network.name == reference)
        };
        if let Some(network) = self.networks.get(reference).or_else(by_name) {
            return Ok(network);
        }
        let ids = self.networks.keys().map(String::as_str);
        let found = identifier::complete(reference, ids)?;
        let missing = || Error::not_found(format!("network {reference} not found"));
        found
            .and_then(|id| self.networks.get(id))
            .ok_or_else(missing)
    }

    /// The addresses that containers have on a network.
    pub(crate) fn used(&self, network: &str) -> BTreeSet<IpAddr> {
        let endpoints = self
            .attachments
            .values()
            .filter_map(|attachment| attachment.on(network));
        endpoints
            .flat_map(|endpoint| endpoint.addresses())
            .collect()
    }

    /// The containers on a network.
    pub(crate) fn on<'a>(&'a self, network: &'a str) -> impl Iterator<Item = &'a Attachment> {
        let attachments = self.attachments.values();
        attachments.filter(move |attachment| attachment.on(network).is_some())
    }
}
