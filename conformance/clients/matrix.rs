//! The operations that every client is asked for, and how the matrix sees that each was done.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use serde_json::json;
use tests::{Image, Person};

use crate::client::{Cannot, Client, Done, Session};
use crate::layout::{self, Layout};
use crate::server_log::ServerLog;
use crate::stage::{Held, Stage};

/// How large a file in a layer is, where its size does not matter.
const SMALL_BYTES: usize = 3000;
/// How large a big one is.
const BIG_BYTES: usize = 256 << 20;
/// How long one operation may take.
const LONGEST: Duration = Duration::from_secs(600);

/// What is asked of every client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Login,
    Push,
    Pull,
    Index,
    Tags,
    Delete,
    Copy,
    Artifact,
    BigLayer,
    SharePull,
}

impl Operation {
    pub(crate) const ALL: [Operation; 10] = [
        Operation::Login,
        Operation::Push,
        Operation::Pull,
        Operation::Index,
        Operation::Tags,
        Operation::Delete,
        Operation::Copy,
        Operation::Artifact,
        Operation::BigLayer,
        Operation::SharePull,
    ];

    /// The head of its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Operation::Login => "login",
            Operation::Push => "push",
            Operation::Pull => "pull",
            Operation::Index => "index",
            Operation::Tags => "tags",
            Operation::Delete => "delete",
            Operation::Copy => "copy",
            Operation::Artifact => "artifact, referrers",
            Operation::BigLayer => "256 MiB layer",
            Operation::SharePull => "sharee: before, during, after",
        }
    }
}

