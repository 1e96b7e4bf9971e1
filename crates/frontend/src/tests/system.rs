//! How the server does, as administrators see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use auth::{Auth, Keys, PasswordCost, Secret};
use http::Method;
use jiff::Timestamp;
use kv::memory::Memory;
use kv::{Batch, Direction, Engine, Entry, Error, KeyList, Outcome, Range, Region, Store};
use serde_json::{Value, json};
use storage::files::Files;
use storage::{Places, Storage};

use super::app::{TestApp, password_of, refusal};
use super::browser::Browser;
use crate::types::{
    FilesHealth, MetadataHealth, Removed, System, Upkeep, UpkeepChore, UpkeepFailure, UpkeepHealth,
    UpkeepRound,
};
use crate::{App, Clock, Process, Settings, system};

const PAGE: &str = "/console/system";
const START: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn at(seconds: i64) -> Timestamp {
    START + jiff::SignedDuration::from_secs(seconds)
}

/// A round that removed something, and could not do one of its chores.
fn told(failures: Vec<UpkeepFailure>) -> Upkeep {
    let removed = Removed { blobs: 3, bytes: 2048, uploads: 1, repositories: 2 };
    Upkeep {
        running_since: None,
        next_at: Some(at(125)),
        last_failure: failures.last().cloned(),
        last_round: Some(UpkeepRound { began_at: at(30), ended_at: at(95), removed, failures }),
        removed_since_start: Removed { blobs: 70, ..removed },
    }
}

fn failure() -> UpkeepFailure {
    UpkeepFailure { at: at(60), chore: UpkeepChore::Collect, reason: "the <disk> is slow".to_owned() }
}

