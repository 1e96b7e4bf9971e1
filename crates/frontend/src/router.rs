//! Addresses: which route a method, a path and a query mean, and which access a route needs.
//!
//! Pure. A repository's name holds slashes and any word (`a/blobs/uploads` is one), so a path is read from its end.

use auth::{Action, Scope, Verbs};
use http::Method;
use oci::{
    Algorithm, Digest, DigestError, NameError, Reference, ReferenceError, RepositoryName, Tag, TagError,
};
use percent_encoding::percent_decode_str;
use storage::UploadId;

use crate::query::{BadPage, Page, Query};

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// What anybody may ask, or what looks at credentials itself.
    Open(Open),
    /// end-1: whether this is a registry, and whether the credentials are good.
    Base,
    /// The list of repositories.
    Catalog(Page),
    /// Something with one repository.
    Repository(RepositoryName, Operation),
}

/// Routes without an access check here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// The process lives.
    Health,
    /// It can do its work.
    Ready,
    /// A token, asked for with GET.
    Token,
    /// A token, asked for with POST.
    TokenForm,
    /// The keys that tokens are verified with.
    Keys,
    /// The management API, which routes and signs in for itself.
    Api,
    /// The console, which does so too.
    Console,
}

/// What is done with a repository.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// What needs the repository to exist.
    Existing(Existing),
    /// end-12: nothing is an answer too, where nothing is.
    Referrers(Referrers),
    /// What may bring it into being.
    Push(Push),
    /// A step of an upload.
    Upload(UploadId, Step),
}

/// Which referrers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Referrers {
    /// Whose.
    pub(crate) subject: Digest,
    /// Only those of this type.
    pub(crate) artifact_type: Option<String>,
    /// Which part of them.
    pub(crate) page: Page,
}

/// Operations on a repository that exists.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// end-2, HEAD.
    StatBlob(Digest),
    /// end-2.
    ReadBlob(Digest),
    /// end-10.
    DeleteBlob(Digest),
    /// end-3, HEAD.
    StatManifest(Reference),
    /// end-3.
    ReadManifest(Reference),
    /// end-9, by digest.
    DeleteManifest(Digest),
    /// end-9, by tag.
    DeleteTag(Tag),
    /// end-8.
    ListTags(Page),
}

/// Operations that may bring a repository into being.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Push {
    /// end-4, end-11.
    Blob(Start),
    /// end-7.
    Manifest {
        /// Where it is put.
        reference: Reference,
        /// Tags that it gets besides.
        tags: Vec<Tag>,
    },
}

/// How a blob's push begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With a session (end-4a, end-4c).
    Session(Algorithm),
    /// With all of it at once (end-4b).
    Whole(Digest),
    /// With a look for it elsewhere (end-11); with a session when it is not found.
    Mount {
        /// The blob.
        digest: Digest,
        /// Where it is; none: wherever the caller may pull it.
        from: Option<RepositoryName>,
    },
}

/// A step of an upload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// end-13.
    Status,
    /// end-5.
    Append,
    /// end-6.
    Finish(Digest),
    /// end-14.
    Cancel,
}

impl Step {
    /// Whether the request's body is what it is about.
    pub(crate) fn brings_body(&self) -> bool {
        matches!(self, Step::Append | Step::Finish(_))
    }
}

/// Why a request means no route.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RouteError {
    /// There is nothing at this path.
    #[error("there is nothing at this address")]
    Unknown,
    /// The path is not percent-encoded UTF-8.
    #[error("the address is not percent-encoded UTF-8")]
    NotEncoded,
    /// There is something, but not for this method.
    #[error("this method is not supported here, only {allow}")]
    Method {
        /// The methods it has.
        allow: &'static str,
    },
    /// The repository's name is none.
    #[error("invalid repository name: {0}")]
    Name(NameError),
    /// A digest is none.
    #[error("invalid digest: {0}")]
    Digest(DigestError),
    /// A digest is needed.
    #[error("the parameter digest is missing")]
    DigestMissing,
    /// A tag to be set is none.
    #[error("invalid tag: {0}")]
    Tag(TagError),
    /// A tag that is asked for can be none, so there is none.
    #[error("no tag can have this name")]
    TagUnknown,
    /// An upload's id can be none, so there is none.
    #[error("no upload can have this id")]
    UploadUnknown,
    /// A page is not understood.
    #[error(transparent)]
    Page(BadPage),
}

/// The access that a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access<'a> {
    /// None.
    Open,
    /// Credentials that are good, whatever they reach; none are not.
    SignedIn,
    /// The list of repositories.
    Catalog,
    /// An action on a repository.
    Repository {
        /// The repository.
        name: &'a RepositoryName,
        /// What is done.
        action: Action,
        /// Another repository that is pulled from.
        source: Option<&'a RepositoryName>,
    },
}

