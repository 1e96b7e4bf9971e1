//! The table of addresses.

use super::{
    Access, Action, Algorithm, Digest, Existing, Method, Open, Operation, Push, Reference, Referrers,
    RepositoryName, Route, RouteError, Start, Step, Tag, UploadId, parse,
};
use crate::query::{PAGE_ENTRIES_MAX, Page};

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ID: &str = "0123456789abcdef0123456789abcdef";

fn digest() -> Digest {
    Digest::parse(&format!("sha256:{HEX}")).unwrap()
}

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

fn page() -> Page {
    Page { limit: PAGE_ENTRIES_MAX, after: None }
}

/// `GET /path?query`, with `D` for the digest and `I` for an upload's id.
fn route(line: &str) -> Result<Route, RouteError> {
    let (method, address) = line.split_once(' ').unwrap();
    let address = address.replace("{D}", &format!("sha256:{HEX}")).replace("{I}", ID);
    let (path, query) = match address.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (address.as_str(), None),
    };
    parse(&method.parse::<Method>().unwrap(), path, query)
}

fn existing(repository: &str, operation: Existing) -> Route {
    Route::Repository(name(repository), Operation::Existing(operation))
}

fn start(repository: &str, start: Start) -> Route {
    Route::Repository(name(repository), Operation::Push(Push::Blob(start)))
}

fn step(repository: &str, step: Step) -> Route {
    Route::Repository(name(repository), Operation::Upload(UploadId::parse(ID).unwrap(), step))
}

#[test]
fn open_routes() {
    for (line, open) in [
        ("GET /healthz", Open::Health),
        ("HEAD /readyz", Open::Ready),
        ("GET /auth/token", Open::Token),
        ("POST /auth/token", Open::TokenForm),
        ("GET /auth/jwks.json", Open::Keys),
        ("PATCH /api/v1/repositories/a%2Fb", Open::Api),
        ("GET /api/v1", Open::Api),
        // What follows is that API's to judge, in its own way.
        ("GET /api/v1/accounts/%FF", Open::Api),
    ] {
        assert_eq!(route(line), Ok(Route::Open(open)), "{line}");
    }
    assert_eq!(route("GET /v2"), Ok(Route::Base));
    assert_eq!(route("HEAD /v2/"), Ok(Route::Base));
    let catalog = Route::Catalog(Page { limit: 5, after: Some("a/b".to_owned()) });
    assert_eq!(route("GET /v2/_catalog?n=5&last=a/b"), Ok(catalog));
}

#[test]
fn reading() {
    let by_tag = || Reference::Tag(tag("v1"));
    for (line, expected) in [
        ("GET /v2/a/b/blobs/{D}", existing("a/b", Existing::ReadBlob(digest()))),
        ("HEAD /v2/a/b/c/blobs/{D}", existing("a/b/c", Existing::StatBlob(digest()))),
        (
            "GET /v2/a%2Fb/blobs/sha256%3Ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            existing("a/b", Existing::ReadBlob(digest())),
        ),
        ("DELETE /v2/a/b/blobs/{D}", existing("a/b", Existing::DeleteBlob(digest()))),
        ("GET /v2/a/b/manifests/v1", existing("a/b", Existing::ReadManifest(by_tag()))),
        ("HEAD /v2/a/b/manifests/{D}", existing("a/b", Existing::StatManifest(Reference::Digest(digest())))),
        ("DELETE /v2/a/b/manifests/{D}", existing("a/b", Existing::DeleteManifest(digest()))),
        ("DELETE /v2/a/b/manifests/v1", existing("a/b", Existing::DeleteTag(tag("v1")))),
        ("GET /v2/a/b/tags/list", existing("a/b", Existing::ListTags(page()))),
        // Names that look like routes.
        (
            "GET /v2/a/blobs/uploads/manifests/v1",
            existing("a/blobs/uploads", Existing::ReadManifest(by_tag())),
        ),
        ("GET /v2/a/manifests/tags/list", existing("a/manifests", Existing::ListTags(page()))),
        (
            "GET /v2/tags/list/manifests/list",
            existing("tags/list", Existing::ReadManifest(Reference::Tag(tag("list")))),
        ),
        ("GET /v2/a/tags/manifests/v1", existing("a/tags", Existing::ReadManifest(by_tag()))),
    ] {
        assert_eq!(route(line), Ok(expected), "{line}");
    }
    let referrers = Referrers {
        subject: digest(),
        artifact_type: Some("application/vnd.x+json".to_owned()),
        page: Page { limit: 2, after: None },
    };
    let expected = Route::Repository(name("a/b"), Operation::Referrers(referrers));
    assert_eq!(route("GET /v2/a/b/referrers/{D}?artifactType=application/vnd.x+json&n=2"), Ok(expected));
}

