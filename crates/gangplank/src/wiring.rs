//! From settings to a running server, and back to nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::auth::{Auth, Keys, KeysError, Secret};
use ::storage::{Storage, files::Files};
use frontend::{App, Clock, ExternalUrl, Process, types};
use kv::rocksdb::{self, RocksDb};
use kv::{Key, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::couriers::{self, Couriers};
use crate::data::{DataError, DataFolder};
use crate::lanes::Lanes;
use crate::password::first_password;
use crate::recording::Recording;
use crate::sender::Sender;
use crate::tls::{TlsError, TlsFiles};
use crate::upkeep::{self, Upkeep};
use crate::{Config, config, open_files};

/// How long the background's last batch may take when the server stops.
const UPKEEP_STOP_MAX: Duration = Duration::from_secs(30);

/// How often, and how many times, is looked whether the engine is free then.
const ENGINE_CHECK_INTERVAL: Duration = Duration::from_millis(10);
const ENGINE_CHECKS_MAX: u32 = 1_000;

/// Why a server does not start. Nothing that was kept is changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot work.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// The system lets this process open too few files at once.
    #[error(
        "this process may have {limit} files open at once, and a server needs at least {needed}; raise the limit with \
         ulimit -n, or LimitNOFILE= in a systemd unit"
    )]
    OpenFiles {
        /// The limit.
        limit: u64,
        /// The least that would do.
        needed: u64,
    },
    /// The certificate or its key cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data folder cannot be served.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The metadata cannot be opened.
    #[error("the metadata cannot be opened: {0}")]
    Metadata(#[from] kv::Error),
    /// The folder of blobs cannot be opened.
    #[error("the blobs cannot be opened: {0}")]
    Blobs(std::io::Error),
    /// What an older version left cannot be brought up to date.
    #[error("what an older version left cannot be brought up to date: {0}")]
    BringUp(::storage::Error),
    /// No threads are to be had.
    #[error("cannot start the threads that serve connections: {0}")]
    Lanes(std::io::Error),
    /// The keys cannot be used.
    #[error("the keys cannot be used: {0}")]
    Keys(#[from] KeysError),
    /// The administrator's first password is refused.
    #[error("{} is refused: {reason}", config::ADMIN_PASSWORD_VARIABLE)]
    AdminPassword {
        /// The rule that it breaks.
        reason: String,
    },
    /// The administrator cannot be made.
    #[error("the administrator cannot be made: {0}")]
    Bootstrap(::auth::Error),
    /// Notices cannot be sent.
    #[error("webhooks cannot be served: {0}")]
    Sender(reqwest::Error),
    /// A task of the start broke off.
    #[error("the start broke off: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// A server that serves until it is stopped. Dropping it without [`Running::stop`] breaks off what is in flight.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    scheme: &'static str,
    first_password: Option<Secret>,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
    upkeep: JoinHandle<()>,
    recording: Recording,
    couriers: JoinHandle<()>,
    lanes: Lanes,
    engine: Arc<RocksDb>,
    // The last to go: the lock is held until nothing works on the data any more.
    _data: DataFolder,
}

/// Starts a server: takes the data folder, opens what is in it, makes the administrator if there is none, listens.
///
/// # Errors
/// [`StartError`], a sentence that says what to do.
pub async fn start(mut config: Config, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    config.checked()?;
    let tables = rocksdb::Settings::default();
    let limit = open_files::raise_limit();
    let itself = u64::from(tables.open_files_max) + Lanes::open_files() as u64;
    open_files::fit(&mut config.server, limit, itself)
        .map_err(|error| StartError::OpenFiles { limit, needed: error.needed })?;
    let (settings, of_tls) = (config.server.tls.clone(), clock.clone());
    let identity = blocking(move || TlsFiles::open(&settings, of_tls)).await??;
    let region = config.server.region.clone();
    let now = clock.now();
    let folder = config.storage.data.clone();
    let data = blocking(move || DataFolder::open(&folder, &region)).await??;
    let address = config.server.listen;
    let listen = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let lanes = blocking(Lanes::start).await?.map_err(StartError::Lanes)?;

    let (metadata, blobs, keys) = (data.metadata(), data.blobs(), data.keys());
    let engine = Arc::new(blocking(move || RocksDb::open(&metadata, &tables)).await??);
    let files = blocking(move || Files::open(blobs)).await?.map_err(StartError::Blobs)?;
    let keys = blocking(move || Keys::open(&keys, now)).await??;
    let store = Store::open(engine.clone(), config.server.region.clone()).await?;
    note_node(&store, &data, now).await?;

    let rules = ::auth::Settings { node: data.node(), ..config.webhooks.settings(config.auth.settings()) };
    let auth = Auth::new(store.clone(), keys, rules);
    let settings = config.storage.settings(config.upkeep.batch_entries_max);
    let storage = Storage::new(store, Arc::new(files), settings);
    bring_up(&auth, &storage).await.map_err(StartError::BringUp)?;
    let first_password = make_administrator(&auth, config.admin_password, now).await?;

    let couriers = couriers(&auth, &clock, config.webhooks, config.server.external_url.clone())?;
    let (stop, stopped) = watch::channel(false);
    let (told, of_upkeep) = watch::channel(types::Upkeep::default());
    let upkeep = Upkeep {
        auth: auth.clone(),
        storage: storage.clone(),
        clock: clock.clone(),
        settings: config.upkeep,
        told,
    };
    let recording = Recording::start(auth.clone(), clock.clone());
    let upkeep = tokio::spawn(upkeep::run(upkeep, stopped.clone()));
    let couriers = tokio::spawn(couriers::run(couriers, stopped.clone()));
    let process = Process { version: env!("CARGO_PKG_VERSION"), started_at: now, upkeep: of_upkeep };
    let app = App { auth, storage, clock, settings: Arc::new(config.server.front()), process };
    let identity = identity.map(|(files, identity)| {
        let (shown, current) = watch::channel(identity);
        // It ends with the server: nobody looks any more.
        tokio::spawn(files.follow(shown));
        current
    });
    let scheme = if identity.is_some() { "https" } else { "http" };
    let serving = frontend::serve(listener, identity, app, lanes.runtimes(), upkeep::stop_asked(stopped));
    let server = tokio::spawn(serving);
    tracing::info!(scheme, %address, node = %data.node(), region = %config.server.region.as_str(), "serving");
    Ok(Running {
        address,
        scheme,
        first_password,
        stop,
        server,
        upkeep,
        couriers,
        recording,
        lanes,
        engine,
        _data: data,
    })
}

impl Running {
    /// The address it listens on, with the port that was found for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it speaks there: `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The administrator's password, if this start made both: to be shown once, and to be kept nowhere.
    #[must_use]
    pub fn first_password(&self) -> Option<&Secret> {
        self.first_password.as_ref()
    }

    /// Waits for an end that nobody asked for. Does not return while it serves.
    pub async fn failed(&mut self) -> std::io::Error {
        tokio::select! {
            ended = &mut self.server => match ended {
                Ok(Ok(())) => std::io::Error::other("the server ended by itself"),
                Ok(Err(error)) => error,
                Err(error) => std::io::Error::other(error),
            },
            () = self.engine.broken() => std::io::Error::other(
                "the metadata store failed to write; ending so that it is recovered at the next start",
            ),
        }
    }

    /// Has the sign-ins and pulls written that are taken down until now, a moment before they would be anyway.
    pub async fn flush(&self) {
        self.recording.flush().await;
    }

    /// Stops: takes no new requests, lets those in flight end within their bound, closes the data folder, so that it
    /// may be opened again when this returns.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if !self.server.is_finished() {
            match (&mut self.server).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the server ended with an error"),
                Err(error) => tracing::error!(%error, "the server broke off"),
            }
        }
        for background in [&mut self.upkeep, &mut self.couriers] {
            if tokio::time::timeout(UPKEEP_STOP_MAX, &mut *background).await.is_err() {
                tracing::warn!("the background's last batch takes too long and is broken off");
                background.abort();
            }
        }
        self.recording.stop().await;
        let lanes = std::mem::take(&mut self.lanes);
        if blocking(|| lanes.stop()).await.is_err() {
            tracing::error!("the threads that served connections did not end");
        }
        self.wait_for_the_engine().await;
        tracing::info!("stopped");
    }

    /// Waits until nobody else holds the engine: a task that was broken off lets go a moment later.
    async fn wait_for_the_engine(&self) {
        for _ in 0..ENGINE_CHECKS_MAX {
            if Arc::strong_count(&self.engine) == 1 {
                return;
            }
            tokio::time::sleep(ENGINE_CHECK_INTERVAL).await;
        }
        tracing::warn!("something still works on the metadata; what was acknowledged is safe");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
        self.upkeep.abort();
        self.couriers.abort();
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StartError> {
    Ok(tokio::task::spawn_blocking(work).await?)
}

/// Brings what an older version left up to date.
async fn bring_up(auth: &Auth, storage: &Storage) -> Result<(), ::storage::Error> {
    storage.count_blobs_once().await?;
    storage.move_usage_once().await?;
    let moved = auth.move_received_shares_once().await?;
    if moved > 0 {
        tracing::info!(shares = moved, "the lists of shares of an older version were moved");
    }
    let filed = auth.file_usage_once().await?;
    if filed > 0 {
        tracing::info!(shares = filed, "the usage of shares of an older version was filed by day");
    }
    Ok(())
}

/// What sends notices.
fn couriers(
    auth: &Auth,
    clock: &Arc<dyn Clock>,
    settings: config::Webhooks,
    external_url: Option<ExternalUrl>,
) -> Result<Couriers, StartError> {
    let destinations = auth.settings().webhook_destinations.clone();
    let sender = Sender::new(destinations, settings.answer_timeout).map_err(StartError::Sender)?;
    Ok(Couriers { auth: auth.clone(), clock: clock.clone(), sender, settings, external_url })
}

/// Notes in the store that this node serves it.
async fn note_node(store: &Store, data: &DataFolder, now: jiff::Timestamp) -> Result<(), kv::Error> {
    let record = serde_json::json!({ "started_at": now, "version": env!("CARGO_PKG_VERSION") });
    let mut note = store.transaction();
    note.put(Key::Node { node: data.node() }, &record)?;
    store.commit(note).await?;
    Ok(())
}

/// Makes the administrator if there is none, or gives it a password again if that is asked for; answers the password
/// if it was made for that.
async fn make_administrator(
    auth: &Auth,
    wanted: config::AdminPassword,
    now: jiff::Timestamp,
) -> Result<Option<Secret>, StartError> {
    let config::AdminPassword { given, reset } = wanted;
    let is_given = given.is_some();
    let password = given.unwrap_or_else(first_password);
    let used = password.clone();
    let set = match auth.bootstrap(move || used, now).await {
        Ok(false) if reset => auth.reset_administrator(&password, now).await.map(|()| true),
        made => made,
    };
    match set {
        Ok(set) => {
            if is_given && !set {
                tracing::warn!(
                    "GANGPLANK_ADMIN_PASSWORD is not used: the administrator has a password already"
                );
            }
            Ok((set && !is_given).then_some(password))
        }
        Err(::auth::Error::Invalid { reason, .. }) if is_given => Err(StartError::AdminPassword { reason }),
        Err(error) => Err(StartError::Bootstrap(error)),
    }
}
