//! Challenges and refusals on `/v2/`.

use std::time::Duration;

use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc;
use http::Method;
use reqwest::Body;
use serde_json::json;
use tests::{Answer, Blob, MANIFEST, Person, with_digest};

use super::{MANIFEST_OF_WEB, Stage, UPLOADS_TO_WEB, WEB, blob_of_web, image};

#[tokio::test]
async fn authentication_01_the_ping_is_a_401_with_a_challenge_even_when_public_repositories_exist() {
    let mut stage = Stage::with_image().await;
    stage.acme.makes(WEB, "public").await.expect(200);
    let nobody = stage.server.stranger();
    for path in ["/v2/", "/v2"] {
        let ping = stage.hears(nobody.get(path)).await.expect(401);
        assert_eq!(ping.header("www-authenticate"), stage.challenge(""));
    }
    // Anybody gets a token for it, and the ping takes that for credentials.
    let asked = nobody.get("/auth/token?scope=repository:team-a/web:pull&service=gangplank");
    let token = stage.hears(asked).await.expect(200).token();
    stage.hears(nobody.get(MANIFEST_OF_WEB).bearer(&token)).await.expect(200);
    nobody.get("/v2/").bearer(&token).send().await.expect(200);
    stage.hears(stage.acme.get("/v2/")).await.expect(200);
    insta::assert_snapshot!(stage.said.text());
}

/// skopeo, podman and buildah ask once, at `/v2/`, and use that challenge for every repository.
#[tokio::test]
async fn authentication_02_the_pings_challenge_alone_leads_to_a_token_for_any_repository() {
    let mut stage = Stage::with_image().await;
    let ping = stage.hears(stage.server.stranger().get("/v2/")).await.expect(401);
    let (realm, service) = (ping.challenge("realm").expect("a realm"), ping.challenge("service"));
    let scopes = "scope=repository:team-a/web:pull,push&scope=repository:team-a/new:pull,push";
    let url = format!("{realm}?account=acme&{scopes}&service={}", service.expect("a service"));
    let answer = stage.hears(stage.acme.get(&url)).await.expect(200);
    let token = answer.token();
    stage.hears(stage.acme.get(MANIFEST_OF_WEB).bearer(&token)).await.expect(200);
    stage.hears(stage.acme.post("/v2/team-a/new/blobs/uploads/").bearer(&token)).await.expect(202);
    // What a failing request says of realm and service is the same.
    let refused = stage.server.stranger().get(MANIFEST_OF_WEB).send().await.expect(401);
    assert_eq!((refused.challenge("realm"), refused.challenge("service")), (Some(realm), service));
    insta::assert_snapshot!(stage.said.text());
}

/// Without `error=` containerd sends its cached token again.
#[tokio::test]
async fn authentication_03_an_expired_token_and_too_little_scope_are_told_apart_with_the_full_scope_list() {
    let mut stage = Stage::with_image().await;
    let acme = stage.acme.clone();
    let token = acme.token(&["repository:team-a/web:pull"]).await;
    stage.hears(acme.get(MANIFEST_OF_WEB).bearer(&token)).await.expect(200);

    let narrow = stage.hears(acme.post(UPLOADS_TO_WEB).bearer(&token)).await.refused(401, "UNAUTHORIZED");
    let wanted = ",scope=\"repository:team-a/web:pull,push\",error=\"insufficient_scope\"";
    assert_eq!(narrow.header("www-authenticate"), stage.challenge(wanted));
    let mount = format!("/v2/team-a/new/blobs/uploads/?mount={}&from={WEB}", image().layers[0].digest);
    let narrow = stage.hears(acme.post(&mount).bearer(&token)).await.refused(401, "UNAUTHORIZED");
    let wanted = "repository:team-a/new:pull,push repository:team-a/web:pull";
    let wanted = format!(",scope=\"{wanted}\",error=\"insufficient_scope\"");
    assert_eq!(narrow.header("www-authenticate"), stage.challenge(&wanted));

    stage.server.clock().pass(300);
    stage.said.remark("the token expires");
    let late = stage.hears(acme.get(MANIFEST_OF_WEB).bearer(&token)).await.refused(401, "UNAUTHORIZED");
    let wanted = ",scope=\"repository:team-a/web:pull\",error=\"invalid_token\"";
    assert_eq!(late.header("www-authenticate"), stage.challenge(wanted));
    insta::assert_snapshot!(stage.said.text());
}