impl Route {
    /// The access that it needs; checked once, before it is done.
    pub(crate) fn access(&self) -> Access<'_> {
        match self {
            Route::Open(_) => Access::Open,
            Route::Base => Access::SignedIn,
            Route::Catalog(_) => Access::Catalog,
            Route::Repository(name, operation) => {
                Access::Repository { name, action: operation.action(), source: operation.source() }
            }
        }
    }
}

impl Operation {
    fn action(&self) -> Action {
        match self {
            Operation::Existing(existing) => existing.action(),
            Operation::Referrers(_) => Action::Pull,
            Operation::Push(_) | Operation::Upload(..) => Action::Push,
        }
    }

    fn source(&self) -> Option<&RepositoryName> {
        match self {
            Operation::Push(Push::Blob(Start::Mount { from, .. })) => from.as_ref(),
            _ => None,
        }
    }
}

impl Existing {
    /// What it needs the right to.
    pub(crate) fn action(&self) -> Action {
        match self {
            Existing::StatBlob(_)
            | Existing::ReadBlob(_)
            | Existing::StatManifest(_)
            | Existing::ReadManifest(_)
            | Existing::ListTags(_) => Action::Pull,
            Existing::DeleteBlob(_) | Existing::DeleteManifest(_) => Action::Delete,
            Existing::DeleteTag(_) => Action::DeleteTag,
        }
    }
}

impl Access<'_> {
    /// The scopes that a token for it needs, all of them: what a challenge asks for.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        match *self {
            Access::Open | Access::SignedIn => Vec::new(),
            Access::Catalog => vec![Scope::Catalog],
            Access::Repository { name, action, source } => {
                // Who pushes also looks: clients ask for both at once, and keep one token for them.
                let verbs = match action {
                    Action::Push => Verbs::PULL | Verbs::PUSH,
                    other => Verbs::from(other),
                };
                let main = Scope::Repository { name: name.clone(), verbs };
                let source = source.map(|name| Scope::Repository { name: name.clone(), verbs: Verbs::PULL });
                std::iter::once(main).chain(source).collect()
            }
        }
    }
}

/// The route that a request means.
///
/// # Errors
/// [`RouteError`]: it means none, or names something that cannot be.
pub(crate) fn parse(method: &Method, path: &str, query: Option<&str>) -> Result<Route, RouteError> {
    // As it stands: what is wrong further behind is told in that API's way.
    if path == "/api/v1" || path.starts_with("/api/v1/") {
        return Ok(Route::Open(Open::Api));
    }
    if path == "/" || path == "/console" || path.starts_with("/console/") {
        return Ok(Route::Open(Open::Console));
    }
    let path = percent_decode_str(path).decode_utf8().map_err(|_| RouteError::NotEncoded)?;
    let query = Query::new(query);
    match &*path {
        "/v2" | "/v2/" => get(method, Route::Base),
        "/v2/_catalog" => get(method, Route::Catalog(Page::parse(query).map_err(RouteError::Page)?)),
        "/auth/token" => match *method {
            Method::GET => Ok(Route::Open(Open::Token)),
            Method::POST => Ok(Route::Open(Open::TokenForm)),
            _ => Err(RouteError::Method { allow: "GET, POST" }),
        },
        "/auth/jwks.json" => get(method, Route::Open(Open::Keys)),
        "/healthz" => get(method, Route::Open(Open::Health)),
        "/readyz" => get(method, Route::Open(Open::Ready)),
        path => {
            let (name, operation) =
                repository(method, path.strip_prefix("/v2/").ok_or(RouteError::Unknown)?, query)?;
            Ok(Route::Repository(name, operation))
        }
    }
}

/// A route that is only read.
fn get(method: &Method, route: Route) -> Result<Route, RouteError> {
    match *method {
        Method::GET | Method::HEAD => Ok(route),
        _ => Err(RouteError::Method { allow: "GET, HEAD" }),
    }
}

/// The part behind `/v2/`, read from its end.
fn repository(
    method: &Method,
    path: &str,
    query: Query<'_>,
) -> Result<(RepositoryName, Operation), RouteError> {
    // A trailing slash is the specification's for uploads, and of no other address.
    let path = path
        .strip_suffix("/blobs/uploads/")
        .map_or(path, |name| &path[..name.len() + "/blobs/uploads".len()]);
    let (rest, last) = path.rsplit_once('/').ok_or(RouteError::Unknown)?;
    if let Some(name) = rest.strip_suffix("/blobs/uploads") {
        let name = parse_name(name)?;
        return Ok((name, upload(method, last, query)?));
    }
    let (name, noun) = rest.rsplit_once('/').ok_or(RouteError::Unknown)?;
    let operation: fn(&Method, &str, Query<'_>) -> Result<Operation, RouteError> = match (noun, last) {
        ("blobs", "uploads") => start,
        ("tags", "list") => tags,
        ("blobs", _) => blob,
        ("manifests", _) => manifest,
        ("referrers", _) => referrers,
        _ => return Err(RouteError::Unknown),
    };
    Ok((parse_name(name)?, operation(method, last, query)?))
}

