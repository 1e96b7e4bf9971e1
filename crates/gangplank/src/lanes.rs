//! Where connections are served: a runtime of one thread for each processor. A request is then answered where it was read:
//! no thread wakes another for it, and none looks for work among the others'.

use std::num::NonZeroUsize;

use tokio::runtime::{Builder, Handle, Runtime};

/// The most threads of all lanes together for what blocks: tokio's own default for one runtime.
const BLOCKING_THREADS_MAX: usize = 512;

/// The runtimes.
#[derive(Debug)]
pub(crate) struct Lanes(Vec<Runtime>);

impl Lanes {
    /// As many as there are processors to run on.
    pub(crate) fn start() -> std::io::Result<Lanes> {
        let count = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let lanes = (0..count).map(|lane| {
            Builder::new_multi_thread()
                .worker_threads(1)
                .max_blocking_threads((BLOCKING_THREADS_MAX / count).max(1))
                .thread_name(format!("lane-{lane}"))
                .enable_all()
                .build()
        });
        Ok(Lanes(lanes.collect::<Result<_, _>>()?))
    }

    pub(crate) fn handles(&self) -> Vec<Handle> {
        self.0.iter().map(|lane| lane.handle().clone()).collect()
    }
}

impl Drop for Lanes {
    /// Whatever still works on one, nobody waits for it: the server has ended, or is broken off.
    fn drop(&mut self) {
        for lane in self.0.drain(..) {
            lane.shutdown_background();
        }
    }
}
