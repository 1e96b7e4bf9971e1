//! The patterns of tags that shares use: counted, whoever makes, changes and ends shares at once, and gone with the last
//! that uses them. What they reach is another crate's; here it counts as counted when somebody says so.

use std::collections::BTreeMap;

use futures::future::join_all;
use kv::Key;

use super::{Answer, START, TestAuth, account, at, repository};
use crate::records::{PatternState, ShareRecord, SharedTagsRecord};
use crate::{
    Action, ContentScope, Description, Error, NewShare, PatternId, PatternReap, Principal, RepositoryId,
    Share, ShareChange, ShareEnd, ShareId, ShareTags, TagPatterns, Visibility,
};

const WEB: &str = "team-a/web";

fn matching(tags: &[&str]) -> ShareTags {
    ShareTags::Matching(TagPatterns::parse(tags).unwrap())
}

fn with(grantee: &str, tags: &[&str]) -> NewShare {
    NewShare {
        grantee: account(grantee),
        end: ShareEnd::Permanent,
        tags: matching(tags),
        description: Description::default(),
        notice_before: None,
        region: None,
    }
}

async fn record(test: &TestAuth, id: RepositoryId) -> Option<SharedTagsRecord> {
    let key = Key::SharedTags { repository: id.raw() };
    test.store().get::<SharedTagsRecord>(key).await.unwrap().map(|record| record.value)
}

/// Says that what the patterns reach is counted.
async fn count(test: &TestAuth, id: RepositoryId) {
    let key = Key::SharedTags { repository: id.raw() };
    let Some(found) = test.store().get::<SharedTagsRecord>(key).await.unwrap() else { return };
    let mut record = found.value;
    record.patterns.iter_mut().for_each(|pattern| pattern.state = PatternState::Ready);
    let mut tx = test.store().transaction();
    tx.expect(key, Some(found.version)).put(key, &record).unwrap();
    // A conflict: somebody else changed it, and it is asked for again.
    test.store().commit(tx).await.unwrap();
}

/// Does `share`, having counted whatever it asks for.
pub(super) async fn counted<F>(test: &TestAuth, share: impl Fn() -> F) -> Result<Share, Error>
where
    F: Future<Output = Result<Share, Error>>,
{
    loop {
        match share().await {
            Err(Error::TagsUncounted { repositories }) => {
                for repository in repositories {
                    count(test, repository).await;
                }
            }
            done => return done,
        }
    }
}

async fn share(test: &TestAuth, acme: &Principal, grantee: &str, tags: &[&str]) -> Result<Share, Error> {
    let name = repository(WEB);
    counted(test, || test.create_share(acme, &name, with(grantee, tags), START)).await
}

async fn change(test: &TestAuth, acme: &Principal, grantee: &str, tags: ShareTags) -> Result<Share, Error> {
    let (name, grantee) = (repository(WEB), account(grantee));
    let change = ShareChange { tags: Some(tags), ..ShareChange::default() };
    counted(test, || test.update_share(acme, &name, &grantee, change.clone(), START)).await
}

async fn id_of_web(test: &TestAuth, acme: &Principal) -> RepositoryId {
    test.authorize(acme, &repository(WEB), Action::Manage, START).await.unwrap().repository()
}

/// How many shares use each pattern, by the shares' own records.
async fn uses(test: &TestAuth, id: RepositoryId) -> BTreeMap<PatternId, u32> {
    let list = Key::ShareOf { repository: id.raw(), grantee: kv::Id::MIN };
    let mut uses = BTreeMap::new();
    for (_, entry) in test.store().list(list.siblings(test.region()), 100).await.unwrap() {
        let share = kv::decode::<ShareId>(list, &entry).unwrap().value;
        let record =
            test.store().get::<ShareRecord>(Key::Share { share: share.raw() }).await.unwrap().unwrap();
        for tags in record.value.tags.unwrap_or_default() {
            *uses.entry(tags.id).or_default() += 1;
        }
    }
    uses
}

/// When the reaper may take what a pattern reached.
async fn reaped_from(test: &TestAuth, id: PatternId) -> Option<jiff::Timestamp> {
    let reap = test.store().get::<PatternReap>(Key::Reap { id: id.raw() }).await.unwrap();
    reap.map(|reap| reap.value.due_at)
}

