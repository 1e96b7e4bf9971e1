//! The SWR management API, `/v2/manage` and `/v3/manage`: organizations, images, tags, users' permissions, shares and
//! docker logins, as the clients of another registry ask for them: its SDKs, and tools built on those.
//!
//! A thin adapter. A call here parses, makes the calls of `auth` and `storage` that `/api/v1` makes, and writes the answer
//! in the other registry's shape. It decides nothing about rights, and no rule is written here a second time. Each noun
//! has its file; `conformance/swr.md` lists the calls and what differs.
//!
//! Requests are signed with an access key ([`signature`]); nothing else signs in here. The registry's own paths never
//! begin so: no namespace is called `manage`.

mod access_domains;
mod answers;
mod docker_login;
mod errors;
mod organizations;
mod permissions;
mod query;
mod repositories;
mod repository_items;
mod router;
mod shared_repositories;
mod shares;
pub(crate) mod signature;
mod tags;

use auth::{Action, Permit, Principal, RefusedChange, RepositoryId};
use bytes::Bytes;
use http::request::Parts;
use jiff::Timestamp;
use oci::{NameError, RepositoryName};
use serde::de::DeserializeOwned;

use crate::body::RequestBody;
use crate::connection::Arrival;
use crate::reply::{BoxError, Reply};
use crate::router::RouteError;
use crate::{App, client, json, origin};
use answers::Answer;
use errors::{Code, SwrError};
use query::Parameters;
use router::Route;
use signature::{SIGNED_BODY_BYTES_MAX, Signature};

/// The most rows of a list that is ordered, filtered or counted here.
const ROWS_MAX: usize = 10_000;
/// The most tags that a row of a list of images names.
const TAGS_SHOWN_MAX: usize = 100;

/// What a request asks of this API, or why it asks nothing.
pub(crate) struct Asked(Result<Route, SwrError>);

impl Asked {
    /// `None` for a request of the registry's: one elsewhere; and one that, to it, is for an image in a namespace `manage`,
    /// which it answers as any client of a registry understands it.
    pub(crate) fn of(parts: &Parts, registry: &Result<crate::router::Route, RouteError>) -> Option<Asked> {
        let (version, rest) = router::below(parts.uri.path())?;
        let route = router::parse(&parts.method, version, rest);
        let of_image = matches!(registry, Err(RouteError::Name(NameError::Reserved)));
        let unknown = route.as_ref().is_err_and(SwrError::is_address_unknown);
        if unknown && of_image { None } else { Some(Asked(route)) }
    }
}

#[cfg(test)]
impl Asked {
    /// The names of all routes there are.
    pub(crate) const ROUTES: &[&str] = Route::NAMES;

    /// The name of the route that is asked for.
    pub(crate) fn route(&self) -> Option<&'static str> {
        self.0.as_ref().ok().map(Route::name)
    }
}

/// Answers a request of this API.
pub(crate) async fn respond<B>(
    app: &App,
    parts: &Parts,
    body: &mut RequestBody<B>,
    arrival: Arrival,
    asked: Asked,
) -> Reply
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    match answer(app, parts, body, arrival, asked).await {
        Ok(reply) => reply,
        Err(error) => error.into_reply(),
    }
}

async fn answer<B>(
    app: &App,
    parts: &Parts,
    body: &mut RequestBody<B>,
    arrival: Arrival,
    Asked(route): Asked,
) -> Answer
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let route = route?;
    let origin = origin::of(parts, arrival, &app.settings).map_err(|origin::BadHost| {
        SwrError::new(Code::Invalid, "the request names no valid host").about("host")
    })?;
    let signature = Signature::of(parts, app.clock.now())?;
    let body = body.read(SIGNED_BODY_BYTES_MAX).await?;
    // It took its time: who signed is looked up once it is there.
    let now = app.clock.now();
    let from = client::address(&parts.headers, arrival.peer.ip(), &app.settings);
    let principal = signature.verified(&app.auth, parts, &body, from, now).await?;
    tracing::Span::current().record("principal", principal.name());
    let host = origin.authority().to_owned();
    let caller = Caller { app, principal, now, host, query: parts.uri.query(), body };
    if !route.has_parameters() {
        caller.parameters(&[])?;
    }
    let image = route.image().cloned();
    let answer = perform(&caller, route).await;
    if answer.as_ref().is_err_and(SwrError::is_forbidden) && !parts.method.is_safe() {
        let path = parts.uri.path();
        let subject = image.as_ref().map_or(path, RepositoryName::as_str);
        let call = format!("{} {path}", parts.method);
        let refused = RefusedChange { call: &call, subject, repository: image.as_ref() };
        app.auth.note_refused_change(&caller.principal, refused, now).await?;
    }
    answer
}

