//! Links of containers that have ended.
//!
//! To remove a link takes the kernel tens of milliseconds, one link after the other, while nobody
//! else can change any. The links of a namespace that ends are removed by the kernel itself, those
//! of many namespaces at once, and nobody waits for it. So a link is left to its namespace, and
//! removed by its name only where that cannot be waited for: when the daemon leaves, or when the
//! namespace goes on because somebody shares it. It is set down, which is quick, when its address
//! is given to another container.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::attachment::Endpoint;
use super::link::Links;
use crate::Result;

/// How long a namespace may take to end.
const PATIENCE: Duration = Duration::from_millis(500);

/// The links that are left to their namespaces.
#[derive(Debug, Clone, Default)]
pub(super) struct Lingering(Arc<Mutex<Vec<Left>>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Left {
    link: String,
    ipv4: Option<Ipv4Addr>,
    ipv6: Option<Ipv6Addr>,
}

impl Left {
    fn is_in_the_way_of(&self, one: &Endpoint) -> bool {
        let same_ipv4 = self.ipv4.is_some() && self.ipv4 == one.ipv4;
        same_ipv4 || (self.ipv6.is_some() && self.ipv6 == one.ipv6)
    }
}

impl Lingering {
    fn lock(&self) -> MutexGuard<'_, Vec<Left>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the links of a container to its namespace, which is about to end.
    pub(super) fn leave(&self, links: &Links, endpoints: &[Endpoint]) {
        let with_link = endpoints.iter().filter(|one| !one.host_link.is_empty());
        let left: Vec<Left> = with_link
            .map(|one| Left {
                link: one.host_link.clone(),
                ipv4: one.ipv4,
                ipv6: one.ipv6,
            })
            .collect();
        self.lock().extend(left.iter().cloned());
        let (links, lingering) = (links.clone(), self.clone());
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            for one in left {
                if let Err(error) = lingering.end(&links, &one).await {
                    tracing::error!("{error}");
                }
            }
        });
    }

    /// Silences what has the addresses of a container that is about to start.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(super) async fn make_way(&self, links: &Links, one: &Endpoint) -> Result<()> {
        let in_the_way: Vec<Left> = {
            let left = self.lock();
            let found = left.iter().filter(|left| left.is_in_the_way_of(one));
            found.cloned().collect()
        };
        for left in in_the_way {
            links.down(&left.link).await?;
        }
        Ok(())
    }

    /// Removes all of them.
    ///
    /// # Errors
    /// 500 when the kernel refuses.
    pub(super) async fn end_all(&self, links: &Links) -> Result<()> {
        let all = self.lock().clone();
        for left in all {
            self.end(links, &left).await?;
        }
        Ok(())
    }

    async fn end(&self, links: &Links, left: &Left) -> Result<()> {
        links.remove(&left.link).await?;
        self.lock().retain(|other| other != left);
        Ok(())
    }
}
