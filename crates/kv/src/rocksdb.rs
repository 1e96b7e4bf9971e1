//! The engine for one machine: RocksDB in a folder.
//!
//! One thread commits. It takes what waits in its queue, decides each batch against the database and what the batches
//! before it in the group wrote, writes the whole group with one synced write, and answers. So expectations need no
//! locks, and many writers share one sync.
//!
//! A point read is answered from memory where it can be (`rows.rs`), else from the tables.
//!
//! Versions count the commits; the count lies in a column family of its own and is written with every group.

use std::collections::HashMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use bytes::Bytes;
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType,
    DBRecoveryMode, DataBlockIndexType, IteratorMode, Options, ReadOptions, WriteBatch, WriteOptions,
};
use tokio::sync::{mpsc, oneshot, watch};

use self::rows::Rows;
use crate::plan::{Write, check_count, check_key, plan};
use crate::{Batch, Direction, Engine, Entry, Error, KeyList, Outcome, Range, Version};

/// Where the engine keeps its own: not seen by any read.
const ENGINE_FAMILY: &str = "engine";
const VERSION_KEY: &[u8] = b"version";
/// Commits that may wait; one more is [`Error::Busy`].
const QUEUE_BATCHES_MAX: usize = 4096;
/// Commits that share one write.
const GROUP_BATCHES_MAX: usize = 256;
/// Bytes of one write, about.
const GROUP_BYTES_MAX: usize = 32 << 20;
/// Bytes of tables' blocks that are kept in memory.
const BLOCKS_BYTES_MAX: usize = 64 << 20;
/// Bytes of single rows that are kept in memory, beside the tables' blocks.
const ROWS_BYTES_MAX: u64 = 32 << 20;

/// Who walks over so many removed rows that are in memory yet lets them be written into a table.
const MEMORY_OPTIONS: [(&str, &str); 1] = [("memtable_op_scan_flush_trigger", "8192")];

/// Of so many rows in a row of a table half may stand for what was removed: then it is compacted.
const DELETIONS_WINDOW: usize = 8192;

/// From so many bytes on a value lies in a file beside the tables.
const BESIDE_TABLES_BYTES_MIN: u64 = 1 << 10;

/// The most rows that are read at once where the caller is: more of them may all have to come from the disk.
const READ_AT_HAND_MAX: usize = 32;

/// What the engine may take of the machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Files of tables that are kept open; the log that is written and a few others come on top.
    pub open_files_max: u16,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { open_files_max: 512 }
    }
}

/// RocksDB in a folder that no other process may open meanwhile.
#[derive(Debug)]
pub struct RocksDb {
    database: Arc<DB>,
    rows: Arc<Rows>,
    /// The committer holds the other end: gone means broken.
    broken: watch::Receiver<()>,
    queue: Option<mpsc::Sender<Commit>>,
    committer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Commit {
    batch: Batch,
    answer: oneshot::Sender<Result<Outcome, Error>>,
}

impl RocksDb {
    /// Opens the database in `folder`, or makes it. What a crash left is recovered here.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it open, [`Error::Corrupt`] when it cannot be read,
    /// [`Error::Engine`] when the folder cannot.
    pub fn open(folder: &Path, settings: &Settings) -> Result<RocksDb, Error> {
        let families = [
            ColumnFamilyDescriptor::new(rocksdb::DEFAULT_COLUMN_FAMILY_NAME, table_options()),
            ColumnFamilyDescriptor::new(ENGINE_FAMILY, Options::default()),
        ];
        let database = DB::open_cf_descriptors(&database_options(settings), folder, families);
        let database = Arc::new(database.map_err(open_error)?);
        database.set_options(&MEMORY_OPTIONS).map_err(engine_error)?;
        let last_version = read_last_version(&database)?;
        let (queue, commits) = mpsc::channel(QUEUE_BATCHES_MAX);
        let (alive, broken) = watch::channel(());
        let rows = Arc::new(Rows::new(ROWS_BYTES_MAX));
        let committer = Committer {
            database: database.clone(),
            rows: rows.clone(),
            commits,
            last_version,
            _alive: alive,
        };
        let committer = std::thread::Builder::new()
            .name("metadata-commit".to_owned())
            .spawn(move || committer.run())
            .map_err(|error| Error::Engine(error.into()))?;
        Ok(RocksDb { database, rows, broken, queue: Some(queue), committer: Some(committer) })
    }

    /// Waits until the engine can promise nothing any more: a synced write failed for anything but a full disk, from
    /// which RocksDB recovers by itself. From then on every commit fails, while reads go on; what was acknowledged is
    /// safe, and opening the database again recovers it. Also answers when the engine is dropped, which it does not
    /// keep from happening.
    pub fn broken(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut broken = self.broken.clone();
        async move { while broken.changed().await.is_ok() {} }
    }
}

impl Drop for RocksDb {
    /// Waits for the commits that were taken.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(committer) = self.committer.take()
            && committer.join().is_err()
        {
            tracing::error!("the thread that commits had panicked");
        }
    }
}

