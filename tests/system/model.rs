//! A registry against a map: random pushes, pulls, deletions, shares and changes of them, by several people, while time
//! passes. After every step, everybody sees exactly what the map says.

use std::collections::BTreeMap;

use frontend::Clock;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tests::{Answer, Blob, Image, Person, TestServer};

const CASES: u32 = 40;
const STEPS_MAX: usize = 30;
const REPOSITORIES: usize = 2;
const IMAGES: usize = 3;
const TAGS: [&str; 2] = ["one", "two"];
/// Person 0 owns the repositories; these may be shared with.
const OTHERS: [usize; 2] = [1, 2];

/// What somebody does. Numbers choose one of a few.
#[derive(Debug, Clone)]
enum Step {
    Push { who: usize, repository: usize, image: usize, tag: usize },
    DeleteTag { who: usize, repository: usize, tag: usize },
    DeleteImage { who: usize, repository: usize, image: usize },
    DeleteRepository { who: usize, repository: usize },
    Publish { who: usize, repository: usize, public: bool },
    Share { who: usize, repository: usize, with: usize, seconds: Option<i64> },
    Update { who: usize, repository: usize, with: usize, seconds: Option<i64> },
    Revoke { who: usize, repository: usize, with: usize },
    TakeToken { who: usize },
    Pass { seconds: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Mostly the owner: others are refused, and a history of refusals teaches little.
    let who = || prop_oneof![8 => Just(0_usize), 1 => Just(1), 1 => Just(2)];
    let repository = || 0..REPOSITORIES;
    let with = || prop_oneof![Just(OTHERS[0]), Just(OTHERS[1])];
    let seconds = || prop_oneof![1 => Just(None), 4 => (-5_i64..100).prop_map(Some)];
    let step = prop_oneof![
        6 => (who(), repository(), 0..IMAGES, 0..TAGS.len())
            .prop_map(|(who, repository, image, tag)| Step::Push { who, repository, image, tag }),
        2 => (who(), repository(), 0..TAGS.len())
            .prop_map(|(who, repository, tag)| Step::DeleteTag { who, repository, tag }),
        2 => (who(), repository(), 0..IMAGES)
            .prop_map(|(who, repository, image)| Step::DeleteImage { who, repository, image }),
        1 => (who(), repository()).prop_map(|(who, repository)| Step::DeleteRepository { who, repository }),
        1 => (who(), repository(), any::<bool>())
            .prop_map(|(who, repository, public)| Step::Publish { who, repository, public }),
        6 => (who(), repository(), with(), seconds())
            .prop_map(|(who, repository, with, seconds)| Step::Share { who, repository, with, seconds }),
        3 => (who(), repository(), with(), seconds())
            .prop_map(|(who, repository, with, seconds)| Step::Update { who, repository, with, seconds }),
        2 => (who(), repository(), with())
            .prop_map(|(who, repository, with)| Step::Revoke { who, repository, with }),
        2 => (0..=2_usize).prop_map(|who| Step::TakeToken { who }),
        4 => (1_i64..60).prop_map(|seconds| Step::Pass { seconds }),
    ];
    proptest::collection::vec(step, 1..=STEPS_MAX)
}

/// What the map holds of a repository.
#[derive(Default)]
struct Repository {
    public: bool,
    /// Image → nothing: those it holds.
    images: BTreeMap<usize, ()>,
    /// Tag → image.
    tags: BTreeMap<usize, usize>,
    /// Person → deadline.
    shares: BTreeMap<usize, Option<Timestamp>>,
}

/// The people, the images, and the map.
struct World<'a> {
    server: &'a TestServer,
    namespace: String,
    people: Vec<Person>,
    images: Vec<Image>,
    repositories: [Option<Repository>; REPOSITORIES],
    /// Person and a token that they took.
    tokens: Vec<(usize, String)>,
}

