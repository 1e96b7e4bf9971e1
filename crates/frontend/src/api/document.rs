//! The OpenAPI 3.1 document of this interface. What each operation takes and gives stands at its handler; here stands
//! what is said once: the introduction, how to sign in, the failures.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::Response as DocumentedResponse;
use utoipa::openapi::schema::Ref;
use utoipa::openapi::security::{Http, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, RefOr, ResponseBuilder};
use utoipa::{OpenApi as _, ToResponse};

use super::problem::{Code, PROBLEM_JSON, Problem};
use super::types;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Gangplank",
        description = "Management of an OCI registry with sharing built in: an owner opens a private image for \
                       another account, until a deadline."
    ),
    tags(
        (name = "accounts", description = "Tenants: they own namespaces, and sign in as themselves or as users."),
        (name = "users", description = "People and machines of an account; they sign in as `user@account`."),
        (name = "namespaces", description = "The first part of repositories' names."),
        (name = "repositories", description = "Images under one name. A push makes one too, private."),
        (name = "tags", description = "Names of a repository's manifests."),
        (name = "permissions", description = "What a user may do with a namespace or a repository."),
        (name = "shares", description = "A private repository, opened for another account, to pull only."),
        (name = "audit", description = "Who did what, when, from where, with what result."),
        (name = "tokens", description = "Personal tokens: a password with an end and a scope."),
        (name = "access keys", description = "Key pairs that requests are signed with, and machines sign in with."),
        (name = "webhooks", description = "Where an account is told what happens to shares: signed CloudEvents."),
        (name = "directory", description = "Accounts that two regions share."),
        (name = "system", description = "How the server does, for its administrators."),
        (name = "about", description = "This interface, and who is calling it.")
    ),
    components(
        schemas(types::Problem),
        responses(
            BadRequest, Unauthenticated, Forbidden, NotFound, Conflict, TooSlow, TooLarge, NotJson, Unprocessable,
            TooMany, Failed, Busy, NoSpace
        )
    ),
    security(("basic" = []), ("bearer" = []))
)]
struct Skeleton;

/// The document before the operations are known.
pub(super) fn skeleton() -> OpenApi {
    let mut document = Skeleton::openapi();
    let introduction = document.info.description.take().unwrap_or_default();
    document.info.description = Some(format!("{introduction}\n\n{}", conventions()));
    if let Some(components) = document.components.as_mut() {
        let basic = "`account` or `user@account`, and a password or a personal token; or `region@ACCESSKEY`, and the \
                     password that is derived from its secret key.";
        components.add_security_scheme("basic", scheme(HttpAuthScheme::Basic, basic));
        components.add_security_scheme("bearer", scheme(HttpAuthScheme::Bearer, "A personal token."));
    }
    document
}

/// The document with what every operation may answer beside what it says itself.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    for PathItem { get, put, post, patch, delete, .. } in document.paths.paths.values_mut() {
        let mut changes = [put, post, patch, delete].into_iter().flatten().collect::<Vec<_>>();
        changes.iter_mut().for_each(|operation| add::<NoSpace>(operation, "507"));
        changes.into_iter().chain(get).for_each(add_common_failures);
    }
    document
}

fn add_common_failures(operation: &mut Operation) {
    // Without a requirement of its own, an operation has the document's: signing in.
    if operation.security.is_some() {
        return;
    }
    add::<Unauthenticated>(operation, "401");
    add::<TooMany>(operation, "429");
    add::<Failed>(operation, "500");
    add::<Busy>(operation, "503");
    if operation.parameters.is_some() || operation.request_body.is_some() {
        add::<BadRequest>(operation, "400");
    }
    if operation.request_body.is_some() {
        add::<TooSlow>(operation, "408");
        add::<TooLarge>(operation, "413");
        add::<NotJson>(operation, "415");
    }
}

fn add<T: ToResponse<'static>>(operation: &mut Operation, status: &str) {
    let (name, _) = T::response();
    operation
        .responses
        .responses
        .entry(status.to_owned())
        .or_insert(RefOr::Ref(Ref::from_response_name(name)));
}

fn scheme(scheme: HttpAuthScheme, description: &str) -> SecurityScheme {
    let scheme: Http = HttpBuilder::new().scheme(scheme).description(Some(description)).build();
    SecurityScheme::Http(scheme)
}

fn conventions() -> String {
    let codes: String = Code::ALL
        .iter()
        .map(|code| format!("| `{}` | {} | {} |\n", code.as_str(), code.status().as_u16(), code.meaning()))
        .collect();
    let kinds = super::audit::kinds_described();
    format!(
        "Names in paths are percent-encoded: the repository `team-a/web` is `/api/v1/repositories/team-a%2Fweb`. \
         Bodies are JSON objects of at most 256 KiB; fields that are not listed are refused. Times are RFC 3339, in \
         answers in UTC. Lists are pages in a fixed order: give a page's `next` as `after` to get the one that \
         follows. What you may not see answers as what does not exist.\n\n\
         Failures are problems of RFC 9457 (`{PROBLEM_JSON}`). `detail` says what to do, `field` what is wrong, and \
         `code` is for programs:\n\n| code | status | meaning |\n|---|---|---|\n{codes}\n\
         The audit trail has events of these kinds:\n\n{kinds}"
    )
}

macro_rules! failures {
    ($($name:ident($code:ident) = $description:literal;)+) => {$(
        #[doc = $description]
        pub(super) enum $name {}

        impl ToResponse<'static> for $name {
            fn response() -> (&'static str, RefOr<DocumentedResponse>) {
                (stringify!($name), failure($description, Code::$code))
            }
        }
    )+};
}

failures! {
    BadRequest(Invalid) = "A field, a part of the path or a parameter is wrong, or the body is not JSON.";
    Unauthenticated(Unauthenticated) = "Nobody signed in, or with wrong credentials.";
    Forbidden(Forbidden) = "It may be seen, but the right for this is not held.";
    NotFound(NotFound) = "There is no such thing, or it may not be seen.";
    Conflict(Exists) = "What is there stands in the way: `code` says what.";
    TooSlow(BodyTimeout) = "The body came too slowly.";
    TooLarge(BodyTooLarge) = "The body is too large.";
    NotJson(NotJson) = "The body is not declared as JSON.";
    Unprocessable(UnknownAccount) = "The request is well formed, but cannot be met: `code` says why.";
    TooMany(TooManySignIns) = "Too many requests: try again after `Retry-After`.";
    Failed(Internal) = "The registry failed.";
    Busy(Busy) = "The registry is busy: try again after `Retry-After`.";
    NoSpace(NoSpace) = "The registry's disk is full.";
}

fn failure(description: &str, code: Code) -> RefOr<DocumentedResponse> {
    let example = serde_json::to_value(Problem::new(code, code.meaning()).body()).ok();
    let content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(example).build();
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build().into()
}

/// Describes this interface.
///
/// The document needs no signing in.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "about",
    operation_id = "showDocument",
    security(()),
    responses((status = 200, description = "The OpenAPI 3.1 document.", content_type = "application/json", body = serde_json::Value))
)]
pub(super) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], super::openapi()).into_response()
}
