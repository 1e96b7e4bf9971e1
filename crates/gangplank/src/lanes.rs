//! Where connections are served: a runtime of one thread for each processor. A request is then answered where it was read:
//! no thread wakes another for it, and none looks for work among the others'.

use std::io;
use std::num::NonZeroUsize;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The most threads of all lanes together for what blocks: tokio's own default for one runtime.
const BLOCKING_THREADS_MAX: usize = 512;
/// A lane has as many at least: what blocks is bounded over all lanes, and may come to one of them.
const BLOCKING_THREADS_LEAST: usize = 64;
/// How long a lane waits for what blocks when it ends: longer than what is left of a read.
const BLOCKING_WAIT_MAX: Duration = Duration::from_secs(1);
/// What a lane has open for itself: epoll and its registry, what wakes it, and the pipe of signals.
const OPEN_FILES_EACH: usize = 4;

/// The runtimes. They end when they are dropped.
#[derive(Debug, Default)]
pub(crate) struct Lanes(Vec<Lane>);

#[derive(Debug)]
struct Lane {
    runtime: Handle,
    thread: JoinHandle<()>,
    /// The thread ends when this is dropped.
    stop: oneshot::Sender<()>,
}

impl Lanes {
    /// As many as there are processors to run on. Blocks for a moment.
    ///
    /// # Errors
    /// When the system has no more threads or open files to give.
    pub(crate) fn start() -> io::Result<Lanes> {
        (0..count()).map(Lane::start).collect::<io::Result<_>>().map(Lanes)
    }

    /// How many files all of them have open for themselves.
    pub(crate) fn open_files() -> usize {
        count() * OPEN_FILES_EACH
    }

    /// Their runtimes.
    pub(crate) fn runtimes(&self) -> Vec<Handle> {
        self.0.iter().map(|lane| lane.runtime.clone()).collect()
    }

    /// Ends them, and waits until nothing runs on them. Blocks.
    pub(crate) fn stop(self) {
        for Lane { thread, stop, .. } in self.0 {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("a thread that served connections had panicked");
            }
        }
    }
}

impl Lane {
    fn start(number: usize) -> io::Result<Lane> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads((BLOCKING_THREADS_MAX / count()).max(BLOCKING_THREADS_LEAST))
            .thread_name(format!("blocking-{number}"))
            .build()?;
        let (handle, (stop, stopped)) = (runtime.handle().clone(), oneshot::channel());
        let thread = thread::Builder::new().name(format!("lane-{number}")).spawn(move || {
            // Nothing is ever sent.
            let _: Result<(), _> = runtime.block_on(stopped);
            runtime.shutdown_timeout(BLOCKING_WAIT_MAX);
        })?;
        Ok(Lane { runtime: handle, thread, stop })
    }
}

fn count() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

#[cfg(test)]
mod tests {
    use super::Lanes;

    #[test]
    fn each_lane_has_one_thread_and_stopping_waits_for_what_blocks() {
        let lanes = Lanes::start().unwrap();
        let name = || std::thread::current().name().map(ToOwned::to_owned);
        let (tell, told) = std::sync::mpsc::channel();
        for runtime in lanes.runtimes() {
            let tell = tell.clone();
            runtime.spawn(async move {
                let here = name();
                assert_eq!(tokio::spawn(async move { name() }).await.unwrap(), here);
                tokio::task::spawn_blocking(move || {
                    std::thread::sleep(std::time::Duration::from_millis(100));
                    tell.send(here).unwrap();
                });
            });
        }
        drop(tell);
        let expected = (0..lanes.0.len()).map(|number| Some(format!("lane-{number}")));
        std::thread::sleep(std::time::Duration::from_millis(50));
        lanes.stop();
        let mut named: Vec<_> = told.try_iter().collect();
        named.sort();
        assert_eq!(named, expected.collect::<Vec<_>>());
    }
}
