//! Other people's programs in Go: the official conformance suite, and clients that distributions do not have, or have
//! too old; and another registry. Each is pinned to a version, and kept in a cache folder outside the tree.
//!
//! `<cache>/gangplank/go/<name>@<version>/` holds a tool's programs: who runs them finds the version in the path.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Interrupt, cache, each, find, output, watched};
use crate::kept::Kept;

/// The oldest Go that builds them all.
const GO_MIN: (u32, u32) = (1, 26);

/// A tool: one or more programs of one module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    version: &'static str,
    packages: &'static [&'static str],
}

/// The official suite of the OCI Distribution Specification.
pub(crate) const SUITE: &[Tool] = &[Tool {
    name: "suite",
    version: "v0.0.0-20260831232431-97274622c111",
    packages: &["github.com/opencontainers/distribution-spec/conformance"],
}];

/// The clients.
pub(crate) const CLIENTS: &[Tool] = &[
    Tool {
        name: "crane",
        version: "v0.22.1",
        packages: &["github.com/google/go-containerregistry/cmd/crane"],
    },
    Tool { name: "regctl", version: "v0.11.7", packages: &["github.com/regclient/regclient/cmd/regctl"] },
    Tool { name: "oras", version: "v1.3.6", packages: &["oras.land/oras/cmd/oras"] },
    Tool { name: "helm", version: "v3.22.0", packages: &["helm.sh/helm/v3/cmd/helm"] },
    Tool { name: "cosign", version: "v3.1.3", packages: &["github.com/sigstore/cosign/v3/cmd/cosign"] },
    Tool {
        name: "containerd",
        version: "v2.4.2",
        packages: &[
            "github.com/containerd/containerd/v2/cmd/containerd",
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            "github.com/containerd/containerd/v2/cmd/ctr",
        ],
    },
    Tool { name: "moby", version: "v2.0.0-beta.24", packages: &["github.com/moby/moby/v2/cmd/dockerd"] },
];

/// Another registry, which `cargo xtask bench` compares ours with: the reference implementation.
pub(crate) const PEERS: &[Tool; 1] = &[Tool {
    name: "distribution",
    version: "v3.1.1",
    packages: &["github.com/distribution/distribution/v3/cmd/registry"],
}];

impl Tool {
    /// One of its programs.
    pub(crate) fn program(&self, program: &str) -> PathBuf {
        self.kept().path().join(program)
    }

    fn kept(&self) -> Kept {
        Kept { folder: folder(), name: self.name, version: self.version }
    }

    /// Builds its programs into this folder.
    fn build(&self, into: &Path, interrupt: &Interrupt) -> Result<(), String> {
        let mut install = Command::new("go");
        // Without the packages' own modules in the way, and without a C compiler.
        install.arg("install").arg("-trimpath").current_dir(into);
        install.args(self.packages.iter().map(|package| format!("{package}@{}", self.version)));
        install.env("GOBIN", into).env("CGO_ENABLED", "0").env("GO111MODULE", "on").env("GOWORK", "off");
        watched(&mut install, interrupt, |passed| {
            eprintln!("xtask: building {} for {} s", self.name, passed.as_secs());
        })
    }
}

/// Where they are kept.
pub(crate) fn folder() -> PathBuf {
    cache().join("go")
}

/// Installs those that are not there yet: each that it can.
pub(crate) fn install(tools: &[Tool], interrupt: &Interrupt) -> Result<(), String> {
    check(tools)?;
    each(&lacking(tools), interrupt, |tool| tool.kept().fill(|part| tool.build(part, interrupt)))
}

/// An error when some are not there yet, and this machine has no Go to build them.
pub(crate) fn check(tools: &[Tool]) -> Result<(), String> {
    let names: Vec<_> = lacking(tools).iter().map(|tool| tool.name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let (major, minor) = GO_MIN;
    let wanted = format!("{}: building them needs Go {major}.{minor} or newer", names.join(", "));
    let Some(text) = find("go").and_then(|_| output("go", &["env", "GOVERSION"])) else {
        return Err(format!("{wanted}, and `go` is not there; install it and run this again"));
    };
    let mut numbers = text.trim_start_matches("go").split('.').map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(one), Some(two)) if (one, two) >= GO_MIN => Ok(()),
        _ => Err(format!("{wanted}, and this is {text}")),
    }
}

fn lacking(tools: &[Tool]) -> Vec<Tool> {
    tools.iter().copied().filter(|tool| !tool.kept().is_there()).collect()
}
