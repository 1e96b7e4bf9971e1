//! What ends a share ends it on the next request: with whatever was issued before, on every path that reads. One table of
//! endings, one of ways in, one of reads.
//!
//! There are no signed URLs that could outlive a share: blobs lie in files, and every byte is streamed by the server.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tests::{Answer, Image, Person, TestServer};

const WEB: &str = "team-a/web";
const SCOPE: &str = "repository:team-a/web:pull";
const ACCOUNTS: &str = "/api/v1/accounts";

/// How a share ends for all of the sharee's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Revoked,
    DeadlinePassed,
    DeadlineShortened,
    Left,
    OwnerBlocked,
    PublicAndPrivateAgain,
    DeletedAndMadeAnew,
    ShareeDisabled,
    ShareeDeleted,
    OwnerDisabled,
}

/// acme, which shares `team-a/web` with globex: an image and a signature of it.
struct Stage {
    server: TestServer,
    acme: Person,
    globex: Person,
    user: Person,
    image: Image,
}

/// What somebody comes with.
struct Way {
    name: &'static str,
    who: Person,
    /// A token instead of the person's password.
    bearer: Option<String>,
    /// Whether it signs in to the management interface, too.
    manages: bool,
}

/// What globex and its user took while the share was open.
struct Taken {
    ways: Vec<Way>,
    refresh_tokens: Vec<(&'static str, String)>,
    /// Anybody's token.
    anonymous: String,
}

impl Stage {
    async fn set() -> Stage {
        let server = TestServer::start().await;
        let acme = server.owner("acme", "team-a").await;
        let globex = server.owner("globex", "team-g").await;
        let user = globex.creates_user("ci").await;
        let image = Image::small();
        acme.pushes(WEB, "1", &image).await;
        let signature = image.referring_to(&image, "application/vnd.example.signature");
        acme.puts_manifest(WEB, &signature.digest, &signature).await.expect(201);
        Stage { server, acme, globex, user, image }
    }

    /// Every way to read the repository, in its words.
    fn reads(&self) -> Vec<(&'static str, String)> {
        let (manifest, blob) = (&self.image.digest, &self.image.layers[0].digest);
        vec![
            ("GET", format!("/v2/{WEB}/manifests/1")),
            ("HEAD", format!("/v2/{WEB}/manifests/1")),
            ("GET", format!("/v2/{WEB}/manifests/{manifest}")),
            ("HEAD", format!("/v2/{WEB}/manifests/{manifest}")),
            ("KNOWN", format!("/v2/{WEB}/manifests/{manifest}")),
            ("GET", format!("/v2/{WEB}/blobs/{blob}")),
            ("HEAD", format!("/v2/{WEB}/blobs/{blob}")),
            ("RANGE", format!("/v2/{WEB}/blobs/{blob}")),
            ("KNOWN", format!("/v2/{WEB}/blobs/{blob}")),
            ("GET", format!("/v2/{WEB}/tags/list")),
            ("GET", format!("/v2/{WEB}/tags/list?n=1")),
            ("GET", format!("/v2/{WEB}/referrers/{manifest}")),
            ("GET", format!("/v2/{WEB}/referrers/{manifest}?artifactType=application/vnd.example.signature")),
        ]
    }

    /// The same on the management interface, which takes no registry token.
    fn managed_reads() -> [&'static str; 4] {
        [
            "/api/v1/repositories/team-a%2Fweb",
            "/api/v1/repositories/team-a%2Fweb/tags",
            "/api/v1/repositories/team-a%2Fweb/tags/1",
            "/api/v1/repositories/team-a%2Fweb/shares/globex",
        ]
    }

