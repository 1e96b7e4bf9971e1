//! The Python package `oras`, which is no program: `python_oras.py` makes the calls.

use std::fs;

use async_trait::async_trait;
use tests::{Installation, PythonPackage, Ran, version_of};

use crate::client::{Cannot, Client, Done, Need, Session, Succeeds};
use crate::layout::{Layout, NAME, written};
use crate::stage::Stage;

const SCRIPT: &str = include_str!("python_oras.py");
/// The package's name, and the script's in a home.
const PACKAGE: &str = "oras";
const FILE: &str = "python_oras.py";

pub(crate) struct PythonOras;

#[async_trait]
impl Client for PythonOras {
    fn name(&self) -> &'static str {
        "oras-py"
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Package("python3-venv"), Need::Python(PACKAGE)]
    }

    async fn version(&self) -> Result<String, String> {
        version_of(&PythonPackage::find(PACKAGE)?.interpreter(), &["-c", SCRIPT, "version"]).await
    }

    async fn session(&self, stage: &Stage) -> Box<dyn Session> {
        let interpreter = PythonPackage::find(PACKAGE).expect("it was there").interpreter();
        // Python's HTTP, unlike Go's, reaches this machine by a proxy too.
        let installation =
            Installation::of_program(interpreter, &stage.server).with(&[("NO_PROXY", "127.0.0.1")]);
        fs::write(installation.path(FILE), SCRIPT).expect("a file");
        Box::new(Somebody(installation))
    }
}

struct Somebody(Installation);

impl Somebody {
    async fn calls(&self, words: &[&str], input: &str) -> Ran {
        self.0.runs_with(&[&[FILE], words].concat(), input).await
    }
}

#[async_trait]
impl Session for Somebody {
    /// `python_oras.py` says why.
    fn manner(&self) -> &'static str {
        "with the password in each request"
    }

    async fn login(&self, login: &str, password: &str) -> Done {
        self.calls(&["login", self.0.host(), login], password).await.done()
    }

    /// Its own way: a file becomes an artifact's layer.
    async fn push(&self, content: &Layout, reference: &str) -> Done {
        self.calls(&["push", &content.layer().to_string_lossy(), reference], "").await.done()
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        let folder = self.0.empty_folder("pulled");
        let printed = self.calls(&["pull", reference, &folder.to_string_lossy()], "").await.printed()?;
        match fs::read_dir(&folder).expect("a folder").next() {
            Some(_) => Ok(None),
            None => Err(Cannot::Failed(format!("it wrote no file: {printed}"))),
        }
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        let folder = content.folder();
        self.calls(&["push-index", &folder.to_string_lossy(), NAME, reference], "").await.done()
    }

    async fn pull_index(&self, reference: &str) -> Done<Option<String>> {
        let folder = self.0.empty_folder("pulled");
        self.calls(&["pull-index", reference, &folder.to_string_lossy(), NAME], "").await.done()?;
        written(&folder)
    }

    async fn tags(&self, repository: &str) -> Done<Vec<String>> {
        let printed = self.calls(&["tags", repository], "").await.printed()?;
        Ok(printed.lines().map(str::to_owned).collect())
    }

    async fn delete(&self, reference: &str) -> Done {
        self.calls(&["delete", reference], "").await.done()
    }

    async fn attach(&self, reference: &str) -> Done {
        let note = self.0.path("note");
        fs::write(&note, "a note").expect("a file");
        self.calls(&["attach", &note.to_string_lossy(), reference], "").await.done()
    }
}
