//! That no call is left out: the table has a row for every operation that the program itself knows of.

use std::collections::BTreeSet;

use http::{Method, Request};
use serde_json::Value;

use super::role::State;
use super::rows;
use crate::router::{Existing, Open, Operation, Push, Route, Start, Step, parse};
use crate::swr::Asked;

#[test]
fn every_operation_of_the_openapi_document_has_a_row() {
    let document: Value = serde_json::from_str(crate::openapi()).unwrap();
    let listed: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let of_table = rows().filter(|row| row.path().starts_with("/api/v1/"));
    let of_table: BTreeSet<_> = of_table.map(|row| (row.method.to_owned(), row.path().to_owned())).collect();
    let without: Vec<_> = listed.difference(&of_table).collect();
    let unknown: Vec<_> = of_table.difference(&listed).collect();
    assert!(without.is_empty(), "these have no row in tests/calls/management.rs: {without:?}");
    assert!(unknown.is_empty(), "the document knows none of these: {unknown:?}");
}

/// A name for each kind of route. A new one does not compile without its name here, and does not pass without its row.
macro_rules! routes {
    ($($name:literal: $pattern:pat,)+) => {
        const ROUTES: &[&str] = &[$($name),+];

        fn name(route: &Route) -> &'static str {
            match route { $($pattern => $name,)+ }
        }
    };
}

routes! {
    "health": Route::Open(Open::Health),
    "ready": Route::Open(Open::Ready),
    "token": Route::Open(Open::Token),
    "token, by form": Route::Open(Open::TokenForm),
    "keys": Route::Open(Open::Keys),
    "the management interface": Route::Open(Open::Api),
    "the console": Route::Open(Open::Console),
    "base": Route::Base,
    "catalog": Route::Catalog(_),
    "stat a blob": Route::Repository(_, Operation::Existing(Existing::StatBlob(_))),
    "read a blob": Route::Repository(_, Operation::Existing(Existing::ReadBlob(_))),
    "delete a blob": Route::Repository(_, Operation::Existing(Existing::DeleteBlob(_))),
    "stat a manifest": Route::Repository(_, Operation::Existing(Existing::StatManifest(_))),
    "read a manifest": Route::Repository(_, Operation::Existing(Existing::ReadManifest(_))),
    "delete a manifest": Route::Repository(_, Operation::Existing(Existing::DeleteManifest(_))),
    "delete a tag": Route::Repository(_, Operation::Existing(Existing::DeleteTag(_))),
    "list tags": Route::Repository(_, Operation::Existing(Existing::ListTags(_))),
    "referrers": Route::Repository(_, Operation::Referrers(_)),
    "begin an upload": Route::Repository(_, Operation::Push(Push::Blob(Start::Session(_)))),
    "push a blob": Route::Repository(_, Operation::Push(Push::Blob(Start::Whole(_)))),
    "mount a blob": Route::Repository(_, Operation::Push(Push::Blob(Start::Mount { .. }))),
    "push a manifest": Route::Repository(_, Operation::Push(Push::Manifest { .. })),
    "see an upload": Route::Repository(_, Operation::Upload(_, Step::Status)),
    "go on with an upload": Route::Repository(_, Operation::Upload(_, Step::Append)),
    "finish an upload": Route::Repository(_, Operation::Upload(_, Step::Finish(_))),
    "cancel an upload": Route::Repository(_, Operation::Upload(_, Step::Cancel)),
}

#[test]
fn every_route_of_the_router_has_a_row() {
    let digest = super::world::sha256(b"some").to_string();
    let mut seen = BTreeSet::new();
    for row in rows().filter(|row| !row.is_swr()) {
        let mut target = row.target.replace("{repository}", State::Shared.repository());
        for (word, value) in [
            ("{own-namespace}", "team-a"),
            ("{upload}", "00000000000000000000000000000001"),
            ("{others-upload}", "00000000000000000000000000000001"),
        ] {
            target = target.replace(word, value);
        }
        for word in [
            "{image}",
            "{layer}",
            "{loose}",
            "{hello}",
            "{image-v1}",
            "{image-v2}",
            "{layer-v1}",
            "{layer-v2}",
        ] {
            target = target.replace(word, &digest);
        }
        let (path, query) =
            target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
        let method = Method::from_bytes(row.method.as_bytes()).unwrap();
        match parse(&method, path, query) {
            Ok(route) => drop(seen.insert(name(&route))),
            Err(error) => panic!("{} is no route: {error}", row.name()),
        }
    }
    let without: Vec<_> = ROUTES.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(without.is_empty(), "these have no row in tests/calls/registry.rs: {without:?}");
}

#[test]
fn every_route_of_the_swr_management_api_has_a_row() {
    let mut seen = BTreeSet::new();
    for row in rows().filter(|row| row.is_swr()) {
        let mut target = row.target.to_owned();
        for (word, value) in [
            ("{organization}", "team-a"),
            ("{name}", "web"),
            ("{tag}", "v1"),
            ("{account}", "globex"),
            ("{id}", "7"),
        ] {
            target = target.replace(word, value);
        }
        let request = Request::builder().method(row.method).uri(target).body(()).unwrap();
        let (parts, ()) = request.into_parts();
        let registry = parse(&parts.method, parts.uri.path(), parts.uri.query());
        let asked = Asked::of(&parts, &registry);
        match asked.as_ref().and_then(Asked::route) {
            Some(route) => drop(seen.insert(route)),
            None => panic!("{} is no route", row.name()),
        }
    }
    let without: Vec<_> = Asked::ROUTES.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(without.is_empty(), "these have no row in tests/calls/swr.rs: {without:?}");
}
