use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use frontend::Clock;
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::sync::watch;

use super::{Content, Doubt, Tls, TlsFiles};
use crate::SystemClock;

/// A new certificate and its key.
fn pair() -> (String, String) {
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn write(folder: &Path, (certificate, key): &(String, String)) {
    fs::write(folder.join("tls.crt"), certificate).unwrap();
    fs::write(folder.join("tls.key"), key).unwrap();
}

fn settings(folder: &Path) -> Tls {
    let file = |name| Some(folder.join(name));
    Tls { certificate: file("tls.crt"), key: file("tls.key"), ..Tls::default() }
}

fn open(settings: &Tls) -> TlsFiles {
    TlsFiles::open(settings, Arc::new(SystemClock)).unwrap().unwrap().0
}

fn served() -> (TempDir, TlsFiles) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &pair());
    let files = open(&settings(folder.path()));
    (folder, files)
}

/// What comes of two looks at the same.
fn look_twice(files: &mut TlsFiles) -> bool {
    assert!(files.look().is_none(), "it may not be whole yet");
    files.look().is_some()
}

#[test]
fn no_files_are_no_tls() {
    assert!(TlsFiles::open(&Tls::default(), Arc::new(SystemClock)).unwrap().is_none());
    assert_eq!(Tls::default().check_files(Timestamp::UNIX_EPOCH).unwrap(), None);
}

#[test]
fn what_cannot_be_served_is_told_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let (certificate, key): (PathBuf, PathBuf) =
        (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let refused = || settings.check_files(Timestamp::UNIX_EPOCH).unwrap_err().to_string();
    let ours = pair();

    let missing = format!("server.tls.certificate: {} cannot be read: No such file", certificate.display());
    assert!(refused().starts_with(&missing), "{}", refused());
    fs::write(&certificate, &ours.0).unwrap();
    let missing = format!("server.tls.key: {} cannot be read: No such file", key.display());
    assert!(refused().starts_with(&missing), "{}", refused());
    for (content, says) in [
        ("", "holds no private key"),
        (&ours.1[..100], "holds a private key that cannot be used"),
        (&pair().1, "holds a private key that does not fit the certificate"),
    ] {
        fs::write(&key, content).unwrap();
        let says = format!("server.tls.key: {} {says}", key.display());
        assert!(refused().starts_with(&says), "{}", refused());
    }
    fs::write(&key, &ours.1).unwrap();
    assert_eq!(settings.check_files(SystemClock.now()).unwrap(), None);
    for (content, says) in
        [("", "holds no certificate"), (&ours.0[..100], "holds a certificate that cannot be read")]
    {
        fs::write(&certificate, content).unwrap();
        let says = format!("server.tls.certificate: {} {says}", certificate.display());
        assert!(refused().starts_with(&says), "{}", refused());
    }
    fs::remove_file(&certificate).unwrap();
    fs::create_dir(&certificate).unwrap();
    assert!(refused().contains("tls.crt cannot be read"), "{}", refused());
}

#[test]
fn a_new_pair_is_found_by_its_content() {
    let (folder, mut files) = served();
    assert!(files.look().is_none());
    let other = pair();
    write(folder.path(), &other);
    assert!(look_twice(&mut files));
    assert!(files.look().is_none(), "it is new only once");
    write(folder.path(), &other);
    assert!(files.look().is_none(), "the same, written again");
}

#[test]
fn a_link_that_is_set_anew_is_a_new_pair() {
    // As a mounted secret of Kubernetes is renewed: the files are links through a link to a folder.
    let folder = tempfile::tempdir().unwrap();
    for version in ["1", "2"] {
        fs::create_dir(folder.path().join(version)).unwrap();
        write(&folder.path().join(version), &pair());
    }
    symlink("1", folder.path().join("current")).unwrap();
    for name in ["tls.crt", "tls.key"] {
        symlink(Path::new("current").join(name), folder.path().join(name)).unwrap();
    }
    let mut files = open(&settings(folder.path()));
    assert!(files.look().is_none());
    symlink("2", folder.path().join("next")).unwrap();
    fs::rename(folder.path().join("next"), folder.path().join("current")).unwrap();
    assert!(look_twice(&mut files));
}

#[test]
fn a_chain_that_is_still_being_written_is_waited_for() {
    let (folder, mut files) = served();
    let (certificate, key) = pair();
    let chain = format!("{certificate}{}", pair().0);
    write(folder.path(), &(certificate, key.clone()));
    assert!(files.look().is_none(), "it fits the key, and lacks its end");
    write(folder.path(), &(chain.clone(), key));
    assert!(look_twice(&mut files));
    assert!(files.served == Content { certificate: chain.into_bytes(), key: files.served.key.clone() });
}

#[test]
fn a_certificate_that_clients_refuse_is_doubted() {
    let made = |change: fn(&mut CertificateParams)| {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2030, 1, 1));
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    };
    let at = |time: &str| time.parse::<Timestamp>().unwrap();
    let plain = made(|_| {});
    for (now, doubt) in [
        ("2019-12-31T23:59:59Z", Some(Doubt::TooEarly(at("2020-01-01T00:00:00Z")))),
        ("2020-01-01T00:00:00Z", None),
        ("2030-01-01T00:00:00Z", None),
        ("2030-01-01T00:00:01Z", Some(Doubt::TooLate(at("2030-01-01T00:00:00Z")))),
    ] {
        assert_eq!(Doubt::about(plain.as_bytes(), at(now)), doubt, "{now}");
    }
    let authority = made(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(Doubt::about(authority.as_bytes(), at("2025-01-01T00:00:00Z")), Some(Doubt::Authority));
}

#[test]
fn what_cannot_be_served_is_told_once_until_it_changes() {
    let (folder, mut files) = served();
    let (certificate, key) = pair();
    let complaint = |files: &mut TlsFiles| {
        assert!(files.look().is_none());
        files.complaint.clone()
    };
    fs::write(folder.path().join("tls.crt"), &certificate).unwrap();
    assert_eq!(complaint(&mut files), None, "it may not be whole yet");
    let first = complaint(&mut files);
    assert!(first.as_ref().is_some_and(|told| told.contains("does not fit the certificate")), "{first:?}");
    assert_eq!(complaint(&mut files), first);
    fs::remove_file(folder.path().join("tls.key")).unwrap();
    assert!(complaint(&mut files).is_some_and(|told| told.contains("tls.key cannot be read")));
    fs::write(folder.path().join("tls.key"), &key).unwrap();
    assert!(look_twice(&mut files), "whole again");
    assert_eq!(files.complaint, None);
}

#[tokio::test]
async fn it_is_followed_until_nobody_looks() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &pair());
    let often = Tls { reload_interval: Duration::from_millis(10), ..settings(folder.path()) };
    let (files, identity) = TlsFiles::open(&often, Arc::new(SystemClock)).unwrap().unwrap();
    let (shown, mut current) = watch::channel(identity);
    let following = tokio::spawn(files.follow(shown));
    write(folder.path(), &pair());
    tokio::time::timeout(Duration::from_secs(60), current.changed()).await.unwrap().unwrap();
    drop(current);
    tokio::time::timeout(Duration::from_secs(60), following).await.unwrap().unwrap();
}