#[async_trait]
impl Engine for RocksDb {
    // A point read is answered from memory nearly always: a hop to another thread would cost more than the read.
    async fn get(&self, key: &[u8]) -> Result<Option<Entry>, Error> {
        check_key(key)?;
        self.rows.get(key, || read(&self.database, key))
    }

    async fn get_many(&self, keys: &KeyList) -> Result<Vec<Option<Entry>>, Error> {
        check_count(keys.len())?;
        keys.iter().try_for_each(check_key)?;
        if keys.len() <= READ_AT_HAND_MAX {
            return get_many(&self.rows, &self.database, keys);
        }
        let (rows, database, keys) = (Arc::clone(&self.rows), self.database.clone(), keys.clone());
        elsewhere(move || get_many(&rows, &database, &keys)).await
    }

    async fn scan(
        &self,
        range: Range,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        check_count(limit)?;
        let database = self.database.clone();
        elsewhere(move || scan(&database, range, limit, direction)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Outcome, Error> {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(Error::Busy)?;
        queue.try_send(Commit { batch, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Busy,
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Runs what may wait for the disk for longer than a read, on a thread that may.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Engine(error.into()))?
}

fn get_many(rows: &Rows, database: &DB, keys: &KeyList) -> Result<Vec<Option<Entry>>, Error> {
    rows.get_many(keys, |keys| {
        let values = database.snapshot().multi_get(keys);
        let entry = |value: Result<Option<Vec<u8>>, _>| value.map_err(engine_error)?.map(unpack).transpose();
        values.into_iter().map(entry).collect()
    })
}

/// The thread that commits.
struct Committer {
    database: Arc<DB>,
    rows: Arc<Rows>,
    commits: mpsc::Receiver<Commit>,
    last_version: u64,
    /// Dropped when the thread ends, however it does: tells [`RocksDb::broken`].
    _alive: watch::Sender<()>,
}

/// Whether commits may go on.
#[derive(PartialEq, Eq)]
enum State {
    Sound,
    Broken,
}

/// What the batches of one group have written so far; `None` removes.
type Overlay = HashMap<Vec<u8>, Option<Entry>>;

impl Committer {
    fn run(mut self) {
        while let Some(first) = self.commits.blocking_recv() {
            if self.commit_group(first) == State::Broken {
                return;
            }
        }
    }

    fn commit_group(&mut self, first: Commit) -> State {
        let mut overlay = Overlay::new();
        let mut answers = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(Commit { batch, answer }) = next {
            bytes += batch.put.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
            match self.decide(batch, &mut overlay) {
                // What others in the group wrote may not stay: the answer waits for the write, whatever it is.
                decided @ Ok(_) => answers.push((answer, decided)),
                failed @ Err(_) => drop(answer.send(failed)),
            }
            let room = answers.len() < GROUP_BATCHES_MAX && bytes < GROUP_BYTES_MAX;
            next = if room { self.commits.try_recv().ok() } else { None };
        }
        match self.write(overlay) {
            Ok(()) => {
                answers.into_iter().for_each(|(answer, decided)| drop(answer.send(decided)));
                State::Sound
            }
            Err(error) => {
                tracing::error!(%error, batches = answers.len(), "a synced write of metadata failed");
                for (answer, _) in answers {
                    drop(answer.send(Err(engine_error(error.clone()))));
                }
                match engine_error(error) {
                    Error::NoSpace => State::Sound,
                    _ => State::Broken,
                }
            }
        }
    }

    /// Decides `batch` on the database as the group before it leaves it.
    fn decide(&mut self, batch: Batch, overlay: &mut Overlay) -> Result<Outcome, Error> {
        let planned = plan(batch, |key| match overlay.get(key) {
            Some(entry) => Ok(entry.clone()),
            None => read(&self.database, key),
        })?;
        let writes: Vec<Write> = match planned {
            Ok(writes) => writes,
            Err(outcome) => return Ok(outcome),
        };
        if !writes.is_empty() {
            self.last_version += 1;
        }
        let version = Version(self.last_version);
        overlay.extend(
            writes.into_iter().map(|(key, value)| (key, value.map(|value| Entry::new(version, value)))),
        );
        Ok(Outcome::Committed)
    }

    fn write(&self, overlay: Overlay) -> Result<(), rocksdb::Error> {
        if overlay.is_empty() {
            return Ok(());
        }
        let mut batch = WriteBatch::default();
        for (key, entry) in &overlay {
            match entry {
                Some(entry) => batch.put(key, pack(entry)),
                None => batch.delete(key),
            }
        }
        let keys = overlay.into_keys().collect();
        if let Some(family) = self.database.cf_handle(ENGINE_FAMILY) {
            batch.put_cf(family, VERSION_KEY, self.last_version.to_be_bytes());
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let _writing = self.rows.writing(keys);
        self.database.write_opt(batch, &options)
    }
}

fn read(database: &DB, key: &[u8]) -> Result<Option<Entry>, Error> {
    database.get(key).map_err(engine_error)?.map(unpack).transpose()
}

fn read_last_version(database: &DB) -> Result<u64, Error> {
    let family = database
        .cf_handle(ENGINE_FAMILY)
        .ok_or_else(|| Error::Corrupt { what: "the engine's column family is missing".to_owned() })?;
    match database.get_cf(family, VERSION_KEY).map_err(engine_error)? {
        None => Ok(0),
        Some(bytes) => match <[u8; 8]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(u64::from_be_bytes(bytes)),
            Err(_) => Err(Error::Corrupt { what: "the count of commits".to_owned() }),
        },
    }
}

fn scan(
    database: &DB,
    (start, end): Range,
    limit: usize,
    direction: Direction,
) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
    // RocksDB's bounds include the lower and exclude the upper; a zero byte makes the next greater key.
    let lower = match start {
        Bound::Included(key) => key,
        Bound::Excluded(key) => after(key),
        Bound::Unbounded => Vec::new(),
    };
    let upper = match end {
        Bound::Included(key) => Some(after(key)),
        Bound::Excluded(key) => Some(key),
        Bound::Unbounded => None,
    };
    if upper.as_ref().is_some_and(|upper| *upper <= lower) {
        return Ok(Vec::new());
    }
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(lower);
    if let Some(upper) = upper {
        options.set_iterate_upper_bound(upper);
    }
    let mode = match direction {
        Direction::Forward => IteratorMode::Start,
        Direction::Backward => IteratorMode::End,
    };
    let mut entries = Vec::with_capacity(limit.min(256));
    for item in database.iterator_opt(mode, options).take(limit) {
        let (key, value) = item.map_err(engine_error)?;
        entries.push((key.into_vec(), unpack(value.into_vec())?));
    }
    Ok(entries)
}

fn after(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

fn pack(entry: &Entry) -> Vec<u8> {
    [&entry.version.0.to_be_bytes(), entry.value.as_ref()].concat()
}

fn unpack(stored: Vec<u8>) -> Result<Entry, Error> {
    let Some(version) = stored.first_chunk::<8>().copied() else {
        return Err(Error::Corrupt { what: format!("a stored value of {} bytes", stored.len()) });
    };
    Ok(Entry::new(Version(u64::from_be_bytes(version)), Bytes::from(stored).slice(8..)))
}

fn database_options(settings: &Settings) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    // A log torn at its end is what a crash leaves. Damage before that would silently end the history there: it is told
    // at the opening instead.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_max_background_jobs(2);
    options.set_max_open_files(settings.open_files_max.into());
    options.set_max_total_wal_size(128 << 20);
    options.set_bytes_per_sync(1 << 20);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(8 << 20);
    options
}

fn table_options() -> Options {
    let mut tables = BlockBasedOptions::default();
    // The cache is cut into shards: an index or a filter of one block for a whole table would not fit into one, and be
    // read from the disk with each look. In partitions they are blocks as others are, and as bounded.
    let cache = Cache::new_hyper_clock_cache(BLOCKS_BYTES_MAX, 0);
    tables.set_block_cache(&cache);
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    tables.set_partition_filters(true);
    tables.set_metadata_block_size(4 << 10);
    tables.set_pin_top_level_index_and_filter(true);
    tables.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    // Three quarters of a Bloom filter's size and as fast to ask, so that those of sixty million rows fit into the cache:
    // a look for an absent row then reads 0.5 KB on average, not 1.4. A file that is fresh from memory has the other,
    // which is made faster. (No prefixes in it: a scan that finds nothing would take 6 µs, not 14, of a request's 400.)
    tables.set_hybrid_ribbon_filter(10.0, 1);
    tables.set_format_version(5);
    let mut options = Options::default();
    options.set_block_based_table_factory(&tables);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_write_buffer_size(32 << 20);
    // A queue's beginning is where its rows were removed: whoever looks for the first would walk over all of those, half a
    // second for a million, until their file happens to be compacted. (In memory: see MEMORY_OPTIONS.)
    options.add_compact_on_deletion_collector_factory(DELETIONS_WINDOW, DELETIONS_WINDOW / 2, 0.5);
    // Manifests are not written again with each level: where they have 2 KiB, that is 45 % less to write in all. They take
    // as long to read, and 3 % more room.
    options.set_enable_blob_files(true);
    options.set_blob_cache(&cache);
    options.set_min_blob_size(BESIDE_TABLES_BYTES_MIN);
    options.set_blob_compression_type(DBCompressionType::Lz4);
    options.set_enable_blob_gc(true);
    options.set_blob_gc_force_threshold(0.5);
    options
}

/// RocksDB tells a held lock by its text alone.
fn open_error(error: rocksdb::Error) -> Error {
    if error.as_ref().contains("/LOCK") && error.kind() == rocksdb::ErrorKind::IOError {
        return Error::InUse;
    }
    engine_error(error)
}

/// RocksDB tells a full disk by its text alone.
fn engine_error(error: rocksdb::Error) -> Error {
    match error.kind() {
        rocksdb::ErrorKind::Corruption => Error::Corrupt { what: error.into_string() },
        _ if error.as_ref().contains("No space left") => Error::NoSpace,
        _ => Error::Engine(error.into()),
    }
}

fn stopped() -> Error {
    Error::Engine("the thread that commits has stopped".into())
}

mod rows;
#[cfg(test)]
mod tests;
