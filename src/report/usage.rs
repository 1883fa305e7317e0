//! What a container uses.

/// What a container uses at a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Id of the container.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The numbers; absent until the engine has told some.
    pub figures: Option<Figures>,
}

/// The numbers of a [`Usage`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Time of processors since the measurement before, in per cent of one processor.
    pub processor: f64,
    /// Memory in bytes, without the cache that can be given back.
    pub memory: u64,
    /// Most memory it may have, in bytes; 0 where unknown.
    pub memory_limit: u64,
    /// Bytes received from networks since it started.
    pub received: u64,
    /// Bytes sent to networks since it started.
    pub sent: u64,
    /// Bytes read from disks since it started.
    pub read: u64,
    /// Bytes written to disks since it started.
    pub written: u64,
    /// Processes and threads.
    pub processes: u64,
}

impl Figures {
    /// Memory in per cent of the limit; 0 without one.
    pub fn memory_share(&self) -> f64 {
        if self.memory_limit == 0 {
            0.0
        } else {
            self.memory as f64 / self.memory_limit as f64 * 100.0
        }
    }
}
