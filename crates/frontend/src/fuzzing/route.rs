//! Methods, paths and queries.

use auth::ScopeRequest;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::ApiError;
use crate::query::Page;
use crate::router::{self, Access, Existing, Open, Operation, Push, Referrers, Route, Start, Step};

/// `METHOD PATH?QUERY`, in one line.
pub fn route(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (method, target) = text.split_once(' ').unwrap_or(("GET", text));
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    match router::parse(&method, path, query) {
        Ok(route) => {
            needs_access(&route);
            let (method, address) = address(&route);
            let (path, query) = address.split_once('?').unwrap_or((&address, ""));
            assert_eq!(router::parse(&method, path, Some(query)).as_ref(), Ok(&route), "{method} {address}");
        }
        Err(error) => {
            let refusal = ApiError::from(error).into_reply();
            assert!(refusal.status().is_client_error(), "{}", refusal.status());
        }
    }
}

/// Nothing under `/v2/` is open, and a challenge asks for scopes that the token service knows.
fn needs_access(route: &Route) {
    let access = route.access();
    assert_eq!(matches!(route, Route::Open(_)), access == Access::Open, "{route:?}");
    for scope in access.scopes() {
        let requests = ScopeRequest::parse_all([scope.to_string().as_str()]);
        assert_eq!(requests.len(), 1, "{scope} means nothing to the token service");
    }
}

/// The address of a route, written anew.
fn address(route: &Route) -> (Method, String) {
    match route {
        Route::Open(Open::Health) => (Method::GET, "/healthz".to_owned()),
        Route::Open(Open::Ready) => (Method::GET, "/readyz".to_owned()),
        Route::Open(Open::Token) => (Method::GET, "/auth/token".to_owned()),
        Route::Open(Open::TokenForm) => (Method::POST, "/auth/token".to_owned()),
        Route::Open(Open::Keys) => (Method::GET, "/auth/jwks.json".to_owned()),
        Route::Open(Open::Api) => (Method::GET, "/api/v1".to_owned()),
        Route::Open(Open::Console) => (Method::GET, "/console/".to_owned()),
        Route::Base => (Method::GET, "/v2/".to_owned()),
        Route::Catalog(page) => (Method::GET, format!("/v2/_catalog?{}", query_of(page))),
        Route::Repository(name, operation) => {
            let (method, rest) = match operation {
                Operation::Existing(existing) => of_existing(existing),
                Operation::Referrers(referrers) => (Method::GET, of_referrers(referrers)),
                Operation::Push(push) => of_push(push),
                Operation::Upload(id, step) => {
                    let (method, query) = of_step(step);
                    (method, format!("blobs/uploads/{id}{query}"))
                }
            };
            (method, format!("/v2/{name}/{rest}"))
        }
    }
}

fn of_existing(existing: &Existing) -> (Method, String) {
    match existing {
        Existing::StatBlob(digest) => (Method::HEAD, format!("blobs/{digest}")),
        Existing::ReadBlob(digest) => (Method::GET, format!("blobs/{digest}")),
        Existing::DeleteBlob(digest) => (Method::DELETE, format!("blobs/{digest}")),
        Existing::StatManifest(reference) => (Method::HEAD, format!("manifests/{reference}")),
        Existing::ReadManifest(reference) => (Method::GET, format!("manifests/{reference}")),
        Existing::DeleteManifest(digest) => (Method::DELETE, format!("manifests/{digest}")),
        Existing::DeleteTag(tag) => (Method::DELETE, format!("manifests/{tag}")),
        Existing::ListTags(page) => (Method::GET, format!("tags/list?{}", query_of(page))),
    }
}

fn of_referrers(Referrers { subject, artifact_type, page }: &Referrers) -> String {
    let kind = artifact_type.as_deref().map(encoded);
    let kind = kind.map_or(String::new(), |kind| format!("&artifactType={kind}"));
    format!("referrers/{subject}?{}{kind}", query_of(page))
}

fn of_push(push: &Push) -> (Method, String) {
    let blob = |query: String| (Method::POST, format!("blobs/uploads/?{query}"));
    match push {
        Push::Blob(Start::Session(algorithm)) => blob(format!("digest-algorithm={algorithm}")),
        Push::Blob(Start::Whole(digest)) => blob(format!("digest={digest}")),
        Push::Blob(Start::Mount { digest, from: None }) => blob(format!("mount={digest}")),
        Push::Blob(Start::Mount { digest, from: Some(from) }) => blob(format!("mount={digest}&from={from}")),
        Push::Manifest { reference, tags } => {
            let tags: Vec<_> = tags.iter().map(|tag| format!("tag={tag}")).collect();
            (Method::PUT, format!("manifests/{reference}?{}", tags.join("&")))
        }
    }
}

fn of_step(step: &Step) -> (Method, String) {
    match step {
        Step::Status => (Method::GET, String::new()),
        Step::Append => (Method::PATCH, String::new()),
        Step::Finish(digest) => (Method::PUT, format!("?digest={digest}")),
        Step::Cancel => (Method::DELETE, String::new()),
    }
}

fn query_of(page: &Page) -> String {
    page.after.as_deref().map_or(format!("n={}", page.limit), |last| page.next(last))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
