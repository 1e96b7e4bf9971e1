//! What may be typed.

use clap::{CommandFactory, Parser};

use crate::{Cli, Command};

/// The words of a line, as a shell splits them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn parse(line: &str) -> Result<Command, String> {
    Cli::try_parse_from(words(line)).map(|cli| cli.command).map_err(|error| error.to_string())
}

#[test]
fn the_command_line_holds_together() {
    Cli::command().debug_assert();
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: a line for each promise")]
fn every_promised_line_is_understood() {
    for line in [
        "gangplank serve --listen 127.0.0.1:5000 --data ./data",
        "gangplank login http://127.0.0.1:5000 --username admin --password-stdin",
        "gangplank account create acme --password-stdin",
        "gangplank account create globex --password-stdin",
        "gangplank namespace create team-a",
        "gangplank user create dev@acme --password-stdin",
        "gangplank permission set team-a/web --user dev@acme --level read",
        "gangplank permission set team-a/web --user dev@acme --level edit",
        "gangplank permission set team-a/web --user dev@acme --level manage",
        "gangplank permission set team-a --user dev@acme --level manage",
        "gangplank share add team-a/web --to globex --until 2027-01-31T23:59:59Z --description \"for the pilot\"",
        "gangplank share add team-a/web --to globex --permanent",
        "gangplank share add team-a/web --to globex --permanent --region local",
        "gangplank share add team-a/web --to globex --to initech --permanent",
        "gangplank share add team-a/web team-a/api --to globex --permanent",
        "gangplank share leave team-a/web",
        "gangplank share block acme",
        "gangplank share unblock acme",
        "gangplank share blocked --json",
        "gangplank share list --by-me",
        "gangplank share list --with-me",
        "gangplank share list --by-me --json",
        "gangplank share list --with-me --json",
        "gangplank share list --of team-a/web --json",
        "gangplank share show team-a/web --to globex",
        "gangplank share update team-a/web --to globex --until 2027-01-31T23:59:59+01:00",
        "gangplank share update team-a/web --to globex --permanent",
        "gangplank share update team-a/web --to globex --description \"\"",
        "gangplank share update team-a/web --to globex --permanent --description x",
        "gangplank share revoke team-a/web --to globex",
        "gangplank share usage team-a/web --to globex",
        "gangplank share usage team-a/web --to globex --from-day 2027-01-01 --to-day 2027-01-31 --json",
        "gangplank audit list",
        "gangplank audit list --since 2027-01-01T00:00:00Z --kind share_created --subject team-a/web --json",
        "gangplank audit list --account acme --actor dev@acme --result denied --oldest-first --limit 5",
        "gangplank token create --expires 24h",
        "gangplank token create --expires 24h --json",
        "gangplank token list --server https://registry.example",
        "gangplank token revoke 12",
        "gangplank config check",
        "gangplank config check --config gangplank.toml",
        "gangplank logout",
        "gangplank whoami --json",
        "gangplank system",
        "gangplank system --json --server https://registry.example",
        "gangplank account list",
        "gangplank account show acme",
        "gangplank account delete acme --yes",
        "gangplank account disable acme",
        "gangplank account enable acme",
        "gangplank account password acme --password-stdin",
        "gangplank account password acme --current-password-stdin --password-stdin",
        "gangplank user list acme",
        "gangplank user show dev@acme",
        "gangplank user password dev@acme --password-stdin",
        "gangplank namespace list",
        "gangplank namespace show team-a",
        "gangplank namespace delete team-a",
        "gangplank repository create team-a/web",
        "gangplank repository list --namespace team-a",
        "gangplank repository show team-a/web",
        "gangplank repository delete team-a/web",
        "gangplank repository visibility team-a/web public",
        "gangplank repository describe team-a/web \"the shop's front\"",
        "gangplank tag list team-a/web",
        "gangplank tag show team-a/web:1.0",
        "gangplank tag delete team-a/web:1.0",
        "gangplank permission list team-a/web",
        "gangplank permission remove team-a/web --user dev@acme",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).err().unwrap_or_default());
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_to_do() {
    for (line, says) in [
        ("gangplank share add team-a/web --to globex", "--until"),
        (
            "gangplank share add team-a/web --to globex --permanent --until 2027-01-31T23:59:59Z",
            "cannot be used with",
        ),
        (
            "gangplank share add team-a/web --to globex --until 2027-01-31T23:59:59",
            "an instant with its offset",
        ),
        ("gangplank share add team-a/web --to globex --until 2027-01-31", "an instant with its offset"),
        ("gangplank share add team-a/web --permanent", "--to"),
        ("gangplank share add --to globex --permanent", "REPOSITORY"),
        ("gangplank share leave", "REPOSITORY"),
        ("gangplank share block", "ACCOUNT"),
        ("gangplank share update team-a/web --to globex", "--description"),
        ("gangplank share list", "--by-me"),
        ("gangplank share list --by-me --with-me", "cannot be used with"),
        ("gangplank user create dev --password-stdin", "dev@acme"),
        ("gangplank user create dev@ --password-stdin", "dev@acme"),
        ("gangplank permission set team-a/web --user dev@acme --level admin", "manage"),
        ("gangplank permission set team-a/web --user dev --level read", "dev@acme"),
        ("gangplank token create", "--expires"),
        ("gangplank token create --expires 0s", "at least one"),
        ("gangplank token create --expires 24", "24h"),
        ("gangplank token revoke x", "invalid"),
        ("gangplank login 127.0.0.1:5000 --username admin", "http://"),
        ("gangplank login http://127.0.0.1:5000", "--username"),
        ("gangplank tag show team-a/web", "team-a/web:1.0"),
        ("gangplank repository visibility team-a/web open", "private"),
        ("gangplank account password acme --current-password-stdin", "--password-stdin"),
        ("gangplank user create dev@acme --no-password --password-stdin", "cannot be used with"),
        ("gangplank audit list --since yesterday", "an instant with its offset"),
        ("gangplank audit list --limit many", "invalid"),
        ("gangplank audit", "list"),
        ("gangplank share usage team-a/web", "--to"),
        ("gangplank serve --set listen", "SECTION.KEY=VALUE"),
        ("gangplank", "Usage"),
    ] {
        let refused = parse(line).err();
        assert!(refused.as_ref().is_some_and(|error| error.contains(says)), "{line}: {refused:?}");
    }
}

/// Walks every command.
fn walk(command: &clap::Command, see: &mut impl FnMut(&clap::Command)) {
    see(command);
    command.get_subcommands().for_each(|command| walk(command, see));
}

#[test]
fn every_command_says_what_it_does_and_shows_an_example_that_works() {
    let mut examples = 0;
    walk(&Cli::command(), &mut |command| {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name} says nothing of itself");
        if command.has_subcommands() || matches!(name, "logout" | "whoami") {
            return;
        }
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines: Vec<_> = help.lines().filter(|line| line.starts_with("  ")).collect();
        assert!(!lines.is_empty(), "{name} shows no example");
        for line in lines {
            assert!(line.len() < 100, "{line} would be broken in two, and could not be copied");
            let Some(from) = line.find("gangplank ") else { continue };
            let typed = line[from..].split(['#', '<', '|']).next().unwrap_or_default().trim();
            assert!(parse(typed).is_ok(), "{typed}: {}", parse(typed).err().unwrap_or_default());
            examples += 1;
        }
    });
    assert!(examples > 30, "{examples}");
}
