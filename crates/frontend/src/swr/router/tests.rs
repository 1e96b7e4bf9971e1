//! Every address, and what is none.

use super::{
    AccountName, Code, Method, NamespaceName, Paged, PermissionTarget, Permissions, RepositoryName, Route,
    SwrError, Tag, below, parse,
};

fn route(method: &str, path: &str) -> Result<Route, SwrError> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let (version, rest) = below(path).unwrap_or_else(|| panic!("{path} is another's"));
    parse(&method, version, rest)
}

fn organization() -> NamespaceName {
    NamespaceName::parse("team-a").unwrap()
}

fn image(path: &str) -> RepositoryName {
    RepositoryName::parse(&format!("team-a/{path}")).unwrap()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: a line for each call")]
fn every_call_has_its_address() {
    let (web, globex) = (|| image("web"), || AccountName::parse("globex").unwrap());
    let (tag, share) = (|| Tag::parse("v1").unwrap(), || kv::Id::new(7).unwrap().into());
    let in_organization = || PermissionTarget::Namespace(organization());
    let in_image = || PermissionTarget::Repository(image("web"));
    for (call, expected) in [
        ("POST /v2/manage/namespaces", Route::CreateOrganization),
        ("GET /v2/manage/namespaces", Route::ListOrganizations),
        ("GET /v2/manage/namespaces/team-a", Route::ShowOrganization(organization())),
        ("DELETE /v2/manage/namespaces/team-a", Route::DeleteOrganization(organization())),
        (
            "POST /v2/manage/namespaces/team-a/access",
            Route::Permissions(in_organization(), Permissions::Create),
        ),
        ("GET /v2/manage/namespaces/team-a/access", Route::Permissions(in_organization(), Permissions::Show)),
        (
            "PATCH /v2/manage/namespaces/team-a/access",
            Route::Permissions(in_organization(), Permissions::Update),
        ),
        (
            "DELETE /v2/manage/namespaces/team-a/access",
            Route::Permissions(in_organization(), Permissions::Delete),
        ),
        (
            "PATCH /v2/manage/namespaces/team-a/repos/web/access",
            Route::Permissions(in_image(), Permissions::Update),
        ),
        ("POST /v2/manage/namespaces/team-a/repos", Route::CreateRepository(organization())),
        ("GET /v2/manage/repos", Route::ListRepositories(Paged::ByOffset)),
        ("GET /v3/manage/repos", Route::ListRepositories(Paged::ByMarker)),
        ("GET /v2/manage/namespaces/team-a/repos/web", Route::ShowRepository(web())),
        ("PATCH /v2/manage/namespaces/team-a/repos/web", Route::UpdateRepository(web())),
        ("DELETE /v2/manage/namespaces/team-a/repos/web", Route::DeleteRepository(web())),
        ("GET /v2/manage/namespaces/team-a/repos/web/tags", Route::ListTags(web(), Paged::ByOffset)),
        ("GET /v3/manage/namespaces/team-a/repos/web/tags", Route::ListTags(web(), Paged::ByMarker)),
        ("POST /v2/manage/namespaces/team-a/repos/web/tags", Route::CopyTag(web())),
        ("GET /v2/manage/namespaces/team-a/repos/web/tags/v1", Route::ShowTag(web(), tag())),
        ("DELETE /v2/manage/namespaces/team-a/repos/web/tags/v1", Route::DeleteTag(web(), tag())),
        (
            "POST /v2/manage/namespaces/team-a/repositories/web/access-domains",
            Route::CreateAccessDomain(web()),
        ),
        ("GET /v2/manage/namespaces/team-a/repositories/web/access-domains", Route::ListAccessDomains(web())),
        (
            "GET /v2/manage/namespaces/team-a/repositories/web/access-domains/globex",
            Route::ShowAccessDomain(web(), globex()),
        ),
        (
            "PATCH /v2/manage/namespaces/team-a/repositories/web/access-domains/globex",
            Route::UpdateAccessDomain(web(), globex()),
        ),
        (
            "DELETE /v2/manage/namespaces/team-a/repositories/web/access-domains/globex",
            Route::DeleteAccessDomain(web(), globex()),
        ),
        // As other clients write it.
        ("POST /v2/manage/namespaces/team-a/repos/web/access-domains", Route::CreateAccessDomain(web())),
        (
            "DELETE /v2/manage/namespaces/team-a/repos/web/access-domains/globex",
            Route::DeleteAccessDomain(web(), globex()),
        ),
        ("POST /v2/manage/namespaces/team-a/repos/web/shares", Route::CreateShares(web())),
        ("GET /v2/manage/namespaces/team-a/repos/web/shares", Route::ListShares(web())),
        ("GET /v2/manage/namespaces/team-a/repos/web/shares/7", Route::ShowShare(web(), share())),
        ("PATCH /v2/manage/namespaces/team-a/repos/web/shares/7", Route::UpdateShare(web(), share())),
        ("DELETE /v2/manage/namespaces/team-a/repos/web/shares/7", Route::DeleteShare(web(), share())),
        ("GET /v2/manage/shared-repositories", Route::ListSharedRepositories(Paged::ByOffset)),
        ("GET /v3/manage/shared-repositories", Route::ListSharedRepositories(Paged::ByMarker)),
        ("POST /v2/manage/utils/secret", Route::CreateTemporaryLogin),
    ] {
        let (method, path) = call.split_once(' ').unwrap();
        let found = route(method, path).unwrap_or_else(|error| panic!("{call}: {error:?}"));
        assert_eq!(found, expected, "{call}");
    }
}

#[test]
fn a_slash_in_an_images_name_comes_in_many_ways() {
    for written in ["a$b$c", "a%24b%24c", "a%2Fb%2fc", "a%2524b%252Fc", "a$b%2Fc"] {
        let base = format!("/v2/manage/namespaces/team-a/repos/{written}");
        assert_eq!(route("GET", &base).unwrap(), Route::ShowRepository(image("a/b/c")), "{written}");
        let domains = format!("/v2/manage/namespaces/team-a/repositories/{written}/access-domains");
        assert_eq!(route("GET", &domains).unwrap(), Route::ListAccessDomains(image("a/b/c")), "{written}");
    }
    let tags = Route::ListTags(image("repos/tags"), Paged::ByOffset);
    assert_eq!(route("GET", "/v2/manage/namespaces/team-a/repos/repos$tags/tags").unwrap(), tags);
}

#[test]
fn what_can_be_no_name_is_refused_with_its_own_code() {
    let long = format!("GET /v2/manage/namespaces/team-a/repos/{}", "a".repeat(129));
    for (call, code) in [
        ("GET /v2/manage/namespaces/Team", Code::OrganizationName),
        ("GET /v2/manage/namespaces/", Code::OrganizationName),
        ("GET /v2/manage/namespaces/manage", Code::OrganizationName),
        ("GET /v2/manage/namespaces/..", Code::OrganizationName),
        ("GET /v2/manage/namespaces/a%2Fb", Code::OrganizationName),
        ("GET /v2/manage/namespaces/a$b", Code::OrganizationName),
        ("GET /v2/manage/namespaces/%FF", Code::OrganizationName),
        ("GET /v2/manage/namespaces/%E6%97%A5", Code::OrganizationName),
        ("POST /v2/manage/namespaces/a..b/repos", Code::OrganizationName),
        ("GET /v2/manage/namespaces/team-a/repos/Web", Code::ImageName),
        ("GET /v2/manage/namespaces/team-a/repos/", Code::ImageName),
        ("GET /v2/manage/namespaces/team-a/repos/a$$b", Code::ImageName),
        ("GET /v2/manage/namespaces/team-a/repos/$a", Code::ImageName),
        ("GET /v2/manage/namespaces/team-a/repos/..$b", Code::ImageName),
        ("GET /v2/manage/namespaces/team-a/repos/a%00", Code::ImageName),
        (&long, Code::ImageName),
        ("GET /v2/manage/namespaces/team-a/repos/web/access-domains/Globex", Code::Account),
        ("GET /v2/manage/namespaces/team-a/repos/web/access-domains/", Code::Account),
        ("GET /v2/manage/namespaces/team-a/repos/web/tags/-v1", Code::TagName),
        ("GET /v2/manage/namespaces/team-a/repos/web/shares/x", Code::Invalid),
        ("GET /v2/manage/namespaces/team-a/repos/web/shares/+7", Code::Invalid),
        ("GET /v2/manage/namespaces/team-a/repos/web/shares/9007199254740992", Code::Invalid),
    ] {
        let (method, path) = call.split_once(' ').unwrap();
        assert_eq!(route(method, path).unwrap_err().code(), code, "{call}");
    }
}

#[test]
fn anything_else_is_no_address_or_another_method() {
    for (call, code) in [
        ("GET /v2/manage", Code::AddressUnknown),
        ("GET /v2/manage/", Code::AddressUnknown),
        ("GET /v3/manage/namespaces", Code::AddressUnknown),
        ("POST /v3/manage/utils/secret", Code::AddressUnknown),
        ("GET /v2/manage/overview", Code::AddressUnknown),
        ("GET /v2/manage/namespaces/team-a/", Code::AddressUnknown),
        ("GET /v2/manage/namespaces/team-a/repositories/web", Code::AddressUnknown),
        ("GET /v2/manage/namespaces/team-a/repos/web/retentions", Code::AddressUnknown),
        ("GET /v2/manage/namespaces/team-a/repos/web/access-domains/a/b", Code::AddressUnknown),
        ("PUT /v2/manage/namespaces", Code::Method),
        ("HEAD /v2/manage/namespaces/team-a", Code::Method),
        ("GET /v2/manage/namespaces/team-a/repos", Code::Method),
        ("PUT /v2/manage/namespaces/team-a/repos/web", Code::Method),
        ("DELETE /v2/manage/namespaces/team-a/repos/web/access-domains", Code::Method),
        ("POST /v2/manage/namespaces/team-a/repos/web/access-domains/globex", Code::Method),
        ("POST /v2/manage/shared-repositories", Code::Method),
        ("GET /v2/manage/utils/secret", Code::Method),
    ] {
        let (method, path) = call.split_once(' ').unwrap();
        assert_eq!(route(method, path).unwrap_err().code(), code, "{call}");
    }
    for path in
        ["/v2/", "/v2/managed/x", "/v2/manager", "/v1/manage/namespaces", "/v2/team-a/manage/tags/list"]
    {
        assert!(below(path).is_none(), "{path}");
    }
}
