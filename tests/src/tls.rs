//! A certificate authority of a test's own, and the certificates it issues, as PEM files made afresh in each run.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

/// A certificate authority that nobody knows but who is told. Its files go with it.
pub struct TestCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key, as files that a server is to read.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// `tls.crt`: the certificate.
    pub certificate: PathBuf,
    /// `tls.key`: its key.
    pub key: PathBuf,
}

impl TestCa {
    /// A new one.
    #[must_use]
    pub fn new() -> TestCa {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("a test's authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("ca.crt"), issuer.pem()).expect("a written certificate");
        TestCa { issuer, folder }
    }

    /// The file (PEM) of the certificate that clients are to trust.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// The same as text.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A new certificate for these names and IP addresses (`localhost`, `127.0.0.1`), in the folder `name` beside the
    /// authority's own. Where there is one of that name, the files are written anew, as a renewal does.
    pub fn issue(&self, name: &str, names: &[&str]) -> CertificateFiles {
        let files = CertificateFiles::at(&self.folder.path().join(name));
        self.issue_to(&files, names);
        files
    }

    /// The same into the given files, over what stands there.
    pub fn issue_to(&self, files: &CertificateFiles, names: &[&str]) {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names and addresses");
        params.distinguished_name = named("a test's server");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        std::fs::write(&files.certificate, certificate.pem()).expect("a written certificate");
        std::fs::write(&files.key, key.serialize_pem()).expect("a written key");
    }
}

impl Default for TestCa {
    fn default() -> TestCa {
        TestCa::new()
    }
}

impl CertificateFiles {
    /// Files in `folder`, which is made.
    #[must_use]
    pub fn at(folder: &Path) -> CertificateFiles {
        std::fs::create_dir_all(folder).expect("a folder");
        CertificateFiles { certificate: folder.join("tls.crt"), key: folder.join("tls.key") }
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}
