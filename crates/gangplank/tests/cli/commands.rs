//! The commands over `/api/v1`, from the first account to a share's end.

use std::os::unix::fs::PermissionsExt;

use crate::support::{ADMIN_PASSWORD, Person, Server};

const ACME: &str = "acme's password";
const GLOBEX: &str = "globex's password";

/// Two accounts, and a repository of the first.
struct Town {
    server: Server,
    admin: Person,
    acme: Person,
    globex: Person,
}

fn town() -> Town {
    let server = Server::start();
    let admin = Person::signed_in(&server, "admin", ADMIN_PASSWORD);
    admin.give(ACME, "account create acme --password-stdin").done();
    admin.give(GLOBEX, "account create globex --password-stdin").done();
    let acme = Person::signed_in(&server, "acme", ACME);
    let globex = Person::signed_in(&server, "globex", GLOBEX);
    acme.run("namespace create team-a").done();
    acme.run("repository create team-a/web --description 'the front'").done();
    Town { server, admin, acme, globex }
}

#[test]
fn accounts_and_users() {
    let Town { server, admin, acme, .. } = town();
    let accounts = admin.run("account list --json").json();
    let names: Vec<_> =
        accounts.as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["acme", "admin", "globex"]);
    let table = admin.run("account list").done();
    assert!(table.starts_with("NAME") && table.lines().count() == 4, "{table}");
    assert_eq!(admin.run("account show acme --json").json()["administrator"], false);
    acme.run("account list").failed(3, "");

    assert_eq!(
        acme.give("dev's password\n", "user create dev@acme --password-stdin").done(),
        "User dev@acme is made.\n"
    );
    acme.run("user create robot@acme --no-password").done();
    assert_eq!(acme.run("user list acme --json").json().as_array().unwrap().len(), 2);
    let dev = Person::signed_in(&server, "dev@acme", "dev's password");
    assert_eq!(dev.run("whoami --json").json()["name"], "dev@acme");

    acme.run("user disable dev@acme").done();
    dev.run("whoami").failed(3, "sign in again");
    acme.run("user enable dev@acme").done();
    acme.give("another password", "user password dev@acme --password-stdin").done();
    dev.run("whoami").failed(3, "gangplank login");
    dev.login(&server, "dev@acme", "dev's password").failed(3, "");
    dev.login(&server, "dev@acme", "another password").done();
    acme.run("user delete dev@acme").done();
    dev.run("whoami").failed(3, "");
    acme.run("user show dev@acme").failed(4, "");

    let line = "account password acme --current-password-stdin --password-stdin";
    acme.give("a wrong one\nacme's new password\n", line).failed(3, "");
    acme.give(&format!("{ACME}\nacme's new password\n"), line).done();
    acme.login(&server, "acme", ACME).failed(3, "");
    acme.login(&server, "acme", "acme's new password").done();
    admin.run("account delete acme").failed(5, "");
    admin.run("account delete globex").done();
}

