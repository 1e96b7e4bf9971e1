//! What answers and is no Gangplank, or does not answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::support::{Person, eventually};

/// A server that answers each request with the next of `answers`, and keeps the requests' heads.
struct Fake {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn start(answers: Vec<String>) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = heads.clone();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while reader.read_line(&mut head).unwrap() > 2 {}
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                reader.read_exact(&mut body).unwrap();
                kept.lock().unwrap().push(head);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Fake { url, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
}

fn json(body: &str) -> String {
    http("200 OK", "content-type: application/json\r\n", body)
}

const TOKEN: &str = r#"{"id":1,"description":"","scope":null,"created_at":"2026-11-24T12:00:00Z",
    "expires_at":"2026-12-24T12:00:00Z","username":"acme","secret":"gp_pat_secret"}"#;

#[test]
fn what_is_no_gangplank_is_told_apart() {
    for answer in [
        http("404 Not Found", "content-type: text/html\r\n", "<h1>nginx</h1>"),
        http("200 OK", "content-type: text/html\r\n", "<h1>welcome</h1>"),
        json("{\"id\": 1}"),
    ] {
        let fake = Fake::start(vec![answer]);
        let person = Person::new();
        let line = format!("login {} --username acme --password-stdin", fake.url);
        person.give("a password", &line).failed(1, "does not answer as a Gangplank server");
        assert!(!person.logins().exists());
    }
}

#[test]
fn credentials_are_not_sent_on_to_where_a_server_redirects() {
    let other = Fake::start(vec![json(TOKEN)]);
    for status in ["301 Moved Permanently", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let fake = Fake::start(vec![http(status, &format!("location: {}/api/v1/tokens\r\n", other.url), "")]);
        let line = format!("login {} --username acme --password-stdin", fake.url);
        Person::new().give("a password", &line).failed(1, "redirects to");
        assert_eq!(fake.heads().len(), 1);
    }
    assert_eq!(other.heads(), Vec::<String>::new());
}

#[test]
fn a_server_that_is_not_there_or_busy_has_an_exit_code_of_its_own() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = format!("login http://{free} --username acme --password-stdin");
    Person::new().give("a password", &line).failed(6, "cannot reach http://127.0.0.1");

    let problem = r#"{"type":"about:blank","title":"Busy","status":503,"detail":"come again","code":"busy"}"#;
    let fake = Fake::start(vec![http(
        "503 Service Unavailable",
        "content-type: application/problem+json\r\n",
        problem,
    )]);
    let line = format!("login {} --username acme --password-stdin", fake.url);
    Person::new().give("a password", &line).failed(6, "come again");
}

#[test]
fn a_list_is_followed_page_by_page_with_the_kept_token_alone() {
    let page = |name: &str, next: &str| {
        json(&format!(
            r#"{{"items":[{{"id":1,"name":"{name}","account":"acme","created_at":"2026-11-24T12:00:00Z"}}]{next}}}"#
        ))
    };
    let fake = Fake::start(vec![
        json(TOKEN),
        page("a", r#","next":"a&b=c""#),
        page("b", ""),
        page("a", r#","next":"a""#),
        page("a", r#","next":"a""#),
    ]);
    let person = Person::new();
    person.give("a password", &format!("login {} --username acme --password-stdin", fake.url)).done();
    let names = person.run("namespace list --json").json();
    assert_eq!((names[0]["name"].as_str(), names[1]["name"].as_str()), (Some("a"), Some("b")));
    person.run("namespace list").failed(1, "a list without an end");

    let heads = eventually(|| Some(fake.heads()).filter(|heads| heads.len() == 5));
    assert!(heads[0].contains("authorization: Basic "), "{}", heads[0]);
    assert!(heads[2].contains("after=a%26b%3Dc"), "{}", heads[2]);
    assert!(heads[1..].iter().all(|head| head.contains("authorization: Bearer gp_pat_secret")), "{heads:?}");
}

#[test]
fn a_login_is_removed_even_if_its_server_is_gone() {
    let fake = Fake::start(vec![json(TOKEN)]);
    let person = Person::new();
    person.give("a password", &format!("login {} --username acme --password-stdin", fake.url)).done();
    person.run("logout").failed(6, "stays valid until 2026-12-24T12:00:00Z");
    person.run("whoami").failed(3, "not signed in");
}

#[test]
fn no_proxy_hears_what_stays_on_this_machine() {
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let (server, proxy) = (Fake::start(vec![json(TOKEN)]), Fake::start(vec![json(TOKEN)]));
        let url = server.url.replace("127.0.0.1", "localhost");
        for url in [&server.url, &url] {
            let line = format!("login {url} --username acme --password-stdin");
            Person::new().give_where("a password", &line, |command| {
                command.env(variable, &proxy.url);
            });
        }
        assert_eq!((server.heads().len(), proxy.heads().len()), (1, 0), "{variable}");
    }
}

#[test]
fn a_login_that_fails_says_where_commands_go() {
    let fake = Fake::start(vec![json(TOKEN)]);
    let person = Person::new();
    let elsewhere = "login http://127.0.0.1:1 --username acme --password-stdin";
    let alone = person.give("a password", elsewhere);
    assert!(!alone.stderr.contains("commands go"), "{alone:?}");
    alone.failed(6, "cannot reach http://127.0.0.1:1");
    person.give("a password", &format!("login {} --username acme --password-stdin", fake.url)).done();
    let says = format!("commands go on to {} as acme", fake.url);
    let second = person.give("a password", elsewhere);
    assert!(second.stderr.contains(&says), "{second:?}");
    second.failed(6, "cannot reach http://127.0.0.1:1");
}

#[test]
fn nothing_is_asked_without_a_terminal() {
    let person = Person::new();
    person.run("login http://127.0.0.1:1 --username acme").failed(2, "--password-stdin");
    person.run("login http://127.0.0.1:1 --username acme --password-stdin").failed(2, "no password");
    person.give("\n", "login http://127.0.0.1:1 --username acme --password-stdin").failed(2, "no password");
}
