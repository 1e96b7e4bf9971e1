use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use auth::Secret;
use jiff::Timestamp;

use super::{Login, Logins};
use crate::failure::Failure;

fn login(server: &str, username: &str, token_id: u64) -> Login {
    Login {
        server: server.parse().unwrap(),
        ca_certificate: None,
        username: username.to_owned(),
        token_id,
        token: Secret::new(format!("gp_pat_{token_id}")),
        expires_at: "2027-01-31T23:59:59Z".parse::<Timestamp>().unwrap(),
    }
}

fn current(logins: &Logins, server: Option<&str>) -> u64 {
    let server = server.map(|server| server.parse().unwrap());
    logins.current(server.as_ref()).unwrap().token_id
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

const A: &str = "http://127.0.0.1:5000";
const B: &str = "https://registry.example";

#[test]
fn the_last_one_is_current_and_a_server_overrides() {
    let folder = tempfile::tempdir().unwrap();
    let logins = Logins::at(folder.path().join("gangplank/logins.toml"));
    assert!(matches!(logins.current(None), Err(Failure::NotSignedIn)));

    assert!(logins.keep(login(A, "admin", 1)).unwrap().is_none());
    assert!(logins.keep(login(A, "acme", 2)).unwrap().is_none());
    assert!(logins.keep(login(B, "acme", 3)).unwrap().is_none());
    assert_eq!((current(&logins, None), current(&logins, Some(A)), current(&logins, Some(B))), (3, 2, 3));
    let other = "http://other.example".parse().unwrap();
    assert!(matches!(logins.current(Some(&other)), Err(Failure::NotSignedInTo { .. })));

    let replaced = logins.keep(login(A, "admin", 4)).unwrap().unwrap();
    assert_eq!(replaced.token_id, 1, "the same server and user");
    assert_eq!((current(&logins, None), current(&logins, Some(A))), (4, 4));

    logins.remove(&login(A, "admin", 4)).unwrap();
    assert_eq!((current(&logins, None), current(&logins, Some(A))), (3, 2), "the ones before");
    logins.remove(&login(A, "acme", 99)).unwrap();
    assert_eq!(current(&logins, Some(A)), 2, "another token's login stays");
}

#[test]
fn everything_that_was_kept_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let logins = Logins::at(folder.path().join("logins.toml"));
    let ca_certificate = Some("/etc/ssl/own.pem".into());
    logins.keep(Login { ca_certificate, ..login(A, "dev@acme", (1 << 53) - 1) }).unwrap();
    let kept = logins.current(None).unwrap();
    assert_eq!((kept.server.to_string().as_str(), kept.username.as_str()), (A, "dev@acme"));
    assert_eq!((kept.token_id, kept.token.reveal()), ((1 << 53) - 1, "gp_pat_9007199254740991"));
    assert_eq!(kept.ca_certificate.as_deref(), Some(Path::new("/etc/ssl/own.pem")));
    assert_eq!(kept.expires_at.to_string(), "2027-01-31T23:59:59Z");
}

#[test]
fn the_file_is_its_owners_alone_even_if_it_was_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gangplank/logins.toml");
    let logins = Logins::at(path.clone());
    logins.keep(login(A, "admin", 1)).unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    logins.keep(login(A, "acme", 2)).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn what_a_killed_command_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logins.toml");
    fs::write(path.with_extension("new"), "half a fi").unwrap();
    fs::write(path.with_extension("lock"), "").unwrap();
    let logins = Logins::at(path.clone());
    logins.keep(login(A, "admin", 1)).unwrap();
    assert_eq!(current(&logins, None), 1);
    assert!(!path.with_extension("new").exists());
}

#[test]
fn a_reader_never_meets_half_a_file_and_writers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logins.toml");
    Logins::at(path.clone()).keep(login(B, "reader", 0)).unwrap();
    std::thread::scope(|threads| {
        for writer in 1..=4_u64 {
            let logins = Logins::at(path.clone());
            threads.spawn(move || {
                for turn in 0..8 {
                    logins.keep(login(A, &format!("user-{writer}-{turn}"), writer * 100 + turn)).unwrap();
                }
            });
        }
        let logins = Logins::at(path.clone());
        threads.spawn(move || {
            for _ in 0..200 {
                assert_eq!(current(&logins, Some(B)), 0);
            }
        });
    });
    assert_eq!(Logins::at(path).read().unwrap().len(), 1 + 4 * 8);
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_unchanged_and_tells_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logins.toml");
    for text in [
        "[[login]]\nserver = 1\ntoken = \"gp_pat_secret\"\n",
        "[[login]]\nserver = \"http://a\"\nusername = \"a\"\ntoken_id = 1\ntoken = \"gp_pat_secret\n",
        "gp_pat_secret",
    ] {
        fs::write(&path, text).unwrap();
        let logins = Logins::at(path.clone());
        let read = logins.current(None).unwrap_err();
        let kept = logins.keep(login(A, "admin", 1)).unwrap_err();
        for refused in [read.to_string(), kept.to_string()] {
            assert!(refused.contains("logins.toml") && !refused.contains("gp_pat_secret"), "{refused}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_login_shown_for_debugging_tells_no_secret() {
    assert!(!format!("{:?}", login(A, "admin", 7)).contains("gp_pat_7"));
}
