//! The server's certificate and key: read at the start, and looked at from time to time.
//!
//! It is their content that counts, not times or events of the file system: whatever replaces the files (a rename, a
//! link set anew, a mounted secret) is seen the same way. What cannot be served changes nothing but the log.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use frontend::{TlsIdentity, TlsIdentityError};
use tokio::sync::watch;

use crate::config::Tls;

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

/// The files, what was last served of them, and what the log was last told about them.
pub(crate) struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    interval: Duration,
    served: Content,
    complaint: Option<String>,
}

/// What is in both files.
#[derive(PartialEq, Eq)]
struct Content {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// Reads what the settings name: what the server is known by, or nothing where it speaks plain HTTP.
    ///
    /// # Errors
    /// [`TlsError`], a sentence that names the file.
    pub fn identity(&self) -> Result<Option<TlsIdentity>, TlsError> {
        Ok(TlsFiles::open(self)?.map(|(_, identity)| identity))
    }
}

impl TlsFiles {
    /// Reads them for the first time; nothing where none are named.
    pub(crate) fn open(settings: &Tls) -> Result<Option<(TlsFiles, TlsIdentity)>, TlsError> {
        let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else { return Ok(None) };
        let served = Content::read(certificate, key)?;
        let (certificate, key) = (certificate.clone(), key.clone());
        let files =
            TlsFiles { certificate, key, interval: settings.reload_interval, served, complaint: None };
        let identity = files.identity(&files.served)?;
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
        let found = Content::read(&self.certificate, &self.key)
            .and_then(|content| if content == self.served { Ok(None) } else { self.renewed(content) });
        match found {
            Ok(found) => {
                self.complaint = None;
                found
            }
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

    fn renewed(&mut self, content: Content) -> Result<Option<TlsIdentity>, TlsError> {
        let identity = self.identity(&content)?;
        tracing::info!(certificate = %self.certificate.display(), "a new certificate is served");
        self.served = content;
        Ok(Some(identity))
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
}

const CERTIFICATE: &str = "server.tls.certificate";
const KEY: &str = "server.tls.key";

impl Content {
    fn read(certificate: &Path, key: &Path) -> Result<Content, TlsError> {
        Ok(Content { certificate: read(CERTIFICATE, certificate)?, key: read(KEY, key)? })
    }
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut content));
    match read {
        Ok(_) => Ok(content),
        Err(source) => Err(TlsError::Unreadable { setting, path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests;