/// A Basic challenge after a rejected token makes containerd loop (containerd#8350).
#[tokio::test]
async fn authentication_04_what_is_rejected_is_answered_with_a_bearer_challenge_and_never_with_a_basic_one() {
    let mut stage = Stage::with_image().await;
    let dev = stage.acme.creates_user("dev").await;
    stage.acme.permits("dev", "edit", WEB).await;
    let expired = dev.token(&["repository:team-a/web:pull"]).await;
    stage.server.clock().pass(300);
    let outdated = dev.token(&["repository:team-a/web:pull"]).await;
    let password = json!({ "password": "another-password" });
    stage.acme.patch("/api/v1/accounts/acme/users/dev").json(&password).send().await.expect(200);
    let refresh = stage.acme.refresh_token().await;
    let personal = stage.acme.creates_token(3600, None).await;
    let nobody = stage.server.stranger();
    let blob = blob_of_web(&image().layers[0].digest);
    for token in ["abc.def.ghi", &expired, &outdated, &refresh, &personal] {
        for path in ["/v2/", MANIFEST_OF_WEB, &blob, "/v2/_catalog", "/v2/team-a/web/tags/list"] {
            let answer = nobody.get(path).bearer(token).send().await.expect(401);
            assert!(answer.header("www-authenticate").starts_with("Bearer realm="), "{answer:?}");
            assert_eq!(answer.challenge("error"), Some("invalid_token"), "{answer:?}");
            assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1, "{answer:?}");
        }
    }
    stage.hears(nobody.get(MANIFEST_OF_WEB).bearer("abc.def.ghi")).await.expect(401);
    stage.hears(nobody.post(UPLOADS_TO_WEB).bearer(&outdated)).await.expect(401);
    // So is a wrong password, and what is neither.
    let wrong = stage.hears(stage.server.person("acme", "wrong").get("/v2/")).await.expect(401);
    assert_eq!(wrong.header("www-authenticate"), stage.challenge(""));
    let odd = stage.hears(nobody.get("/v2/").header("authorization", "Digest username=\"acme\"")).await;
    assert_eq!(odd.expect(401).header("www-authenticate"), stage.challenge(""));
    insta::assert_snapshot!(stage.said.text());
}

/// go-containerregistry rejects a realm on another private address.
#[tokio::test]
async fn authentication_09_realm_and_locations_stay_on_the_host_and_port_that_the_client_used() {
    let mut stage = Stage::with_image().await;
    let nobody = stage.server.stranger();
    let forwarded = [("x-forwarded-proto", "https"), ("x-forwarded-host", "registry.example.org")];
    for host in ["registry.example.com:5000", "localhost:5000", "10.1.2.3", "[::1]:5000"] {
        let ping = stage.hears(nobody.get("/v2/").header("host", host)).await.expect(401);
        assert_eq!(ping.challenge("realm"), Some(&*format!("http://{host}/auth/token")));
        let begun = stage.acme.post(UPLOADS_TO_WEB).header("host", host).send().await.expect(202);
        assert!(begun.header("location").starts_with(UPLOADS_TO_WEB), "relative, so on that host: {begun:?}");
    }
    let told =
        |request: tests::Request| forwarded.iter().fold(request, |it, (name, value)| it.header(name, value));
    let ping = stage.hears(told(nobody.get("/v2/"))).await.expect(401);
    assert_eq!(ping.header("www-authenticate"), stage.challenge(""), "not everybody is a proxy");

    let proxied = Stage::set_with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    });
    let mut proxied = proxied.await;
    let nobody = proxied.server.stranger();
    let ping = proxied.hears(told(nobody.get("/v2/"))).await.expect(401);
    assert_eq!(ping.challenge("realm"), Some("https://registry.example.org/auth/token"));
    let begun = proxied.hears(told(proxied.acme.post(UPLOADS_TO_WEB))).await.expect(202);
    assert!(begun.header("location").starts_with(UPLOADS_TO_WEB), "{begun:?}");
    let said = format!("{}\n\n(behind a trusted proxy)\n\n{}", stage.said.text(), proxied.said.text());
    insta::assert_snapshot!(said);
}

