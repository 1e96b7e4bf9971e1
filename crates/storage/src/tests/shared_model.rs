//! Whatever happens in a repository, a share that is narrowed to tags shows what a plain walk from the matching tags
//! finds, and nothing else; and nothing is left of the counts when nothing is reached.

use std::collections::{BTreeMap, BTreeSet};

use auth::{Action, Permit, Principal, Secret};
use futures::future::join_all;
use oci::{Algorithm, Digest, Reference, Tag, TagPattern};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::{Index, subsequence};

use super::world::{INDEX, World, at, descriptor, image_with, repository, sha256};
use crate::shared::LAYERS;
use crate::{Error, NewManifest, TagCopy};

const NAME: &str = "acme/web";
const SHAREES: [&str; 2] = ["globex", "initech"];
const PATTERNS: [&str; 6] = ["v1.*", "v*", "latest", "*", "sha256-*", "v2.?"];
const TAGS: [&str; 4] = ["v1.0", "v1.1", "v2.0", "latest"];
const BLOBS: usize = 4;

/// A manifest that may be pushed: an image of some blobs or an index of some manifests before it, perhaps about another
/// one before it, which it may name as its child as well.
#[derive(Debug, Clone)]
struct Spec {
    is_index: bool,
    blobs: Vec<usize>,
    children: Vec<Index>,
    subject: Option<Index>,
    is_sha512: bool,
}

fn spec() -> impl Strategy<Value = Spec> {
    let blobs = subsequence((0..BLOBS).collect::<Vec<_>>(), 0..BLOBS);
    let children = proptest::collection::vec(any::<Index>(), 0..3);
    let subject = proptest::option::of(any::<Index>());
    (any::<bool>(), blobs, children, subject, proptest::bool::weighted(0.2)).prop_map(
        |(is_index, blobs, children, subject, is_sha512)| Spec {
            is_index,
            blobs,
            children,
            subject,
            is_sha512,
        },
    )
}

/// Which tag: one of the plain ones, or one about a manifest.
#[derive(Debug, Clone)]
enum Which {
    Plain(usize),
    About(Index, &'static str),
}

#[derive(Debug, Clone)]
enum Step {
    Push(Index, Vec<Which>),
    DeleteTag(Which),
    Copy(Which, Which),
    DeleteManifest(Index),
    Share(usize, Vec<&'static str>),
    ShareOtherTags(usize, Vec<&'static str>),
    Revoke(usize),
    Upkeep,
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![
        3 => (0..TAGS.len()).prop_map(Which::Plain),
        1 => (any::<Index>(), prop_oneof![Just(""), Just(".sig"), Just(".x.y")])
            .prop_map(|(of, end)| Which::About(of, end)),
    ]
}

fn patterns() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(PATTERNS.to_vec(), 1..4)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<Index>(), proptest::collection::vec(which(), 0..3)).prop_map(|(at, tags)| Step::Push(at, tags)),
        2 => which().prop_map(Step::DeleteTag),
        1 => (which(), which()).prop_map(|(from, to)| Step::Copy(from, to)),
        2 => any::<Index>().prop_map(Step::DeleteManifest),
        2 => (0..2usize, patterns()).prop_map(|(with, tags)| Step::Share(with, tags)),
        1 => (0..2usize, patterns()).prop_map(|(with, tags)| Step::ShareOtherTags(with, tags)),
        1 => (0..2usize).prop_map(Step::Revoke),
        1 => Just(Step::Upkeep),
    ]
}

/// A manifest of the pool, with what it names.
struct Made {
    digest: Digest,
    body: String,
    is_index: bool,
    blobs: Vec<Digest>,
    children: Vec<Digest>,
    subject: Option<Digest>,
}

struct Model {
    world: World,
    initech: Principal,
    blobs: Vec<Digest>,
    pool: Vec<Made>,
}