#[tokio::test]
async fn of_many_repositories_all_that_is_to_be_counted_is_asked_for_at_once() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.account("initech").await;
    let names: Vec<_> = (0..9).map(|number| format!("team-a/web-{number}")).collect();
    let mut entries = Vec::new();
    for name in &names {
        test.repository(&acme, name).await;
        entries.extend(["globex", "initech"].map(|grantee| (repository(name), with(grantee, &["v1.*"]))));
    }
    let Err(Error::TagsUncounted { repositories }) = test.create_shares(&acme, &entries, START).await else {
        panic!("what the tags reach is not counted yet")
    };
    assert_eq!(repositories.len(), names.len(), "each once");
    for repository in repositories {
        count(&test, repository).await;
    }
    assert_eq!(test.create_shares(&acme, &entries, START).await.unwrap().len(), entries.len());
}

#[tokio::test]
async fn a_pattern_goes_with_the_last_share_that_uses_it() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.account("initech").await;
    let id = id_of_web(&test, &acme).await;
    let uncounted = test.create_share(&acme, &repository(WEB), with("globex", &["v1.*"]), START).await;
    assert!(matches!(uncounted, Err(Error::TagsUncounted { repositories }) if repositories == [id]));
    assert_eq!(test.may(&globex, WEB, Action::Pull, START).await, Answer::NotFound, "nothing is shared yet");
    let noted = record(&test, id).await.unwrap().patterns;
    assert_eq!((noted.len(), noted[0].shares), (1, 0));
    assert_eq!(reaped_from(&test, noted[0].id).await, Some(at(3_600)), "should no share come to use it");

    share(&test, &acme, "globex", &["v1.*"]).await.unwrap();
    share(&test, &acme, "initech", &["v1.*", "latest"]).await.unwrap();
    let first = noted[0].id;
    let permit = test.authorize(&globex, &repository(WEB), Action::Pull, START).await.unwrap();
    assert_eq!(*permit.scope(), ContentScope::Tags([first].into_iter().collect()));
    assert_eq!(uses(&test, id).await[&first], 2);
    test.revoke_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap();
    assert_eq!(record(&test, id).await.unwrap().patterns.len(), 2);
    change(&test, &acme, "initech", matching(&["latest"])).await.unwrap();
    assert_eq!(record(&test, id).await.unwrap().patterns.len(), 1);
    assert_eq!(reaped_from(&test, first).await, Some(START), "at once");
    share(&test, &acme, "globex", &["v1.*"]).await.unwrap();
    assert!(!uses(&test, id).await.contains_key(&first), "the same pattern again is another one");
    change(&test, &acme, "globex", ShareTags::All).await.unwrap();
    test.delete_account(&test.admin, &account("initech"), START).await.unwrap();
    assert_eq!(record(&test, id).await, None);
}

#[tokio::test]
async fn becoming_public_lets_go_of_all_patterns_and_what_is_ended_later_of_none() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let id = id_of_web(&test, &acme).await;
    share(&test, &acme, "globex", &["v1.*", "latest"]).await.unwrap();
    test.publish(&acme, WEB).await;
    assert_eq!(record(&test, id).await, None);
    test.set_visibility(&acme, &repository(WEB), Visibility::Private, START).await.unwrap();
    share(&test, &acme, "globex", &["v1.*"]).await.unwrap();
    assert_eq!(record(&test, id).await.unwrap().patterns[0].shares, 1);
}

#[tokio::test]
async fn the_uses_are_counted_whatever_happens_at_once() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let grantees = ["globex", "initech", "umbrella"];
    for name in &grantees[1..] {
        test.account(name).await;
    }
    let id = id_of_web(&test, &acme).await;
    let patterns = ["v1.*", "v2.*", "latest", "*"];
    for round in 0..40 {
        let steps = (0..6).map(|n| {
            let (test, acme) = (&test, &acme);
            let seed: usize = rand::random_range(0..1_000);
            let (grantee, tags) = (grantees[seed % 3], [patterns[seed % 4], patterns[(seed / 4) % 4]]);
            async move {
                let done = match (n + seed) % 4 {
                    0 | 1 => share(test, acme, grantee, &tags).await.map(|_| ()),
                    2 => change(test, acme, grantee, matching(&tags)).await.map(|_| ()),
                    _ => test.revoke_share(acme, &repository(WEB), &account(grantee), START).await,
                };
                assert!(
                    matches!(done, Ok(()) | Err(Error::Exists { .. } | Error::NotFound { .. })),
                    "{done:?}"
                );
            }
        });
        join_all(steps).await;
        let record = record(&test, id).await.unwrap_or_default();
        let held: BTreeMap<_, _> = record
            .patterns
            .iter()
            .filter(|pattern| pattern.shares > 0)
            .map(|pattern| (pattern.id, pattern.shares))
            .collect();
        assert_eq!(held, uses(&test, id).await, "round {round}");
    }
}
