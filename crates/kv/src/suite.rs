//! The contract of [`Engine`], as tests: every engine passes them all.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;

use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::{
    Add, BATCH_OPERATIONS_MAX, Batch, Direction, Engine, Entry, Error, KEY_BYTES_MAX, KeyList, Outcome,
    SCAN_ENTRIES_MAX, VALUE_BYTES_MAX, Version,
};

/// Runs the suite; `fresh` makes an empty engine.
pub(crate) async fn run<E: Engine, F: Future<Output = Arc<E>>>(fresh: impl Fn() -> F) {
    expectations(&*fresh().await).await;
    versions_never_repeat(&*fresh().await).await;
    all_or_nothing(&*fresh().await).await;
    counters(&*fresh().await).await;
    scans(&*fresh().await).await;
    many_reads(&*fresh().await).await;
    bounds(&*fresh().await).await;
    concurrent_adds(fresh().await).await;
    concurrent_claims(fresh().await).await;
    snapshots_are_whole(fresh().await).await;
    follows_the_model(&*fresh().await).await;
}

fn key(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn put(at: &str, value: &str) -> Batch {
    Batch { put: vec![(key(at), key(value))], ..Batch::default() }
}

fn add(at: &str, delta: i64, min: i64, max: i64) -> Batch {
    Batch { add: vec![Add { key: key(at), delta, min, max }], ..Batch::default() }
}

async fn done(engine: &impl Engine, batch: Batch) {
    assert_eq!(engine.commit(batch).await.unwrap(), Outcome::Committed);
}

async fn version(engine: &impl Engine, at: &str) -> Option<Version> {
    engine.get(at.as_bytes()).await.unwrap().map(|entry| entry.version)
}

async fn value(engine: &impl Engine, at: &str) -> Option<Vec<u8>> {
    engine.get(at.as_bytes()).await.unwrap().map(|entry| entry.value.to_vec())
}

async fn expectations(engine: &impl Engine) {
    let expecting = |expected, batch| Batch { expect: vec![(key("a"), expected)], ..batch };
    assert_eq!(engine.commit(expecting(Some(Version(1)), put("a", "1"))).await.unwrap(), Outcome::Conflict);
    done(engine, expecting(None, put("a", "1"))).await;
    assert_eq!(engine.commit(expecting(None, put("a", "2"))).await.unwrap(), Outcome::Conflict);
    let first = version(engine, "a").await;
    done(engine, expecting(first, put("a", "2"))).await;
    assert_eq!(engine.commit(expecting(first, put("a", "3"))).await.unwrap(), Outcome::Conflict);
    assert_eq!(value(engine, "a").await, Some(key("2")));
    // An expectation alone, beside a write of another key, and on a deletion.
    let second = version(engine, "a").await;
    assert_ne!(first, second);
    done(engine, expecting(second, Batch::default())).await;
    done(engine, expecting(second, put("b", "x"))).await;
    assert_eq!(version(engine, "a").await, second, "an expectation writes nothing");
    done(engine, expecting(second, Batch { delete: vec![key("a")], ..Batch::default() })).await;
    done(engine, expecting(None, Batch::default())).await;
    // An empty batch, and the deletion of what is not there.
    done(engine, Batch::default()).await;
    done(engine, Batch { delete: vec![key("absent")], ..Batch::default() }).await;
}

async fn versions_never_repeat(engine: &impl Engine) {
    let mut seen = Vec::new();
    for round in 0..3 {
        done(engine, put("a", "same")).await;
        seen.push(version(engine, "a").await.unwrap());
        if round == 1 {
            done(engine, Batch { delete: vec![key("a")], ..Batch::default() }).await;
        }
    }
    assert!(seen.is_sorted_by(|one, two| one < two), "{seen:?}");
}

async fn all_or_nothing(engine: &impl Engine) {
    done(engine, put("old", "1")).await;
    let batch = Batch {
        expect: vec![(key("old"), None)],
        put: vec![(key("new"), key("1"))],
        delete: vec![key("old")],
        add: vec![Add { key: key("count"), delta: 1, min: 0, max: 9 }],
    };
    assert_eq!(engine.commit(batch.clone()).await.unwrap(), Outcome::Conflict);
    let full = Batch {
        expect: Vec::new(),
        add: vec![Add { key: key("count"), delta: 1, min: 0, max: 0 }],
        ..batch.clone()
    };
    assert_eq!(engine.commit(full).await.unwrap(), Outcome::OutOfBounds { key: key("count") });
    assert_eq!(value(engine, "new").await, None);
    assert_eq!(value(engine, "old").await, Some(key("1")));
    assert_eq!(value(engine, "count").await, None);
    done(engine, Batch { expect: Vec::new(), ..batch }).await;
    assert_eq!(value(engine, "new").await, Some(key("1")));
    assert_eq!(value(engine, "old").await, None);
}

async fn counters(engine: &impl Engine) {
    let count = async || engine.get(b"c").await.unwrap().map(|entry| entry.counter().unwrap());
    done(engine, add("c", 3, 0, 5)).await;
    done(engine, add("c", 2, 0, 5)).await;
    assert_eq!(count().await, Some(5));
    assert_eq!(engine.commit(add("c", 1, 0, 5)).await.unwrap(), Outcome::OutOfBounds { key: key("c") });
    assert_eq!(engine.commit(add("c", -6, 0, 5)).await.unwrap(), Outcome::OutOfBounds { key: key("c") });
    done(engine, add("c", -5, 0, 5)).await;
    assert_eq!(count().await, Some(0), "a counter at zero stays");
    done(engine, add("c", i64::MAX, i64::MIN, i64::MAX)).await;
    let beyond = engine.commit(add("c", 1, i64::MIN, i64::MAX)).await.unwrap();
    assert_eq!(beyond, Outcome::OutOfBounds { key: key("c") });
    // A counter has versions as any value, and may be expected at one.
    let at = version(engine, "c").await;
    done(engine, Batch { expect: vec![(key("c"), at)], ..add("c", -1, 0, i64::MAX) }).await;
    assert!(version(engine, "c").await > at);
    done(engine, put("text", "no counter")).await;
    assert!(matches!(engine.commit(add("text", 1, 0, 9)).await, Err(Error::Corrupt { .. })));
}

async fn scans(engine: &impl Engine) {
    let names = ["a", "aa", "ab", "b", "b\0", "c"];
    done(engine, Batch { put: names.iter().map(|n| (key(n), key(n))).collect(), ..Batch::default() }).await;
    let forward = Direction::Forward;
    let scan = async |start, end, limit, direction| {
        let found = engine.scan((start, end), limit, direction).await.unwrap();
        found.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(scan(Unbounded, Unbounded, 100, forward).await, names);
    assert_eq!(scan(Unbounded, Unbounded, 2, Direction::Backward).await, ["c", "b\0"]);
    assert_eq!(scan(Included(key("aa")), Excluded(key("b")), 9, forward).await, ["aa", "ab"]);
    assert_eq!(scan(Excluded(key("aa")), Included(key("b")), 9, forward).await, ["ab", "b"]);
    assert_eq!(scan(Excluded(key("b")), Unbounded, 9, forward).await, ["b\0", "c"]);
    assert_eq!(scan(Included(key("aa")), Excluded(key("b")), 1, Direction::Backward).await, ["ab"]);
    assert!(scan(Unbounded, Unbounded, 0, forward).await.is_empty());
    // Empty and inverted ranges are no errors.
    assert!(scan(Included(key("b")), Excluded(key("b")), 9, forward).await.is_empty());
    assert!(scan(Excluded(key("b")), Excluded(key("b")), 9, forward).await.is_empty());
    assert!(scan(Excluded(key("b")), Included(key("b")), 9, forward).await.is_empty());
    assert!(scan(Included(key("c")), Included(key("a")), 9, forward).await.is_empty());
    assert_eq!(scan(Included(key("b")), Included(key("b")), 9, forward).await, ["b"]);
}

async fn many_reads(engine: &impl Engine) {
    done(engine, put("a", "1")).await;
    let read = engine.get_many(&KeyList::from_iter(["b", "a", "a"])).await.unwrap();
    let values: Vec<_> = read.into_iter().map(|entry| entry.map(|entry| entry.value.to_vec())).collect();
    assert_eq!(values, [None, Some(key("1")), Some(key("1"))]);
    assert!(engine.get_many(&KeyList::default()).await.unwrap().is_empty());
}

async fn bounds(engine: &impl Engine) {
    let invalid = async |batch| matches!(engine.commit(batch).await, Err(Error::Invalid { .. }));
    let longest = "k".repeat(KEY_BYTES_MAX);
    done(engine, put(&longest, "")).await;
    assert_eq!(value(engine, &longest).await, Some(Vec::new()), "an empty value is a value");
    assert!(invalid(put(&(longest.clone() + "k"), "")).await);
    assert!(invalid(put("", "x")).await);
    assert!(matches!(engine.get(b"").await, Err(Error::Invalid { .. })));
    assert!(matches!(engine.get_many(&KeyList::from_iter([""])).await, Err(Error::Invalid { .. })));
    let big = |bytes| Batch { put: vec![(key("big"), vec![7; bytes])], ..Batch::default() };
    done(engine, big(VALUE_BYTES_MAX)).await;
    assert!(invalid(big(VALUE_BYTES_MAX + 1)).await);
    assert!(invalid(Batch { delete: vec![key("a")], ..put("a", "1") }).await, "two writes of a key");
    assert!(invalid(Batch { put: Vec::new(), delete: vec![key("a")], ..add("a", 1, 0, 1) }).await);
    let many =
        |count| Batch { delete: (0..count).map(|n| key(&n.to_string())).collect(), ..Batch::default() };
    done(engine, many(BATCH_OPERATIONS_MAX)).await;
    assert!(invalid(many(BATCH_OPERATIONS_MAX + 1)).await);
    let scan = engine.scan((Unbounded, Unbounded), SCAN_ENTRIES_MAX + 1, Direction::Forward).await;
    assert!(matches!(scan, Err(Error::Invalid { .. })));
}

async fn concurrent_adds<E: Engine>(engine: Arc<E>) {
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.commit(add("c", 1, 0, 60)).await.unwrap() })
        })
        .collect();
    let mut committed = 0;
    for task in tasks {
        committed += usize::from(task.await.unwrap() == Outcome::Committed);
    }
    assert_eq!(committed, 60, "adds conflict with nothing but the bound");
    assert_eq!(engine.get(b"c").await.unwrap().unwrap().counter().unwrap(), 60);
}

