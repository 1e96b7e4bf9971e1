//! The command line, line by line as the documents print it, against a server that it started itself.

use serde_json::Value;
use tests::{Cli, Image, Registry, ServerProcess, TestCa, in_seconds};

async fn signed_in(registry: &Registry, login: &str, password: &str) -> Cli {
    let cli = Cli::new();
    let line = format!("login {} --username {login} --password-stdin", registry.url());
    cli.types_with(&line, password).await.succeeds();
    cli
}

#[tokio::test]
async fn an_image_is_shared_with_the_lines_of_the_documents() {
    let server = ServerProcess::start().await;
    let admin = signed_in(&server, "admin", tests::ADMIN_PASSWORD).await;
    for account in ["acme", "globex"] {
        let line = format!("account create {account} --password-stdin");
        admin.types_with(&line, &format!("password-of-{account}\n")).await.succeeds();
    }
    let acme = signed_in(&server, "acme", "password-of-acme").await;
    let globex = signed_in(&server, "globex", "password-of-globex").await;
    acme.types("namespace create team-a").await.succeeds();
    acme.types_with("user create dev@acme --password-stdin", "password-of-dev").await.succeeds();

    // A permission comes before the first push, which may then be that user's.
    for level in ["read", "manage", "edit"] {
        acme.types(&format!("permission set team-a/web --user dev@acme --level {level}")).await.succeeds();
    }
    let image = Image::small();
    server.person("dev@acme", "password-of-dev").pushes("team-a/web", "1.0", &image).await;

    let until = in_seconds(3600).to_string();
    let line =
        ["share", "add", "team-a/web", "--to", "globex", "--until", &until, "--description", "for the pilot"];
    acme.runs(&line, "").await.succeeds();
    server.person("globex", "password-of-globex").pulls("team-a/web", "1.0", &image).await;

    let table = acme.types("share list --by-me").await.output();
    for word in ["team-a/web", "globex", "TAGS", "all", "for the pilot"] {
        assert!(table.contains(word), "{table}");
    }
    let listed: Value =
        serde_json::from_str(&globex.types("share list --with-me --json").await.output()).expect("JSON");
    assert_eq!(first(&listed)["repository"], "team-a/web", "{listed}");
    assert_eq!(first(&listed)["permission"], "pull", "{listed}");

    acme.types("share show team-a/web --to globex").await.succeeds();
    acme.types("share update team-a/web --to globex --permanent").await.succeeds();
    acme.types("share add team-a/web --to globex --permanent").await.fails_saying(&["already", "exists"]);
    acme.types("share revoke team-a/web --to globex").await.succeeds();
    server.person("globex", "password-of-globex").tries_to_pull("team-a/web", "1.0").await.expect(404);
    acme.types("share add team-a/web --to globex --permanent").await.succeeds();

    let made: Value =
        serde_json::from_str(&acme.types("token create --expires 24h --json").await.output()).expect("JSON");
    let secret = made["secret"].as_str().expect("a secret");
    server.person("acme", secret).pulls("team-a/web", "1.0", &image).await;
}

/// The first of a list, whether it stands alone or in a page.
fn first(list: &Value) -> &Value {
    if list.is_array() { &list[0] } else { &list["items"][0] }
}

