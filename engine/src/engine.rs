//! Everything one daemon has.

use std::sync::Arc;

use crate::build::{Offered, Shared};
use crate::container::Containers;
use crate::events::Events;
use crate::image::Images;
use crate::network::Networks;
use crate::shim::ForkServer;
use crate::volume::Volumes;
use crate::{Layout, Result};

/// The engine behind the API. Each part keeps its own lock; none is held while waiting for
/// a container, the network or the disk of another part.
#[derive(Debug)]
pub(crate) struct Engine {
    /// Where everything is on disk.
    pub(crate) layout: Layout,
    /// Images.
    pub(crate) images: Images,
    /// Volumes.
    pub(crate) volumes: Volumes,
    /// Containers and exec instances.
    pub(crate) containers: Containers,
    /// Where shims come from.
    pub(crate) shims: ForkServer,
    /// Secrets of builds that have not begun.
    pub(crate) secrets: Offered,
    /// Steps of builds that go on.
    pub(crate) steps: Shared,
    /// What happened.
    pub(crate) events: Arc<Events>,
    /// The networks.
    pub(crate) networks: Networks,
}

impl Engine {
    /// Loads what is on disk.
    ///
    /// # Errors
    /// 500 when a folder cannot be made or read.
    pub(crate) fn open(layout: Layout) -> Result<Arc<Self>> {
        let events = Arc::<Events>::default();
        Ok(Arc::new(Self {
            images: Images::open(&layout)?,
            volumes: Volumes::open(&layout)?,
            containers: Containers::open(&layout)?,
            networks: Networks::open(&layout, events.clone())?,
            shims: ForkServer::default(),
            secrets: Offered::default(),
            steps: Shared::default(),
            layout,
            events,
        }))
    }
}
