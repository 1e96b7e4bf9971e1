//! The runs: which server each is against, who signs in, and what is switched off.

use std::fmt::{Display, Formatter};
use std::fs;
use std::path::Path;

use tests::ServerProcess;

use crate::content::Content;
use crate::program::Program;
use crate::report::{PREFIX, Report};

/// The repository that the suite reads in every run, and writes in most.
const REPOSITORY: &str = "conformance/repo1";

/// One run of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    version: &'static str,
    mode: Mode,
}

/// What the suite does with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everything, by the owner of the namespace; the server takes manifests whose blobs it lacks.
    Sparse,
    /// The same with the server as it comes: it refuses such manifests, and is not asked for them.
    Complete,
    /// Pulling, by somebody whose account owns nothing and has a share of the repository.
    Shared,
    /// Pulling and deleting, by the owner: all but pushing of what is there.
    Owned,
}

/// An option that is off: its variable, and its key in the configuration that the suite reports.
type Switch = (&'static str, &'static str);

/// Without it the suite reads what it was told of.
const PUSH: Switch = ("OCI_API_PUSH", "apis.push");
/// When it has not pushed, the suite looks for a manifest's digest in the headers of an answer that it has not kept, and
/// misses it with every registry. `Content::is_pulled_by` looks instead.
const DIGEST_HEADER: Switch = ("OCI_API_MANIFESTS_DIGEST_HEADER", "apis.manifests.digestHeader");
/// What a sharee may not, besides pushing.
const DELETE: [Switch; 3] = [
    ("OCI_API_BLOBS_DELETE", "apis.blobs.delete"),
    ("OCI_API_MANIFESTS_DELETE", "apis.manifests.delete"),
    ("OCI_API_TAGS_DELETE", "apis.tags.delete"),
];

/// The groups of read-only mode. Those about blobs only push, and with pushing switched off the suite crashes over them
/// before it has written its report: a filter keeps it from them.
const READ_ONLY_GROUPS: [&str; 5] = ["ping", "empty", READ_ONLY, "missing-manifest", "invalid-digest-format"];
/// The group that reads what the suite was told of.
const READ_ONLY: &str = "read-only";

impl Mode {
    fn off(self) -> &'static [Switch] {
        match self {
            Mode::Sparse => &[],
            Mode::Complete => &[("OCI_DATA_SPARSE", "data.sparse")],
            Mode::Shared => &[PUSH, DIGEST_HEADER, DELETE[0], DELETE[1], DELETE[2]],
            Mode::Owned => &[PUSH, DIGEST_HEADER],
        }
    }
}

impl Run {
    /// Every run.
    pub(crate) fn all() -> impl Iterator<Item = Run> {
        let modes = [Mode::Sparse, Mode::Complete, Mode::Shared, Mode::Owned];
        modes.into_iter().flat_map(|mode| ["1.1", "dev"].map(|version| Run { version, mode }))
    }

    /// A folder's name.
    pub(crate) fn slug(self) -> String {
        self.to_string().replace(' ', "-")
    }

    /// The keys of what is off.
    pub(crate) fn switched_off(self) -> Vec<&'static str> {
        self.mode.off().iter().map(|(_, key)| *key).collect()
    }

    /// Runs it against a server of its own, and reads the reports that it leaves in `folder`.
    pub(crate) async fn report(self, program: &Program, folder: &Path) -> Result<Report, String> {
        // What an earlier run has left there is not this one's.
        if folder.exists() {
            fs::remove_dir_all(folder)
                .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
        }
        let server = match self.mode {
            Mode::Sparse => ServerProcess::start_with(&[("GANGPLANK_STORAGE__SPARSE_IMAGES", "true")]).await,
            Mode::Complete | Mode::Shared | Mode::Owned => ServerProcess::start().await,
        };
        let acme = server.owner("acme", "conformance").await;
        let reader = match self.mode {
            Mode::Sparse | Mode::Complete => {
                let ended = program.run(&acme, &self.settings(&server), folder).await?;
                return Report::of(&ended, &server.host(), false);
            }
            Mode::Shared => server.account("globex").await,
            Mode::Owned => acme.clone(),
        };
        let content = Content::pushed_by(&acme, REPOSITORY).await;
        if self.mode == Mode::Shared {
            acme.shares_for_good(REPOSITORY, reader.login()).await;
        }
        content.is_pulled_by(&reader, REPOSITORY).await;
        let mut parts = Vec::new();
        for group in READ_ONLY_GROUPS {
            let mut settings = self.settings(&server);
            settings.push(("OCI_FILTER_TEST", format!("{PREFIX}{group}")));
            // Told of content that the filter keeps it from, the suite ends without a report.
            if group == READ_ONLY {
                settings.extend(content.settings());
            }
            let ended = program.run(&reader, &settings, &folder.join(group)).await?;
            parts.push(Report::of(&ended, &server.host(), true)?);
        }
        Ok(parts.into_iter().collect())
    }

    /// The suite's settings in all but what the configuration file says.
    fn settings(self, server: &ServerProcess) -> Vec<(&'static str, String)> {
        let mut settings = vec![("OCI_VERSION", self.version.to_owned()), ("OCI_REGISTRY", server.host())];
        settings.extend(self.mode.off().iter().map(|(variable, _)| (*variable, "false".to_owned())));
        settings
    }
}

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let mode = match self.mode {
            Mode::Sparse => "sparse",
            Mode::Complete => "complete",
            Mode::Shared => "shared",
            Mode::Owned => "owned",
        };
        write!(f, "{} {mode}", self.version)
    }
}