impl Model {
    async fn new(specs: &[Spec]) -> Model {
        let world = World::new().await;
        let secret = || Secret::new("a long password");
        let admin = world.auth.authenticate("admin", &secret(), None, at(0)).await.unwrap();
        let name = auth::AccountName::parse("initech").unwrap();
        world.auth.create_account(&admin, &name, &secret(), at(0)).await.unwrap();
        let initech = world.auth.authenticate("initech", &secret(), None, at(0)).await.unwrap();
        let push = world.push(NAME).await;
        let mut blobs = Vec::new();
        for n in 0..BLOBS {
            blobs.push(world.blob(&push, format!("blob {n}").as_bytes()).await);
        }
        let mut pool: Vec<Made> = Vec::new();
        for spec in specs {
            pool.push(make(spec, &pool, &blobs));
        }
        Model { world, initech, blobs, pool }
    }

    fn tag(&self, which: &Which) -> String {
        match which {
            Which::Plain(at) => TAGS[*at].to_owned(),
            Which::About(of, end) => format!("{}{end}", of.get(&self.pool).digest.tag_beginning()),
        }
    }

    /// Does it, or is told why not: what is not there is not removed.
    async fn take(&self, step: &Step) {
        let world = &self.world;
        match step {
            Step::Push(at_index, tags) => {
                let made = at_index.get(&self.pool);
                let tags = tags.iter().map(|which| Tag::parse(&self.tag(which)).unwrap()).collect();
                let new = NewManifest {
                    content_type: if made.is_index { INDEX } else { super::world::IMAGE },
                    body: made.body.clone().into(),
                    reference: Reference::Digest(made.digest.clone()),
                    tags,
                };
                world.storage.put_manifest(&world.push(NAME).await, new, at(0)).await.unwrap();
            }
            Step::Copy(from, to) => {
                let (source, destination) = (self.tag(from), self.tag(to));
                let (source, destination) = (Tag::parse(&source).unwrap(), Tag::parse(&destination).unwrap());
                let copy = TagCopy { source, destination, overwrite: true };
                let copied = world.storage.copy_tag(&world.push(NAME).await, &copy, at(0)).await;
                assert!(matches!(copied, Ok(()) | Err(Error::ManifestUnknown)), "{copied:?}");
            }
            Step::DeleteTag(which) => {
                let tag = Tag::parse(&self.tag(which)).unwrap();
                let deleted = world.storage.delete_tag(&world.delete(NAME).await, &tag, at(0)).await;
                assert!(matches!(deleted, Ok(()) | Err(Error::ManifestUnknown)), "{deleted:?}");
            }
            Step::DeleteManifest(at_index) => {
                let digest = &at_index.get(&self.pool).digest;
                let delete = world.delete(NAME).await;
                let deleted = world.storage.delete_manifest(&delete, digest, at(0)).await;
                assert!(matches!(deleted, Ok(()) | Err(Error::ManifestUnknown)), "{deleted:?}");
            }
            Step::Share(with, tags) => {
                let shared = world.share_with(SHAREES[*with], NAME, tags).await;
                assert!(matches!(shared, Ok(_) | Err(auth::Error::Exists { .. })), "{shared:?}");
            }
            Step::ShareOtherTags(with, tags) => {
                let shared = world.share_other_tags(SHAREES[*with], NAME, tags).await;
                assert!(matches!(shared, Ok(_) | Err(auth::Error::NotFound { .. })), "{shared:?}");
            }
            Step::Revoke(with) => {
                let revoked = world.revoke(SHAREES[*with], NAME).await;
                assert!(matches!(revoked, Ok(()) | Err(auth::Error::NotFound { .. })), "{revoked:?}");
            }
            Step::Upkeep => self.reap().await,
        }
    }

    /// Takes away what nobody uses any more, and what was counted for nobody.
    async fn reap(&self) {
        while self.world.storage.reap(&self.world.auth, at(2)).await.unwrap().more {}
    }