    async fn read(&self, way: &Way, (method, path): &(&'static str, String)) -> Answer {
        let request = match *method {
            "HEAD" => way.who.head(path),
            "RANGE" => way.who.get(path).header("range", "bytes=10-19"),
            "KNOWN" => way.who.get(path).header("if-none-match", "*"),
            _ => way.who.get(path),
        };
        way.sign(request).send().await
    }

    async fn mount(&self, way: &Way, from: &str) -> Answer {
        let blob = &self.image.layers[0].digest;
        way.sign(way.who.post(&format!("/v2/team-g/copy/blobs/uploads/?mount={blob}{from}"))).send().await
    }

    async fn take(&self) -> Taken {
        let (globex, user) = (&self.globex, &self.user);
        let personal = globex.creates_token(86_400, None).await;
        let by_name = |name, who: &Person, manages| Way { name, who: who.clone(), bearer: None, manages };
        let (for_good, for_a_while) = (globex.access_key_login().await, globex.temporary_login().await);
        let ways = vec![
            by_name("password", globex, true),
            by_name("personal token", &globex.as_other("globex", &personal), true),
            by_name("access key's login", &for_good, false),
            by_name("temporary login", &for_a_while, false),
            Way::by_token("access token", globex, globex.token(&[SCOPE]).await),
            Way::by_token("access key's access token", &for_good, for_good.token(&[SCOPE]).await),
            Way::by_token("temporary login's access token", &for_a_while, for_a_while.token(&[SCOPE]).await),
            by_name("user's password", user, true),
            Way::by_token("user's access token", user, user.token(&[SCOPE]).await),
        ];
        let refresh_tokens = vec![
            ("refresh token", globex.refresh_token().await),
            ("personal token's refresh token", globex.as_other("globex", &personal).refresh_token().await),
            ("access key's refresh token", for_good.refresh_token().await),
            ("temporary login's refresh token", for_a_while.refresh_token().await),
            ("user's refresh token", user.refresh_token().await),
        ];
        let anonymous = self.server.stranger().token(&[SCOPE]).await;
        Taken { ways, refresh_tokens, anonymous }
    }

    /// All that was taken opens the repository on every path.
    async fn is_open(&self, taken: &Taken) {
        for way in self.ways_now(taken).await {
            for how in self.reads() {
                let expected = match how.0 {
                    "RANGE" => 206,
                    "KNOWN" => 304,
                    _ => 200,
                };
                self.read(&way, &how).await.expect(expected);
            }
            if way.manages {
                for path in Stage::managed_reads() {
                    way.who.get(path).send().await.expect(200);
                }
            }
            if way.bearer.is_none() {
                assert!(self.is_in_catalog(&way).await, "{}", way.name);
            }
        }
    }

    /// Nothing that was taken, or is bought with it, opens anything on any path.
    async fn is_closed(&self, taken: &Taken) {
        let ways = self.ways_now(taken).await;
        assert!(ways.len() >= taken.ways.len());
        for way in ways {
            for how in self.reads() {
                way.is_refused(self.read(&way, &how).await);
            }
            if way.manages {
                for path in Stage::managed_reads() {
                    way.is_refused(way.who.get(path).send().await);
                }
            }
            for from in ["&from=team-a/web", ""] {
                let mounted = self.mount(&way, from).await;
                if mounted.status != 202 {
                    way.is_refused(mounted);
                }
            }
            assert!(!self.is_in_catalog(&way).await, "{}", way.name);
        }
        let copy = format!("/v2/team-g/copy/blobs/{}", self.image.layers[0].digest);
        self.globex.head(&copy).send().await.expect_any(&[401, 404, 429]);
        let anonymous = Way::by_token("nobody", &self.server.stranger(), taken.anonymous.clone());
        for how in self.reads() {
            self.read(&anonymous, &how).await.expect(401);
        }
    }

    /// What was taken, and the tokens that are bought with it at this moment, where any are to be had.
    async fn ways_now(&self, taken: &Taken) -> Vec<Way> {
        let mut ways: Vec<Way> = taken.ways.iter().map(Way::again).collect();
        for (name, refresh_token) in &taken.refresh_tokens {
            let answer = self.globex.refreshes(refresh_token, SCOPE).await.expect_any(&[200, 401]);
            if answer.status == 200 {
                let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
                ways.push(Way::by_token(name, &self.globex, token));
            }
        }
        for (name, who) in [("new access token", &self.globex), ("user's new access token", &self.user)] {
            let answer = who.get(&format!("/auth/token?scope={SCOPE}")).send().await;
            let answer = answer.expect_any(&[200, 401, 429]);
            if answer.status == 200 {
                ways.push(Way::by_token(name, who, answer.token()));
            }
        }
        ways
    }

    async fn is_in_catalog(&self, way: &Way) -> bool {
        let answer = way.sign(way.who.get("/v2/_catalog")).send().await.expect_any(&[200, 401, 429]);
        answer.status == 200 && answer.strings("repositories").contains(&WEB.to_owned())
    }

    async fn share(&self, ending: Ending) {
        let seconds = match ending {
            Ending::DeadlinePassed => 100,
            Ending::DeadlineShortened => 10_000,
            _ => {
                self.acme.shares_for_good(WEB, "globex").await;
                return;
            }
        };
        self.acme.shares(WEB, "globex", self.server.in_seconds(seconds)).await;
    }

    async fn end(&self, ending: Ending) {
        let (acme, globex, admin) = (&self.acme, &self.globex, self.server.admin());
        let disabled = json!({ "disabled": true });
        match ending {
            Ending::Revoked => acme.revokes(WEB, "globex").await,
            Ending::DeadlinePassed => self.server.clock().pass(100),
            Ending::DeadlineShortened => {
                let until = self.server.in_seconds(10).to_string();
                let path = "/api/v1/repositories/team-a%2Fweb/shares/globex";
                acme.patch(path).json(&json!({ "until": until })).send().await.expect(200);
                self.server.clock().pass(10);
            }
            Ending::Left => globex.leaves(WEB).await,
            Ending::OwnerBlocked => globex.blocks("acme").await,
            Ending::PublicAndPrivateAgain => {
                acme.makes(WEB, "public").await.expect(200);
                self.server.stranger().pulls(WEB, "1", &self.image).await;
                acme.makes(WEB, "private").await.expect(200);
            }
            Ending::DeletedAndMadeAnew => {
                acme.deletes_repository(WEB).await;
                acme.pushes(WEB, "1", &self.image).await;
            }
            Ending::ShareeDisabled => {
                admin.patch(&format!("{ACCOUNTS}/globex")).json(&disabled).send().await.expect(200);
            }
            Ending::ShareeDeleted => {
                globex.deletes_repository("team-g/own").await;
                globex.delete("/api/v1/namespaces/team-g").send().await.expect(204);
                admin.delete(&format!("{ACCOUNTS}/globex")).send().await.expect(204);
            }
            Ending::OwnerDisabled => {
                admin.patch(&format!("{ACCOUNTS}/acme")).json(&disabled).send().await.expect(200);
            }
        }
    }
}

impl Way {
    fn by_token(name: &'static str, who: &Person, token: String) -> Way {
        Way { name, who: who.clone(), bearer: Some(token), manages: false }
    }

