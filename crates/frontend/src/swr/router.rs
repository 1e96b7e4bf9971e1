//! Addresses of the SWR management API: which call a method and a path mean. Pure.
//!
//! A repository's name is one segment, in which its slashes come as `$`, `%24` or `%2F`, encoded once or twice: all are
//! read, since none of these characters can be in a name.

use std::str::FromStr;

use auth::{AccountName, PermissionTarget, ShareId};
use http::Method;
use oci::{NamespaceName, RepositoryName, Tag};
use percent_encoding::percent_decode_str;

use super::errors::{Code, SwrError};

/// Which form of a list: the older one by offset, the newer one by marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paged {
    /// `/v2/manage`: an array, with `limit` and `offset`.
    ByOffset,
    /// `/v3/manage`: an object, with `limit` and `marker`.
    ByMarker,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    CreateOrganization,
    ListOrganizations,
    ShowOrganization(NamespaceName),
    DeleteOrganization(NamespaceName),
    /// Users' permissions on an organization or an image.
    Permissions(PermissionTarget, Permissions),
    CreateRepository(NamespaceName),
    ListRepositories(Paged),
    ShowRepository(RepositoryName),
    UpdateRepository(RepositoryName),
    DeleteRepository(RepositoryName),
    ListTags(RepositoryName, Paged),
    CopyTag(RepositoryName),
    ShowTag(RepositoryName, Tag),
    DeleteTag(RepositoryName, Tag),
    /// Shares, by the accounts that they are with.
    CreateAccessDomain(RepositoryName),
    ListAccessDomains(RepositoryName),
    ShowAccessDomain(RepositoryName, AccountName),
    UpdateAccessDomain(RepositoryName, AccountName),
    DeleteAccessDomain(RepositoryName, AccountName),
    /// The same shares, by their numbers.
    CreateShares(RepositoryName),
    ListShares(RepositoryName),
    ShowShare(RepositoryName, ShareId),
    UpdateShare(RepositoryName, ShareId),
    DeleteShare(RepositoryName, ShareId),
    ListSharedRepositories(Paged),
    CreateTemporaryLogin,
}

impl Route {
    /// Whether its query may have any parameter.
    pub(super) fn has_parameters(&self) -> bool {
        matches!(
            self,
            Route::ListOrganizations
                | Route::ListRepositories(_)
                | Route::ListTags(..)
                | Route::ListAccessDomains(_)
                | Route::ListShares(_)
                | Route::ListSharedRepositories(_)
                | Route::CreateTemporaryLogin
        )
    }

    /// The image that the call is about, if it is one.
    pub(super) fn image(&self) -> Option<&RepositoryName> {
        match self {
            Route::Permissions(PermissionTarget::Repository(image), _)
            | Route::ShowRepository(image)
            | Route::UpdateRepository(image)
            | Route::DeleteRepository(image)
            | Route::ListTags(image, _)
            | Route::CopyTag(image)
            | Route::ShowTag(image, _)
            | Route::DeleteTag(image, _)
            | Route::CreateAccessDomain(image)
            | Route::ListAccessDomains(image)
            | Route::ShowAccessDomain(image, _)
            | Route::UpdateAccessDomain(image, _)
            | Route::DeleteAccessDomain(image, _)
            | Route::CreateShares(image)
            | Route::ListShares(image)
            | Route::ShowShare(image, _)
            | Route::UpdateShare(image, _)
            | Route::DeleteShare(image, _) => Some(image),
            Route::CreateOrganization
            | Route::ListOrganizations
            | Route::ShowOrganization(_)
            | Route::DeleteOrganization(_)
            | Route::Permissions(PermissionTarget::Namespace(_), _)
            | Route::CreateRepository(_)
            | Route::ListRepositories(_)
            | Route::ListSharedRepositories(_)
            | Route::CreateTemporaryLogin => None,
        }
    }
}

/// What is done with users' permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permissions {
    Create,
    Show,
    Update,
    Delete,
}