async fn concurrent_claims<E: Engine>(engine: Arc<E>) {
    // Each increments a plain value by reading and expecting: no update may be lost.
    let increment = async |engine: &E| loop {
        let read = engine.get(b"n").await.unwrap();
        let next = read.as_ref().map_or(0, |entry| entry.value[0]) + 1;
        let batch = Batch {
            expect: vec![(key("n"), read.map(|entry| entry.version))],
            put: vec![(key("n"), vec![next])],
            ..Batch::default()
        };
        if engine.commit(batch).await.unwrap() == Outcome::Committed {
            break;
        }
    };
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    increment(&engine).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(engine.get(b"n").await.unwrap().unwrap().value[..], [80]);
}

async fn snapshots_are_whole<E: Engine>(engine: Arc<E>) {
    let pair = |n: u8| Batch { put: vec![(key("x"), vec![n]), (key("y"), vec![n])], ..Batch::default() };
    done(&*engine, pair(0)).await;
    let writer = tokio::spawn({
        let engine = engine.clone();
        async move {
            for n in 1..100 {
                done(&*engine, pair(n)).await;
            }
        }
    });
    while !writer.is_finished() {
        let many = engine.get_many(&KeyList::from_iter(["x", "y"])).await.unwrap();
        assert_eq!(many[0], many[1], "two keys of one commit, read at once");
        let range = (Included(key("x")), Included(key("y")));
        let scanned = engine.scan(range, 2, Direction::Forward).await.unwrap();
        assert_eq!(scanned[0].1, scanned[1].1);
    }
    writer.await.unwrap();
}