async fn report(app: &TestApp) -> Value {
    let answer = app.get("admin", "/api/v1/system").await;
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn an_administrator_is_told_and_nobody_else() {
    let app = TestApp::start().await;
    let fresh = report(&app).await;
    assert_eq!(fresh["version"], "1.2.3");
    assert_eq!(fresh["region"], "test");
    assert_eq!((&fresh["started_at"], &fresh["uptime_seconds"]), (&json!("2027-01-15T08:00:00Z"), &json!(0)));
    assert_eq!(fresh["health"], json!({"metadata": "ok", "files": "ok", "upkeep": "ok"}));
    assert_eq!(fresh["upkeep"]["last_round"], Value::Null);
    assert_eq!(fresh["upkeep"]["last_failure"], Value::Null);
    let disk = &fresh["storage"];
    assert!(disk["free_bytes"].as_u64() <= disk["total_bytes"].as_u64(), "{disk}");
    assert_eq!(
        (&disk["reserve_bytes"], &disk["blobs"], &disk["blob_bytes"]),
        (&json!(0), &json!(0), &json!(0))
    );

    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.push_image("globex", "globex/web", "v1", b"layer").await;
    let loose = app.push_blob("acme", "team-a/web", b"loose").await;
    let path = format!("/v2/team-a/web/blobs/{loose}");
    assert_eq!(app.by("acme", Method::DELETE, &path).send().await.unwrap().status(), 202);
    app.clock.advance(90);
    app.upkeep.send(told(vec![failure()])).unwrap();
    let later = report(&app).await;
    assert_eq!(later["uptime_seconds"], 90);
    assert_eq!((&later["storage"]["blobs"], &later["storage"]["blob_bytes"]), (&json!(3), &json!(12)));
    assert!(later["storage"]["candidates"].as_u64() > Some(0), "{later}");
    assert_eq!(later["health"]["upkeep"], "failed");
    assert_eq!(later["upkeep"], serde_json::to_value(told(vec![failure()])).unwrap());

    for login in ["acme", "dev@acme", "globex"] {
        assert_eq!(refusal(app.get(login, "/api/v1/system").await).await.0, 403, "{login}");
    }
    assert_eq!(app.anonymous(Method::GET, "/api/v1/system").send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn its_page_says_it_in_both_languages() {
    let app = TestApp::start().await;
    let admin = Browser::of(&app, "admin").await;
    admin.opens(PAGE).await.is(200).says(&["1.2.3", "2027-01-15 08:00 +00:00", "0 s", "none yet", "never"]);
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.clock.advance(2 * 24 * 3600 + 3 * 3600);
    app.upkeep.send(told(vec![failure()])).unwrap();
    // The session has ended since.
    let mut admin = Browser::of(&app, "admin").await;
    let page = admin.opens(PAGE).await;
    page.is(200).says(&[
        "<h1>System</h1>",
        "2 d 3 h",
        "Available",
        "Can be written",
        "Failed in part",
        "7 B",
    ]);
    page.says(&["Remove blobs that nothing needs: failed. It is tried again", "0 h 1 min"]);
    page.says(&["<code lang=\"en\">the &lt;disk&gt; is slow</code>"]);
    page.says(&["2.0 KiB", ">70<", "2027-01-15 08:02 +00:00"]);
    page.says(&["href=\"/console/system\" aria-current=\"page\""]);
    admin.language = "zh-CN";
    let page = admin.opens(PAGE).await;
    page.is(200).says(&[
        "<h1>系统状态</h1>",
        "2 天 3 小时",
        "可写入",
        "部分失败",
        "删除不再需要的镜像层：失败",
        "<code lang=\"en\">the &lt;disk&gt; is slow</code>",
        ">70<",
    ]);
    app.upkeep.send(told(Vec::new())).unwrap();
    admin.language = "en";
    admin.opens(PAGE).await.says(&["Works", "never"]).says_nothing_of(&["Failed in part", "tried again"]);
    app.upkeep.send(Upkeep { running_since: Some(at(130)), next_at: None, ..told(Vec::new()) }).unwrap();
    admin.opens(PAGE).await.says(&["A round goes on since"]).says_nothing_of(&["Next round"]);
}

/// A store that stops answering.
#[derive(Default)]
struct Mute(Memory, AtomicBool);

impl Mute {
    fn answers(&self) -> Result<&Memory, Error> {
        if self.1.load(Ordering::SeqCst) { Err(Error::Engine("told to fail".into())) } else { Ok(&self.0) }
    }
}

#[async_trait]
impl Engine for Mute {
    async fn get(&self, key: &[u8]) -> Result<Option<Entry>, Error> {
        self.answers()?.get(key).await
    }

    async fn get_many(&self, keys: &KeyList) -> Result<Vec<Option<Entry>>, Error> {
        self.answers()?.get_many(keys).await
    }

    async fn scan(
        &self,
        range: Range,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        self.answers()?.scan(range, limit, direction).await
    }

    async fn commit(&self, batch: Batch) -> Result<Outcome, Error> {
        self.answers()?.commit(batch).await
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        START
    }
}

/// What the administrator is told of a server whose bytes lie at `places`, and whose metadata answers or not.
async fn told_of(places: Arc<dyn Places>, free_bytes_min: u64, answers: bool) -> System {
    let engine = Arc::new(Mute::default());
    let store = Store::open(engine.clone(), Region::parse("test").unwrap()).await.unwrap();
    let password_hash = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
    let rules = auth::Settings { password_hash, ..auth::Settings::default() };
    let auth = Auth::new(store.clone(), Keys::ephemeral().unwrap(), rules);
    auth.bootstrap(|| Secret::new(password_of("admin")), START).await.unwrap();
    let admin = super::app::principal(&auth, "admin", START).await;
    let storage =
        Storage::new(store, places, storage::Settings { free_bytes_min, ..storage::Settings::default() });
    let (process, upkeep) = Process::of_test(START);
    let app = App { auth, storage, clock: Arc::new(Still), settings: Arc::new(Settings::default()), process };
    drop(upkeep);
    engine.1.store(!answers, Ordering::SeqCst);
    system::report(&app, &admin, START).await.unwrap()
}

#[tokio::test]
async fn a_part_that_fails_is_told_of_and_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let files = Arc::new(Files::open(folder.path()).unwrap());
    let mute = told_of(files.clone(), 0, false).await;
    assert_eq!((mute.health.metadata, mute.health.files), (MetadataHealth::Failed, FilesHealth::Ok));
    assert_eq!((mute.storage.blobs, mute.storage.blob_bytes, mute.storage.candidates), (None, None, None));
    assert!(mute.storage.free_bytes.is_some());
    assert_eq!(mute.health.upkeep, UpkeepHealth::Stopped, "nobody tells of it any more");

    let full = told_of(files.clone(), u64::MAX, true).await;
    assert_eq!((full.health.metadata, full.health.files), (MetadataHealth::Ok, FilesHealth::Full));
    assert_eq!(full.storage.blobs, Some(0));
    drop(folder);
    let gone = told_of(files, 0, true).await;
    assert_eq!((gone.health.files, gone.storage.free_bytes), (FilesHealth::Failed, None));
    let unbounded = told_of(Arc::new(storage::memory::Memory::new()), u64::MAX, true).await;
    assert_eq!((unbounded.health.files, unbounded.storage.total_bytes), (FilesHealth::Ok, None));
}