/// What is left of a path that is this API's; `None` for one that is not.
pub(super) fn below(path: &str) -> Option<(Paged, &str)> {
    let (version, rest) = match (path.strip_prefix("/v2/manage"), path.strip_prefix("/v3/manage")) {
        (Some(rest), _) => (Paged::ByOffset, rest),
        (_, Some(rest)) => (Paged::ByMarker, rest),
        _ => return None,
    };
    if rest.is_empty() { Some((version, rest)) } else { Some((version, rest.strip_prefix('/')?)) }
}

/// The call that a request means, whose path is `rest` below `/v2/manage/` or `/v3/manage/`.
///
/// # Errors
/// It means none, or names something that cannot be.
pub(super) fn parse(method: &Method, version: Paged, rest: &str) -> Result<Route, SwrError> {
    let segments: Vec<&str> = rest.split('/').collect();
    match (version, segments.as_slice()) {
        (_, ["shared-repositories"]) => get(method, || Route::ListSharedRepositories(version)),
        (_, ["repos"]) => get(method, || Route::ListRepositories(version)),
        (Paged::ByMarker, ["namespaces", organization, "repos", image, "tags"]) => {
            let image = repository(organization, image)?;
            get(method, || Route::ListTags(image, version))
        }
        (Paged::ByOffset, ["utils", "secret"]) => match *method {
            Method::POST => Ok(Route::CreateTemporaryLogin),
            _ => Err(SwrError::method("POST")),
        },
        (Paged::ByOffset, ["namespaces"]) => match *method {
            Method::POST => Ok(Route::CreateOrganization),
            Method::GET => Ok(Route::ListOrganizations),
            _ => Err(SwrError::method("GET, POST")),
        },
        (Paged::ByOffset, ["namespaces", organization, rest @ ..]) => {
            in_organization(method, organization, rest)
        }
        _ => Err(unknown()),
    }
}

fn in_organization(method: &Method, organization: &str, rest: &[&str]) -> Result<Route, SwrError> {
    match rest {
        [] => {
            let name = namespace(organization)?;
            match *method {
                Method::GET => Ok(Route::ShowOrganization(name)),
                Method::DELETE => Ok(Route::DeleteOrganization(name)),
                _ => Err(SwrError::method("GET, DELETE")),
            }
        }
        ["access"] => permissions(method, || Ok(PermissionTarget::Namespace(namespace(organization)?))),
        ["repos"] => match *method {
            Method::POST => Ok(Route::CreateRepository(namespace(organization)?)),
            _ => Err(SwrError::method("POST")),
        },
        ["repositories" | "repos", image, "access-domains", rest @ ..] => {
            access_domains(method, || repository(organization, image), rest)
        }
        ["repos", image, rest @ ..] => in_repository(method, || repository(organization, image), rest),
        _ => Err(unknown()),
    }
}

fn in_repository(
    method: &Method,
    image: impl Fn() -> Result<RepositoryName, SwrError>,
    rest: &[&str],
) -> Result<Route, SwrError> {
    match rest {
        [] => match *method {
            Method::GET => Ok(Route::ShowRepository(image()?)),
            Method::PATCH => Ok(Route::UpdateRepository(image()?)),
            Method::DELETE => Ok(Route::DeleteRepository(image()?)),
            _ => Err(SwrError::method("GET, PATCH, DELETE")),
        },
        ["access"] => permissions(method, || Ok(PermissionTarget::Repository(image()?))),
        ["tags"] => match *method {
            Method::GET => Ok(Route::ListTags(image()?, Paged::ByOffset)),
            Method::POST => Ok(Route::CopyTag(image()?)),
            _ => Err(SwrError::method("GET, POST")),
        },
        ["tags", name] => match *method {
            Method::GET => Ok(Route::ShowTag(image()?, tag(name)?)),
            Method::DELETE => Ok(Route::DeleteTag(image()?, tag(name)?)),
            _ => Err(SwrError::method("GET, DELETE")),
        },
        ["shares"] => match *method {
            Method::GET => Ok(Route::ListShares(image()?)),
            Method::POST => Ok(Route::CreateShares(image()?)),
            _ => Err(SwrError::method("GET, POST")),
        },
        ["shares", id] => match *method {
            Method::GET => Ok(Route::ShowShare(image()?, share(id)?)),
            Method::PATCH => Ok(Route::UpdateShare(image()?, share(id)?)),
            Method::DELETE => Ok(Route::DeleteShare(image()?, share(id)?)),
            _ => Err(SwrError::method("GET, PATCH, DELETE")),
        },
        _ => Err(unknown()),
    }
}