/// Random batches, each compared with a map.
async fn follows_the_model(engine: &impl Engine) {
    let name = || proptest::sample::select(vec!["a", "b", "c", "d"]);
    let step = (
        proptest::option::of((name(), any::<bool>())),
        proptest::collection::btree_map(name(), proptest::option::of(any::<u8>()), 0..4),
    );
    let mut runner = TestRunner::deterministic();
    let mut model: BTreeMap<Vec<u8>, Entry> = BTreeMap::new();
    for _ in 0..300 {
        let (expect, writes) = step.new_tree(&mut runner).unwrap().current();
        let expect: Vec<_> = expect
            .map(|(name, right)| {
                let known = model.get(name.as_bytes()).map(|entry| entry.version);
                (key(name), if right { known } else { Some(Version(u64::MAX)) })
            })
            .into_iter()
            .collect();
        let holds = expect.iter().all(|(key, version)| model.get(key).map(|e| e.version) == *version);
        let mut batch = Batch { expect, ..Batch::default() };
        for (name, value) in &writes {
            match value {
                Some(value) => batch.put.push((key(name), vec![*value])),
                None => batch.delete.push(key(name)),
            }
        }
        let outcome = engine.commit(batch).await.unwrap();
        assert_eq!(outcome, if holds { Outcome::Committed } else { Outcome::Conflict });
        for (name, value) in writes.iter().filter(|_| holds) {
            match value {
                None => drop(model.remove(name.as_bytes())),
                Some(value) => {
                    let entry = engine.get(name.as_bytes()).await.unwrap().unwrap();
                    assert_eq!(entry.value[..], [*value]);
                    let old = model.insert(key(name), entry.clone());
                    assert!(old.is_none_or(|old| old.version < entry.version));
                }
            }
        }
        let all = engine.scan((Unbounded, Unbounded), 100, Direction::Forward).await.unwrap();
        assert_eq!(all, model.clone().into_iter().collect::<Vec<_>>());
    }
}
