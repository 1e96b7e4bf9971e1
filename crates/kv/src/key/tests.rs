use std::ops::Bound;

use proptest::prelude::{any, proptest};

use super::{BlobTotal, Id, Key, Region, Target, Usage};
use crate::{UsageRow, Use};

fn region() -> Region {
    Region::parse("local").unwrap()
}

fn id(raw: u64) -> Id {
    Id::new(raw).unwrap()
}

/// One key of each kind.
#[expect(clippy::too_many_lines, reason = "a table: a line for each key")]
fn one_of_each<'a>(digest: &'a [u8], hash: &'a [u8; 32]) -> Vec<Key<'a>> {
    let (account, user, repository, namespace, share) = (id(1), id(2), id(3), id(4), id(5));
    vec![
        Key::Schema,
        Key::Node { node: id(9) },
        Key::AccountName { name: "acme" },
        Key::Account { account },
        Key::UserName { account, name: "dev" },
        Key::User { account, user },
        Key::PersonalToken { account, user, token: id(9) },
        Key::PersonalTokenHash { hash },
        Key::UnknownNames { account },
        Key::AccessKey { access_key: "ABCDEFGHIJKLMNOPQRST" },
        Key::AccessKeyOf { account, user, access_key: "ABCDEFGHIJKLMNOPQRST" },
        Key::DirectoryImport { region: "north" },
        Key::AccountProfile { account },
        Key::NamespaceName { name: "team-a" },
        Key::Namespace { namespace },
        Key::NamespaceOf { account, name: "team-a" },
        Key::NamespaceRepositories { namespace },
        Key::RepositoryName { namespace, path: "web" },
        Key::Repository { repository },
        Key::RepositoryDetails { repository },
        Key::RepositoryUsage { account, repository, which: Usage::Manifests },
        Key::RepositoryUsage { account, repository, which: Usage::Tags },
        Key::RepositoryUsage { account, repository, which: Usage::Bytes },
        Key::RepositoryUsage { account, repository, which: Usage::LastPush },
        Key::FormerUsage { row: &[1; 9] },
        Key::Listed { name: "team-a/web" },
        Key::PublicName { name: "team-a/web" },
        Key::Permission { user, target: Target::Namespace(namespace) },
        Key::Permission { user, target: Target::Repository(namespace) },
        Key::PermissionOn { target: Target::Repository(repository), user },
        Key::Share { share },
        Key::ShareOf { repository, grantee: account },
        Key::SharedWith { grantee: account, share },
        Key::SharedName { grantee: account, name: "team-a/web", share },
        Key::FormerSharedWith { row: &[1; 16] },
        Key::SharedBy { owner: account, share },
        Key::ShareGuard { repository },
        Key::ShareUsage { share, row: UsageRow::first_of(20_000) },
        Key::ShareTotal { share, which: Use::Pulls },
        Key::ShareTotal { share, which: Use::Bytes },
        Key::ShareLastUse { share },
        Key::UsedOn { day: 20_000, share: id(1) },
        Key::UsedOnKept,
        Key::FormerUsageTrimmed,
        Key::FormerShare { repository, grantee: account },
        Key::ShareDue { time_ms: 8, share },
        Key::BlockedOwners { account },
        Key::SharedTags { repository },
        Key::SharedContent { repository, pattern: id(6), digest },
        Key::SharedTag { repository, pattern: id(6), tag: "latest" },
        Key::Blob { digest },
        Key::Link { repository, digest },
        Key::LinkOf { digest, repository },
        Key::OwnerLink { account, digest, repository },
        Key::Manifest { repository, digest },
        Key::ManifestBody { repository, digest },
        Key::Tag { repository, tag: "latest" },
        Key::TagOf { repository, digest, tag: "latest" },
        Key::Reference { repository, target: digest, source: digest },
        Key::References { repository, target: digest },
        Key::Referrer { repository, subject: digest, digest },
        Key::BlobTotal { which: BlobTotal::Blobs },
        Key::BlobTotal { which: BlobTotal::Bytes },
        Key::Upload { upload: 7 },
        Key::UploadExpiry { time_ms: 8, upload: 7 },
        Key::UploadsOpen { account },
        Key::Candidate { time_ms: 8, digest },
        Key::Reap { id: id(9) },
        Key::Event { account, time_ms: 8, event: id(9) },
        Key::SpentSignature { time_ms: 8, hash },
        Key::Notice { notice: id(9) },
        Key::Webhook { account, webhook: id(9) },
        Key::WebhookState { webhook: id(9) },
        Key::WebhookPending { webhook: id(9) },
        Key::Delivery { webhook: id(9), delivery: id(10) },
        Key::Delivered { webhook: id(9), delivery: id(10) },
    ]
}

fn contains((start, end): &super::Range, key: &[u8]) -> bool {
    let after_start = match start {
        Bound::Included(start) => key >= start.as_slice(),
        Bound::Excluded(start) => key > start.as_slice(),
        Bound::Unbounded => true,
    };
    let before_end = match end {
        Bound::Included(end) => key <= end.as_slice(),
        Bound::Excluded(end) => key < end.as_slice(),
        Bound::Unbounded => true,
    };
    after_start && before_end
}

#[test]
fn no_key_is_the_beginning_of_another() {
    let digest = [&[1u8][..], &[0xab; 32]].concat();
    let keys: Vec<_> = one_of_each(&digest, &[7; 32]).iter().map(|key| key.encode(&region())).collect();
    for (at, one) in keys.iter().enumerate() {
        for (other_at, other) in keys.iter().enumerate() {
            assert!(at == other_at || !other.starts_with(one), "{one:?} begins {other:?}");
        }
    }
}