    /// Whoever has a share sees what a walk finds.
    async fn check(&self) {
        let state = self.state().await;
        let principals = [&self.world.globex, &self.initech];
        for (sharee, principal) in SHAREES.iter().zip(principals) {
            let name = auth::AccountName::parse(sharee).unwrap();
            let share = self.world.auth.show_share(&self.world.acme, &repository(NAME), &name, at(0)).await;
            let permit = self.world.auth.authorize(principal, &repository(NAME), Action::Pull, at(0)).await;
            match (share, permit) {
                (Ok(share), Ok(permit)) => {
                    let patterns: Vec<_> = share.tags.patterns().unwrap().iter().cloned().collect();
                    self.compare(&permit, &state.walk(&patterns)).await;
                }
                (Err(auth::Error::NotFound { .. }), Err(auth::Denied::NotFound)) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// What the owner finds: the tags and the manifests that are there.
    async fn state(&self) -> State<'_> {
        let pull = self.world.pull(NAME).await;
        let mut tags = BTreeMap::new();
        for tag in self.world.storage.tag_details(&pull, None, 1_000).await.unwrap().items {
            tags.insert(tag.name, tag.digest);
        }
        let mut here = BTreeMap::new();
        for made in &self.pool {
            let reference = Reference::Digest(made.digest.clone());
            if self.world.storage.stat_manifest(&pull, &reference).await.is_ok() {
                here.insert(made.digest.clone(), made);
            }
        }
        State { tags, here }
    }

    async fn compare(&self, permit: &Permit, seen: &Seen) {
        let storage = &self.world.storage;
        let tags = storage.tags(permit, None, 1_000).await.unwrap().items;
        assert_eq!(tags, seen.tags.keys().cloned().collect::<Vec<_>>(), "tags");
        let details = storage.tag_details(permit, None, 1_000).await.unwrap().items;
        assert_eq!(
            details.into_iter().map(|tag| (tag.name, tag.digest)).collect::<BTreeMap<_, _>>(),
            seen.tags
        );
        for made in &self.pool {
            let found = storage.stat_manifest(permit, &Reference::Digest(made.digest.clone())).await;
            assert_eq!(found.is_ok(), seen.manifests.contains(&made.digest), "manifest {}", made.digest);
            let expected = seen.referrers.get(&made.digest).cloned().unwrap_or_default();
            let referrers = storage.referrers(permit, &made.digest, None, None, 100).await.unwrap();
            let referrers: BTreeSet<_> =
                referrers.descriptors.into_iter().map(|descriptor| descriptor.digest).collect();
            assert_eq!(referrers, expected, "referrers of {}", made.digest);
            for end in ["", ".sig", ".x.y"] {
                let tag = Tag::parse(&format!("{}{end}", made.digest.tag_beginning())).unwrap();
                let found = storage.tag(permit, &tag).await.ok().map(|tag| tag.digest);
                assert_eq!(found.as_ref(), seen.tags.get(tag.as_str()), "tag {tag}");
            }
        }
        for blob in &self.blobs {
            let found = storage.stat_blob(permit, blob, at(0)).await;
            assert_eq!(found.is_ok(), seen.blobs.contains(blob), "blob {blob}");
        }
        for tag in TAGS {
            let found = storage.stat_manifest(permit, &Reference::parse(tag).unwrap()).await;
            assert_eq!(found.ok().map(|found| found.digest).as_ref(), seen.tags.get(tag), "tag {tag}");
        }
    }

    /// Removes all tags and manifests, then all shares, and sees the counts go with them.
    async fn end(&self) {
        let delete = self.world.delete(NAME).await;
        for made in &self.pool {
            let deleted = self.world.storage.delete_manifest(&delete, &made.digest, at(0)).await;
            assert!(matches!(deleted, Ok(()) | Err(Error::ManifestUnknown)), "{deleted:?}");
        }
        self.reap().await;
        let left = self.world.shared_keys().await;
        assert!(left.len() <= 1, "more than the patterns is left: {left:?}");
        for sharee in SHAREES {
            let _ = self.world.revoke(sharee, NAME).await;
        }
        self.world.tidy().await;
        assert_eq!(self.world.shared_keys().await, Vec::<Vec<u8>>::new());
    }
}

fn make(spec: &Spec, pool: &[Made], blobs: &[Digest]) -> Made {
    let earlier = |index: &Index| (!pool.is_empty()).then(|| &index.get(pool).digest);
    let subject = spec.subject.as_ref().and_then(earlier).cloned();
    let about = subject.as_ref().map(|subject| format!(r#","subject":{}"#, descriptor(INDEX, subject, 2)));
    // Two of the same kind differ by their number.
    let more = format!(r#"{},"annotations":{{"n":"{}"}}"#, about.unwrap_or_default(), pool.len());
    let names: Vec<Digest> = spec.blobs.iter().map(|at| blobs[*at].clone()).collect();
    let mut children: Vec<Digest> = spec.children.iter().filter_map(earlier).cloned().collect();
    let (body, named, children) = if spec.is_index {
        // Every other one names what it is about as its child, too: a circle.
        children.extend(subject.iter().filter(|_| pool.len().is_multiple_of(2)).cloned());
        let list: Vec<_> = children.iter().map(|child| descriptor(INDEX, child, 2)).collect();
        let list = list.join(",");
        let body = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{list}]{more}}}"#);
        (body, Vec::new(), children)
    } else {
        let layers: Vec<_> = names.iter().map(|name| (name, 6)).collect();
        let named: Vec<_> = names.iter().cloned().chain([blobs[0].clone()]).collect();
        (image_with((&blobs[0], 6), &layers, &more), named, Vec::new())
    };
    let algorithm = if spec.is_sha512 { Algorithm::Sha512 } else { Algorithm::Sha256 };
    let digest = Digest::of(algorithm, body.as_bytes());
    Made { digest, body, is_index: spec.is_index, blobs: named, children, subject }
}

/// What is in the repository.
struct State<'a> {
    tags: BTreeMap<String, Digest>,
    here: BTreeMap<Digest, &'a Made>,
}

/// What a walk finds.
#[derive(Default)]
struct Seen {
    tags: BTreeMap<String, Digest>,
    manifests: BTreeSet<Digest>,
    blobs: BTreeSet<Digest>,
    referrers: BTreeMap<Digest, BTreeSet<Digest>>,
}

impl State<'_> {
    fn walk(&self, patterns: &[TagPattern]) -> Seen {
        let mut seen = Seen::default();
        let mut been = BTreeSet::new();
        let mut next = Vec::new();
        for (tag, digest) in &self.tags {
            if patterns.iter().any(|pattern| pattern.matches(tag)) {
                seen.tags.insert(tag.clone(), digest.clone());
                next.push((digest.clone(), 0));
            }
        }
        while let Some((digest, layer)) = next.pop() {
            if !been.insert((digest.clone(), layer)) {
                continue;
            }
            if let Some(made) = self.here.get(&digest) {
                seen.manifests.insert(digest.clone());
                seen.blobs.extend(made.blobs.iter().cloned());
                next.extend(made.children.iter().map(|child| (child.clone(), layer)));
            }
            if layer + 1 == LAYERS {
                continue;
            }
            let about = self.here.values().filter(|made| made.subject.as_ref() == Some(&digest));
            for made in about {
                seen.referrers.entry(digest.clone()).or_default().insert(made.digest.clone());
                next.push((made.digest.clone(), layer + 1));
            }
            for (tag, named) in self.tags.iter().filter(|(tag, _)| digest.is_subject_of(tag)) {
                seen.tags.insert(tag.clone(), named.clone());
                next.push((named.clone(), layer + 1));
            }
        }
        seen
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_share_shows_what_a_walk_from_its_tags_finds(
        specs in proptest::collection::vec(spec(), 1..8),
        steps in proptest::collection::vec(step(), 1..30),
    ) {
        run(async {
            let model = Model::new(&specs).await;
            for step in &steps {
                model.take(step).await;
                model.check().await;
            }
            model.end().await;
        });
    }

    #[test]
    fn also_when_things_happen_at_once(
        specs in proptest::collection::vec(spec(), 1..8),
        rounds in proptest::collection::vec(proptest::collection::vec(step(), 2..6), 1..8),
    ) {
        run(async {
            let model = Model::new(&specs).await;
            for steps in &rounds {
                join_all(steps.iter().map(|step| model.take(step))).await;
                model.check().await;
            }
            model.end().await;
        });
    }
}

#[test]
fn the_walk_of_this_test_goes_round_in_circles_and_ends() {
    let digest = sha256(b"x");
    let made = Made {
        digest: digest.clone(),
        body: String::new(),
        is_index: true,
        blobs: Vec::new(),
        children: vec![digest.clone()],
        subject: Some(digest.clone()),
    };
    let tags = BTreeMap::from([("latest".to_owned(), digest.clone())]);
    let state = State { tags, here: BTreeMap::from([(digest.clone(), &made)]) };
    let seen = state.walk(&[TagPattern::parse("latest").unwrap()]);
    assert_eq!(seen.manifests, BTreeSet::from([digest]));
}
