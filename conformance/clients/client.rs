//! What the matrix asks of a client. A client is a file in this folder; what it cannot do, it says.

use std::fmt::{Display, Formatter};

use async_trait::async_trait;
use tests::Ran;

use crate::layout::Layout;
use crate::stage::Stage;

/// What came of an operation.
pub(crate) type Done<T = ()> = Result<T, Cannot>;

/// Why there is nothing to show.
#[derive(Debug)]
pub(crate) enum Cannot {
    /// The client has no such command; no fault of anybody's.
    NotOffered(&'static str),
    /// It has, and it did not work: what it said.
    Failed(String),
}

/// Something that `cargo xtask clients` brings before a client is tried: it asks for these, one in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A package of the distribution, by Debian's name.
    Package(&'static str),
    /// A tool in Go.
    Go(&'static str),
    /// A package in Python.
    Python(&'static str),
    /// A running docker engine.
    DockerEngine,
}

impl Display for Need {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Need::Package(name) => write!(f, "package {name}"),
            Need::Go(name) => write!(f, "go {name}"),
            Need::Python(name) => write!(f, "python {name}"),
            Need::DockerEngine => write!(f, "engine docker"),
        }
    }
}

/// A client.
#[async_trait]
pub(crate) trait Client: Send + Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// What a machine must have for it.
    fn needs(&self) -> &'static [Need];

    /// Its version, as it tells it; `Err` says why this machine does not have it.
    async fn version(&self) -> Result<String, String>;

    /// Somebody's installation of it, who has not signed in and has pulled nothing.
    async fn session(&self, stage: &Stage) -> Box<dyn Session>;
}

/// Somebody's installation of a client, with a home of its own. A reference is `127.0.0.1:40001/team-a/web:1`.
///
/// What is not implemented is not offered by the client.
#[async_trait]
pub(crate) trait Session: Send + Sync {
    /// What is to be said of how it writes to the registry, where that is not the way which it takes of itself.
    fn manner(&self) -> &'static str {
        ""
    }

    /// Signs in.
    async fn login(&self, login: &str, password: &str) -> Done;

    /// Pushes that content, or as much of it as this client pushes: its layer, when it makes manifests of its own. The
    /// matrix reads everything that arrived.
    async fn push(&self, content: &Layout, reference: &str) -> Done;

    /// Pulls, from the registry and not from what it has kept; gives the digest of the manifest that it has then, if the
    /// client tells it: not what the registry says when it is asked again.
    async fn pull(&self, reference: &str) -> Done<Option<String>>;

    /// Pushes an index of two platforms.
    async fn push_index(&self, _content: &Layout, _reference: &str) -> Done {
        Err(Cannot::NotOffered("pushes single manifests only"))
    }

    /// Pulls every platform of an index, or the one that it may choose.
    async fn pull_index(&self, reference: &str) -> Done<Option<String>> {
        self.pull(reference).await
    }

    /// Lists the tags of `127.0.0.1:40001/team-a/web`.
    async fn tags(&self, _repository: &str) -> Done<Vec<String>> {
        Err(Cannot::NotOffered("lists no tags"))
    }

    /// Deletes an image.
    async fn delete(&self, _reference: &str) -> Done {
        Err(Cannot::NotOffered("deletes nothing in a registry"))
    }

    /// Copies an image to another repository of the same registry.
    async fn copy(&self, _from: &str, _to: &str) -> Done {
        Err(Cannot::NotOffered("copies nothing between repositories"))
    }

    /// Attaches an artifact to the image: a manifest whose subject it is.
    async fn attach(&self, _reference: &str) -> Done {
        Err(Cannot::NotOffered("attaches nothing"))
    }

    /// How many artifacts refer to an image that it pushed and attached to: what it attaches, and what its push did.
    fn artifacts(&self) -> usize {
        1
    }

    /// The digests of what refers to the image.
    async fn referrers(&self, _reference: &str) -> Done<Vec<String>> {
        Err(Cannot::NotOffered("lists no referrers"))
    }
}

/// What a program that must succeed has printed.
pub(crate) trait Succeeds {
    /// Its output, trimmed; or everything it said.
    fn printed(self) -> Done<String>;
    /// The same where the output is no matter.
    fn done(self) -> Done;
}

impl Succeeds for Ran {
    fn printed(self) -> Done<String> {
        if self.code == 0 { Ok(self.stdout.trim().to_owned()) } else { Err(Cannot::Failed(self.to_string())) }
    }

    fn done(self) -> Done {
        self.printed().map(drop)
    }
}
