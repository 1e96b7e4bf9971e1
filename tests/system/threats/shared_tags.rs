//! A share that is narrowed to tags opens those, with what they reach, and nothing else of the repository.

use serde_json::json;
use tests::{Answer, Image, Person, TestServer};

const WEB: &str = "team-a/web";

/// acme with `v1.0`, its signature and the hidden `v2.0` in `team-a/web`, of which globex has `v1.*`.
struct Stage {
    acme: Person,
    globex: Person,
    shown: Image,
    signature: Image,
    hidden: Image,
    _server: TestServer,
}

impl Stage {
    async fn set() -> Stage {
        let server = TestServer::start().await;
        let acme = server.owner("acme", "team-a").await;
        let globex = server.owner("globex", "team-g").await;
        let (shown, hidden) = (Image::small(), Image::small());
        acme.pushes(WEB, "v1.0", &shown).await;
        acme.pushes(WEB, "v2.0", &hidden).await;
        let signature = shown.referring_to(&shown, "application/vnd.example.signature");
        acme.puts_manifest(WEB, &signature.digest, &signature).await.expect(201);
        let share = json!({ "account": "globex", "permanent": true, "tags": ["v1.*"] });
        acme.tries_to_share(WEB, &share).await.expect(201);
        Stage { acme, globex, shown, signature, hidden, _server: server }
    }

    async fn reads(&self, path: &str) -> Answer {
        self.globex.get(&format!("/v2/{WEB}/{path}")).send().await
    }

    /// What is hidden is answered as what is missing, to the byte.
    async fn is_hidden(&self, kind: &str, hidden: &str, missing: &str) {
        for by_token in [false, true] {
            let token = self.globex.token(&[&format!("repository:{WEB}:pull")]).await;
            let mut answers = Vec::new();
            for reference in [hidden, missing] {
                let request = self.globex.get(&format!("/v2/{WEB}/{kind}/{reference}"));
                let request = if by_token { request.bearer(&token) } else { request };
                let answer = request.send().await.expect(404);
                answers.push(String::from_utf8_lossy(&answer.body).replace(reference, "…"));
                self.globex.head(&format!("/v2/{WEB}/{kind}/{reference}")).send().await.expect(404);
            }
            assert_eq!(answers[0], answers[1], "{kind} {hidden}");
        }
    }
}

#[tokio::test]
async fn what_matches_is_pulled_by_tag_digest_blob_and_referrer_and_the_rest_is_missing() {
    let stage = Stage::set().await;
    stage.globex.pulls(WEB, "v1.0", &stage.shown).await;
    stage.globex.pulls(WEB, &stage.shown.digest, &stage.shown).await;
    stage.globex.pulls(WEB, &stage.signature.digest, &stage.signature).await;
    let referrers = stage.reads(&format!("referrers/{}", stage.shown.digest)).await.expect(200).json();
    assert_eq!(referrers["manifests"][0]["digest"], json!(stage.signature.digest));
    let range = stage.globex.get(&format!("/v2/{WEB}/blobs/{}", stage.shown.layers[0].digest));
    range.header("range", "bytes=0-9").send().await.expect(206);

    let missing = format!("sha256:{}", "a".repeat(64));
    stage.is_hidden("manifests", "v2.0", "v3.0").await;
    stage.is_hidden("manifests", &stage.hidden.digest, &missing).await;
    stage.is_hidden("blobs", &stage.hidden.layers[0].digest, &missing).await;
    let tags = stage.reads("tags/list?n=1").await.expect(200);
    assert_eq!(tags.json()["tags"], json!(["v1.0"]));
    assert!(!tags.headers.contains_key("link"), "nothing follows that is shown");
    let none = stage.reads(&format!("referrers/{}", stage.hidden.digest)).await.expect(200).json();
    assert_eq!(none["manifests"], json!([]));
    let mount = |digest: &str| format!("/v2/team-g/copy/blobs/uploads/?mount={digest}&from={WEB}");
    stage.globex.post(&mount(&stage.hidden.layers[0].digest)).send().await.expect(202);
    stage.globex.post(&mount(&stage.shown.layers[0].digest)).send().await.expect(201);
}

#[tokio::test]
async fn a_tag_that_moves_closes_its_old_digest_on_the_next_request() {
    let stage = Stage::set().await;
    let next = Image::small();
    stage.acme.pushes(WEB, "v1.0", &next).await;
    stage.globex.pulls(WEB, "v1.0", &next).await;
    stage.globex.tries_to_pull(WEB, &stage.shown.digest).await.expect(404);
    stage.globex.tries_to_pull(WEB, &stage.signature.digest).await.expect(404);
    stage.reads(&format!("blobs/{}", stage.shown.layers[0].digest)).await.expect(404);
    stage.acme.pulls(WEB, &stage.shown.digest, &stage.shown).await;
    stage.acme.delete(&format!("/v2/{WEB}/manifests/v1.0")).send().await.expect(202);
    stage.globex.tries_to_pull(WEB, &next.digest).await.expect(404);
    assert_eq!(stage.reads("tags/list").await.expect(200).json()["tags"], json!([]));
}
