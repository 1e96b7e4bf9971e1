//! TLS of the server's own, and the command line over it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::serve::{serve, started, stopped, url};
use crate::support::{ADMIN_PASSWORD, Answer, Person, Server, answer, eventually};

/// A folder with a certificate for 127.0.0.1 that is its own authority, and its key.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        let files = Files(tempfile::tempdir().unwrap());
        files.renew();
        files
    }

    fn renew(&self) {
        self.make(|_| {});
    }

    /// Makes a pair that differs from a good one.
    fn make(&self, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        fs::write(self.certificate(), params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(self.key(), key.serialize_pem()).unwrap();
    }

    /// The flags that name them.
    fn set(&self) -> String {
        let [certificate, key] = [self.certificate(), self.key()].map(|path| path.display().to_string());
        format!("--set server.tls.certificate={certificate} --set server.tls.key={key}")
    }

    fn certificate(&self) -> PathBuf {
        self.0.path().join("tls.crt")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("tls.key")
    }

    /// A server process that speaks TLS with them.
    fn serve(&self, data: &Path) -> Command {
        let mut command = serve(data);
        command
            .env("GANGPLANK_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("GANGPLANK_SERVER__TLS__CERTIFICATE", self.certificate())
            .env("GANGPLANK_SERVER__TLS__KEY", self.key())
            .env("GANGPLANK_SERVER__TLS__RELOAD_INTERVAL", "1s");
        command
    }

    /// Somebody signs in who trusts the file `authority`.
    fn login(&self, url: &str, authority: &Path) -> Answer {
        let trust = format!("--ca-certificate '{}'", authority.display());
        let line = format!("login {url} --username admin --password-stdin {trust}");
        Person::new().give(ADMIN_PASSWORD, &line)
    }
}

fn start(files: &Files) -> Server {
    Server::start_with(|config| {
        config.server.tls.certificate = Some(files.certificate());
        config.server.tls.key = Some(files.key());
    })
}

#[test]
fn an_authority_of_ones_own_is_named_once() {
    let files = Files::new();
    let server = start(&files);
    assert!(server.url.starts_with("https://"));
    let person = Person::new();
    let line = format!("login {} --username admin --password-stdin", server.url);
    let refused = person.give(ADMIN_PASSWORD, &line);
    assert!(refused.stderr.contains("UnknownIssuer"), "{refused:?}");
    refused.failed(6, "--ca-certificate FILE");

    // Wherever the next command is typed, the file is found.
    let relative = format!("{line} --ca-certificate tls.crt");
    let in_folder = |command: &mut Command| {
        command.current_dir(files.0.path());
    };
    person.give_where(ADMIN_PASSWORD, &relative, in_folder).done();
    assert_eq!(person.run("whoami --json").json()["administrator"], true);
    fs::remove_file(files.certificate()).unwrap();
    let unreadable = format!("cannot read {}", files.certificate().display());
    person.run("whoami").failed(1, &unreadable);
    let out = person.run("logout");
    assert!(out.stderr.contains("its token stays valid until"), "{out:?}");
    out.failed(1, &unreadable);
    person.run("whoami").failed(3, "not signed in");
}

#[test]
fn the_variable_that_names_the_systems_authorities_is_heeded() {
    let files = Files::new();
    let server = start(&files);
    let person = Person::new();
    person.login(&server, "admin", ADMIN_PASSWORD).failed(6, "UnknownIssuer");
    let line = format!("login {} --username admin --password-stdin", server.url);
    let named = |command: &mut Command| {
        command.env("SSL_CERT_FILE", files.certificate());
    };
    person.give_where(ADMIN_PASSWORD, &line, named).done();
}

#[test]
fn an_authority_that_is_none_is_refused() {
    let files = Files::new();
    let url = "https://127.0.0.1:1";
    files.login(url, &files.key()).failed(2, "tls.key holds no certificates");
    files.login(url, Path::new("/nonexistent")).failed(1, "cannot read /nonexistent");
    files.login("http://127.0.0.1:1", &files.certificate()).failed(2, "--ca-certificate is for https://");
    fs::write(files.certificate(), vec![b'\n'; (4 << 20) + 1]).unwrap();
    files.login(url, &files.certificate()).failed(1, "has more than 4194304 bytes");
}

#[test]
fn a_path_that_cannot_be_kept_is_refused_before_anything_is_asked() {
    let files = Files::new();
    let server = start(&files);
    let person = Person::new();
    let odd = files.0.path().join(OsStr::from_bytes(b"\xff.crt"));
    fs::copy(files.certificate(), &odd).unwrap();
    let line = format!("login {} --username admin --password-stdin --ca-certificate", server.url);
    let odd_path = |command: &mut Command| {
        command.arg(&odd);
    };
    person.give_where(ADMIN_PASSWORD, &line, odd_path).failed(2, "is not UTF-8");
}

#[test]
fn what_is_no_regular_file_is_refused_instead_of_waited_for() {
    let files = Files::new();
    let fifo = files.0.path().join("fifo");
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, 0o600.into(), 0).unwrap();
    let link = files.0.path().join("link");
    std::os::unix::fs::symlink(&fifo, &link).unwrap();
    for path in [&fifo, &link] {
        files.login("https://127.0.0.1:1", path).failed(1, "is no regular file");
        for setting in ["certificate", "key"] {
            let line = format!("config check {} --set server.tls.{setting}={}", files.set(), path.display());
            Person::new().run(&line).failed(1, "is no regular file");
        }
    }
}

