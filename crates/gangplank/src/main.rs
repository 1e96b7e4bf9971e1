//! The command line: `serve`, and the commands over `/api/v1`.
//!
//! This file holds what may be typed and how a command ends; each command lives in the file of its noun.

mod address;
mod client;
mod commands;
mod deadline;
mod failure;
mod input;
mod logins;
mod output;

use std::process::ExitCode;

use clap::Parser;

use commands::{
    access_key, account, audit, config, docker_login, login, namespace, permission, repository, serve, share,
    system, tag, token, user, webhook,
};
use failure::Failure;

/// Measured: a manifest is answered with a tenth less work than with the system's allocator. What is written in C and C++
/// has it too (the feature `override`): the system's keeps some for each thread that ever read metadata, twice as much
/// as the server has in all.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An OCI registry with sharing built in.
///
/// An owner pushes an image and lowers the gangplank for an invited account, which may pull it until the deadline.
#[derive(Debug, Parser)]
#[command(name = "gangplank", version, propagate_version = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gangplank serve --listen 127.0.0.1:5000 --data ./data
  gangplank login http://127.0.0.1:5000 --username acme
  gangplank share add team-a/web --to globex --until 2027-01-31T23:59:59Z

Every command has examples of its own: gangplank share add --help

Exit codes:
  0  done
  1  failed
  2  the command line is wrong
  3  not signed in, or not allowed
  4  not found
  5  conflict: it exists already, or something still depends on it
  6  the server cannot be reached, or cannot answer now";

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serve the registry
    Serve(serve::Serve),
    /// Check and show the settings of a server, without starting it
    Config(config::ConfigCommand),
    /// Sign in to a server, for the commands that follow
    Login(login::Login),
    /// Sign out of the current server, or of another
    Logout(login::Logout),
    /// Show who is signed in, and where
    #[command(name = "whoami")]
    WhoAmI(login::WhoAmI),
    /// Manage accounts: tenants that own namespaces
    Account(account::Account),
    /// Manage an account's users
    User(user::User),
    /// Manage namespaces: the first part of repositories' names
    Namespace(namespace::Namespace),
    /// Manage repositories
    Repository(repository::Repository),
    /// Manage tags
    Tag(tag::Tag),
    /// Manage what users may do
    Permission(permission::Permission),
    /// Share private repositories with other accounts, until a deadline
    Share(share::Share),
    /// Manage your tokens
    Token(token::Token),
    /// Read the audit trail: who did what, when, from where
    Audit(audit::Audit),
    /// Manage access key pairs, which sign requests and sign in to docker for good
    AccessKey(access_key::AccessKey),
    /// Make a docker login that ends by itself
    DockerLogin(docker_login::DockerLogin),
    /// Manage webhooks: where your account is told what happens to shares
    Webhook(webhook::Webhook),
    /// Show how the server does (administrators)
    System(system::System),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::error(&failure);
            ExitCode::from(failure.exit() as u8)
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    let mut runtime = match command {
        Command::Serve(_) => {
            use_small_pages();
            tokio::runtime::Builder::new_multi_thread()
        }
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime =
        runtime.enable_all().build().map_err(|source| Failure::System { doing: "start", source })?;
    runtime.block_on(async {
        match command {
            Command::Config(config) => config.run(),
            Command::Serve(serve) => serve.run().await,
            Command::Login(login) => login.run().await,
            Command::Logout(logout) => logout.run().await,
            Command::WhoAmI(whoami) => whoami.run().await,
            Command::Account(account) => account.run().await,
            Command::User(user) => user.run().await,
            Command::Namespace(namespace) => namespace.run().await,
            Command::Repository(repository) => repository.run().await,
            Command::Tag(tag) => tag.run().await,
            Command::Permission(permission) => permission.run().await,
            Command::Share(share) => share.run().await,
            Command::Token(token) => token.run().await,
            Command::Audit(audit) => audit.run().await,
            Command::AccessKey(access_key) => access_key.run().await,
            Command::DockerLogin(docker_login) => docker_login.run().await,
            Command::Webhook(webhook) => webhook.run().await,
            Command::System(system) => system.run().await,
        }
    })
}

/// Measured: huge pages make nothing faster, and a thousand connections and a hundred uploads take 100 MiB more.
fn use_small_pages() {
    // Where that may not be said, the server runs as well, and is larger.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

#[cfg(test)]
mod tests;
