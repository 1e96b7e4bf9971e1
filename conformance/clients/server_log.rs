//! What the server has answered: its own log, read as it is written. So the matrix knows that a client mounted rather
//! than uploaded, and that a pull came from the registry.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

/// A request that was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// `GET`.
    pub(crate) method: String,
    /// The path, without its query.
    pub(crate) path: String,
    /// The status.
    pub(crate) status: u64,
}

/// Every request that servers of this process have answered.
#[derive(Clone, Default)]
pub(crate) struct ServerLog(Arc<Mutex<Vec<Exchange>>>);

impl ServerLog {
    /// Listens from now on, for good.
    pub(crate) fn listen() -> ServerLog {
        let log = ServerLog::default();
        let subscriber =
            tracing_subscriber::registry().with(log.clone().with_filter(EnvFilter::new("frontend=debug")));
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
        log
    }

    /// Forgets what was said so far.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many requests of this method, under this path, were answered with this status.
    pub(crate) fn count(&self, method: &str, path: &str, status: u64) -> usize {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |it: &&Exchange| it.method == method && it.path.starts_with(path) && it.status == status;
        said.iter().filter(fits).count()
    }

    /// Whether somebody got what is there: a GET of this very path, answered with all of it or with a part.
    pub(crate) fn gave(&self, path: &str) -> bool {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().any(|it| it.method == "GET" && it.path == path && matches!(it.status, 200 | 206))
    }

    /// How often the token service has given this answer. Who names themselves there with a wrong password gets 401;
    /// who names nobody gets a token for nobody.
    pub(crate) fn tokens(&self, status: u64) -> usize {
        ["GET", "POST"].map(|method| self.count(method, "/auth/token", status)).iter().sum()
    }
}

impl Visit for Exchange {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "method" => self.method = format!("{value:?}"),
            "path" => self.path = format!("{value:?}").trim_matches('"').to_owned(),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = value;
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ServerLog {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut exchange = Exchange::default();
        attributes.record(&mut exchange);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(exchange);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let Some(mut exchange) = span.extensions().get::<Exchange>().cloned() else { return };
        event.record(&mut exchange);
        if exchange.status != 0 {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
        }
    }
}