/// What came of one.
#[derive(Debug)]
pub(crate) enum Cell {
    /// It was done; how, where that is worth a word.
    Passed(String),
    /// The client has no such command.
    NotOffered(&'static str),
    /// It was not done.
    Failed(String),
}

/// Asks `client` for everything, each operation on a stage of its own.
pub(crate) async fn run(client: &dyn Client, log: &ServerLog) -> Vec<(Operation, Cell)> {
    let mut cells = Vec::new();
    for operation in Operation::ALL {
        let work = AssertUnwindSafe(perform(client, operation, log)).catch_unwind();
        let cell = match tokio::time::timeout(LONGEST, work).await {
            Ok(Ok(Ok(how))) => Cell::Passed(how),
            Ok(Ok(Err(Cannot::NotOffered(why)))) => Cell::NotOffered(why),
            Ok(Ok(Err(Cannot::Failed(said)))) => Cell::Failed(said),
            Ok(Err(panic)) => Cell::Failed(words_of(panic.as_ref())),
            Err(_) => Cell::Failed(format!("it took more than {} s", LONGEST.as_secs())),
        };
        cells.push((operation, cell));
    }
    cells
}

async fn perform(client: &dyn Client, operation: Operation, log: &ServerLog) -> Done<String> {
    let stage = Stage::set().await;
    match operation {
        Operation::Login => login(client, &stage, log).await,
        Operation::Push => push(client, &stage).await,
        Operation::Pull => pull(client, &stage, log).await,
        Operation::BigLayer => big_layer(client, &stage, log).await,
        Operation::Index => index(client, &stage, log).await,
        Operation::Tags => tags(client, &stage).await,
        Operation::Delete => delete(client, &stage).await,
        Operation::Copy => copy(client, &stage, log).await,
        Operation::Artifact => artifact(client, &stage).await,
        Operation::SharePull => share(client, &stage, log).await,
    }
}

/// `person`, signed in.
async fn session(client: &dyn Client, stage: &Stage, person: &Person) -> Done<Box<dyn Session>> {
    let session = client.session(stage).await;
    session.login(person.login(), person.password()).await?;
    Ok(session)
}

/// A wrong password, which the registry must have refused itself; and the right one.
async fn login(client: &dyn Client, stage: &Stage, log: &ServerLog) -> Done<String> {
    let session = client.session(stage).await;
    log.forget();
    refused(session.login("acme", "wrong").await, "a wrong password")?;
    if log.tokens(401) == 0 {
        return Err(Cannot::Failed("a wrong password never came to the registry".to_owned()));
    }
    log.forget();
    session.login("acme", stage.acme.password()).await?;
    match log.tokens(200) {
        0 => Err(Cannot::Failed("the right password got no token of the registry".to_owned())),
        _ => Ok(String::new()),
    }
}

/// Pushes `bytes` to `team-a/web:1`, and sees them there.
async fn pushed(session: &dyn Session, stage: &Stage, bytes: usize) -> Done<Held> {
    let content = Layout::image(bytes).await;
    session.push(&content, &stage.reference("team-a/web:1")).await?;
    let held = stage.reads("team-a/web", "1").await?;
    if held.bytes < bytes as u64 {
        let failure = format!("{bytes} bytes were pushed, and the registry holds {}", held.bytes);
        return Err(Cannot::Failed(failure));
    }
    Ok(held)
}

async fn push(client: &dyn Client, stage: &Stage) -> Done<String> {
    let session = session(client, stage, &stage.acme).await?;
    pushed(session.as_ref(), stage, SMALL_BYTES).await?;
    Ok(session.manner().to_owned())
}

async fn pull(client: &dyn Client, stage: &Stage, log: &ServerLog) -> Done<String> {
    let held = pushed(session(client, stage, &stage.acme).await?.as_ref(), stage, SMALL_BYTES).await?;
    pulled(session(client, stage, &stage.acme).await?.as_ref(), stage, log, &held).await?;
    Ok(String::new())
}

/// Both ways.
async fn big_layer(client: &dyn Client, stage: &Stage, log: &ServerLog) -> Done<String> {
    let pusher = session(client, stage, &stage.acme).await?;
    let held = pushed(pusher.as_ref(), stage, BIG_BYTES).await?;
    pulled(session(client, stage, &stage.acme).await?.as_ref(), stage, log, &held).await?;
    Ok(pusher.manner().to_owned())
}

/// Pulls `team-a/web:1`, and sees that this brings its layers from the registry. (Of its manifest there is nothing to
/// see: docker's older engine keeps that of an image which it has forgotten, and asks whether it is still the tag's.)
async fn pulled(session: &dyn Session, stage: &Stage, log: &ServerLog, held: &Held) -> Done {
    log.forget();
    same(session.pull(&stage.reference("team-a/web:1")).await?, &held.digest)?;
    gave_layers(log, held)
}

/// Sees that the registry gave each layer.
fn gave_layers(log: &ServerLog, held: &Held) -> Done {
    let lacks = |layer: &&String| !log.gave(&format!("/v2/team-a/web/blobs/{layer}"));
    match held.layers.iter().find(lacks) {
        Some(layer) => Err(Cannot::Failed(format!("it did not get the layer {layer} from the registry"))),
        None if held.layers.is_empty() => Err(Cannot::Failed("there is no layer to pull".to_owned())),
        None => Ok(()),
    }
}

/// Sees that the registry gave the manifest, by its digest or by this tag.
fn gave_manifest(log: &ServerLog, held: &Held, tag: &str) -> Done {
    let given = |name: &str| log.gave(&format!("/v2/team-a/web/manifests/{name}"));
    if given(tag) || given(&held.digest) {
        return Ok(());
    }
    Err(Cannot::Failed(format!("it did not get the manifest {} from the registry", held.digest)))
}

/// Pulls `team-a/web:1`, and sees that the registry is asked and refuses.
async fn refused_to_pull(session: &dyn Session, stage: &Stage, log: &ServerLog, what: &str) -> Done {
    log.forget();
    refused(session.pull(&stage.reference("team-a/web:1")).await, what)?;
    let answers = |status| {
        ["GET", "HEAD"]
            .map(|method| log.count(method, "/v2/team-a/web/manifests/", status))
            .iter()
            .sum::<usize>()
    };
    match (answers(200), answers(404)) {
        (0, 1..) => Ok(()),
        (0, 0) => Err(Cannot::Failed(format!("{what} never asked the registry for the manifest"))),
        _ => Err(Cannot::Failed(format!("{what} was given the manifest"))),
    }
}

async fn index(client: &dyn Client, stage: &Stage, log: &ServerLog) -> Done<String> {
    let content = Layout::index().await;
    let reference = stage.reference("team-a/web:1");
    let pusher = session(client, stage, &stage.acme).await?;
    pusher.push_index(&content, &reference).await?;
    let held = stage.reads("team-a/web", "1").await?;
    if held.children.len() != 2 {
        let failure = format!("an index of two was pushed, and one of {} is there", held.children.len());
        return Err(Cannot::Failed(failure));
    }
    let another = session(client, stage, &stage.acme).await?;
    log.forget();
    same(another.pull_index(&reference).await?, &held.digest)?;
    gave_manifest(log, &held, "1")?;
    // One platform is enough.
    let gave = |child| gave_manifest(log, child, &child.digest).and_then(|()| gave_layers(log, child));
    let children: Vec<_> = held.children.iter().map(gave).collect();
    if children.iter().all(Result::is_err) {
        return Err(Cannot::Failed(format!("it got no image of the index from the registry: {children:?}")));
    }
    Ok(pusher.manner().to_owned())
}

async fn tags(client: &dyn Client, stage: &Stage) -> Done<String> {
    let image = layout::unpackable().await;
    let expected = ["1.0", "1.1", "latest"];
    for tag in expected {
        stage.holds("team-a/web", tag, &image).await;
    }
    let mut tags = session(client, stage, &stage.acme).await?.tags(&stage.reference("team-a/web")).await?;
    tags.sort_unstable();
    if tags == expected { Ok(String::new()) } else { Err(Cannot::Failed(format!("it lists {tags:?}"))) }
}

async fn delete(client: &dyn Client, stage: &Stage) -> Done<String> {
    stage.holds("team-a/web", "1", &Image::small()).await;
    stage.holds("team-a/web", "2", &Image::small()).await;
    let session = session(client, stage, &stage.acme).await?;
    session.delete(&stage.reference("team-a/web:1")).await?;
    stage.reads("team-a/web", "2").await?;
    let left = stage.reads("team-a/web", "1").await.map(|held| held.digest);
    refused(left, "a pull of what was deleted")?;
    Ok(session.manner().to_owned())
}

async fn copy(client: &dyn Client, stage: &Stage, log: &ServerLog) -> Done<String> {
    let session = session(client, stage, &stage.acme).await?;
    let held = pushed(session.as_ref(), stage, SMALL_BYTES).await?;
    log.forget();
    session.copy(&stage.reference("team-a/web:1"), &stage.reference("team-b/copy:1")).await?;
    let copied = stage.reads("team-b/copy", "1").await?;
    same(Some(copied.digest), &held.digest)?;
    let uploads = "/v2/team-b/copy/blobs/uploads/";
    let carried = log.count("PUT", uploads, 201);
    let how = match log.count("POST", uploads, 201) {
        0 => "uploaded again",
        _ if carried == 0 => "mounted",
        _ => "mounted in part",
    };
    Ok(how.to_owned())
}

async fn artifact(client: &dyn Client, stage: &Stage) -> Done<String> {
    let session = session(client, stage, &stage.acme).await?;
    let held = pushed(session.as_ref(), stage, SMALL_BYTES).await?;
    let reference = stage.reference("team-a/web:1");
    session.attach(&reference).await?;
    let path = format!("/v2/team-a/web/referrers/{}", held.digest);
    let index = stage.acme.get(&path).send().await.expect(200).json();
    let mut found: Vec<&str> =
        index["manifests"].as_array().into_iter().flatten().filter_map(|it| it["digest"].as_str()).collect();
    if found.len() != session.artifacts() {
        let expected = session.artifacts();
        return Err(Cannot::Failed(format!("{expected} shall refer to it, and the registry lists {index}")));
    }
    for referrer in &found {
        stage.reads("team-a/web", referrer).await?;
    }
    found.sort_unstable();
    let mut listed = session.referrers(&reference).await;
    if let Ok(listed) = &mut listed {
        listed.sort_unstable();
    }
    match listed {
        Ok(listed) if listed == found => Ok(session.manner().to_owned()),
        Ok(listed) => Err(Cannot::Failed(format!("{found:?} refer to it, and it lists {listed:?}"))),
        Err(Cannot::NotOffered(_)) => {
            let how = ["attaches, lists none", session.manner()];
            Ok(how.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", "))
        }
        Err(failed) => Err(failed),
    }
}

