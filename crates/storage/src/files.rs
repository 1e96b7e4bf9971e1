//! Places as files of one folder: `ab/cd/abcd…`, so that no folder grows large.
//!
//! Files are made new, appended to, and never written again. A name survives a power cut when its folder is synced,
//! and the folder when its own parent is: [`PlaceWriter::sync`] does both, the latter once for each folder and process.

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use rustix::fs::StatVfsMountFlags;
use tokio::sync::Semaphore;

use crate::open_file::{OpenFile, blocking};
use crate::{Place, PlaceError, PlaceReader, PlaceWriter, Places, Space};

/// Files that are read from the disk at once to be sent: each takes a thread for as long as the disk takes.
const READS_MAX: usize = 32;

/// The places in one folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    root: Arc<Root>,
}

#[derive(Debug)]
struct Root {
    path: PathBuf,
    /// The folders whose own names were synced by this process. A folder that is merely there may have been made a
    /// moment ago by somebody who has not synced its parent yet.
    settled: Mutex<HashSet<PathBuf>>,
    /// Reads from the disk that a sender of files waits for.
    reads: Arc<Semaphore>,
}

impl Files {
    /// The places in the folder `path`, which is made if it is missing.
    ///
    /// # Errors
    /// When it cannot be made, is no folder, or may not be read and written.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Files> {
        let path = path.into();
        make_folder(&path, true)?;
        // Absolute, so that a change of the working directory moves nothing.
        let path = path.canonicalize()?;
        if let Some(parent) = path.parent() {
            sync_folder(parent)?;
        }
        // Finds out now, and not at the first push, that the folder may not be written.
        let probe = path.join(Place::random().to_string());
        new_file(&probe)?;
        std::fs::remove_file(&probe)?;
        Ok(Files {
            root: Arc::new(Root {
                path,
                settled: Mutex::default(),
                reads: Arc::new(Semaphore::new(READS_MAX)),
            }),
        })
    }
}

impl Root {
    /// The folders of `place`, from the outside in, and its file.
    fn paths(&self, place: Place) -> ([PathBuf; 2], PathBuf) {
        let name = place.to_string();
        let outer = self.path.join(&name[..2]);
        let inner = outer.join(&name[2..4]);
        let file = inner.join(&name);
        ([outer, inner], file)
    }

    fn create(&self, place: Place) -> io::Result<File> {
        let ([_, inner], path) = self.paths(place);
        match new_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folder(&inner, true)?;
                new_file(&path)
            }
            other => other,
        }
    }

    /// Makes the name of `place` survive a power cut.
    fn settle(&self, place: Place) -> io::Result<()> {
        let ([outer, inner], _) = self.paths(place);
        sync_folder(&inner)?;
        for (folder, parent) in [(inner, outer.as_path()), (outer.clone(), self.path.as_path())] {
            let known = self.settled.lock().unwrap_or_else(PoisonError::into_inner).contains(&folder);
            if !known {
                sync_folder(parent)?;
                self.settled.lock().unwrap_or_else(PoisonError::into_inner).insert(folder);
            }
        }
        Ok(())
    }
}

fn make_folder(path: &Path, with_parents: bool) -> io::Result<()> {
    DirBuilder::new().recursive(with_parents).mode(0o700).create(path)
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[async_trait]
impl Places for Files {
    async fn create(&self, place: Place) -> Result<Box<dyn PlaceWriter>, PlaceError> {
        let root = self.root.clone();
        let file = blocking(move || root.create(place)).await?;
        Ok(Box::new(Writer { root: self.root.clone(), place, file: Arc::new(file), settled: Arc::default() }))
    }

    async fn open(&self, place: Place) -> Result<Arc<dyn PlaceReader>, PlaceError> {
        let (_, path) = self.root.paths(place);
        Ok(Arc::new(OpenFile::open(&path, Arc::clone(&self.root.reads)).await?))
    }

    async fn remove(&self, place: Place) -> Result<(), PlaceError> {
        let (_, path) = self.root.paths(place);
        match blocking(move || std::fs::remove_file(path)).await {
            Err(PlaceError::Absent) => Ok(()),
            other => other,
        }
    }

    async fn space(&self) -> Result<Option<Space>, PlaceError> {
        let root = self.root.clone();
        blocking(move || {
            let stat = rustix::fs::statvfs(&root.path)?;
            // Without a number of files there is no bound on them.
            let takes_files = stat.f_files == 0 || stat.f_favail > 0;
            Ok(Some(Space {
                free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
                total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
                writable: takes_files && !stat.f_flag.contains(StatVfsMountFlags::RDONLY),
            }))
        })
        .await
    }
}

struct Writer {
    root: Arc<Root>,
    place: Place,
    file: Arc<File>,
    /// Whether the file's name was synced.
    settled: Arc<AtomicBool>,
}

#[async_trait]
impl PlaceWriter for Writer {
    async fn write(&mut self, chunks: Vec<Bytes>) -> Result<(), PlaceError> {
        let file = self.file.clone();
        blocking(move || write_all(&file, &chunks)).await
    }

    fn sync(&mut self) -> BoxFuture<'static, Result<(), PlaceError>> {
        let (root, place, file) = (self.root.clone(), self.place, self.file.clone());
        let settled = self.settled.clone();
        let sync = blocking(move || {
            file.sync_data()?;
            if !settled.load(Ordering::Acquire) {
                root.settle(place)?;
                settled.store(true, Ordering::Release);
            }
            Ok(())
        });
        sync.boxed()
    }

    async fn truncate(&mut self, length: u64) -> Result<(), PlaceError> {
        let file = self.file.clone();
        blocking(move || file.set_len(length)).await
    }
}

/// Few system calls for many small chunks.
fn write_all(mut file: &File, chunks: &[Bytes]) -> io::Result<()> {
    /// The most that one system call takes everywhere.
    const SLICES_MAX: usize = 1024;
    for group in chunks.chunks(SLICES_MAX) {
        let mut slices: Vec<IoSlice<'_>> = group.iter().map(|chunk| IoSlice::new(chunk)).collect();
        let mut left = slices.as_mut_slice();
        // Empty slices at the front count as written.
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            match file.write_vectored(left) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut left, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

#[async_trait]
impl PlaceReader for OpenFile {
    async fn read(&self, offset: u64, length: usize) -> Result<Bytes, PlaceError> {
        OpenFile::read(self, offset, length).await
    }

    fn file(&self) -> Option<&OpenFile> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Files;

    #[tokio::test]
    async fn keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        crate::suite::run(&Files::open(folder.path().join("blobs")).unwrap()).await;
    }

    #[test]
    fn refuses_what_is_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(Files::open(&file).is_err());
    }
}
