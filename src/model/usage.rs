//! What a container uses of the machine.

/// A container's use of the machine (Engine API, `ContainerStats`), as `docker stats` computes it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Per cent of one core: 200 is two whole cores.
    pub cpu_percent: f64,
    /// Memory in bytes, without the page cache that can be given back.
    pub memory: u64,
    /// Limit of memory in bytes; the machine's memory where none is set.
    pub memory_limit: u64,
    /// Bytes received over all networks since the start.
    pub received: u64,
    /// Bytes sent over all networks since the start.
    pub sent: u64,
    /// Bytes read from block devices since the start.
    pub read: u64,
    /// Bytes written to block devices since the start.
    pub written: u64,
    /// Processes and threads.
    pub pids: u64,
}

impl Usage {
    /// Per cent of the memory limit.
    pub fn memory_percent(&self) -> f64 {
        if self.memory_limit == 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
        let ratio = self.memory as f64 / self.memory_limit as f64;
        ratio * 100.0
    }
}
