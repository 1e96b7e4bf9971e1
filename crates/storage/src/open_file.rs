//! A file that is only read: what of it the system holds in memory, which is read at once, and what it does not, which
//! is fetched where waiting holds nobody up.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{Advice, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, ReadWriteFlags};
use tokio::sync::Semaphore;

use crate::PlaceError;

/// What is read inline when memory holds it: more would keep others of the same thread waiting.
const INLINE_BYTES_MAX: usize = 256 << 10;
/// How far apart it is looked whether memory holds a range: what the system reads ahead by default.
const LOOK_STEP_BYTES: usize = 128 << 10;

/// Whether a range can be read without waiting for a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Memory holds it, as far as was looked.
    Held,
    /// Some of it must be read from the disk first.
    Missing,
    /// The file system does not tell.
    Unknown,
}

/// A file opened for reading. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OpenFile {
    file: Arc<File>,
    /// Bounds the reads from the disk at once, over all files of the folder.
    reads: Arc<Semaphore>,
}

impl OpenFile {
    /// Opens `path`, inline when memory holds every folder on the way.
    pub(crate) async fn open(path: &Path, reads: Arc<Semaphore>) -> Result<OpenFile, PlaceError> {
        let file = match open_held(path) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Err(PlaceError::Absent),
            // Memory does not hold all of it, or the system does not know this way of asking.
            Err(_) => {
                let path = path.to_owned();
                blocking(move || File::open(path)).await?
            }
        };
        Ok(OpenFile { file: Arc::new(file), reads })
    }

    /// Exactly `length` bytes from `offset` on, inline when memory holds them.
    pub(crate) async fn read(&self, offset: u64, length: usize) -> Result<Bytes, PlaceError> {
        let mut buffer = vec![0; length];
        if length <= INLINE_BYTES_MAX && read_held(&self.file, &mut buffer, offset) == Ok(length) {
            return Ok(buffer.into());
        }
        let file = Arc::clone(&self.file);
        blocking(move || {
            file.read_exact_at(&mut buffer, offset)?;
            Ok(buffer.into())
        })
        .await
    }

    /// Whether memory holds `range`: looked at in steps, so that a page between two of them may be missing.
    #[must_use]
    pub fn presence(&self, range: &Range<u64>) -> Presence {
        for offset in looks(range) {
            match read_held(&self.file, &mut [0], offset) {
                Ok(1) | Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => return Presence::Unknown,
                // The end of the file, or a broken one, is told by whoever reads it in earnest.
                Ok(_) | Err(_) => return Presence::Missing,
            }
        }
        Presence::Held
    }

    /// Reads `range` from the disk into the system's memory, where waiting holds nobody up.
    ///
    /// # Errors
    /// [`PlaceError::Short`] when the file ends before the range does; as the file system.
    pub async fn load(&self, range: Range<u64>) -> Result<(), PlaceError> {
        let permit = Arc::clone(&self.reads).acquire_owned().await.map_err(io::Error::other)?;
        let file = Arc::clone(&self.file);
        blocking(move || {
            let _permit = permit;
            load(&file, range)
        })
        .await
    }
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Opens a file unless that would wait for the disk.
fn open_held(path: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED).map(File::from)
}

/// Reads what memory holds, without waiting for the disk.
fn read_held(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    rustix::io::preadv2(file, &mut [IoSliceMut::new(buffer)], offset, ReadWriteFlags::NOWAIT)
}

fn load(file: &File, range: Range<u64>) -> io::Result<()> {
    // Asks for all of it at once; what is read below then waits for what is under way. A hint: some file systems have none.
    let length = NonZeroU64::new(range.end - range.start);
    let _ = rustix::fs::fadvise(file, range.start, length, Advice::WillNeed);
    looks(&range).try_for_each(|offset| file.read_exact_at(&mut [0], offset))
}

/// Where in `range` is looked, its last byte among them: what lies between comes with them, as a rule.
fn looks(range: &Range<u64>) -> impl Iterator<Item = u64> {
    let last = range.end.saturating_sub(1);
    range.clone().step_by(LOOK_STEP_BYTES).chain((range.start < last).then_some(last))
}

/// Runs `work` where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, PlaceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(PlaceError::from),
        Err(error) => Err(PlaceError::Failed(io::Error::other(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::{LOOK_STEP_BYTES, OpenFile, PlaceError, Presence};

    async fn opened(content: &[u8]) -> (tempfile::NamedTempFile, OpenFile) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let opened = OpenFile::open(file.path(), Arc::new(Semaphore::new(1))).await.unwrap();
        (file, opened)
    }

    #[tokio::test]
    async fn what_memory_lost_is_missing_until_it_is_loaded() {
        let (step, length) = (LOOK_STEP_BYTES as u64, 3 * LOOK_STEP_BYTES as u64 + 1);
        for range in [0..length, 0..1, length - 1..length, step..length] {
            let (named, file) = opened(&vec![7; usize::try_from(length).unwrap()]).await;
            let held = file.presence(&range);
            assert_ne!(held, Presence::Missing, "it was written a moment ago");
            named.as_file().sync_all().unwrap();
            rustix::fs::fadvise(named.as_file(), 0, None, rustix::fs::Advice::DontNeed).unwrap();
            // A file system in memory loses nothing, and does not tell either.
            if held == Presence::Held {
                assert_eq!(file.presence(&range), Presence::Missing, "{range:?}");
            }
            file.load(range.clone()).await.unwrap();
            assert_eq!(file.presence(&range), held);
        }
    }

    #[tokio::test]
    async fn what_ends_too_early_is_missing_and_cannot_be_loaded() {
        let (_named, file) = opened(&[7; 1000]).await;
        assert_ne!(file.presence(&(0..1001)), Presence::Held);
        assert!(matches!(file.load(0..1001).await, Err(PlaceError::Short)));
        assert_eq!(file.read(990, 10).await.unwrap(), &[7; 10][..]);
        assert!(matches!(file.read(990, 11).await, Err(PlaceError::Short)));
    }

    #[tokio::test]
    async fn what_is_not_there_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let opened = OpenFile::open(&folder.path().join("none"), Arc::new(Semaphore::new(1))).await;
        assert!(matches!(opened, Err(PlaceError::Absent)));
    }
}
