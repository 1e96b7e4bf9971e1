//! The matrix: what each client can do with Gangplank, and that a share opens and closes for each of them.
//!
//! It tries those that this machine has, and lists the others as absent, never as passed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool that talks to a person")]

mod client;
mod containerd;
mod cosign;
mod crane;
mod docker;
mod helm;
mod layout;
mod matrix;
mod moby;
mod oras;
mod podman;
mod python_oras;
mod regctl;
mod report;
mod skopeo;
mod stage;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use client::Client;
use report::{Report, Row};
use wire::Wire;

/// Tries clients against servers of its own.
#[derive(Parser)]
struct Arguments {
    /// The clients to try; none: all of them.
    names: Vec<String>,
    /// Fail when a client is absent.
    #[arg(long)]
    all: bool,
    /// Where the table is written to.
    #[arg(long, default_value = "target/conformance/clients.md")]
    report: PathBuf,
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
        Box::new(crane::Crane),
        Box::new(regctl::Regctl),
        Box::new(oras::Oras),
        Box::new(python_oras::PythonOras),
        Box::new(helm::Helm),
        Box::<cosign::Cosign>::default(),
    ]
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wire = Wire::listen();
    let mut rows = Vec::new();
    for client in clients() {
        if !arguments.names.is_empty() && !arguments.names.iter().any(|name| client.name() == name) {
            continue;
        }
        eprintln!("{} …", client.name());
        let result = match client.version().await {
            Ok(version) => Ok((version, matrix::run(client.as_ref(), &wire).await)),
            Err(why) => Err(why),
        };
        rows.push(Row { name: client.name(), result });
    }
    conclude(&Report(rows), &arguments)
}

fn conclude(report: &Report, arguments: &Arguments) -> ExitCode {
    let text = report.text();
    println!("{text}");
    let folder = arguments.report.parent().map_or(Ok(()), std::fs::create_dir_all);
    if let Err(error) = folder.and_then(|()| std::fs::write(&arguments.report, &text)) {
        eprintln!("cannot write {}: {error}", arguments.report.display());
        return ExitCode::FAILURE;
    }
    let absent = report.absent();
    println!("{} passed, {} failed", report.passed(), report.failed());
    if arguments.all && !absent.is_empty() {
        eprintln!("absent: {}", absent.join(", "));
        return ExitCode::FAILURE;
    }
    if report.failed() == 0 && report.passed() > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
