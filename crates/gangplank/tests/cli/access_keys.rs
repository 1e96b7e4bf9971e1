//! Access keys and temporary docker logins.

use crate::support::{ADMIN_PASSWORD, Person, Server};

const ACME: &str = "acme's password";

/// The administrator, acme, and a user of it.
fn people(server: &Server) -> (Person, Person, Person) {
    let admin = Person::signed_in(server, "admin", ADMIN_PASSWORD);
    admin.give(ACME, "account create acme --password-stdin").done();
    let acme = Person::signed_in(server, "acme", ACME);
    acme.give("dev's password", "user create dev@acme --password-stdin").done();
    let dev = Person::signed_in(server, "dev@acme", "dev's password");
    (admin, acme, dev)
}

#[test]
fn a_pair_from_its_making_to_its_end() {
    let server = Server::start();
    let (admin, acme, dev) = people(&server);
    let made = dev.run("access-key create --description 'nightly build' --json").json();
    let (key, secret) = (made["access_key"].as_str().unwrap(), made["secret_key"].as_str().unwrap());
    assert!(key.len() == 20 && secret.len() == 40, "{made}");
    assert_eq!(made["holder"], "dev@acme");
    let (login, password) =
        (made["docker_username"].as_str().unwrap(), made["docker_password"].as_str().unwrap());
    assert_eq!(login, format!("local@{key}"));
    Person::signed_in(&server, login, password).run("namespace list").done();

    for (person, line) in [
        (&dev, "access-key list"),
        (&acme, "access-key list --of dev@acme"),
        (&admin, "access-key list --of dev@acme"),
    ] {
        let table = person.run(line).done();
        assert!(table.starts_with("ACCESS KEY") && table.contains(key), "{table}");
        assert!(table.contains("nightly build") && !table.contains(secret), "{table}");
        assert_eq!(person.run(&format!("{line} --json")).json()[0]["disabled"], false);
    }
    assert_eq!(acme.run("access-key list --json").json(), serde_json::json!([]));
    dev.run("access-key list --of acme").failed(3, "");
    acme.run("access-key list --of none@acme").failed(4, "");

    assert_eq!(
        acme.run(&format!("access-key disable {key}")).done(),
        format!("Access key {key} is disabled.\n")
    );
    Person::new().login(&server, login, password).failed(3, "");
    dev.run(&format!("access-key enable {key}")).done();
    Person::signed_in(&server, login, password);
    dev.run(&format!("access-key delete {key}")).done();
    dev.run(&format!("access-key delete {key}")).failed(4, "access key");
    dev.run("access-key disable nonsense").failed(1, "20 characters");
    Person::new().login(&server, login, password).failed(3, "");

    let shown = acme.run("access-key create");
    assert!(shown.stdout.starts_with("Access key ") && shown.stdout.lines().count() == 1, "{shown:?}");
    assert!(shown.stderr.contains("docker login 127.0.0.1:"), "{shown:?}");
    for _ in 0..9 {
        acme.run("access-key create").done();
    }
    acme.run("access-key create").failed(5, "at most 10 access keys");
}

#[test]
fn a_temporary_login_is_a_command_to_type() {
    let server = Server::start();
    let (_, acme, dev) = people(&server);
    let line = dev.run("docker-login").done();
    let host = server.url.trim_start_matches("http://");
    assert!(
        line.starts_with(&format!("docker login {host} --username dev@acme --password gp_pat_")),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1);
    let made = acme.run("docker-login --duration 24h --json").json();
    assert_eq!(
        (made["username"].as_str(), made["expires_at"].as_str()),
        (Some("acme"), Some("2026-11-25T12:00:00Z"))
    );
    for wrong in ["14m", "25h", "899s"] {
        acme.run(&format!("docker-login --duration {wrong}")).failed(1, "900 to 86400");
    }
    acme.run("docker-login --duration soon").failed(2, "");
    // What it is good for ends where managing begins.
    let secret = made["secret"].as_str().unwrap();
    Person::new().login(&server, "acme", secret).failed(3, "");
    server.set_clock("2026-11-25T12:00:00Z");
    Person::new().login(&server, "acme", secret).failed(3, "");
}
