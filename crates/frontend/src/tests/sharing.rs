//! A share opens one repository, to pull, until its end, on every path.

use std::collections::BTreeSet;

use http::Method;
use jiff::SignedDuration;

use super::app::{TestApp, header, refusal, sha256};
use crate::{Clock, Settings};

const LAYER: &[u8] = b"a shared layer";

/// Every way to read, with Basic credentials and with a token.
async fn statuses(app: &TestApp, token: &str, manifest: &str) -> Vec<u16> {
    let digest = sha256(manifest.as_bytes());
    let layer = sha256(LAYER);
    let mut statuses = Vec::new();
    for path in [
        "/v2/team-a/web/manifests/v1".to_owned(),
        format!("/v2/team-a/web/manifests/{digest}"),
        format!("/v2/team-a/web/blobs/{layer}"),
        "/v2/team-a/web/tags/list".to_owned(),
        format!("/v2/team-a/web/referrers/{digest}"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let basic =
                app.by("globex", method.clone(), &path).header("range", "bytes=0-0").send().await.unwrap();
            let bearer = app.anonymous(method, &path).bearer_auth(token).send().await.unwrap();
            statuses.extend([basic.status().as_u16(), bearer.status().as_u16()]);
        }
    }
    statuses.dedup();
    statuses
}

#[tokio::test]
async fn until_the_deadline() {
    let app = TestApp::start().await;
    let manifest = app.push_image("acme", "team-a/web", "v1", LAYER).await;
    app.push_image("acme", "team-a/web-x", "v1", LAYER).await;
    let before = app.get("globex", "/v2/team-a/web/manifests/v1").await;
    let missing = app.get("globex", "/v2/team-a/none/manifests/v1").await;
    assert_eq!(
        (before.status(), before.text().await.unwrap()),
        (missing.status(), missing.text().await.unwrap())
    );

    app.share("team-a/web", Some(100)).await;
    let token = app.token("globex", "repository:team-a/web:pull,push").await;
    assert_eq!(statuses(&app, &token, &manifest).await, [200, 206, 200]);
    assert_eq!(app.get("globex", "/v2/team-a/web-x/manifests/v1").await.status(), 404, "a sibling");
    for (method, path) in [
        (Method::POST, "/v2/team-a/web/blobs/uploads/"),
        (Method::PUT, "/v2/team-a/web/manifests/v2"),
        (Method::DELETE, "/v2/team-a/web/manifests/v1"),
        (Method::DELETE, &format!("/v2/team-a/web/blobs/{}", sha256(LAYER))),
    ] {
        let refused = app.by("globex", method, path).send().await.unwrap();
        assert_eq!(refusal(refused).await, (403, "DENIED".to_owned()), "{path}");
    }
    app.clock.advance(99);
    assert_eq!(statuses(&app, &token, &manifest).await, [200, 206, 200]);
    app.clock.advance(1);
    let closed = statuses(&app, &token, &manifest).await;
    assert!(closed.iter().all(|status| matches!(status, 401 | 404)), "{closed:?}");
}

#[tokio::test]
async fn until_it_is_revoked() {
    let app = TestApp::start().await;
    let manifest = app.push_image("acme", "team-a/web", "v1", LAYER).await;
    app.share("team-a/web", None).await;
    let token = app.token("globex", "repository:team-a/web:pull").await;
    assert_eq!(statuses(&app, &token, &manifest).await, [200, 206, 200]);
    app.revoke("team-a/web").await;
    assert_eq!(statuses(&app, &token, &manifest).await, [404]);
}

/// A client that reads slowly, so that the rest of the blob is still to be sent when the share ends.
async fn read_across_the_end(advance: i64) -> Result<usize, reqwest::Error> {
    let app = TestApp::start_with(Settings::default(), storage::Settings::default()).await;
    let layer = vec![7; 64 << 20];
    app.push_image("acme", "team-a/web", "v1", &layer).await;
    app.share("team-a/web", Some(100)).await;
    let mut answer = app.get("globex", &format!("/v2/team-a/web/blobs/{}", sha256(&layer))).await;
    let mut read = answer.chunk().await.unwrap().unwrap().len();
    app.clock.advance(100 + advance);
    while let Some(chunk) = answer.chunk().await? {
        read += chunk.len();
    }
    assert_eq!(read, layer.len());
    Ok(read)
}

#[tokio::test]
async fn a_transfer_that_began_in_time_may_finish() {
    assert!(read_across_the_end(599).await.is_ok());
}

#[tokio::test]
async fn a_transfer_is_cut_some_time_after_the_end() {
    assert!(read_across_the_end(600).await.is_err());
}

#[tokio::test]
async fn who_pulls_is_warned_when_the_share_ends_soon() {
    let app = TestApp::start().await;
    let manifest = app.push_image("acme", "team-a/web", "v1", LAYER).await;
    let (week, digest) = (7 * 24 * 60 * 60, sha256(manifest.as_bytes()));
    app.share("team-a/web", Some(week + 10)).await;
    let manifests = ["/v2/team-a/web/manifests/v1".to_owned(), format!("/v2/team-a/web/manifests/{digest}")];
    let warnings = async |login: &str| {
        let mut warnings = BTreeSet::new();
        for path in &manifests {
            for method in [Method::GET, Method::HEAD] {
                for known in ["\"other\"".to_owned(), format!("\"{digest}\"")] {
                    let request = app.by(login, method.clone(), path).header("if-none-match", known);
                    let answer = request.send().await.unwrap();
                    assert!(matches!(answer.status().as_u16(), 200 | 304));
                    warnings.insert(header(&answer, "warning").to_owned());
                }
            }
        }
        warnings.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(warnings("globex").await, [""], "ten seconds too early");
    app.clock.advance(10);
    let deadline = app.clock.now() + SignedDuration::from_secs(week);
    assert_eq!(
        warnings("globex").await,
        [format!("299 - \"your share of team-a/web by acme ends at {deadline}\"")]
    );
    assert_eq!(warnings("acme").await, [""], "the owner's own pull rests on no share");
    let blob = app.get("globex", &format!("/v2/team-a/web/blobs/{}", sha256(LAYER))).await;
    assert_eq!(header(&blob, "warning"), "", "once for each image is enough");
    app.revoke("team-a/web").await;
    app.share("team-a/web", None).await;
    assert_eq!(warnings("globex").await, [""], "a share without an end");
}