#[test]
fn writing() {
    let sha512 = format!("sha512:{}", "a".repeat(128));
    let mount = |from: Option<&str>| Start::Mount { digest: digest(), from: from.map(name) };
    for (line, expected) in [
        ("POST /v2/a/b/blobs/uploads/", start("a/b", Start::Session(Algorithm::Sha256))),
        ("POST /v2/a/b/blobs/uploads", start("a/b", Start::Session(Algorithm::Sha256))),
        (
            "POST /v2/a/b/blobs/uploads/?digest-algorithm=sha512",
            start("a/b", Start::Session(Algorithm::Sha512)),
        ),
        ("POST /v2/a/b/blobs/uploads/?digest={D}", start("a/b", Start::Whole(digest()))),
        ("POST /v2/a/b/blobs/uploads/?mount={D}", start("a/b", mount(None))),
        ("POST /v2/a/b/blobs/uploads/?mount={D}&from=", start("a/b", mount(None))),
        ("POST /v2/a/b/blobs/uploads/?mount={D}&from=c/d", start("a/b", mount(Some("c/d")))),
        ("POST /v2/a/b/blobs/uploads/?mount={D}&from=NO", start("a/b", Start::Session(Algorithm::Sha256))),
        ("GET /v2/a/b/blobs/uploads/{I}", step("a/b", Step::Status)),
        ("PATCH /v2/a/b/blobs/uploads/{I}?_state=x", step("a/b", Step::Append)),
        ("PUT /v2/a/b/blobs/uploads/{I}?digest={D}", step("a/b", Step::Finish(digest()))),
        ("DELETE /v2/a/b/blobs/uploads/{I}", step("a/b", Step::Cancel)),
    ] {
        assert_eq!(route(line), Ok(expected), "{line}");
    }
    let push = Push::Manifest { reference: Reference::Digest(digest()), tags: vec![tag("v1"), tag("v2")] };
    let expected = Route::Repository(name("a/b"), Operation::Push(push));
    assert_eq!(route("PUT /v2/a/b/manifests/{D}?tag=v1&tag=v2"), Ok(expected));
    let finish = step("a/b", Step::Finish(Digest::parse(&sha512).unwrap()));
    assert_eq!(route(&format!("PUT /v2/a/b/blobs/uploads/{{I}}?digest={sha512}")), Ok(finish));
}