/// Before the share, during it, after its deadline; during another, and after its revocation: with one sign-in.
async fn share(client: &dyn Client, stage: &Stage, log: &ServerLog) -> Done<String> {
    let held = pushed(session(client, stage, &stage.acme).await?.as_ref(), stage, SMALL_BYTES).await?;
    let globex = session(client, stage, &stage.globex).await?;
    refused_to_pull(globex.as_ref(), stage, log, "the sharee's pull before the share").await?;

    stage.acme.shares("team-a/web", "globex", stage.in_seconds(60)).await;
    pulled(globex.as_ref(), stage, log, &held).await?;
    stage.server.clock().pass(60);
    refused_to_pull(globex.as_ref(), stage, log, "the sharee's pull after the deadline").await?;

    stage
        .acme
        .tries_to_share("team-a/web", &json!({ "account": "globex", "permanent": true }))
        .await
        .expect(201);
    pulled(globex.as_ref(), stage, log, &held).await?;
    stage.acme.revokes("team-a/web", "globex").await;
    refused_to_pull(globex.as_ref(), stage, log, "the sharee's pull after the revocation").await?;
    Ok(String::new())
}

fn same(found: Option<String>, digest: &str) -> Done {
    match found {
        Some(found) if found != digest => Err(Cannot::Failed(format!("it has {found}, and not {digest}"))),
        _ => Ok(()),
    }
}

fn refused<T: std::fmt::Debug>(result: Done<T>, what: &str) -> Done {
    match result {
        Ok(value) => Err(Cannot::Failed(format!("{what} was not refused: {value:?}"))),
        Err(Cannot::Failed(_)) => Ok(()),
        Err(cannot) => Err(cannot),
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}
