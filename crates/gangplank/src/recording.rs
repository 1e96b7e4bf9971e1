//! What was taken down in memory, sign-ins and pulls, is written: once a second, when somebody asks for it, and at the
//! end.

use std::sync::Arc;
use std::time::Duration;

use ::auth::Auth;
use frontend::Clock;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// How often is written: what a crash may lose.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long the last writing may take.
const STOP_MAX: Duration = Duration::from_secs(10);

/// The task that writes. It ends with [`Recording::stop`]; dropped, it breaks off.
#[derive(Debug)]
pub(crate) struct Recording {
    /// `None`: it was told to stop.
    asked: Option<mpsc::Sender<oneshot::Sender<()>>>,
    task: JoinHandle<()>,
}

impl Recording {
    pub(crate) fn start(auth: Auth, clock: Arc<dyn Clock>) -> Recording {
        let (asked, asking) = mpsc::channel(1);
        Recording { asked: Some(asked), task: tokio::spawn(run(auth, clock, asking)) }
    }

    /// Has everything written that was taken down before.
    pub(crate) async fn flush(&self) {
        let (written, done) = oneshot::channel();
        if let Some(asked) = &self.asked
            && asked.send(written).await.is_ok()
        {
            // An error: the task is gone, which the log says.
            let _ = done.await;
        }
    }

    /// Writes for the last time: when nothing takes down any more.
    pub(crate) async fn stop(&mut self) {
        self.asked = None;
        if tokio::time::timeout(STOP_MAX, &mut self.task).await.is_err() {
            tracing::warn!("the last sign-ins and pulls could not be written in time");
            self.task.abort();
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(auth: Auth, clock: Arc<dyn Clock>, mut asking: mpsc::Receiver<oneshot::Sender<()>>) {
    let mut failing = false;
    loop {
        let asked = tokio::select! {
            asked = asking.recv() => Some(asked),
            () = tokio::time::sleep(INTERVAL) => None,
        };
        failing = flush(&auth, &*clock, failing).await;
        match asked {
            // Whoever asked may be gone.
            Some(Some(written)) => drop(written.send(())),
            Some(None) => return,
            None => {}
        }
    }
}

/// Writes; whether it failed. Of failures in a row the first is told.
async fn flush(auth: &Auth, clock: &dyn Clock, failing: bool) -> bool {
    match auth.flush(clock.now()).await {
        Ok(flushed) => {
            if flushed.lost > 0 {
                tracing::warn!(
                    lost = flushed.lost,
                    "more sign-ins, tokens and pulls came than could be kept; the audit trails say how many are lost"
                );
            }
            for (address, refused) in flushed.strangers {
                let address = address.map(tracing::field::display);
                tracing::info!(address, refused, "sign-ins under names that no account has were refused");
            }
            false
        }
        Err(error) => {
            if !failing {
                tracing::warn!(%error, "sign-ins and pulls could not be written; it is tried again");
            }
            true
        }
    }
}
