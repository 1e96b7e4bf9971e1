//! TLS of our own: what the server is known by, and what happens on a connection before its first request.
//!
//! Files are none of its business: a [`TlsIdentity`] is made of their contents, and each connection takes the one that
//! is current when it comes.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::connection::Socket;

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What is read of a plain request, so that its sender comes to read the refusal.
const PLAIN_BYTES_MAX: u64 = 1 << 20;
const PLAIN_WAIT_MAX: Duration = Duration::from_secs(2);
const PLAIN_REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 63\r\n\
    Connection: close\r\n\
    \r\n\
    This port speaks HTTPS, and the request was sent as plain HTTP.";

/// A certificate with its chain, and the key that fits it. Cheap to clone. Its `Debug` form tells nothing.
#[derive(Clone)]
pub struct TlsIdentity(TlsAcceptor);

/// Why a certificate and a key are none to serve with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsIdentityError {
    /// The certificate's text holds none.
    #[error("holds no certificate (a PEM block of the kind CERTIFICATE)")]
    NoCertificate,
    /// What it holds cannot be read.
    #[error("holds a certificate that cannot be read: {0}")]
    BadCertificate(String),
    /// The key's text holds none that is in the clear.
    #[error("holds no private key (a PEM block of the kind PRIVATE KEY, not encrypted)")]
    NoKey,
    /// What it holds cannot be read, or is of a kind that is not supported.
    #[error("holds a private key that cannot be used: {0}")]
    BadKey(String),
    /// Each is good by itself.
    #[error("holds a private key that does not fit the certificate")]
    KeyOfAnother,
}

impl TlsIdentity {
    /// Reads both from PEM: the server's own certificate first, then those up to an authority that clients know.
    ///
    /// # Errors
    /// [`TlsIdentityError`], which says which of the two is at fault.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<TlsIdentity, TlsIdentityError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.map_err(|error| TlsIdentityError::BadCertificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(TlsIdentityError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsIdentityError::NoKey,
            error => TlsIdentityError::BadKey(error.to_string()),
        })?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let key = provider.key_provider.load_private_key(key);
        let key = key.map_err(|error| TlsIdentityError::BadKey(error.to_string()))?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsIdentityError::KeyOfAnother,
            error => TlsIdentityError::BadCertificate(error.to_string()),
        })?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(certified));
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let versions = versions.map_err(|error| TlsIdentityError::BadKey(error.to_string()))?;
        let mut config = versions.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        Ok(TlsIdentity(TlsAcceptor::from(Arc::new(config))))
    }

    /// The handshake with a client that just connected, bounded by the caller. None: it spoke plain HTTP, and was
    /// told.
    pub(crate) async fn shake_hands(
        self,
        stream: TcpStream,
        write_stall_max: Duration,
    ) -> io::Result<Option<TlsStream<Socket>>> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
            refuse_plain(stream).await?;
            return Ok(None);
        }
        self.0.accept(Socket::new(stream, write_stall_max)).await.map(Some)
    }
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsIdentity")
    }
}

/// Whether the two agreed on HTTP/2.
pub(crate) fn is_http2(stream: &TlsStream<Socket>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}

/// Answers a method's first letter, where a handshake would begin with a number.
async fn refuse_plain(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(PLAIN_REFUSAL.as_bytes()).await?;
    stream.shutdown().await?;
    // Closing a socket with something unread on it would take the answer back.
    let mut unread = stream.take(PLAIN_BYTES_MAX);
    let mut sink = tokio::io::sink();
    let _ = tokio::time::timeout(PLAIN_WAIT_MAX, tokio::io::copy(&mut unread, &mut sink)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rcgen::generate_simple_self_signed;

    use super::{PLAIN_REFUSAL, TlsIdentity, TlsIdentityError as Error};

    #[test]
    fn only_a_certificate_and_its_own_key_are_an_identity() {
        let [ours, other] = [(); 2].map(|()| generate_simple_self_signed(["localhost".to_owned()]).unwrap());
        let (certificate, key) = (ours.cert.pem(), ours.signing_key.serialize_pem());
        let half = |text: &str| text[..text.len() / 2].to_owned();
        let read = |certificate: &str, key: &str| {
            TlsIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).map(|_| ())
        };
        assert_eq!(read(&certificate, &key), Ok(()));
        let together = format!("a comment\n{key}{certificate}");
        assert_eq!(read(&together, &together), Ok(()), "both in one file");
        let chain = format!("{certificate}{}", other.cert.pem());
        assert_eq!(read(&chain, &key), Ok(()), "a chain");

        assert_eq!(read("", &key), Err(Error::NoCertificate));
        assert_eq!(read(&key, &key), Err(Error::NoCertificate));
        assert_eq!(read(&certificate, ""), Err(Error::NoKey));
        assert_eq!(read(&certificate, &certificate), Err(Error::NoKey));
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        assert_eq!(read(&certificate, &encrypted), Err(Error::NoKey));
        assert_eq!(read(&certificate, &other.signing_key.serialize_pem()), Err(Error::KeyOfAnother));
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for bad in [half(&certificate), no_certificate.to_owned(), certificate.replace('M', "!")] {
            assert!(matches!(read(&bad, &key), Err(Error::BadCertificate(_))), "{bad}");
        }
        let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for bad in [half(&key), no_key.to_owned()] {
            assert!(matches!(read(&certificate, &bad), Err(Error::BadKey(_))), "{bad}");
        }
    }

    #[test]
    fn the_refusal_of_plain_http_is_as_long_as_it_says() {
        let (head, body) = PLAIN_REFUSAL.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