/// Every route of a repository, as `(method, path, whether it writes)`.
fn routes(repository: &str, upload: &str) -> Vec<(Method, String, bool)> {
    let image = image();
    let (blob, at) = (&image.layers[0].digest, format!("/v2/{repository}"));
    let read = |method: Method, path: String| (method, path, false);
    let write = |method: Method, path: String| (method, path, true);
    vec![
        read(Method::GET, format!("{at}/blobs/{blob}")),
        read(Method::HEAD, format!("{at}/blobs/{blob}")),
        read(Method::GET, format!("{at}/manifests/1")),
        read(Method::HEAD, format!("{at}/manifests/{}", image.digest)),
        read(Method::GET, format!("{at}/tags/list")),
        read(Method::GET, format!("{at}/referrers/{}", image.digest)),
        write(Method::POST, format!("{at}/blobs/uploads/")),
        write(Method::POST, format!("{at}/blobs/uploads/?digest={blob}")),
        write(Method::POST, format!("{at}/blobs/uploads/?mount={blob}")),
        write(Method::GET, format!("{at}/blobs/uploads/{upload}")),
        write(Method::PATCH, format!("{at}/blobs/uploads/{upload}")),
        write(Method::PUT, with_digest(&format!("{at}/blobs/uploads/{upload}"), blob)),
        write(Method::DELETE, format!("{at}/blobs/uploads/{upload}")),
        write(Method::PUT, format!("{at}/manifests/1")),
        write(Method::DELETE, format!("{at}/manifests/1")),
        write(Method::DELETE, format!("{at}/manifests/{}", image.digest)),
        write(Method::DELETE, format!("{at}/blobs/{blob}")),
    ]
}

#[tokio::test]
async fn authentication_11_401_403_and_404_follow_the_live_right_on_every_route() {
    let mut stage = Stage::with_image().await;
    let (acme, globex, nobody) = (stage.acme.clone(), stage.globex.clone(), stage.server.stranger());
    let upload = acme.post(UPLOADS_TO_WEB).send().await.expect(202).header("docker-upload-uuid").to_owned();
    let elsewhere = acme.token(&["repository:team-a/other:pull,push,delete"]).await;
    let anybodys = nobody.token(&["repository:team-a/web:pull"]).await;
    let asks =
        async |who: &Person, token: Option<&str>, (method, path, _): &(Method, String, bool)| -> Answer {
            let request = who.request(method.clone(), path);
            match token {
                Some(token) => request.bearer(token).send().await,
                None => request.send().await,
            }
        };
    for (here, missing) in routes(WEB, &upload).iter().zip(&routes("team-a/none", &upload)) {
        // Nobody, not public: 401, whether it exists or not; with an error when a token came along.
        let (one, other) = (asks(&nobody, None, here).await, asks(&nobody, None, missing).await);
        assert_eq!((one.status, other.status), (401, 401), "{one:?}");
        assert_eq!(one.body, other.body, "{one:?}");
        assert_eq!(
            one.challenge("scope"),
            other.challenge("scope").map(|scope| scope.replace("none", "web")).as_deref()
        );
        assert_eq!(one.challenge("error"), None, "{one:?}");
        let one = asks(&nobody, Some(&anybodys), here).await.expect(401);
        assert_eq!(one.challenge("error"), Some("insufficient_scope"), "{one:?}");
        // The right is held, but not by the token: 401 with what it lacks.
        let one = asks(&acme, Some(&elsewhere), here).await.expect(401);
        assert_eq!(one.challenge("error"), Some("insufficient_scope"), "{one:?}");
        assert!(
            one.challenge("scope").is_some_and(|scope| scope.starts_with("repository:team-a/web:")),
            "{one:?}"
        );
        // Neither: 404, the same bytes for private and for missing.
        for token in [None, Some(globex.token(&["repository:team-a/web:*"]).await)] {
            let one = asks(&globex, token.as_deref(), here).await.expect(404);
            let other = asks(&globex, token.as_deref(), missing).await.expect(404);
            assert_eq!(one.body, other.body, "{one:?}");
        }
    }
    // Visible, but the right is not held: 403.
    acme.shares(WEB, "globex", stage.server.in_seconds(60)).await;
    let token = globex.token(&["repository:team-a/web:*"]).await;
    for route in routes(WEB, &upload).iter().filter(|(.., writes)| *writes) {
        asks(&globex, None, route).await.expect(403);
        asks(&globex, Some(&token), route).await.expect(403);
    }
    stage.hears(nobody.get(MANIFEST_OF_WEB)).await.refused(401, "UNAUTHORIZED");
    stage.hears(acme.get(MANIFEST_OF_WEB).bearer(&elsewhere)).await.refused(401, "UNAUTHORIZED");
    stage.hears(globex.delete(MANIFEST_OF_WEB)).await.refused(403, "DENIED");
    stage.server.clock().pass(60);
    stage.said.remark("the share ends");
    stage.hears(globex.get(MANIFEST_OF_WEB)).await.refused(404, "NAME_UNKNOWN");
    stage.hears(globex.get("/v2/team-a/none/manifests/1")).await.refused(404, "NAME_UNKNOWN");
    acme.pulls(WEB, "1", &image()).await;
    insta::assert_snapshot!(stage.said.text());
}

