//! The console, `/console/`: what people share with, in their browser. Pages are made here, on the server; the script only
//! adds comfort.
//!
//! A page makes the calls of `auth` and `storage` that `/api/v1` makes, and has no rule of its own. Each page has its
//! file; what they share is [`visitor`] (who is signed in, what a form says), [`page`] (the frame), [`text`] (every string,
//! in each language) and [`problem`], the one place where a failure becomes a sentence.

mod access_keys;
mod accounts;
mod assets;
mod audit;
mod blocked_owners;
mod credentials;
mod details;
mod event_words;
mod forms;
mod guide;
mod holders;
mod image;
mod image_form;
mod image_settings;
mod images;
mod list;
mod made_once;
mod manifest;
mod organizations;
mod page;
mod permissions;
mod problem;
mod read;
mod reserved_names;
mod search;
mod selection;
mod session;
mod settings;
mod share_form;
mod share_typed;
mod shared;
mod sharing;
mod sign_in;
mod system;
mod table;
mod tags;
mod text;
mod tokens;
mod usage;
mod users;
mod visitor;
mod webhook;
mod webhook_form;
mod webhooks;

use std::net::IpAddr;
use std::sync::LazyLock;

use auth::RefusedChange;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::routing::{get, post};
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use oci::RepositoryName;
use tower::ServiceExt;

use crate::{App, ExternalUrl};
use page::{Answer, go};
use problem::{Problem, Refused};
use sign_in::Came;
use visitor::{Arrived, Visitor};

static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    Router::new()
        .route("/", get(start))
        .route("/console", get(start))
        .route("/console/", get(start))
        .route("/console/assets/{version}/{name}", get(asset))
        .route("/console/language", get(sign_in::language))
        .route("/console/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/console/images", get(images::list).post(image_form::make))
        .route("/console/images/{*image}", get(image::show).post(image::act))
        .route("/console/share", get(share_form::of_several).post(share_form::share_several))
        .route("/console/shared", get(shared::list).post(shared::leave))
        .route("/console/blocked-owners", get(blocked_owners::list).post(blocked_owners::act))
        .route("/console/organizations", get(organizations::list).post(organizations::change))
        .route("/console/organizations/{name}", get(organizations::show).post(organizations::act))
        .route("/console/users", get(users::show).post(users::act))
        .route("/console/credentials", get(credentials::show).post(credentials::act))
        .route("/console/audit", get(audit::show))
        .route("/console/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/console/webhooks/{id}", get(webhook::show).post(webhook::act))
        .route("/console/accounts", get(accounts::show).post(accounts::act))
        .route("/console/system", get(system::show))
        .route("/console/settings", get(settings::show).post(settings::change))
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
});

/// Answers a request below `/console`, which came `from` there to `origin`.
pub(crate) async fn respond<B>(
    app: &App,
    request: http::Request<B>,
    from: Option<IpAddr>,
    origin: ExternalUrl,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Arrived { app: app.clone(), from, origin });
    let (parts, body) = request.into_parts();
    let asked = (!parts.method.is_safe()).then(|| parts.clone());
    let Ok(response) = ROUTER.clone().oneshot(http::Request::from_parts(parts, body)).await;
    match asked {
        Some(mut asked) if response.extensions().get::<Refused>().is_some() => {
            note_refusal(&mut asked).await.map_or_else(|answer| answer, |()| response)
        }
        _ => response,
    }
}

/// The trail has what was refused to who is signed in.
async fn note_refusal(asked: &mut Parts) -> Result<(), Answer> {
    let visitor = Visitor::from_request_parts(asked, &()).await?;
    let path = asked.uri.path();
    let image = path.strip_prefix("/console/images/").and_then(|name| RepositoryName::parse(name).ok());
    let refused = RefusedChange {
        call: &format!("{} {path}", asked.method),
        subject: image.as_ref().map_or(path, RepositoryName::as_str),
        repository: image.as_ref(),
    };
    let noted = visitor.app.auth.note_refused_change(&visitor.principal, refused, visitor.now).await;
    noted.map_err(|error| Problem::from(error).answer(visitor.language))
}

async fn start() -> Answer {
    go("/console/images")
}

async fn asset(path: Result<Path<(String, String)>, PathRejection>, came: Came) -> Answer {
    let found = path.ok().and_then(|Path((version, name))| assets::find(&version, &name));
    found.unwrap_or_else(|| Problem::NotFound.answer(came.language))
}

async fn nothing(came: Came) -> Answer {
    Problem::NotFound.answer(came.language)
}