#[tokio::test]
async fn lists_and_deletions_show_what_is_there() {
    let server = ServerProcess::start().await;
    let owner = server.owner("acme", "team-a").await;
    owner.pushes("team-a/web", "1.0", &Image::small()).await;
    let (acme, admin) = (Cli::of(&owner, &server).await, Cli::of(&server.admin(), &server).await);
    for (cli, line, word) in [
        (&admin, "account list", "acme"),
        (&admin, "account show acme", "acme"),
        (&acme, "namespace list", "team-a"),
        (&acme, "namespace show team-a", "team-a"),
        (&acme, "repository list", "team-a/web"),
        (&acme, "repository show team-a/web", "team-a/web"),
        (&acme, "tag list team-a/web", "1.0"),
    ] {
        let output = cli.types(line).await.output();
        assert!(output.contains(word), "{line}: {output}");
    }
    acme.types("tag delete team-a/web:1.0").await.succeeds();
    owner.tries_to_pull("team-a/web", "1.0").await.expect(404);
    acme.types("namespace delete team-a").await.fails_saying(&["holds", "empty"]);
    acme.types("repository delete team-a/web").await.succeeds();
    acme.types("namespace delete team-a").await.succeeds();
    owner.get("/v2/team-a/web/tags/list").send().await.expect(404);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_sentence_and_a_code() {
    let server = ServerProcess::start().await;
    let owner = server.owner("acme", "team-a").await;
    server.account("globex").await;
    owner.pushes("team-a/web", "1.0", &Image::small()).await;
    let acme = Cli::of(&owner, &server).await;
    for line in [
        "share add team-a/web --to globex --until 2020-01-01T00:00:00Z",
        "share add team-a/web --to globex --until tomorrow",
        "share add team-a/web --to globex --until 2030-01-01T00:00:00",
        "share add team-a/web --to globex",
        "share add team-a/web --to acme --permanent",
        "share add team-a/web --to nobody --permanent",
        "share add team-a/none --to globex --permanent",
        "share add team-a/web --to globex --permanent --region elsewhere",
        "share show team-a/web --to globex",
        "permission set team-a/web --user dev@acme --level read",
        "account create Umlaut! --password-stdin",
        "namespace create team-a",
        "tag delete team-a/web:2.0",
        "no-such-command",
    ] {
        let ran = acme.types_with(line, "a-long-password").await;
        assert!(ran.code > 0 && ran.stderr.trim().len() > 10, "{ran}");
        assert!(!ran.stderr.contains("panicked"), "{ran}");
    }
    let nobody = Cli::new();
    nobody.types("share list --by-me").await.fails_saying(&["login"]);
    let line = format!("login {} --username acme --password-stdin", server.url());
    nobody.types_with(&line, "wrong-password").await.fails_saying(&["password", "credentials"]);
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let server = ServerProcess::start().await;
    let data = server.data();
    let words = ["serve", "--listen", "127.0.0.1:0", "--data", &data.to_string_lossy()];
    Cli::new().runs(&words, "").await.fails_saying(&["in use"]);
    server.stranger().get("/v2/").send().await.expect(401);
}

#[tokio::test]
async fn a_server_that_cannot_start_says_what_to_do() {
    let cli = Cli::new();
    let here = tempfile::tempdir().expect("a temporary folder");
    let file = here.path().join("file");
    std::fs::write(&file, "no folder").expect("a file");
    let file = file.to_string_lossy().into_owned();
    cli.runs(&["serve", "--listen", "127.0.0.1:0", "--data", &file], "").await.fails_saying(&[&file]);

    for (text, key) in [
        ("[server]\nlisten = \"nowhere\"\n", "server.listen"),
        ("[server]\nlistne = \"127.0.0.1:5000\"\n", "listne"),
        ("[auth]\naccess_token_ttl = \"soon\"\n", "auth.access_token_ttl"),
        ("no toml", "config"),
    ] {
        let config = here.path().join("gangplank.toml");
        std::fs::write(&config, text).expect("a file");
        let config = config.to_string_lossy();
        cli.runs(&["serve", "--config", &config], "").await.fails_saying(&[key]);
        cli.runs(&["config", "check", "--config", &config], "").await.fails_saying(&[key]);
    }
}

#[tokio::test]
async fn the_example_configuration_is_one() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/gangplank.toml");
    let text = std::fs::read_to_string(example).expect("the example");
    // As it stands, and with what is commented out.
    let all: String = text.lines().map(|line| uncommented(line).to_owned() + "\n").collect();
    assert_ne!(all, text);
    let ca = TestCa::new();
    let files = ca.issue("example", &["registry.example"]);
    let path = |file: &std::path::Path| file.to_string_lossy().into_owned();
    let all = all.replace("/etc/gangplank/tls/tls.crt", &path(&files.certificate));
    let all = all.replace("/etc/gangplank/tls/tls.key", &path(&files.key));
    let folder = tempfile::tempdir().expect("a temporary folder");
    for text in [text, all] {
        let file = folder.path().join("gangplank.toml");
        std::fs::write(&file, text).expect("a file");
        Cli::new().runs(&["config", "check", "--config", &file.to_string_lossy()], "").await.succeeds();
    }
}

/// A line without the mark before a setting or a section; prose stays a comment.
fn uncommented(line: &str) -> &str {
    let is_meant = |text: &&str| text.split(' ').nth(1) == Some("=") || text.starts_with('[');
    line.strip_prefix("# ").filter(is_meant).unwrap_or(line)
}
