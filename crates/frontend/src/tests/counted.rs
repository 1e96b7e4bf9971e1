//! What is pulled under a share is counted for its owner: as it is sent, and nothing else.

use auth::{AccountName, ShareUse, UsageOfDay, UsageWanted};
use http::Method;
use kv::UsedFrom;
use oci::RepositoryName;

use super::app::{TestApp, principal, sha256};
use crate::Clock;

const LAYER: &[u8] = b"a shared layer";

async fn usage(app: &TestApp) -> (ShareUse, Vec<UsageOfDay>) {
    let now = app.clock.now();
    app.auth.flush(now).await.unwrap();
    let acme = principal(&app.auth, "acme", now).await;
    let (name, globex) =
        (RepositoryName::parse("team-a/web").unwrap(), AccountName::parse("globex").unwrap());
    let wanted = UsageWanted { from: None, to: None, after: None, limit: 100 };
    app.auth.share_usage(&acme, &name, &globex, wanted, now).await.unwrap()
}

#[tokio::test]
async fn a_pull_is_the_get_of_a_manifest_and_its_bytes_are_those_that_were_sent() {
    let app = TestApp::start().await;
    let manifest = app.push_image("acme", "team-a/web", "v1", LAYER).await;
    app.share("team-a/web", None).await;
    let (by_tag, blob) =
        ("/v2/team-a/web/manifests/v1".to_owned(), format!("/v2/team-a/web/blobs/{}", sha256(LAYER)));
    for path in [&by_tag, &blob] {
        app.by("globex", Method::HEAD, path).send().await.unwrap();
    }
    app.get("globex", "/v2/team-a/web/tags/list").await.text().await.unwrap();
    app.get("globex", "/v2/team-a/web/manifests/none").await.text().await.unwrap();
    assert_eq!(usage(&app).await.0, ShareUse::default(), "a look is no pull");

    app.get("globex", &by_tag).await.text().await.unwrap();
    let (used, days) = usage(&app).await;
    assert_eq!((used.pulls, used.bytes), (1, manifest.len() as u64));
    assert_eq!(days[0].from, UsedFrom::Address("127.0.0.1".parse().unwrap()));
    assert_eq!(days[0].login.as_deref(), Some("globex"));

    let token = app.token("globex", "repository:team-a/web:pull").await;
    app.anonymous(Method::GET, &by_tag).bearer_auth(token).send().await.unwrap().text().await.unwrap();
    app.get("globex", &blob).await.bytes().await.unwrap();
    let part = app.by("globex", Method::GET, &blob).header("range", "bytes=2-5").send().await.unwrap();
    assert_eq!(part.bytes().await.unwrap().len(), 4);
    let known = format!("\"{}\"", sha256(manifest.as_bytes()));
    let unchanged =
        app.by("globex", Method::GET, &by_tag).header("if-none-match", known).send().await.unwrap();
    assert_eq!(unchanged.status(), 304);
    app.get("acme", &by_tag).await.text().await.unwrap();
    let (used, days) = usage(&app).await;
    let sent = 2 * manifest.len() + LAYER.len() + 4;
    assert_eq!((used.pulls, used.bytes, days.len()), (3, sent as u64, 1));
}

#[tokio::test]
async fn of_a_transfer_that_is_broken_off_what_was_sent_is_counted() {
    let app = TestApp::start().await;
    let layer = vec![7; 64 << 20];
    app.push_image("acme", "team-a/web", "v1", &layer).await;
    app.share("team-a/web", None).await;
    let mut answer = app.get("globex", &format!("/v2/team-a/web/blobs/{}", sha256(&layer))).await;
    let mut read = 0;
    while read < 4 << 20 {
        read += answer.chunk().await.unwrap().unwrap().len();
    }
    let counted_meanwhile = usage(&app).await.0.bytes;
    assert!(counted_meanwhile >= 3 << 20, "{counted_meanwhile}: as it flows, not at the end");
    drop(answer);
    let mut last = 0;
    for _ in 0..600 {
        let bytes = usage(&app).await.0.bytes;
        if bytes == last && bytes >= read as u64 {
            break;
        }
        last = bytes;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(last >= read as u64 && last < layer.len() as u64, "{last} of {}", layer.len());
}
