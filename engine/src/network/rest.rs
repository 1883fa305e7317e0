//! Leaving the host without a trace while nothing runs.

use super::firewall::Rules;
use super::networks::{Networks, rules};

impl Networks {
    /// Takes bridges and firewall rules away before the daemon leaves; the next one brings them
    /// back from their documents. Only for when no container runs. What fails is told in the
    /// daemon's log.
    pub(crate) async fn rest(&self) {
        let networks: Vec<_> = self.state.lock().networks.values().cloned().collect();
        if let Ok(links) = self.links().await
            && let Err(error) = self.lingering.end_all(links).await
        {
            tracing::error!("{error}");
        }
        for network in &networks {
            if let Err(error) = self.lower_bridge(network).await {
                tracing::error!("network {}: {error}", network.name);
            }
        }
        let tag = rules(&self.state.lock()).tag;
        let none = || Rules {
            tag,
            ..Rules::default()
        };
        if let Err(error) = self.firewall.apply(none).await {
            tracing::error!("firewall: {error}");
        }
    }
}
