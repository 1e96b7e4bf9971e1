use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::generate_simple_self_signed;
use tempfile::TempDir;
use tokio::sync::watch;

use super::{Tls, TlsFiles};

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

fn served() -> (TempDir, TlsFiles) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &pair());
    let (files, _) = TlsFiles::open(&settings(folder.path())).unwrap().unwrap();
    (folder, files)
}

#[test]
fn no_files_are_no_tls() {
    assert!(Tls::default().identity().unwrap().is_none());
}

#[test]
fn what_cannot_be_served_is_told_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let (certificate, key): (PathBuf, PathBuf) =
        (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let refused = || settings.identity().unwrap_err().to_string();
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
    assert!(settings.identity().unwrap().is_some());
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
    assert!(files.look().is_some());
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
    let (mut files, _) = TlsFiles::open(&settings(folder.path())).unwrap().unwrap();
    assert!(files.look().is_none());
    symlink("2", folder.path().join("next")).unwrap();
    fs::rename(folder.path().join("next"), folder.path().join("current")).unwrap();
    assert!(files.look().is_some());
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
    let first = complaint(&mut files);
    assert!(first.as_ref().is_some_and(|told| told.contains("does not fit the certificate")), "{first:?}");
    assert_eq!(complaint(&mut files), first);
    fs::remove_file(folder.path().join("tls.key")).unwrap();
    assert!(complaint(&mut files).is_some_and(|told| told.contains("tls.key cannot be read")));
    fs::write(folder.path().join("tls.key"), &key).unwrap();
    assert!(files.look().is_some(), "whole again");
    assert_eq!(files.complaint, None);
}

#[tokio::test]
async fn it_is_followed_until_nobody_looks() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &pair());
    let often = Tls { reload_interval: Duration::from_millis(10), ..settings(folder.path()) };
    let (files, identity) = TlsFiles::open(&often).unwrap().unwrap();
    let (shown, mut current) = watch::channel(identity);
    let following = tokio::spawn(files.follow(shown));
    write(folder.path(), &pair());
    tokio::time::timeout(Duration::from_secs(60), current.changed()).await.unwrap().unwrap();
    drop(current);
    tokio::time::timeout(Duration::from_secs(60), following).await.unwrap().unwrap();
}