impl World<'_> {
    async fn new(server: &TestServer, number: usize) -> World<'_> {
        let namespace = format!("team-{number}");
        let owner = server.owner(&format!("owner-{number}"), &namespace).await;
        let mut people = vec![owner];
        for other in OTHERS {
            people.push(server.account(&format!("guest-{other}-{number}")).await);
        }
        people.push(server.stranger());
        // Every image has a layer of its own and one that all of them share.
        let shared = Blob::random(500);
        let images = (0..IMAGES).map(|_| Image::of(vec![shared.clone(), Blob::random(500)])).collect();
        World { server, namespace, people, images, repositories: [None, None], tokens: Vec::new() }
    }

    fn name(&self, repository: usize) -> String {
        // The second's name begins with the first's.
        format!("{}/web{}", self.namespace, ["", "-internal"][repository])
    }

    fn sees(&self, who: usize, repository: usize) -> bool {
        let now = self.server.clock().now();
        self.repositories[repository].as_ref().is_some_and(|held| {
            let share = held.shares.get(&who);
            who == 0
                || held.public
                || share.is_some_and(|deadline| deadline.is_none_or(|deadline| now < deadline))
        })
    }

    /// What somebody who may not do it is told.
    fn refusal(&self, who: usize, repository: usize) -> u16 {
        if self.sees(who, repository) { 403 } else { 404 }
    }

    fn deadline(&self, seconds: Option<i64>) -> Option<Timestamp> {
        seconds.map(|seconds| self.server.clock().now() + SignedDuration::from_secs(seconds))
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Push { who, repository, image, tag } => self.push(who, repository, image, tag).await,
            Step::DeleteTag { who, repository, tag } => self.delete_tag(who, repository, tag).await,
            Step::DeleteImage { who, repository, image } => self.delete_image(who, repository, image).await,
            Step::DeleteRepository { who, repository } => {
                let path = self.management(repository, "");
                let answer = self.people[who].delete(&path).send().await;
                if self.expect_owner(answer, who, repository, 204) {
                    self.repositories[repository] = None;
                }
            }
            Step::Publish { who, repository, public } => {
                let visibility = if public { "public" } else { "private" };
                let answer = self.people[who].makes(&self.name(repository), visibility).await;
                if self.expect_owner(answer, who, repository, 200)
                    && let Some(held) = &mut self.repositories[repository]
                {
                    if public {
                        held.shares.clear();
                    }
                    held.public = public;
                }
            }
            Step::Share { who, repository, with, seconds } => {
                self.share(who, repository, with, seconds).await
            }
            Step::Update { who, repository, with, seconds } => {
                self.update(who, repository, with, seconds).await
            }
            Step::Revoke { who, repository, with } => self.revoke(who, repository, with).await,
            Step::TakeToken { who } => {
                let scopes = [0, 1].map(|repository| format!("repository:{}:pull", self.name(repository)));
                let token = self.people[who].token(&[&scopes[0], &scopes[1]]).await;
                self.tokens.push((who, token));
            }
            Step::Pass { seconds } => self.server.clock().pass(seconds),
        }
    }

    /// Whether it was the owner's to do, and the repository is there: then with this status.
    fn expect_owner(&self, answer: Answer, who: usize, repository: usize, status: u16) -> bool {
        if who != 0 {
            answer.expect(self.refusal(who, repository));
            return false;
        }
        let exists = self.repositories[repository].is_some();
        answer.expect(if exists { status } else { 404 });
        exists
    }

    async fn push(&mut self, who: usize, repository: usize, image: usize, tag: usize) {
        let answer =
            self.people[who].tries_to_push(&self.name(repository), TAGS[tag], &self.images[image]).await;
        if who != 0 {
            answer.expect(self.refusal(who, repository));
            return;
        }
        answer.expect(201);
        let held = self.repositories[repository].get_or_insert_default();
        held.images.insert(image, ());
        held.tags.insert(tag, image);
    }

    async fn delete_tag(&mut self, who: usize, repository: usize, tag: usize) {
        let path = format!("/v2/{}/manifests/{}", self.name(repository), TAGS[tag]);
        let answer = self.people[who].delete(&path).send().await;
        if who != 0 {
            answer.expect(self.refusal(who, repository));
            return;
        }
        let was_there =
            self.repositories[repository].as_mut().and_then(|held| held.tags.remove(&tag)).is_some();
        answer.expect(if was_there { 202 } else { 404 });
    }

    async fn delete_image(&mut self, who: usize, repository: usize, image: usize) {
        let path = format!("/v2/{}/manifests/{}", self.name(repository), self.images[image].digest);
        let answer = self.people[who].delete(&path).send().await;
        if who != 0 {
            answer.expect(self.refusal(who, repository));
            return;
        }
        let mut was_there = false;
        if let Some(held) = &mut self.repositories[repository] {
            was_there = held.images.remove(&image).is_some();
            held.tags.retain(|_, tagged| *tagged != image);
        }
        answer.expect(if was_there { 202 } else { 404 });
    }

    async fn share(&mut self, who: usize, repository: usize, with: usize, seconds: Option<i64>) {
        let deadline = self.deadline(seconds);
        let mut body = json!({ "account": self.people[with].login() });
        match deadline {
            Some(deadline) => body["until"] = json!(deadline.to_string()),
            None => body["permanent"] = json!(true),
        }
        let answer = self.people[who].tries_to_share(&self.name(repository), &body).await;
        if who != 0 {
            answer.expect(self.refusal(who, repository));
            return;
        }
        let now = self.server.clock().now();
        let is_open = self.sees(with, repository);
        let Some(held) = &mut self.repositories[repository] else {
            answer.expect_any(&[404, 400, 422]);
            return;
        };
        if held.public || is_open || deadline.is_some_and(|deadline| deadline <= now) {
            answer.expect_any(&[400, 409, 422]);
        } else {
            answer.expect(201);
            held.shares.insert(with, deadline);
        }
    }

    async fn update(&mut self, who: usize, repository: usize, with: usize, seconds: Option<i64>) {
        let deadline = self.deadline(seconds);
        let body = match deadline {
            Some(deadline) => json!({ "until": deadline.to_string() }),
            None => json!({ "permanent": true }),
        };
        let path = self.management(repository, &format!("/shares/{}", self.people[with].login()));
        let answer = self.people[who].patch(&path).json(&body).send().await;
        if who != 0 {
            answer.expect(self.refusal(who, repository));
            return;
        }
        let now = self.server.clock().now();
        let is_open = self.sees(with, repository);
        let share = self.repositories[repository].as_mut().and_then(|held| held.shares.get_mut(&with));
        let in_future = deadline.is_none_or(|deadline| deadline > now);
        match share {
            Some(share) if is_open && in_future => {
                answer.expect(200);
                *share = deadline;
            }
            // Whether an ended share may be prolonged is not the model's business: it follows the answer.
            Some(share) if in_future => {
                if answer.expect_any(&[200, 404, 409, 422]).status == 200 {
                    *share = deadline;
                }
            }
            _ => {
                answer.expect_any(&[400, 404, 409, 422]);
            }
        }
    }

    async fn revoke(&mut self, who: usize, repository: usize, with: usize) {
        let path = self.management(repository, &format!("/shares/{}", self.people[with].login()));
        let answer = self.people[who].delete(&path).send().await;
        if who != 0 {
            answer.expect(self.refusal(who, repository));
            return;
        }
        let share = self.repositories[repository].as_mut().and_then(|held| held.shares.remove(&with));
        answer.expect(if share.is_some() { 204 } else { 404 });
    }

    fn management(&self, repository: usize, rest: &str) -> String {
        format!("/api/v1/repositories/{}{rest}", self.name(repository).replace('/', "%2F"))
    }

    /// Everybody sees what the map says: no more, no less.
    async fn check(&self) {
        for who in 0..self.people.len() {
            for repository in 0..REPOSITORIES {
                self.check_tags(who, repository).await;
                for image in 0..IMAGES {
                    self.check_image(who, repository, image).await;
                }
            }
        }
        for (who, token) in &self.tokens {
            for repository in 0..REPOSITORIES {
                self.check_token(*who, token, repository).await;
            }
        }
    }

    /// 401 to a stranger, else 404.
    fn hidden(&self, who: usize) -> u16 {
        if self.people[who].login().is_empty() { 401 } else { 404 }
    }

    async fn check_tags(&self, who: usize, repository: usize) {
        let answer = self.people[who].get(&format!("/v2/{}/tags/list", self.name(repository))).send().await;
        match &self.repositories[repository] {
            Some(held) if self.sees(who, repository) => {
                let mut tags: Vec<_> = held.tags.keys().map(|tag| TAGS[*tag]).collect();
                tags.sort_unstable();
                assert_eq!(answer.expect(200).strings("tags"), tags);
                for (tag, image) in &held.tags {
                    let answer =
                        self.people[who].tries_to_pull(&self.name(repository), TAGS[*tag]).await.expect(200);
                    assert_eq!(
                        answer.header("docker-content-digest"),
                        self.images[*image].digest,
                        "{answer:?}"
                    );
                }
            }
            _ => {
                answer.expect(self.hidden(who));
            }
        }
    }

    async fn check_image(&self, who: usize, repository: usize, image: usize) {
        let (person, image_pushed) = (&self.people[who], &self.images[image]);
        let is_held =
            self.repositories[repository].as_ref().is_some_and(|held| held.images.contains_key(&image));
        if is_held && self.sees(who, repository) {
            person.pulls(&self.name(repository), &image_pushed.digest, image_pushed).await;
            return;
        }
        let status = if self.sees(who, repository) { 404 } else { self.hidden(who) };
        person.tries_to_pull(&self.name(repository), &image_pushed.digest).await.expect(status);
        if !self.sees(who, repository) {
            let path = format!("/v2/{}/blobs/{}", self.name(repository), image_pushed.layers[1].digest);
            person.get(&path).send().await.expect(status);
        }
    }

    /// A token opens at most what its owner may see now.
    async fn check_token(&self, who: usize, token: &str, repository: usize) {
        let path = format!("/v2/{}/tags/list", self.name(repository));
        let answer = self.people[who].get(&path).bearer(token).send().await;
        if self.sees(who, repository) {
            // It may have expired, or have been issued when its owner saw less.
            answer.expect_any(&[200, 401]);
        } else {
            answer.expect_any(&[401, 404]);
        }
    }
}

#[test]
fn everybody_sees_what_the_map_says() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(TestServer::start());
    let config =
        Config { cases: CASES, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let number = std::cell::Cell::new(0);
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        // A failed case leaves the server as it is: the next one brings its own people and names.
        number.set(number.get() + 1);
        runtime.block_on(async {
            let mut world = World::new(&server, number.get()).await;
            for step in &steps {
                world.take(step).await;
                world.check().await;
            }
        });
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
