//! The SDK, in an environment of its own, and the parts of the story that are written in Python (`tests/swr/`).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{Cli, Installation, Person, PythonPackage, Registry};

use super::table::Call;

/// As the index of packages calls it.
const PACKAGE: &str = "huaweicloudsdkswr";

/// The SDK, with the access keys of everybody in the story.
pub(super) struct Sdk {
    installation: Installation,
    people: Value,
    endpoint: String,
    folder: TempDir,
}

impl Sdk {
    /// For these people, each of whom gets an access key.
    pub(super) async fn of(people: &[&Person], registry: &Registry) -> Sdk {
        let interpreter =
            PythonPackage::find(PACKAGE).unwrap_or_else(|absent| panic!("{absent}")).interpreter();
        let installation = Installation::of_program(interpreter, registry)
            .with(&[("NO_PROXY", "127.0.0.1"), ("PYTHONDONTWRITEBYTECODE", "1")]);
        let mut keys = json!({});
        for person in people {
            let printed = Cli::of(person, registry).await.types("access-key create --json").await.output();
            keys[person.login()] = serde_json::from_str(&printed).expect("a pair as JSON");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        Sdk { installation, people: keys, endpoint: registry.url(), folder }
    }

    /// Runs a part of the story, told `more` than who there is; gives what it prints.
    pub(super) async fn plays(&self, part: &str, more: &Value) -> String {
        let mut setup =
            json!({"endpoint": self.endpoint, "people": self.people, "log": self.log().to_string_lossy()});
        for (name, value) in more.as_object().expect("an object") {
            setup[name] = value.clone();
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("swr").join(part).with_extension("py");
        self.installation.runs_with(&[&script.to_string_lossy()], setup.to_string()).await.output()
    }

    /// Whatever it called so far.
    pub(super) fn calls(&self) -> Vec<Call> {
        let log = std::fs::read_to_string(self.log()).expect("a log of calls");
        log.lines().map(|line| Call::read(line).expect("a line of the log")).collect()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("calls.jsonl")
    }
}