fn access_domains(
    method: &Method,
    image: impl Fn() -> Result<RepositoryName, SwrError>,
    rest: &[&str],
) -> Result<Route, SwrError> {
    match rest {
        [] => match *method {
            Method::GET => Ok(Route::ListAccessDomains(image()?)),
            Method::POST => Ok(Route::CreateAccessDomain(image()?)),
            _ => Err(SwrError::method("GET, POST")),
        },
        [name] => match *method {
            Method::GET => Ok(Route::ShowAccessDomain(image()?, account(name)?)),
            Method::PATCH => Ok(Route::UpdateAccessDomain(image()?, account(name)?)),
            Method::DELETE => Ok(Route::DeleteAccessDomain(image()?, account(name)?)),
            _ => Err(SwrError::method("GET, PATCH, DELETE")),
        },
        _ => Err(unknown()),
    }
}

fn permissions(
    method: &Method,
    target: impl Fn() -> Result<PermissionTarget, SwrError>,
) -> Result<Route, SwrError> {
    let what = match *method {
        Method::POST => Permissions::Create,
        Method::GET => Permissions::Show,
        Method::PATCH => Permissions::Update,
        Method::DELETE => Permissions::Delete,
        _ => return Err(SwrError::method("GET, POST, PATCH, DELETE")),
    };
    Ok(Route::Permissions(target()?, what))
}

fn get(method: &Method, route: impl FnOnce() -> Route) -> Result<Route, SwrError> {
    if *method == Method::GET { Ok(route()) } else { Err(SwrError::method("GET")) }
}

fn unknown() -> SwrError {
    SwrError::new(Code::AddressUnknown, "there is nothing at this address")
}

/// A segment, decoded; `code` is that of what it should be.
fn decoded(segment: &str, code: Code) -> Result<String, SwrError> {
    let decoded = percent_decode_str(segment).decode_utf8();
    let decoded = decoded.map_err(|_| SwrError::new(code, "the address is not percent-encoded UTF-8"))?;
    Ok(decoded.into_owned())
}

/// The name of an organization.
pub(super) fn organization(text: &str) -> Result<NamespaceName, SwrError> {
    NamespaceName::parse(text)
        .map_err(|error| SwrError::new(Code::OrganizationName, error.to_string()).about("namespace"))
}

fn namespace(segment: &str) -> Result<NamespaceName, SwrError> {
    organization(&decoded(segment, Code::OrganizationName)?)
}

/// An image's name within its organization, with slashes as slashes.
pub(super) fn with_slashes(text: &str) -> String {
    text.replace("%24", "/").replace("%2F", "/").replace("%2f", "/").replace('$', "/")
}

/// The full name of an image of an organization.
pub(super) fn image(organization: &NamespaceName, name: &str) -> Result<RepositoryName, SwrError> {
    let name = format!("{organization}/{}", with_slashes(name));
    RepositoryName::parse(&name)
        .map_err(|error| SwrError::new(Code::ImageName, error.to_string()).about("repository"))
}

fn repository(organization: &str, name: &str) -> Result<RepositoryName, SwrError> {
    image(&namespace(organization)?, &decoded(name, Code::ImageName)?)
}

/// The name of an account to share with.
pub(super) fn account_name(text: &str) -> Result<AccountName, SwrError> {
    AccountName::parse(text)
        .map_err(|error| SwrError::new(Code::Account, error.to_string()).about("access_domain"))
}