#[test]
fn errors() {
    let kind = |line: &str| match route(line).unwrap_err() {
        RouteError::Unknown => "unknown",
        RouteError::NotEncoded => "encoding",
        RouteError::Method { .. } => "method",
        RouteError::Name(_) => "name",
        RouteError::Digest(_) => "digest",
        RouteError::DigestMissing => "digest missing",
        RouteError::Tag(_) => "tag",
        RouteError::TagUnknown => "tag unknown",
        RouteError::UploadUnknown => "upload unknown",
        RouteError::Page(_) => "page",
    };
    for (line, expected) in [
        ("GET /consolex/", "unknown"),
        ("GET /v2x/", "unknown"),
        ("GET /v2/a", "unknown"),
        ("GET /v2/a/b", "unknown"),
        ("GET /v2/a/b/manifests", "unknown"),
        ("GET /v2/a/b/tags/list/", "unknown"),
        ("GET /v2/%ff/b/tags/list", "encoding"),
        ("DELETE /v2/", "method"),
        ("PUT /auth/token", "method"),
        ("POST /v2/a/b/manifests/v1", "method"),
        ("GET /v2/a/b/blobs/uploads/", "method"),
        ("POST /v2/a/b/blobs/uploads/{I}", "method"),
        ("PUT /v2/a/b/tags/list", "method"),
        ("GET /v2/a/tags/list", "name"),
        ("GET /v2/A/b/tags/list", "name"),
        ("GET /v2//a/b/tags/list", "name"),
        ("GET /v2/_catalog/x/manifests/v1", "name"),
        ("GET /v2/../etc/tags/list", "name"),
        ("GET /v2/manage/b/tags/list", "name"),
        ("POST /v2/a/b%00/blobs/uploads/", "name"),
        ("GET /v2/a/b/blobs/sha256:abc", "digest"),
        ("GET /v2/a/b/blobs/latest", "digest"),
        ("GET /v2/a/b/manifests/md5:abc", "digest"),
        ("GET /v2/a/b/referrers/v1", "digest"),
        ("POST /v2/a/b/blobs/uploads/?digest=x", "digest"),
        ("POST /v2/a/b/blobs/uploads/?mount=x", "digest"),
        ("POST /v2/a/b/blobs/uploads/?digest-algorithm=md5", "digest"),
        ("PUT /v2/a/b/blobs/uploads/{I}", "digest missing"),
        ("PUT /v2/a/b/blobs/uploads/{I}?digest=", "digest missing"),
        ("PUT /v2/a/b/manifests/.bad", "tag"),
        ("PUT /v2/a/b/manifests/{D}?tag=ok&tag=-", "tag"),
        ("GET /v2/a/b/manifests/.bad", "tag unknown"),
        ("DELETE /v2/a/b/manifests/.bad", "tag unknown"),
        ("GET /v2/a/b/blobs/uploads/xyz", "upload unknown"),
        ("GET /v2/a/b/tags/list?n=x", "page"),
        ("GET /v2/_catalog?n=-1", "page"),
    ] {
        assert_eq!(kind(line), expected, "{line}");
    }
}

#[test]
fn access_and_scopes() {
    for (line, action, scopes) in [
        ("GET /v2/a/b/blobs/{D}", Action::Pull, "repository:a/b:pull"),
        ("HEAD /v2/a/b/manifests/v1", Action::Pull, "repository:a/b:pull"),
        ("GET /v2/a/b/tags/list", Action::Pull, "repository:a/b:pull"),
        ("GET /v2/a/b/referrers/{D}", Action::Pull, "repository:a/b:pull"),
        ("POST /v2/a/b/blobs/uploads/", Action::Push, "repository:a/b:pull,push"),
        ("GET /v2/a/b/blobs/uploads/{I}", Action::Push, "repository:a/b:pull,push"),
        ("PUT /v2/a/b/manifests/v1", Action::Push, "repository:a/b:pull,push"),
        ("DELETE /v2/a/b/manifests/v1", Action::DeleteTag, "repository:a/b:delete"),
        ("DELETE /v2/a/b/manifests/{D}", Action::Delete, "repository:a/b:delete"),
        ("DELETE /v2/a/b/blobs/{D}", Action::Delete, "repository:a/b:delete"),
        (
            "POST /v2/a/b/blobs/uploads/?mount={D}&from=c/d",
            Action::Push,
            "repository:a/b:pull,push repository:c/d:pull",
        ),
    ] {
        let route = route(line).unwrap();
        let access = route.access();
        assert!(matches!(access, Access::Repository { action: needed, .. } if needed == action), "{line}");
        let found: Vec<_> = access.scopes().iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), scopes, "{line}");
    }
    assert_eq!(Route::Base.access(), Access::SignedIn);
    assert_eq!(Route::Catalog(page()).access().scopes()[0].to_string(), "registry:catalog:*");
    assert_eq!(Route::Open(Open::Token).access(), Access::Open);
}