#[test]
fn a_key_is_its_own_sibling_and_no_other_kinds() {
    let digest = [&[1u8][..], &[0xab; 32]].concat();
    let keys = one_of_each(&digest, &[7; 32]);
    for key in &keys {
        let range = key.siblings(&region());
        let inside: Vec<_> = keys.iter().filter(|other| contains(&range, &other.encode(&region()))).collect();
        assert!(inside.contains(&key));
        let kind = std::mem::discriminant(key);
        assert!(inside.iter().all(|other| std::mem::discriminant(*other) == kind), "{inside:?}");
        assert!(!contains(&key.siblings_after(&region()), &key.encode(&region())));
    }
}

#[test]
fn regions_share_what_is_global_and_nothing_else() {
    let other = Region::parse("local-2").unwrap();
    let digest = [&[1u8][..], &[0xab; 32]].concat();
    for key in one_of_each(&digest, &[7; 32]) {
        let (here, there) = (key.encode(&region()), key.encode(&other));
        assert_eq!(here == there, here[0] == b'g', "{key:?}");
    }
    assert!(!contains(
        &Key::Tag { repository: id(3), tag: "" }.siblings(&region()),
        &Key::Tag { repository: id(3), tag: "latest" }.encode(&other)
    ));
}

#[test]
fn a_list_holds_its_own_entries_alone() {
    let tags = Key::Tag { repository: id(3), tag: "" }.siblings(&region());
    assert!(contains(&tags, &Key::Tag { repository: id(3), tag: "a" }.encode(&region())));
    assert!(!contains(&tags, &Key::Tag { repository: id(4), tag: "a" }.encode(&region())));
    // `acme` and `acme-x`, `a/b` and `a/b-c`: a prefix of a name is a beginning, not a list.
    let users = Key::UserName { account: id(1), name: "" }.siblings(&region());
    assert!(!contains(&users, &Key::UserName { account: id(2), name: "dev" }.encode(&region())));
    let listed = Key::Listed { name: "team-a/" }.beginning(&region());
    assert!(contains(&listed, &Key::Listed { name: "team-a/web" }.encode(&region())));
    assert!(!contains(&listed, &Key::Listed { name: "team-a-x/web" }.encode(&region())));
}

#[test]
fn the_tail_is_the_last_field() {
    let key = Key::Tag { repository: id(3), tag: "v1" };
    let other = Key::Tag { repository: id(3), tag: "latest" }.encode(&region());
    assert_eq!(key.tail(&region(), &other).unwrap(), b"latest");
    assert!(key.tail(&region(), &Key::Schema.encode(&region())).is_err());
    let target = Target::Repository(id(77));
    let permission = Key::Permission { user: id(2), target };
    let encoded = permission.encode(&region());
    assert_eq!(Target::from_tail(permission.tail(&region(), &encoded).unwrap()), Some(target));
    assert_eq!(Target::from_tail(b"x"), None);
    assert_eq!(Id::from_tail(&u64::MAX.to_be_bytes()), None);
}

#[test]
fn ids_in_order_follow_each_other_and_the_time() {
    let now = 1_800_000_000_000;
    let made: Vec<_> = [now, now, now - 5, now + 1, 0].map(Id::in_order).into();
    assert!(made.is_sorted_by(|one, next| one < next), "{made:?}");
    assert!(made.iter().all(|id| Id::new(id.get()).is_some()));
}

#[test]
fn region_names() {
    for good in ["a", "local", "eu-north-1", &"a".repeat(32)] {
        assert!(Region::parse(good).is_some(), "{good}");
    }
    for bad in ["", "A", "a.b", "a/b", "a\0", "é", &"a".repeat(33)] {
        assert!(Region::parse(bad).is_none(), "{bad}");
    }
}

proptest! {
    /// Whatever the ids and names, byte order is the order of the last field, and its tail comes back.
    #[test]
    fn byte_order_is_field_order(one in "[a-zA-Z0-9._-]{1,40}", two in "[a-zA-Z0-9._-]{1,40}", raw in 1u64..1 << 53) {
        let key = |tag| Key::Tag { repository: id(raw), tag }.encode(&region());
        assert_eq!(key(&one).cmp(&key(&two)), one.cmp(&two));
        let list = Key::Tag { repository: id(raw), tag: &two };
        assert_eq!(contains(&list.siblings_after(&region()), &key(&one)), one > two);
        assert_eq!(list.tail(&region(), &key(&one)).unwrap(), one.as_bytes());
    }

    #[test]
    fn names_come_before_the_ids_beneath_them(one in "[a-z0-9/._-]{1,40}", two in "[a-z0-9/._-]{1,40}", raw in 1u64..1 << 53) {
        let key = |name, share| Key::SharedName { grantee: id(7), name, share };
        let (low, high) = (key(&one, id(raw)).encode(&region()), key(&two, Id::MIN).encode(&region()));
        assert_eq!(low < high, one < two);
        let list = key(&two, Id::MAX);
        assert_eq!(contains(&list.siblings_after(&region()), &low), one > two);
        let tail = list.tail(&region(), &low).unwrap();
        assert_eq!(Id::named_of_tail(tail), Some((one.as_str(), id(raw))));
        assert_eq!(Id::named_of_tail(&tail[1..tail.len() - 1]), None);
    }

    #[test]
    fn times_are_in_order(one in any::<u64>(), two in any::<u64>(), upload in any::<u128>()) {
        let key = |time_ms| Key::UploadExpiry { time_ms, upload }.encode(&region());
        assert_eq!(key(one).cmp(&key(two)), one.cmp(&two));
    }
}