/// curl, ORAS and scripts send a password, or a personal token in its place, with every request.
#[tokio::test]
async fn authentication_12_basic_credentials_straight_on_v2_push_pull_and_delete() {
    let mut stage = Stage::set().await;
    let (acme, image) = (stage.acme.clone(), image());
    let script = acme.as_other("acme", &acme.creates_token(3600, Some(&["repository:team-a/*:*"])).await);
    stage.hears(script.get("/v2/")).await.expect(200);
    for blob in image.blobs() {
        let begun = stage.hears(script.post(UPLOADS_TO_WEB)).await.expect(202);
        let put = script.put(&with_digest(begun.header("location"), &blob.digest)).body(blob.bytes.clone());
        stage.hears(put).await.expect(201);
    }
    let put = script.put(MANIFEST_OF_WEB).header("content-type", MANIFEST).body(image.manifest.clone());
    stage.hears(put).await.expect(201);
    script.pulls(WEB, "1", &image).await;
    stage.hears(script.delete(MANIFEST_OF_WEB)).await.expect(202);
    insta::assert_snapshot!(stage.said.text());
}

/// moby#33558: what was allowed to begin may end, as long as the right stands.
#[tokio::test]
async fn authentication_12_a_token_that_expires_during_a_long_upload_does_not_fail_the_push() {
    let mut stage = Stage::with_image().await;
    let (acme, layer) = (stage.acme.clone(), Blob::layer("a layer that takes its time".as_bytes()));
    let dev = acme.creates_user("dev").await;
    acme.permits("dev", "edit", WEB).await;
    let token = dev.token(&["repository:team-a/web:pull,push"]).await;
    let begun = stage.hears(dev.post(UPLOADS_TO_WEB).bearer(&token)).await.expect(202);
    let other = dev.post(UPLOADS_TO_WEB).bearer(&token).send().await.expect(202);

    // The body has begun to come when the token expires.
    let (mut sender, body) = mpsc::unbounded::<Result<Bytes, std::io::Error>>();
    let patch = dev.patch(begun.header("location")).bearer(&token).body(Body::wrap_stream(body));
    let patching = tokio::spawn(patch.send());
    sender.send(Ok(layer.bytes.slice(..10))).await.expect("the body is open");
    tokio::time::sleep(Duration::from_millis(200)).await;
    stage.server.clock().pass(3000);
    stage.said.remark("while the body of what follows comes, the token expires");
    sender.send(Ok(layer.bytes.slice(10..20))).await.expect("the body is open");
    drop(sender);
    let patched = patching.await.expect("it ends").expect(202);
    stage.said.note(&patched);
    // So do requests that begin afterwards.
    let patch = dev.patch(patched.header("location")).bearer(&token).body(layer.bytes.slice(20..));
    let patched = stage.hears(patch).await.expect(202);
    let state = stage.hears(dev.get(patched.header("location")).bearer(&token)).await.expect(204);
    let put = dev.put(&with_digest(state.header("location"), &layer.digest)).bearer(&token);
    stage.hears(put).await.expect(201);
    // It opens nothing else,
    let refused = stage.hears(dev.post(UPLOADS_TO_WEB).bearer(&token)).await.expect(401);
    assert_eq!(refused.challenge("error"), Some("invalid_token"));
    dev.get(MANIFEST_OF_WEB).bearer(&token).send().await.expect(401);
    let younger = dev.starts_upload(WEB).await;
    dev.patch(&younger).bearer(&token).body("x").send().await.expect(401);
    // and the right must stand.
    acme.permits("dev", "read", WEB).await;
    stage.said.remark("dev may no longer push");
    stage.hears(dev.patch(other.header("location")).bearer(&token).body("x")).await.expect(403);
    insta::assert_snapshot!(stage.said.text());
}
