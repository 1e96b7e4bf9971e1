//! The management interface, `/api/v1`: accounts, users, namespaces, repositories, tags, permissions, shares,
//! personal tokens, access keys, webhooks, the audit trail and the server itself, as JSON, with an OpenAPI 3.1 document of itself at
//! `/api/v1/openapi.json`.
//!
//! A handler here parses, makes one call of `auth` or `storage`, and writes JSON. It decides nothing about rights:
//! those calls do. Each noun has its file; what they share is [`extract`] (caller, path, query, body), [`deadline`]
//! and [`problem`], the one place where a failure becomes a status, a code and a sentence.
//!
//! Requests sign in with `Authorization` alone (Basic, or a personal token as Bearer), never with a cookie, so that no
//! page of another site can make a browser act here.

mod access_keys;
mod accounts;
mod audit;
mod blocked_owners;
mod cloud_event;
mod deadline;
mod directory;
mod document;
mod extract;
mod logins;
mod namespaces;
mod permissions;
mod problem;
mod profiles;
mod query;
mod repositories;
mod shares;
mod shares_at_once;
mod system;
mod tags;
#[cfg(test)]
mod tests;
mod tokens;
pub mod types;
mod usage;
mod users;
mod webhooks;
mod whoami;

pub use cloud_event::cloud_event;

use std::net::IpAddr;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Uri};
use percent_encoding::percent_decode_str;
use tower::ServiceExt;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use problem::{Code, Problem};

/// Where all of it lives.
const BASE: &str = "/api/v1";

/// The routes, and the document of them; the same for every [`App`], which travels in the request.
static SERVICE: LazyLock<Service> = LazyLock::new(Service::new);

struct Service {
    router: Router,
    document: String,
}

impl Service {
    fn new() -> Self {
        let (router, document) = assemble();
        let document = document.to_json().expect("the document is made of strings and numbers");
        Self { router, document }
    }
}

/// The OpenAPI 3.1 document of `/api/v1`, as JSON.
pub fn openapi() -> &'static str {
    &SERVICE.document
}

/// Answers a request below `/api/v1`, which came `from` there.
pub(crate) async fn respond<B>(app: &App, request: http::Request<B>, from: Option<IpAddr>) -> Response
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(app.clone());
    request.extensions_mut().insert(extract::Source(from));
    let mut response = if climbs(request.uri().path()) {
        path_unknown(request.uri().clone()).await.into_response()
    } else {
        let Ok(response) = SERVICE.router.clone().oneshot(request).await;
        response
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether a segment of the path, its slashes written in whatever way, is `.` or `..`. Nothing here has such a name, and a
/// proxy that resolves them would take the address for another than we do.
fn climbs(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    decoded.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn assemble() -> (Router, OpenApi) {
    let signed_in = OpenApiRouter::new()
        .routes(routes!(whoami::show))
        .routes(routes!(accounts::create, accounts::list))
        .routes(routes!(accounts::show, accounts::change, accounts::delete))
        .routes(routes!(accounts::free))
        .routes(routes!(profiles::show, profiles::change))
        .routes(routes!(users::create, users::list))
        .routes(routes!(users::show, users::change, users::delete))
        .routes(routes!(namespaces::create, namespaces::list))
        .routes(routes!(namespaces::show, namespaces::delete))
        .routes(routes!(namespaces::free))
        .routes(routes!(permissions::list_of_namespace))
        .routes(routes!(permissions::set_on_namespace, permissions::remove_from_namespace))
        .routes(routes!(repositories::create, repositories::list))
        .routes(routes!(repositories::show, repositories::change, repositories::delete))
        .routes(routes!(tags::list))
        .routes(routes!(tags::show, tags::delete))
        .routes(routes!(permissions::list_of_repository))
        .routes(routes!(permissions::set_on_repository, permissions::remove_from_repository))
        .routes(routes!(shares::create, shares::list_of_repository))
        .routes(routes!(shares::show, shares::change, shares::revoke))
        .routes(routes!(usage::show))
        .routes(routes!(audit::list))
        .routes(routes!(shares::list, shares_at_once::create))
        .routes(routes!(blocked_owners::leave))
        .routes(routes!(blocked_owners::list, blocked_owners::block))
        .routes(routes!(blocked_owners::unblock))
        .routes(routes!(tokens::create, tokens::list))
        .routes(routes!(tokens::revoke))
        .routes(routes!(logins::create))
        .routes(routes!(access_keys::create, access_keys::list))
        .routes(routes!(access_keys::change, access_keys::delete))
        .routes(routes!(directory::export, directory::import))
        .routes(routes!(system::show))
        .routes(routes!(webhooks::create, webhooks::list))
        .routes(routes!(webhooks::show, webhooks::change, webhooks::delete))
        .routes(routes!(webhooks::deliver, webhooks::list_deliveries))
        .route_layer(from_fn(extract::sign_in));
    let open = OpenApiRouter::new().routes(routes!(document::show));
    let (router, document) =
        OpenApiRouter::with_openapi(document::skeleton()).nest(BASE, signed_in.merge(open)).split_for_parts();
    let router = router.method_not_allowed_fallback(method_not_allowed).fallback(path_unknown);
    (router, document::complete(document))
}

async fn path_unknown(uri: Uri) -> Problem {
    let detail = format!(
        "There is nothing at {}. GET {BASE}/openapi.json lists the paths; a repository's name is one segment, with \
         its slashes written as %2F.",
        uri.path()
    );
    Problem::new(Code::PathUnknown, detail)
}

async fn method_not_allowed(method: Method) -> Problem {
    let detail = format!("{method} is not possible here; the header Allow lists what is.");
    Problem::new(Code::MethodNotAllowed, detail)
}
