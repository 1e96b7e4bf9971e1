//! `gangplank serve` and `gangplank config`, as processes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{ADMIN_PASSWORD, Answer, Person, answer, eventually};

pub(crate) fn serve(data: &Path) -> Command {
    let mut command = Person::new().command();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same under limits that a shell sets first.
fn serve_under(limits: &str, data: &Path) -> Command {
    let serve = serve(data);
    let mut command = Command::new("sh");
    command.args(["-c", &format!(r#"{limits} && exec "$0" "$@""#)]).arg(serve.get_program());
    command.args(serve.get_args()).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Where a server that started listens.
pub(crate) fn url(log: &str) -> String {
    let scheme = if log.contains("scheme=\"https\"") { "https" } else { "http" };
    format!("{scheme}://{}", log.split("address=").nth(1).unwrap().split_whitespace().next().unwrap())
}

/// Starts it and waits until it serves: the process and its log so far, which is then read on.
pub(crate) fn started(command: &mut Command) -> (Child, String, std::thread::JoinHandle<String>) {
    let mut child = command.spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    for line in log.by_ref() {
        seen += &(line.unwrap() + "\n");
        if seen.contains("serving") {
            break;
        }
    }
    let rest = std::thread::spawn(move || log.map(|line| line.unwrap() + "\n").collect());
    (child, seen, rest)
}

/// Asks it to stop, and waits: its answer, with all of its log.
pub(crate) fn stopped(child: Child, seen: String, rest: std::thread::JoinHandle<String>) -> Answer {
    let id = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let mut answer = answer(child);
    answer.stderr = seen + &rest.join().unwrap();
    answer
}

/// The password that a first start showed.
fn password(stdout: &str) -> String {
    let line =
        stdout.lines().find(|line| line.starts_with("    ")).unwrap_or_else(|| panic!("none in {stdout:?}"));
    line.trim().to_owned()
}

#[test]
fn the_first_start_shows_a_password_once_and_never_logs_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (child, seen, rest) = started(serve(&data).env("GANGPLANK_LOG__FILTER", "trace"));
    let first = stopped(child, seen, rest);
    assert_eq!(first.code, Some(0), "{first:?}");
    let password = password(&first.stdout);
    assert_eq!(password.len(), 29);
    assert!(!first.stderr.contains(&password));

    let (child, seen, rest) = started(&mut serve(&data));
    let second = stopped(child, seen, rest);
    assert_eq!((second.code, second.stdout.as_str()), (Some(0), ""), "{second:?}");
}

#[test]
fn the_password_that_was_shown_signs_in() {
    let data = tempfile::tempdir().unwrap();
    let (mut child, seen, rest) = started(&mut serve(data.path()));
    let url = url(&seen);
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let password = eventually(|| stdout.next().unwrap().ok().filter(|line| line.starts_with("    ")));
    let person = Person::new();
    let line = format!("login {url} --username admin --password-stdin");
    person.give(password.trim(), &line).done();
    assert_eq!(person.run("whoami --json").json()["administrator"], true);
    assert_eq!(stopped(child, seen, rest).code, Some(0));
}

#[test]
fn a_lost_password_is_set_again_by_who_holds_the_data() {
    let data = tempfile::tempdir().unwrap();
    let sign_in = |url: &str, password: &str| {
        Person::new().give(password, &format!("login {url} --username admin --password-stdin"))
    };
    let (child, seen, rest) = started(&mut serve(data.path()));
    let lost = password(&stopped(child, seen, rest).stdout);

    let (child, seen, rest) = started(serve(data.path()).arg("--reset-admin-password"));
    sign_in(&url(&seen), &lost).failed(3, "");
    let shown = password(&stopped(child, seen, rest).stdout);
    assert_ne!(shown, lost);

    // One from the environment is not taken unless it is asked for.
    let other = "another-password";
    let (child, seen, rest) = started(serve(data.path()).env("GANGPLANK_ADMIN_PASSWORD", other));
    sign_in(&url(&seen), other).failed(3, "");
    sign_in(&url(&seen), &shown).done();
    assert!(stopped(child, seen, rest).stderr.contains("GANGPLANK_ADMIN_PASSWORD is not used"));
    let mut again = serve(data.path());
    again.env("GANGPLANK_ADMIN_PASSWORD", other).arg("--reset-admin-password");
    let (child, seen, rest) = started(&mut again);
    sign_in(&url(&seen), other).done();
    assert_eq!(stopped(child, seen, rest).stdout, "");
}

#[test]
fn a_password_from_the_environment_is_used_and_not_shown() {
    let data = tempfile::tempdir().unwrap();
    let (child, seen, rest) = started(
        serve(data.path())
            .env("GANGPLANK_ADMIN_PASSWORD", "from the environment")
            .env("GANGPLANK_LOG__FILTER", "trace"),
    );
    let first = stopped(child, seen, rest);
    assert_eq!((first.code, first.stdout.as_str()), (Some(0), ""), "{first:?}");
    assert!(!first.stderr.contains("from the environment"));

    let data = tempfile::tempdir().unwrap();
    let short = serve(data.path()).env("GANGPLANK_ADMIN_PASSWORD", "short").spawn().unwrap();
    let refused = answer(short);
    assert!(refused.stderr.contains("GANGPLANK_ADMIN_PASSWORD is refused"), "{refused:?}");
    assert_eq!(refused.code, Some(1));
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let (child, seen, rest) = started(&mut serve(data.path()));
    let refused = answer(serve(data.path()).spawn().unwrap());
    assert_eq!(refused.code, Some(1));
    let says = format!("the data folder {} is in use by another gangplank server", data.path().display());
    assert!(refused.stderr.contains(&says), "{refused:?}");
    assert_eq!(stopped(child, seen, rest).code, Some(0));
}

#[test]
fn a_killed_server_starts_again() {
    let data = tempfile::tempdir().unwrap();
    let (mut child, ..) = started(&mut serve(data.path()));
    child.kill().unwrap();
    child.wait().unwrap();
    let (child, seen, rest) = started(&mut serve(data.path()));
    assert_eq!(stopped(child, seen, rest).code, Some(0));
}

#[test]
fn an_address_in_use_is_told_with_its_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let mut command = Person::new().command();
    command.args(["serve", "--listen", &address, "--data"]).arg(data.path());
    let refused = answer(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains(&format!("cannot listen on {address}")), "{refused:?}");
    assert!(refused.stderr.contains("--listen"), "{refused:?}");
}

#[test]
fn the_limit_on_open_files_is_raised_and_what_is_configured_made_to_fit() {
    let data = tempfile::tempdir().unwrap();
    let (child, seen, rest) = started(&mut serve_under("ulimit -Sn 64", data.path()));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let limit: Vec<_> = limit.split_whitespace().collect();
    assert_eq!(limit[0], limit[1], "{limits}");
    let raised = stopped(child, seen, rest);
    assert_eq!(raised.code, Some(0), "{raised:?}");

    let limit = 700 + open_files_of_lanes();
    let (child, seen, rest) = started(&mut serve_under(&format!("ulimit -n {limit}"), data.path()));
    let fitted = stopped(child, seen, rest);
    assert_eq!(fitted.code, Some(0), "{fitted:?}");
    let warning = fitted.stderr.lines().find(|line| line.contains("the limit on open files is too small"));
    let warning = warning.unwrap_or_else(|| panic!("none in {fitted:?}"));
    let open_files = format!("open_files_max={limit}");
    for number in [&open_files, "connections_max=30", "connections_max_configured=4096"] {
        assert!(warning.contains(number), "{warning}");
    }

    let refused = answer(serve_under("ulimit -n 600", data.path()).spawn().unwrap());
    assert_eq!(refused.code, Some(1));
    let least = 672 + open_files_of_lanes();
    let says = &format!("this process may have 600 files open at once, and a server needs at least {least}");
    assert!(refused.stderr.contains(says), "{refused:?}");
}

/// What the threads that serve connections wait with: four files each.
fn open_files_of_lanes() -> usize {
    4 * std::thread::available_parallelism().unwrap().get()
}

#[test]
fn no_memory_is_taken_in_huge_pages() {
    let data = tempfile::tempdir().unwrap();
    let (child, seen, rest) = started(&mut serve(data.path()));
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    assert_eq!(stopped(child, seen, rest).code, Some(0));
    // The system's word for it: what may be in huge pages, of a process that may have any.
    let enabled = status.lines().find_map(|line| line.strip_prefix("THP_enabled:"));
    assert_eq!(enabled.map(str::trim), Some("0"), "{status}");
}

#[test]
fn idle_connections_leave_the_metadata_its_files() {
    let data = tempfile::tempdir().unwrap();
    let mut command = serve_under(&format!("ulimit -n {}", 700 + open_files_of_lanes()), data.path());
    command.env("GANGPLANK_ADMIN_PASSWORD", ADMIN_PASSWORD);
    let (child, seen, rest) = started(&mut command);
    let url = url(&seen);
    let address = url.trim_start_matches("http://");
    let idle: Vec<_> = (0..140).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    // It would have let all of them in by then.
    std::thread::sleep(Duration::from_millis(300));
    let files = std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
    let is_socket = |file: &std::io::Result<std::fs::DirEntry>| {
        let target = std::fs::read_link(file.as_ref().unwrap().path());
        target.is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
    };
    let sockets = files.filter(is_socket).count();
    assert!((30..60).contains(&sockets), "{sockets}");
    drop(idle);
    let person = Person::new();
    person.give(ADMIN_PASSWORD, &format!("login {url} --username admin --password-stdin")).done();
    person.give("a long password", "account create acme --password-stdin").done();
    assert_eq!(stopped(child, seen, rest).code, Some(0));
}

#[test]
fn a_server_that_cannot_write_its_metadata_ends_and_starts_again() {
    let data = tempfile::tempdir().unwrap();
    let (child, seen, rest) = started(serve(data.path()).env("GANGPLANK_ADMIN_PASSWORD", ADMIN_PASSWORD));
    let person = Person::new();
    let login = |url: &str, username: &str, password: &str| {
        person.give(password, &format!("login {url} --username {username} --password-stdin")).done();
    };
    login(&url(&seen), "admin", ADMIN_PASSWORD);
    person.give("a long password", "account create acme --password-stdin").done();
    assert_eq!(stopped(child, seen, rest).code, Some(0));

    // No file may grow over 32 KiB: the log of the metadata comes to it first.
    let limits = "trap '' XFSZ && ulimit -f 64";
    let (mut child, seen, rest) = started(&mut serve_under(limits, data.path()));
    login(&url(&seen), "acme", "a long password");
    let made = (0..1_000)
        .take_while(|number| person.run(&format!("namespace create team-{number}")).code == Some(0));
    let made = made.count();
    let ended = eventually(|| child.try_wait().unwrap());
    let log = seen + &rest.join().unwrap();
    assert_eq!(ended.code(), Some(1), "{log}");
    let says = "the metadata store failed to write; ending so that it is recovered at the next start";
    assert_eq!(log.matches(says).count(), 1, "{log}");

    let (child, seen, rest) = started(&mut serve(data.path()));
    login(&url(&seen), "acme", "a long password");
    for number in 0..made {
        person.run(&format!("namespace create team-{number}")).failed(5, "");
    }
    person.run("namespace create team-after").done();
    assert_eq!(stopped(child, seen, rest).code, Some(0));
}

#[test]
fn settings_are_checked_without_a_start() {
    let person = Person::new();
    assert_eq!(person.run("config check").done(), "The configuration is good.\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gangplank.toml");
    std::fs::write(&file, "[server]\nlissten = \"127.0.0.1:1\"\n").unwrap();
    person.run(&format!("config check --config {}", file.display())).failed(1, "server.lissten: ");
    person.run("config check --listen nowhere").failed(1, "server.listen: ");
    person.run("serve --set server.connections_max=0").failed(1, "server.connections_max: ");
    let mut command = person.command();
    command.args(["config", "check"]).env("GANGPLANK_SERVER__LISSTEN", "x");
    let refused = answer(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert!(refused.stderr.contains("environment variable GANGPLANK_SERVER__LISSTEN"), "{refused:?}");
    assert!(person.run("config show --listen 127.0.0.1:7").done().contains("listen = \"127.0.0.1:7\""));
}
