//! The matrix: what each client can do with Gangplank, and that a share opens and closes for each of them.
//!
//! It tries those that this machine has, and lists the others as absent, never as passed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool that talks to a person")]

mod client;
mod containerd;
mod cosign;
mod crane;
mod docker;
mod go_client;
mod helm;
mod layout;
mod matrix;
mod moby;
mod oras;
mod podman;
mod python_oras;
mod regctl;
mod report;
mod server_log;
mod skopeo;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use client::Client;
use report::{Report, Row};
use server_log::ServerLog;

/// Tries clients against servers of its own.
#[derive(Parser)]
struct Arguments {
    /// The clients to try; none: all of them.
    #[arg(value_parser = PossibleValuesParser::new(clients().iter().map(|client| client.name())))]
    names: Vec<String>,
    /// Try nothing: print what a machine must have for them.
    #[arg(long)]
    needs: bool,
    /// Fail when a client is absent.
    #[arg(long)]
    all: bool,
    /// Where the table is written to; when all clients are tried, by default `target/conformance/clients.md`.
    #[arg(long)]
    report: Option<PathBuf>,
}

impl Arguments {
    fn name(&self, client: &dyn Client) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| client.name() == name)
    }

    /// Where the table is written to: one with a few clients only does not take the place of the whole.
    fn report(&self) -> Option<PathBuf> {
        let whole = self.names.is_empty().then(|| PathBuf::from("target/conformance/clients.md"));
        self.report.clone().or(whole)
    }
}

fn clients() -> Vec<Box<dyn Client>> {
    vec![
        Box::new(docker::DebiansDocker),
        Box::<moby::Moby>::default(),
        Box::new(containerd::Containerd::machines()),
        Box::new(containerd::Containerd::todays()),
        Box::new(containerd::Containerd::todays_locally()),
        Box::new(podman::Program::Podman),
        Box::new(podman::Program::Buildah),
        Box::new(skopeo::Skopeo),
        Box::new(crane::CLIENT),
        Box::new(regctl::CLIENT),
        Box::new(oras::CLIENT),
        Box::new(python_oras::PythonOras),
        Box::new(helm::CLIENT),
        Box::<cosign::Cosign>::default(),
    ]
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let clients: Vec<_> = clients().into_iter().filter(|client| arguments.name(client.as_ref())).collect();
    if arguments.needs {
        clients.iter().flat_map(|client| client.needs()).for_each(|need| println!("{need}"));
        return ExitCode::SUCCESS;
    }
    let log = ServerLog::listen();
    let mut rows = Vec::new();
    for client in clients {
        eprintln!("{} …", client.name());
        let result = match client.version().await {
            Ok(version) => Ok((version, matrix::run(client.as_ref(), &log).await)),
            Err(why) => {
                eprintln!("{} is absent: {why}", client.name());
                // Its first sentence: a log may follow.
                Err(why.lines().next().unwrap_or_default().to_owned())
            }
        };
        rows.push(Row { name: client.name(), result });
    }
    conclude(&Report(rows), &arguments)
}

fn conclude(report: &Report, arguments: &Arguments) -> ExitCode {
    let text = report.text();
    println!("{text}");
    if let Some(path) = arguments.report() {
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = folder.and_then(|()| std::fs::write(&path, &text)) {
            eprintln!("cannot write {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    let absent = report.absent();
    println!("{} passed, {} failed", report.passed(), report.failed());
    if arguments.all && !absent.is_empty() {
        eprintln!("absent: {}", absent.join(", "));
        return ExitCode::FAILURE;
    }
    if report.failed() == 0 && report.passed() > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
