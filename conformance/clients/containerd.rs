//! containerd, driven by its own `ctr`: Debian's 1.6, and today's, whose `ctr` asks the daemon to transfer images, and
//! with `--local` transfers them itself.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use tests::{Daemon, GoTool, Ran, find_program};
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::client::{Cannot, Client, Done, Need, Session, Succeeds};
use crate::layout::{Layout, NAME};
use crate::stage::Stage;

/// Layers are unpacked by copying: that works on every file system.
const SNAPSHOTTER: (&str, &str) = ("CONTAINERD_SNAPSHOTTER", "native");

/// A containerd, and how its `ctr` is asked to transfer images.
pub(crate) struct Containerd {
    name: &'static str,
    generation: Generation,
    transfer: &'static [&'static str],
    daemon: OnceCell<Daemon>,
    people: AtomicUsize,
}

enum Generation {
    /// 1.x, as the machine has it.
    Machines,
    /// 2.x.
    Todays,
}

impl Containerd {
    /// Debian's.
    pub(crate) fn machines() -> Containerd {
        Containerd::new("containerd-1", Generation::Machines, &[])
    }

    /// Today's, whose daemon transfers.
    pub(crate) fn todays() -> Containerd {
        Containerd::new("containerd-2", Generation::Todays, &[])
    }

    /// Today's, whose `ctr` transfers.
    pub(crate) fn todays_locally() -> Containerd {
        Containerd::new("containerd-2-local", Generation::Todays, &["--local"])
    }

    fn new(name: &'static str, generation: Generation, transfer: &'static [&'static str]) -> Containerd {
        Containerd { name, generation, transfer, daemon: OnceCell::new(), people: AtomicUsize::new(0) }
    }

    fn program(&self, name: &str) -> Result<PathBuf, String> {
        match self.generation {
            Generation::Machines => find_program(name),
            Generation::Todays => Ok(GoTool::find("containerd")?.program(name)),
        }
    }

    /// Somebody new to the daemon, which is started when it is first asked for.
    async fn somebody(&self) -> Result<Somebody, String> {
        let start = async || Daemon::containerd(&self.program("containerd")?).await;
        let daemon = self.daemon.get_or_try_init(start).await?;
        Ok(Somebody {
            ctr: self.program("ctr")?,
            socket: daemon.socket().to_owned(),
            namespace: format!("person-{}", self.people.fetch_add(1, Ordering::Relaxed)),
            transfer: self.transfer,
            host: String::new(),
            user: Mutex::default(),
        })
    }
}

#[async_trait]
impl Client for Containerd {
    fn name(&self) -> &'static str {
        self.name
    }

    fn needs(&self) -> &'static [Need] {
        match self.generation {
            Generation::Machines => &[Need::Package("containerd")],
            Generation::Todays => &[Need::Go("containerd")],
        }
    }

    async fn version(&self) -> Result<String, String> {
        let ran = self.somebody().await?.runs(&["version"]).await;
        let server = ran.stdout.split_once("Server:").and_then(|(_, server)| server.split_once("Version:"));
        let version = server.and_then(|(_, rest)| rest.split_whitespace().next());
        let version = version.ok_or_else(|| ran.to_string())?;
        match self.generation {
            Generation::Machines if !version.starts_with("1.") => Err(format!("this machine's is {version}")),
            _ => Ok(version.to_owned()),
        }
    }

    async fn session(&self, stage: &Stage) -> Box<dyn Session> {
        let somebody = self.somebody().await.expect("it was there");
        Box::new(Somebody { host: stage.host(), ..somebody })
    }
}

/// Somebody in a namespace of their own, who names themselves at each call: `ctr` keeps no sign-in.
struct Somebody {
    ctr: PathBuf,
    socket: PathBuf,
    namespace: String,
    transfer: &'static [&'static str],
    host: String,
    /// `acme:password`.
    user: Mutex<String>,
}

impl Somebody {
    async fn runs(&self, words: &[&str]) -> Ran {
        let mut command = Command::new(&self.ctr);
        command.arg("--address").arg(&self.socket).args(["--namespace", &self.namespace]).args(words);
        command.env(SNAPSHOTTER.0, SNAPSHOTTER.1);
        tests::run(command, b"").await
    }

    /// `ctr images pull`, or another that transfers.
    async fn transfers(&self, verb: &str, user: &str, words: &[&str]) -> Ran {
        let line = [&["images", verb], self.transfer, &["--plain-http", "--user", user], words].concat();
        self.runs(&line).await
    }

    async fn pushes(&self, reference: &str) -> Done {
        self.transfers("push", &self.user(), &[reference]).await.done()
    }

    /// Pulls what `words` ask for, from the registry; gives the digest.
    async fn pulls(&self, words: &[&str], reference: &str) -> Done<Option<String>> {
        self.forgets(reference).await?;
        self.transfers("pull", &self.user(), &[words, &[reference]].concat()).await.done()?;
        // REF TYPE DIGEST SIZE PLATFORMS LABELS
        let listed = self.runs(&["images", "ls", &format!("name=={reference}")]).await.printed()?;
        let digest = listed.split_whitespace().find(|word| word.starts_with("sha256:"));
        digest.map(|digest| Some(digest.to_owned())).ok_or(Cannot::Failed(listed))
    }

    /// Removes the image, and sees that nothing of it is left to be found by the next pull.
    async fn forgets(&self, reference: &str) -> Done {
        self.runs(&["images", "rm", "--sync", reference]).await.done()?;
        match self.runs(&["content", "ls", "--quiet"]).await.printed()? {
            left if left.is_empty() => Ok(()),
            left => Err(Cannot::Failed(format!("containerd has kept {left}"))),
        }
    }

    fn user(&self) -> String {
        self.user.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Session for Somebody {
    /// By a pull of what is not there: to whom the registry knows it says so, others are turned away before.
    async fn login(&self, login: &str, password: &str) -> Done {
        let user = format!("{login}:{password}");
        let nothing = format!("{}/{login}/nothing:1", self.host);
        let ran = self.transfers("pull", &user, &[&nothing]).await;
        if ran.code == 0 || !ran.stderr.contains(&format!("{nothing}: not found")) {
            return Err(Cannot::Failed(ran.to_string()));
        }
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = user;
        Ok(())
    }

    async fn push(&self, content: &Layout, reference: &str) -> Done {
        let (base, tag) = reference.rsplit_once(':').expect("a reference has a tag");
        assert_eq!(tag, NAME, "an archive's image is imported under its own tag");
        let archive = content.archive();
        let import = ["--all-platforms", "--base-name", base, &archive.to_string_lossy()];
        self.runs(&[&["images", "import"], self.transfer, &import].concat()).await.done()?;
        self.pushes(reference).await
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        self.pulls(&[], reference).await
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        self.push(content, reference).await
    }

    async fn pull_index(&self, reference: &str) -> Done<Option<String>> {
        self.pulls(&["--all-platforms"], reference).await
    }

    async fn copy(&self, from: &str, to: &str) -> Done {
        // A pull leaves a mark of where the blobs are from: a push asks to mount them.
        self.pulls(&[], from).await?;
        self.runs(&["images", "tag", from, to]).await.done()?;
        self.pushes(to).await
    }
}