#[test]
fn a_certificate_that_clients_refuse_is_told_by_both_sides() {
    let files = Files::new();
    let person = Person::new();
    let check = |says: &str| {
        let checked = person.run(&format!("config check {}", files.set()));
        assert!(checked.stderr.contains(says), "{says:?}: {checked:?}");
        assert_eq!(checked.stderr.is_empty(), says.is_empty(), "{checked:?}");
        checked.done();
    };
    check("");
    files.make(|params| params.not_before = date_time_ymd(2200, 1, 1));
    check("tls.crt is not valid before 2200-01-01T00:00:00Z");
    files.make(|params| params.not_after = date_time_ymd(2020, 1, 1));
    check("warning: server.tls.certificate: ");
    check("tls.crt is not valid after 2020-01-01T00:00:00Z");
    files.make(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    check("tls.crt is an authority's own certificate");

    let data = tempfile::tempdir().unwrap();
    let (child, seen, rest) = started(&mut files.serve(data.path()));
    let refused = files.login(&url(&seen), &files.certificate());
    stopped(child, seen.clone(), rest);
    assert!(seen.contains("tls.crt is an authority's own certificate"), "{seen}");
    assert!(!refused.stderr.contains("OtherError"), "{refused:?}");
    assert!(refused.stderr.contains("openssl req -x509 -CA ca.crt"), "{refused:?}");
    refused.failed(6, "is an authority's own certificate");
}

#[test]
fn plain_http_needs_no_authorities() {
    let server = Server::start();
    let empty = tempfile::NamedTempFile::new().unwrap();
    let person = Person::signed_in(&server, "admin", ADMIN_PASSWORD);
    let named = |command: &mut Command| {
        command.env("SSL_CERT_FILE", empty.path());
    };
    person.give_where("", "whoami", named).done();
}

#[test]
fn a_pair_that_cannot_be_served_is_refused_before_the_start() {
    let files = Files::new();
    let data = tempfile::tempdir().unwrap();
    let person = Person::new();
    let [certificate, key] = [files.certificate(), files.key()].map(|path| path.display().to_string());
    let set = files.set();
    person.run(&format!("config check {set}")).done();
    let shown = person.run(&format!("config show {set}")).done();
    assert!(shown.contains(&format!("[server.tls]\ncertificate = \"{certificate}\"")), "{shown}");
    let alone = format!("config check --set server.tls.key={key}");
    person.run(&alone).failed(1, "server.tls.key: server.tls.certificate is missing");

    let other = Files::new();
    fs::copy(other.key(), &key).unwrap();
    let says = format!("server.tls.key: {key} holds a private key that does not fit the certificate");
    person.run(&format!("config check {set}")).failed(1, &says);
    let refused = answer(files.serve(&data.path().join("data")).spawn().unwrap());
    assert!(refused.code == Some(1) && refused.stderr.contains(&says), "{refused:?}");
    assert!(!data.path().join("data").exists(), "nothing was touched");
    fs::remove_file(&certificate).unwrap();
    let says = format!("server.tls.certificate: {certificate} cannot be read: No such file");
    person.run(&format!("config check {set}")).failed(1, &says);
}

#[test]
fn renewed_files_are_served_and_bad_ones_told_once() {
    let (files, data) = (Files::new(), tempfile::tempdir().unwrap());
    let (child, seen, rest) = started(&mut files.serve(data.path()));
    let url = url(&seen);
    assert!(url.starts_with("https://"), "{seen}");
    let first = files.0.path().join("first.crt");
    fs::copy(files.certificate(), &first).unwrap();
    files.login(&url, &first).done();

    fs::write(files.key(), "half a ").unwrap();
    // It is looked at more than once.
    std::thread::sleep(std::time::Duration::from_millis(3_500));
    files.login(&url, &first).done();

    files.renew();
    eventually(|| (files.login(&url, &files.certificate()).code == Some(0)).then_some(()));
    files.login(&url, &first).failed(6, "");
    let log = stopped(child, seen, rest);
    assert_eq!(log.code, Some(0), "{log:?}");
    assert_eq!(log.stderr.matches("cannot be served").count(), 1, "{log:?}");
    assert!(log.stderr.contains("tls.key holds no private key"), "{log:?}");
    assert_eq!(log.stderr.matches("a new certificate is served").count(), 1, "{log:?}");
}

#[test]
fn what_is_typed_next_is_typed_over_tls() {
    let (files, data) = (Files::new(), tempfile::tempdir().unwrap());
    let (child, seen, rest) = started(files.serve(data.path()).env_remove("GANGPLANK_ADMIN_PASSWORD"));
    let url = url(&seen);
    let said = stopped(child, seen, rest).stdout;
    assert!(said.contains(&format!("gangplank login {url} --username admin")), "{said}");
}