    fn again(&self) -> Way {
        Way { who: self.who.clone(), bearer: self.bearer.clone(), ..*self }
    }

    /// It opens nothing. Ten wrong passwords for a name, and what comes by it goes unanswered for the rest of the minute:
    /// those of an account that is gone are wrong.
    fn is_refused(&self, answer: Answer) {
        answer.expect_any(if self.bearer.is_none() { &[401, 404, 429] } else { &[401, 404] });
    }

    fn sign(&self, request: tests::Request) -> tests::Request {
        match &self.bearer {
            Some(token) => request.bearer(token),
            None => request,
        }
    }
}

impl Ending {
    async fn closes_every_path(self) {
        let stage = Stage::set().await;
        stage.globex.pushes("team-g/own", "1", &Image::small()).await;
        stage.share(self).await;
        let taken = stage.take().await;
        stage.is_open(&taken).await;
        stage.end(self).await;
        stage.is_closed(&taken).await;
        self.is_shown_as(&stage).await;
        // What is closed by an account's disabling opens again with it, and nothing else does.
        let account = match self {
            Ending::ShareeDisabled => "globex",
            Ending::OwnerDisabled => "acme",
            _ => return,
        };
        // Who was refused ten times under a name waits until the minute is over.
        stage.server.clock().pass(61);
        let enabled = json!({ "disabled": false });
        let path = format!("{ACCOUNTS}/{account}");
        stage.server.admin().patch(&path).json(&enabled).send().await.expect(200);
        stage.is_open(&taken).await;
    }