fn parse_name(name: &str) -> Result<RepositoryName, RouteError> {
    RepositoryName::parse(name).map_err(RouteError::Name)
}

fn parse_digest(digest: &str) -> Result<Digest, RouteError> {
    Digest::parse(digest).map_err(RouteError::Digest)
}

fn tags(method: &Method, _: &str, query: Query<'_>) -> Result<Operation, RouteError> {
    match *method {
        Method::GET | Method::HEAD => {
            Ok(Operation::Existing(Existing::ListTags(Page::parse(query).map_err(RouteError::Page)?)))
        }
        _ => Err(RouteError::Method { allow: "GET, HEAD" }),
    }
}

fn referrers(method: &Method, subject: &str, query: Query<'_>) -> Result<Operation, RouteError> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(RouteError::Method { allow: "GET, HEAD" });
    }
    Ok(Operation::Referrers(Referrers {
        subject: parse_digest(subject)?,
        // A media type holds no space: one was a plus sign that the client did not encode.
        artifact_type: query.get("artifactType").map(|kind| kind.replace(' ', "+")),
        page: Page::parse(query).map_err(RouteError::Page)?,
    }))
}

fn blob(method: &Method, digest: &str, _: Query<'_>) -> Result<Operation, RouteError> {
    let existing = match *method {
        Method::GET => Existing::ReadBlob,
        Method::HEAD => Existing::StatBlob,
        Method::DELETE => Existing::DeleteBlob,
        _ => return Err(RouteError::Method { allow: "GET, HEAD, DELETE" }),
    };
    Ok(Operation::Existing(existing(parse_digest(digest)?)))
}

fn manifest(method: &Method, reference: &str, query: Query<'_>) -> Result<Operation, RouteError> {
    if *method == Method::PUT {
        let reference = Reference::parse(reference).map_err(|error| match error {
            ReferenceError::Tag(error) => RouteError::Tag(error),
            ReferenceError::Digest(error) => RouteError::Digest(error),
        })?;
        let tags = query
            .all("tag")
            .map(|tag| Tag::parse(&tag).map_err(RouteError::Tag))
            .collect::<Result<_, _>>()?;
        return Ok(Operation::Push(Push::Manifest { reference, tags }));
    }
    // To read or delete a tag that can be none is to miss it, not to err: the conformance suite asks for one.
    let reference = Reference::parse(reference).map_err(|error| match error {
        ReferenceError::Tag(_) => RouteError::TagUnknown,
        ReferenceError::Digest(error) => RouteError::Digest(error),
    });
    Ok(Operation::Existing(match *method {
        Method::GET => Existing::ReadManifest(reference?),
        Method::HEAD => Existing::StatManifest(reference?),
        Method::DELETE => match reference? {
            Reference::Tag(tag) => Existing::DeleteTag(tag),
            Reference::Digest(digest) => Existing::DeleteManifest(digest),
        },
        _ => return Err(RouteError::Method { allow: "GET, HEAD, PUT, DELETE" }),
    }))
}

fn start(method: &Method, _: &str, query: Query<'_>) -> Result<Operation, RouteError> {
    if *method != Method::POST {
        return Err(RouteError::Method { allow: "POST" });
    }
    let start = if let Some(digest) = query.get("mount") {
        let digest = parse_digest(&digest)?;
        match query.get("from").map(|from| RepositoryName::parse(&from)).transpose() {
            Ok(from) => Start::Mount { digest, from },
            // A failing mount is answered with a session, never with an error: containerd would fail the push.
            Err(_) => Start::Session(digest.algorithm()),
        }
    } else if let Some(digest) = query.get("digest") {
        Start::Whole(parse_digest(&digest)?)
    } else if let Some(algorithm) = query.get("digest-algorithm") {
        Start::Session(Algorithm::parse(&algorithm).map_err(RouteError::Digest)?)
    } else {
        Start::Session(Algorithm::Sha256)
    };
    Ok(Operation::Push(Push::Blob(start)))
}

fn upload(method: &Method, id: &str, query: Query<'_>) -> Result<Operation, RouteError> {
    let step = match *method {
        Method::GET | Method::HEAD => Step::Status,
        Method::PATCH => Step::Append,
        Method::PUT => Step::Finish(parse_digest(&query.get("digest").ok_or(RouteError::DigestMissing)?)?),
        Method::DELETE => Step::Cancel,
        _ => return Err(RouteError::Method { allow: "GET, HEAD, PATCH, PUT, DELETE" }),
    };
    let id = UploadId::parse(id).ok_or(RouteError::UploadUnknown)?;
    Ok(Operation::Upload(id, step))
}

#[cfg(test)]
mod tests;