fn account(segment: &str) -> Result<AccountName, SwrError> {
    account_name(&decoded(segment, Code::Account)?)
}

/// A tag's name; `field` is what it stands in.
pub(super) fn tag_name(text: &str, field: &'static str) -> Result<Tag, SwrError> {
    Tag::parse(text).map_err(|error| SwrError::new(Code::TagName, error.to_string()).about(field))
}

fn tag(segment: &str) -> Result<Tag, SwrError> {
    tag_name(&decoded(segment, Code::TagName)?, "tag")
}

/// A number that stands for something; `field` is what it stands in.
pub(super) fn id<T: FromStr<Err = auth::Error>>(text: &str, field: &'static str) -> Result<T, SwrError> {
    text.parse().map_err(|error: auth::Error| SwrError::new(Code::Invalid, error.to_string()).about(field))
}

fn share(segment: &str) -> Result<ShareId, SwrError> {
    id(segment, "share_id")
}

/// A name for each kind of route. A new one does not compile without its name here.
#[cfg(test)]
macro_rules! names {
    ($($name:literal: $pattern:pat,)+) => {
        impl Route {
            pub(super) const NAMES: &[&str] = &[$($name),+];

            pub(super) fn name(&self) -> &'static str {
                match self { $($pattern => $name,)+ }
            }
        }
    };
}

#[cfg(test)]
names! {
    "create an organization": Route::CreateOrganization,
    "list organizations": Route::ListOrganizations,
    "show an organization": Route::ShowOrganization(_),
    "delete an organization": Route::DeleteOrganization(_),
    "add permissions on an organization": Route::Permissions(PermissionTarget::Namespace(_), Permissions::Create),
    "show permissions on an organization": Route::Permissions(PermissionTarget::Namespace(_), Permissions::Show),
    "change permissions on an organization": Route::Permissions(PermissionTarget::Namespace(_), Permissions::Update),
    "remove permissions on an organization": Route::Permissions(PermissionTarget::Namespace(_), Permissions::Delete),
    "add permissions on an image": Route::Permissions(PermissionTarget::Repository(_), Permissions::Create),
    "show permissions on an image": Route::Permissions(PermissionTarget::Repository(_), Permissions::Show),
    "change permissions on an image": Route::Permissions(PermissionTarget::Repository(_), Permissions::Update),
    "remove permissions on an image": Route::Permissions(PermissionTarget::Repository(_), Permissions::Delete),
    "create an image": Route::CreateRepository(_),
    "list images": Route::ListRepositories(Paged::ByOffset),
    "list images by marker": Route::ListRepositories(Paged::ByMarker),
    "show an image": Route::ShowRepository(_),
    "change an image": Route::UpdateRepository(_),
    "delete an image": Route::DeleteRepository(_),
    "list tags": Route::ListTags(_, Paged::ByOffset),
    "list tags by marker": Route::ListTags(_, Paged::ByMarker),
    "copy a tag": Route::CopyTag(_),
    "show a tag": Route::ShowTag(..),
    "delete a tag": Route::DeleteTag(..),
    "share with an account": Route::CreateAccessDomain(_),
    "list shares by account": Route::ListAccessDomains(_),
    "show a share by account": Route::ShowAccessDomain(..),
    "change a share by account": Route::UpdateAccessDomain(..),
    "revoke a share by account": Route::DeleteAccessDomain(..),
    "share": Route::CreateShares(_),
    "list shares": Route::ListShares(_),
    "show a share": Route::ShowShare(..),
    "change a share": Route::UpdateShare(..),
    "revoke a share": Route::DeleteShare(..),
    "list shared images": Route::ListSharedRepositories(Paged::ByOffset),
    "list shared images by marker": Route::ListSharedRepositories(Paged::ByMarker),
    "a temporary login": Route::CreateTemporaryLogin,
}

#[cfg(test)]
mod tests;