#[test]
fn how_the_server_does() {
    let Town { admin, acme, server: _server, .. } = town();
    let system = admin.run("system --json").json();
    assert_eq!(system["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(system["started_at"], "2026-11-24T12:00:00Z");
    assert_eq!(system["health"]["metadata"], "ok");
    assert_ne!(system["health"]["upkeep"], "stopped", "it is done while the server runs");
    let shown = admin.run("system").done();
    assert!(shown.contains("Running since:") && shown.contains("0 B"), "{shown}");
    acme.run("system").failed(3, "");
}

#[test]
fn namespaces_repositories_and_permissions() {
    let Town { server: _server, acme, globex, .. } = town();
    assert_eq!(acme.run("namespace show team-a --json").json()["account"], "acme");
    globex.run("namespace create team-a").failed(5, "");
    acme.run("namespace delete team-a").failed(5, "");

    let shown = acme.run("repository show team-a/web").done();
    assert!(shown.contains("Visibility:") && shown.contains("the front"), "{shown}");
    assert_eq!(acme.run("repository list --namespace team-a --json").json(), serde_json::json!([]));
    let all = acme.run("repository list --namespace team-a --empty --json").json();
    assert_eq!(all[0]["name"], "team-a/web");
    globex.run("repository show team-a/web").failed(4, "");
    acme.run("repository describe team-a/web 'another front'").done();
    assert_eq!(
        acme.run("repository visibility team-a/web public --json").json()["description"],
        "another front"
    );
    acme.run("repository visibility team-a/web private").done();
    assert_eq!(acme.run("tag list team-a/web --json").json(), serde_json::json!([]));
    acme.run("tag show team-a/web:1.0").failed(4, "");

    acme.give("dev's password", "user create dev@acme --password-stdin").done();
    for level in ["read", "edit", "manage"] {
        acme.run(&format!("permission set team-a/web --user dev@acme --level {level}")).done();
        assert_eq!(acme.run("permission list team-a/web --json").json()[0]["level"], level);
    }
    acme.run("permission set team-a --user dev@acme --level read").done();
    assert_eq!(acme.run("permission list team-a").done(), "USER      LEVEL\ndev@acme  read\n");
    acme.run("permission remove team-a --user dev@acme").done();
    acme.run("permission remove team-a --user dev@acme").failed(4, "");

    acme.run("repository delete team-a/web").done();
    acme.run("repository show team-a/web").failed(4, "");
    acme.run("namespace delete team-a").done();
}

#[test]
fn a_share_from_its_making_to_its_end() {
    let Town { server, acme, globex, .. } = town();
    let add = "share add team-a/web --to globex --until 2027-01-31T23:59:59Z --description 'for the pilot'";
    assert_eq!(acme.run(add).done(), "globex may pull team-a/web until 2027-01-31T23:59:59Z.\n");
    acme.run(add).failed(5, "");

    let by_me = acme.run("share list --by-me --json").json();
    let with_me = globex.run("share list --with-me --json").json();
    assert_eq!((by_me.as_array().unwrap().len(), &by_me[0]["id"]), (1, &with_me[0]["id"]));
    assert_eq!(with_me[0]["description"], "for the pilot");
    assert_eq!(globex.run("share list --by-me").done().lines().count(), 1);
    assert_eq!(acme.run("share list --of team-a/web --json").json(), by_me);
    let table = globex.run("share list --with-me").done();
    assert!(table.contains("2027-01-31T23:59:59Z  open    for the pilot"), "{table}");

    acme.run("share update team-a/web --to globex --permanent").done();
    let shown = acme.run("share show team-a/web --to globex").done();
    assert!(shown.contains("Until:        permanent") && shown.contains("Status:       open"), "{shown}");
    let update = "share update team-a/web --to globex --until 2026-11-24T13:00:01+01:00 --description ''";
    assert_eq!(acme.run(&format!("{update} --json")).json()["deadline"], "2026-11-24T12:00:01Z");

    server.set_clock("2026-11-24T12:00:01Z");
    assert_eq!(acme.run("share show team-a/web --to globex --json").json()["status"], "ended");
    acme.run("share add team-a/web --to globex --permanent").done();
    acme.run("share revoke team-a/web --to globex").done();
    acme.run("share revoke team-a/web --to globex").failed(4, "");
}

#[test]
fn what_a_share_cannot_be() {
    let Town { server: _server, acme, globex, .. } = town();
    for (line, code, says) in [
        ("share add team-a/web --to globex --until 2026-11-24T12:00:00Z", 1, "The deadline has passed"),
        ("share add team-a/web --to nobody --permanent", 4, "no account of that name"),
        ("share add team-a/web --to acme --permanent", 1, "cannot share with itself"),
        ("share add team-a/none --to globex --permanent", 4, "repository"),
        ("share add team-a/web --to globex --permanent --region mars", 1, "this server's is local"),
        ("share show team-a/web --to globex", 4, "share"),
        ("share update team-a/web --to globex --permanent", 4, "share"),
    ] {
        acme.run(line).failed(code, says);
    }
    let long = "x".repeat(1001);
    let line = format!("share add team-a/web --to globex --permanent --description {long}");
    acme.run(&line).failed(1, "1000 characters");
    globex.run("share add team-a/web --to acme --permanent").failed(4, "");
    acme.run("share add team-a/web --to globex --until 2027-01-31T23:59:59")
        .failed(2, "an instant with its offset");
    acme.run("repository visibility team-a/web public").done();
    acme.run("share add team-a/web --to globex --permanent").failed(5, "public");
}

#[test]
fn many_shares_at_once_leaving_and_blocking() {
    let Town { server, acme, globex, .. } = town();
    acme.give(ACME, "user create dev@acme --password-stdin").done();
    let dev = Person::signed_in(&server, "dev@acme", ACME);
    acme.run("repository create team-a/api").done();
    let none = acme.run("share add team-a/web team-a/api --to globex --to nobody --permanent");
    none.failed(4, "there is no account nobody to share with");
    assert_eq!(acme.run("share list --by-me --json").json(), serde_json::json!([]));
    let table = acme.run("share add team-a/web team-a/api --to globex --to admin --permanent").done();
    assert_eq!((table.lines().count(), table.matches("globex").count()), (5, 2), "{table}");
    acme.run("share add team-a/web team-a/api --to globex --permanent").failed(5, "Nothing is shared");

    let told = globex.run("share list --with-me --json").json();
    assert_eq!(told[0]["owner_sees_pulls"], true);
    let shown = globex.run("share show team-a/web --to globex").done();
    assert!(shown.contains("Owner sees:   who pulls"), "{shown}");
    assert_eq!(globex.run("share leave team-a/web").done(), "Your account has left acme's team-a/web.\n");
    globex.run("share leave team-a/web").failed(4, "not shared with your account");
    acme.run("share leave team-a/api").failed(4, "not shared with your account");
    assert_eq!(globex.run("share block acme").done(), "Your account takes no shares from acme.\n");
    assert_eq!(globex.run("share list --with-me --json").json(), serde_json::json!([]));
    acme.run("share add team-a/web --to globex --permanent").failed(5, "takes no shares from yours");
    let blocked = globex.run("share blocked").done();
    assert!(blocked.contains("acme  "), "{blocked}");
    dev.run("share block globex").failed(3, "");
    globex.run("share block globex").failed(1, "cannot block itself");
    globex.run("share unblock acme").done();
    globex.run("share unblock acme").failed(4, "");
    acme.run("share add team-a/web --to globex --permanent").done();
}

#[test]
fn tokens_and_logins() {
    let Town { server, acme, .. } = town();
    let made = acme.run("token create --expires 24h --description ci --json").json();
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(
        (made["username"].as_str(), made["expires_at"].as_str()),
        (Some("acme"), Some("2026-11-25T12:00:00Z"))
    );
    let piped = acme.run("token create --expires 1h --scope repository:team-a/web:pull");
    assert!(piped.stdout.starts_with("gp_pat_") && piped.stdout.lines().count() == 1, "{piped:?}");
    let table = acme.run("token list").done();
    assert!(table.contains("repository:team-a/web:pull") && !table.contains("gp_pat_"), "{table}");

    let ci = Person::signed_in(&server, "acme", secret);
    ci.run("namespace list").done();
    acme.run(&format!("token revoke {}", made["id"])).done();
    ci.login(&server, "acme", secret).failed(3, "");

    let file = std::fs::read_to_string(acme.logins()).unwrap();
    assert!(file.contains("gp_pat_") && !file.contains(ACME), "{file}");
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(acme.logins()), mode(acme.logins().parent().unwrap().to_owned())), (0o600, 0o700));

    assert!(acme.run("logout").done().contains("as acme"));
    acme.run("whoami").failed(3, "not signed in");
    acme.run("logout").failed(3, "not signed in");
}

#[test]
fn a_second_login_takes_the_firsts_place_and_ends_its_token() {
    let Town { server, acme, .. } = town();
    let before = acme.run("token list --json").json();
    acme.login(&server, "acme", ACME).done();
    let after = acme.run("token list --json").json();
    assert_eq!((before.as_array().unwrap().len(), after.as_array().unwrap().len()), (1, 1));
    assert_ne!(before[0]["id"], after[0]["id"]);
}
