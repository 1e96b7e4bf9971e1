//! The server's certificate and key: read at the start, and looked at from time to time.
//!
//! It is their content that counts, not times or events of the file system: whatever replaces the files (a rename, a
//! link set anew, a mounted secret) is seen the same way. A file that is just being written may look whole, a chain that
//! lacks its end: so what is new counts when it was found twice in a row. What cannot be served changes nothing but the
//! log.

mod doubt;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use frontend::{Clock, TlsIdentity, TlsIdentityError};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::config::Tls;
use crate::regular_file;
use doubt::Doubt;

/// More than any chain or key has.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a certificate and its key cannot be served. Names the file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{setting}: {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is in it is not what it should be.
    #[error("{setting}: {} {reason}", path.display())]
    Unusable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What it holds, or does not hold.
        reason: TlsIdentityError,
    },
}

/// Where both are.
struct Paths {
    certificate: PathBuf,
    key: PathBuf,
}

/// What is in both files.
#[derive(PartialEq, Eq)]
struct Content {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The files, what was last served of them, and what the log was last told about them.
pub(crate) struct TlsFiles {
    paths: Paths,
    clock: Arc<dyn Clock>,
    interval: Duration,
    served: Content,
    /// What the last look found, where that was not what is served.
    found: Option<Content>,
    complaint: Option<String>,
}

impl Tls {
    /// Reads what the settings name, as a start at `now` would, and answers what clients will not accept in it.
    ///
    /// # Errors
    /// [`TlsError`], a sentence that names the file.
    pub fn check_files(&self, now: Timestamp) -> Result<Option<String>, TlsError> {
        let Some(paths) = Paths::of(self) else { return Ok(None) };
        let content = paths.read()?;
        paths.identity(&content)?;
        Ok(paths.doubt(&content, now))
    }
}

impl TlsFiles {
    /// Reads them for the first time; nothing where none are named.
    pub(crate) fn open(
        settings: &Tls,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<(TlsFiles, TlsIdentity)>, TlsError> {
        let Some(paths) = Paths::of(settings) else { return Ok(None) };
        let served = paths.read()?;
        let identity = paths.identity(&served)?;
        let interval = settings.reload_interval;
        let files = TlsFiles { paths, clock, interval, served, found: None, complaint: None };
        files.tell_doubt();
        Ok(Some((files, identity)))
    }

    /// Shows what is new in them, until nobody looks any more.
    pub(crate) async fn follow(mut self, shown: watch::Sender<TlsIdentity>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.interval) => {}
                () = shown.closed() => return,
            }
            let looked = tokio::task::spawn_blocking(move || {
                let found = self.look();
                (self, found)
            });
            // Only a runtime that ends breaks it off.
            let Ok((files, found)) = looked.await else { return };
            self = files;
            if let Some(identity) = found {
                shown.send_replace(identity);
            }
        }
    }

    /// What is new, if it can be served. What cannot is told to the log, once.
    fn look(&mut self) -> Option<TlsIdentity> {
        let content = self.paths.read().inspect_err(|_| self.found = None);
        match content.and_then(|content| self.renewed(content)) {
            Ok(found) => found,
            Err(error) => {
                let complaint = error.to_string();
                if self.complaint.as_ref() != Some(&complaint) {
                    tracing::warn!(
                        error = complaint,
                        "the new certificate or key cannot be served; the former stay in use"
                    );
                    self.complaint = Some(complaint);
                }
                None
            }
        }
    }

    /// Serves `content` if it is new, and was there at the last look already.
    fn renewed(&mut self, content: Content) -> Result<Option<TlsIdentity>, TlsError> {
        if content == self.served {
            (self.found, self.complaint) = (None, None);
            return Ok(None);
        }
        if self.found.as_ref() != Some(&content) {
            self.found = Some(content);
            return Ok(None);
        }
        let identity = self.paths.identity(&content)?;
        tracing::info!(certificate = %self.paths.certificate.display(), "a new certificate is served");
        self.served = content;
        (self.found, self.complaint) = (None, None);
        self.tell_doubt();
        Ok(Some(identity))
    }

    fn tell_doubt(&self) {
        if let Some(doubt) = self.paths.doubt(&self.served, self.clock.now()) {
            tracing::warn!("{doubt}");
        }
    }
}

const CERTIFICATE: &str = "server.tls.certificate";
const KEY: &str = "server.tls.key";

impl Paths {
    fn of(settings: &Tls) -> Option<Paths> {
        Some(Paths { certificate: settings.certificate.clone()?, key: settings.key.clone()? })
    }

    fn read(&self) -> Result<Content, TlsError> {
        Ok(Content { certificate: read(CERTIFICATE, &self.certificate)?, key: read(KEY, &self.key)? })
    }

    fn identity(&self, content: &Content) -> Result<TlsIdentity, TlsError> {
        TlsIdentity::from_pem(&content.certificate, &content.key).map_err(|reason| {
            let (setting, path) = match reason {
                TlsIdentityError::NoCertificate | TlsIdentityError::BadCertificate(_) => {
                    (CERTIFICATE, &self.certificate)
                }
                TlsIdentityError::NoKey | TlsIdentityError::BadKey(_) | TlsIdentityError::KeyOfAnother => {
                    (KEY, &self.key)
                }
            };
            TlsError::Unusable { setting, path: path.clone(), reason }
        })
    }

    /// What clients will not accept at `now`, as a sentence that names the file.
    fn doubt(&self, content: &Content, now: Timestamp) -> Option<String> {
        let doubt = Doubt::about(&content.certificate, now)?;
        Some(format!("{CERTIFICATE}: {} {doubt}", self.certificate.display()))
    }
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    regular_file::read(path, FILE_BYTES_MAX).map_err(|source| TlsError::Unreadable {
        setting,
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