    /// What both sides' lists show afterwards.
    async fn is_shown_as(self, stage: &Stage) {
        let (by_me, with_me) = match self {
            // An ended one stays, for whoever wants to open it again.
            Ending::DeadlinePassed | Ending::DeadlineShortened => (json!(["ended"]), json!(["ended"])),
            Ending::ShareeDisabled => (json!(["open"]), Value::Null),
            Ending::ShareeDeleted => (json!([]), Value::Null),
            Ending::OwnerDisabled => (Value::Null, json!([])),
            _ => (json!([]), json!([])),
        };
        for (who, direction, expected) in [(&stage.acme, "by_me", by_me), (&stage.globex, "with_me", with_me)]
        {
            let answer = who.get(&format!("/api/v1/shares?direction={direction}")).send().await;
            let found = match answer.status {
                401 | 429 => Value::Null,
                _ => answer.expect(200).json()["items"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(status)
                    .collect(),
            };
            assert_eq!(found, expected, "{self:?} {direction}");
        }
    }
}

fn status(share: &Value) -> Value {
    share["status"].clone()
}

#[tokio::test]
async fn a_revoked_share_is_closed_on_every_path() {
    Ending::Revoked.closes_every_path().await;
}

#[tokio::test]
async fn a_share_is_closed_on_every_path_from_its_deadline_on() {
    Ending::DeadlinePassed.closes_every_path().await;
}

#[tokio::test]
async fn a_shortened_deadline_closes_every_path() {
    Ending::DeadlineShortened.closes_every_path().await;
}

#[tokio::test]
async fn a_share_that_the_sharee_left_is_closed_on_every_path() {
    Ending::Left.closes_every_path().await;
}

#[tokio::test]
async fn a_blocked_owners_share_is_closed_on_every_path() {
    Ending::OwnerBlocked.closes_every_path().await;
}

#[tokio::test]
async fn what_was_public_and_is_private_again_is_closed_on_every_path() {
    Ending::PublicAndPrivateAgain.closes_every_path().await;
}

#[tokio::test]
async fn a_repository_made_anew_is_closed_on_every_path() {
    Ending::DeletedAndMadeAnew.closes_every_path().await;
}

#[tokio::test]
async fn a_disabled_sharee_is_shut_out_on_every_path_while_it_is() {
    Ending::ShareeDisabled.closes_every_path().await;
}

#[tokio::test]
async fn a_deleted_sharee_is_shut_out_on_every_path() {
    Ending::ShareeDeleted.closes_every_path().await;
}

#[tokio::test]
async fn a_disabled_owners_share_is_closed_on_every_path_while_it_is() {
    Ending::OwnerDisabled.closes_every_path().await;
}

#[tokio::test]
async fn a_changed_password_closes_what_was_issued_under_the_old_one_and_a_disabled_user_is_shut_out_alone() {
    let stage = Stage::set().await;
    stage.acme.shares_for_good(WEB, "globex").await;
    let taken = stage.take().await;
    stage.is_open(&taken).await;
    let disabled = json!({ "disabled": true });
    let path = format!("{ACCOUNTS}/globex/users/ci");
    stage.globex.patch(&path).json(&disabled).send().await.expect(200);
    for way in &taken.ways {
        let expected = if way.name.starts_with("user's") { 401 } else { 200 };
        stage.read(way, &stage.reads()[0]).await.expect(expected);
    }
    stage.globex.refreshes(&taken.refresh_tokens[4].1, SCOPE).await.expect(401);
    let change = json!({ "password": "another-password", "current_password": stage.globex.password() });
    stage.globex.patch(&format!("{ACCOUNTS}/globex")).json(&change).send().await.expect(200);
    // An access key is a credential of its own, which lies in a machine's configuration: it outlives the password.
    let of_key = |name: &str| name.starts_with("access key's");
    for way in &taken.ways {
        for how in stage.reads() {
            let answer = stage.read(way, &how).await;
            if of_key(way.name) {
                answer.expect_any(&[200, 206, 304]);
            } else {
                way.is_refused(answer);
            }
        }
    }
    stage.server.clock().pass(60);
    for (name, refresh_token) in &taken.refresh_tokens {
        let expected = if of_key(name) { 200 } else { 401 };
        stage.globex.refreshes(refresh_token, SCOPE).await.expect(expected);
    }
    stage.globex.as_other("globex", "another-password").pulls(WEB, "1", &stage.image).await;
}

#[tokio::test]
async fn a_token_for_a_closed_share_grants_nothing_and_none_outlives_the_deadline_that_it_rests_on() {
    let stage = Stage::set().await;
    let granted = async || {
        let answer = stage.globex.get(&format!("/auth/token?scope={SCOPE}")).send().await.expect(200);
        let token = answer.token();
        let claims = token.split('.').nth(1).expect("three parts");
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
        let claims: Value = serde_json::from_slice(&claims).expect("JSON");
        (
            claims["access"].as_array().map_or(0, Vec::len),
            answer.json()["expires_in"].as_i64().expect("a life"),
        )
    };
    assert_eq!(granted().await, (0, 300));
    stage.acme.shares(WEB, "globex", stage.server.in_seconds(30)).await;
    assert_eq!(granted().await, (1, 30));
    stage.server.clock().pass(30);
    assert_eq!(granted().await, (0, 300));
}
