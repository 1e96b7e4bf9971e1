//! What clients will not accept in a certificate that can be served.
//!
//! No verification: whom a client trusts, and under which name it comes, is known there alone.

use std::time::Duration;

use jiff::Timestamp;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

/// Why every client, or many, will refuse a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    #[error("is not valid before {0}, and clients refuse it")]
    TooEarly(Timestamp),
    #[error("is not valid after {0}, and clients refuse it")]
    TooLate(Timestamp),
    /// docker takes it, the command line and others do not.
    #[error("is an authority's own certificate (CA:TRUE), and some clients refuse that in a server's place")]
    Authority,
}

impl Doubt {
    /// What there is to say at `now` about the first certificate in `pem`.
    pub(super) fn about(pem: &[u8], now: Timestamp) -> Option<Doubt> {
        let certificate = CertificateDer::from_pem_slice(pem).ok()?;
        let parsed = ParsedCertificate::try_from(&certificate).ok()?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().try_into().unwrap_or(0)));
        // Nobody is trusted, so it ends in an error; what the certificate itself is at fault for comes before that.
        let nobody = RootCertStore::empty();
        let refused = verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], now, &[]);
        match refused {
            Err(Error::InvalidCertificate(error)) => Doubt::of(&error),
            _ => None,
        }
    }

    fn of(error: &CertificateError) -> Option<Doubt> {
        let at = |time: &UnixTime| Timestamp::from_second(time.as_secs().try_into().ok()?).ok();
        match error {
            CertificateError::NotValidYetContext { not_before, .. } => at(not_before).map(Doubt::TooEarly),
            CertificateError::ExpiredContext { not_after, .. } => at(not_after).map(Doubt::TooLate),
            // It has no variant of its own.
            CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
                Some(Doubt::Authority)
            }
            _ => None,
        }
    }
}