async fn perform(caller: &Caller<'_>, route: Route) -> Answer {
    match route {
        Route::CreateOrganization => organizations::create(caller).await,
        Route::ListOrganizations => organizations::list(caller).await,
        Route::ShowOrganization(name) => organizations::show(caller, &name).await,
        Route::DeleteOrganization(name) => organizations::delete(caller, &name).await,
        Route::Permissions(on, what) => permissions::answer(caller, &on, what).await,
        Route::CreateRepository(organization) => repositories::create(caller, &organization).await,
        Route::ListRepositories(paged) => repositories::list(caller, paged).await,
        Route::ShowRepository(image) => repositories::show(caller, &image).await,
        Route::UpdateRepository(image) => repositories::update(caller, &image).await,
        Route::DeleteRepository(image) => repositories::delete(caller, &image).await,
        Route::ListTags(image, paged) => tags::list(caller, &image, paged).await,
        Route::CopyTag(image) => tags::copy(caller, &image).await,
        Route::ShowTag(image, tag) => tags::show(caller, &image, &tag).await,
        Route::DeleteTag(image, tag) => tags::delete(caller, &image, &tag).await,
        Route::CreateAccessDomain(image) => access_domains::create(caller, &image).await,
        Route::ListAccessDomains(image) => access_domains::list(caller, &image).await,
        Route::ShowAccessDomain(image, grantee) => access_domains::show(caller, &image, &grantee).await,
        Route::UpdateAccessDomain(image, grantee) => access_domains::update(caller, &image, &grantee).await,
        Route::DeleteAccessDomain(image, grantee) => access_domains::delete(caller, &image, &grantee).await,
        Route::CreateShares(image) => shares::create(caller, &image).await,
        Route::ListShares(image) => shares::list(caller, &image).await,
        Route::ShowShare(image, id) => shares::show(caller, &image, id).await,
        Route::UpdateShare(image, id) => shares::update(caller, &image, id).await,
        Route::DeleteShare(image, id) => shares::delete(caller, &image, id).await,
        Route::ListSharedRepositories(paged) => shared_repositories::list(caller, paged).await,
        Route::CreateTemporaryLogin => docker_login::create(caller).await,
    }
}

/// Who calls, when, and with what.
struct Caller<'a> {
    app: &'a App,
    /// Never anonymous.
    principal: Principal,
    /// The instant of the request.
    now: Timestamp,
    /// What images are called by: the host and port that the client used.
    host: String,
    query: Option<&'a str>,
    body: Bytes,
}

impl Caller<'_> {
    /// The body: one object of the fields of `T`, and nothing else.
    fn object<T: DeserializeOwned>(&self) -> Result<T, SwrError> {
        Ok(json::object(&self.body)?)
    }

    /// The body: an array.
    fn array<T: DeserializeOwned>(&self) -> Result<Vec<T>, SwrError> {
        Ok(json::array(&self.body)?)
    }

    /// The query, of which `known` lists all that there may be.
    fn parameters(&self, known: &[&str]) -> Result<Parameters, SwrError> {
        Parameters::parse(self.query, known)
    }

    /// What an image is called when it is pulled.
    fn path(&self, image: &RepositoryName) -> String {
        format!("{}/{image}", self.host)
    }

    /// The number of the caller: a user's, or an account's.
    fn id(&self) -> String {
        let account = self.principal.account().map(|account| account.to_string());
        self.principal.user().map(|user| user.to_string()).or(account).unwrap_or_default()
    }

    /// The first tags of an image, as far as the caller may look at it now; `None`: it may not, or the name is another
    /// image's by now.
    async fn tags(
        &self,
        image: &RepositoryName,
        id: RepositoryId,
        limit: usize,
    ) -> Result<Option<Vec<String>>, SwrError> {
        use auth::Denied;
        let permit = match self.app.auth.authorize(&self.principal, image, Action::Pull, self.now).await {
            Ok(permit) if permit.repository() == id => permit,
            Ok(_) | Err(Denied::NotFound | Denied::Vacant | Denied::Forbidden) => return Ok(None),
            Err(denied) => return Err(denied.into()),
        };
        match self.app.storage.tags(&permit, None, limit).await {
            Ok(page) => Ok(Some(page.items)),
            Err(storage::Error::RepositoryGone) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn permit(&self, image: &RepositoryName, action: Action) -> Result<Permit, SwrError> {
        Ok(self.app.auth.authorize(&self.principal, image, action, self.now).await?)
    }
}
