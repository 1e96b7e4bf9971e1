"""Shares: made, listed, shown, changed and ended; and every way to be told that one cannot be."""

from people import SETUP, Person, equal, refused
from huaweicloudsdkswr.v2 import (
    CreateRepoDomainsRequestBody,
    UpdateRepoDomainsRequestBody,
    UpdateRepoRequestBody,
)

acme, globex, dev = Person("acme"), Person("globex"), Person("dev@acme")
web = {"namespace": "team-a", "repository": "web"}
nested = {"namespace": "team-a", "repository": "apps$api$v2"}
FAR = "2099-10-01T16:00:00.000Z"


def shares(person, image, account, deadline="forever", permit="read", **more):
    body = CreateRepoDomainsRequestBody(access_domain=account, permit=permit, deadline=deadline, **more)
    answer = person.does("create_repo_domains", body=body, **image)
    equal((answer.status_code, person.last.text), (201, "{}"))


def changes(person, image, account, deadline="forever", permit="read", **more):
    body = UpdateRepoDomainsRequestBody(permit=permit, deadline=deadline, **more)
    answer = person.does("update_repo_domains", access_domain=account, body=body, **image)
    equal((answer.status_code, person.last.text), (201, "{}"))


def life():
    shares(acme, web, "globex", description="für die Probe 🚢")
    shares(acme, web, "initech", deadline=FAR)
    found = {one.access_domain: one for one in acme.does("list_repo_domains", **web).body}
    equal(sorted(found), ["globex", "initech"])
    one = found["globex"]
    equal((one.namespace, one.repository, one.permit, one.deadline), ("team-a", "web", "read", "forever"))
    equal((one.description, one.creator_name, one.status), ("für die Probe 🚢", "acme", True))
    assert SETUP["now"] <= one.created == one.updated, (SETUP["now"], one.created, one.updated)
    assert one.creator_id.isdigit()
    equal(found["initech"].deadline[:19], "2099-10-01T16:00:00")

    shown = acme.does("show_access_domain", access_domain="globex", **web)
    equal((shown.exist, shown.access_domain, shown.status), (True, "globex", True))
    theirs = globex.does("show_access_domain", access_domain="globex", **web)
    equal((theirs.exist, theirs.deadline), (True, "forever"))
    equal(globex.does("show_repository", **web).name, "web")
    equal([tag.tag for tag in globex.does("list_repository_tags", **web).body], ["latest", "v1"])
    missing = acme.does("show_access_domain", access_domain="hooli", **web)
    equal((missing.exist, missing.deadline, acme.last.text), (False, None, '{"exist":false}'))

    changes(acme, web, "globex", deadline="2088-01-02T03:04:05Z", description="longer")
    shown = acme.does("show_access_domain", access_domain="globex", **web)
    equal((shown.deadline[:10], shown.description), ("2088-01-02", "longer"))
    changes(acme, web, "globex")
    shown = acme.does("show_access_domain", access_domain="globex", **web)
    equal((shown.deadline, shown.description), ("forever", ""))
    equal(acme.does("delete_repo_domains", access_domain="initech", **web).status_code, 204)
    with refused(404, 4040091, "no such share"):
        acme.does("delete_repo_domains", access_domain="initech", **web)
    with refused(404, 4040091):
        changes(acme, web, "initech")


def slashes():
    shares(acme, nested, "globex", deadline=FAR)
    for written in ["apps$api$v2", "apps%24api%24v2", "apps%2Fapi%2Fv2", "apps/api/v2"]:
        image = {"namespace": "team-a", "repository": written}
        [one] = acme.does("list_repo_domains", **image).body
        equal((one.repository, one.access_domain), ("apps/api/v2", "globex"))
        changes(acme, image, "globex", deadline=FAR, description=written)
    equal(globex.does("show_repository", **nested).name, "apps/api/v2")


def refusals():
    with refused(409, 4090089, "exists already"):
        shares(acme, web, "globex")
    with refused(400, 4001041, "no such account"):
        shares(acme, web, "nobody-at-all")
    with refused(400, 4001041, "share with itself"):
        shares(acme, web, "acme")
    for account in ["Globex", "", "a" * 65, "日本", "a b"]:
        with refused(400, 4001041):
            shares(acme, web, account)
    for permit in ["write", "", "READ"]:
        with refused(400, 4001091):
            shares(acme, web, "hooli", permit=permit)
    for deadline in ["", "tomorrow", "2099-10-01", "2099-10-01T16:00:00", "2099-02-30T00:00:00Z",
                     "10000-01-01T00:00:00Z", "Forever", "２０９９-10-01T16:00:00Z"]:
        with refused(400, 4000014, "a deadline is"):
            shares(acme, web, "hooli", deadline=deadline)
    for deadline in ["1970-01-01T00:00:00Z", SETUP["now"]]:
        with refused(400, 4000014, "in the past"):
            shares(acme, web, "hooli", deadline=deadline)
    with refused(413, 4131012, "1000 characters"):
        shares(acme, web, "hooli", description="船" * 1001)
    for description in ["\x00", "\x1b[31m", "\u202e"]:
        with refused(400, 4000014):
            shares(acme, web, "hooli", description=description)
    shares(acme, web, "hooli", description="船" * 1000)
    equal(acme.does("delete_repo_domains", access_domain="hooli", **web).status_code, 204)
    with refused(403, 4039002):
        shares(globex, web, "hooli")
    for image in [web, {"namespace": "team-a", "repository": "nothing"}]:
        with refused(404, 4040113):
            shares(dev, image, "hooli")
    with refused(404, 4040113):
        acme.does("list_repo_domains", namespace="nobodys", repository="web")
    public = {"namespace": "team-a", "repository": "open"}
    acme.does("update_repo", body=UpdateRepoRequestBody(is_public=True), **public)
    with refused(400, 4000014, "the image is public"):
        shares(acme, public, "globex")


def newer():
    """The newer resource, which this SDK has no methods for: the same shares, by their numbers."""
    base = "/v2/manage/namespaces/{namespace}/repos/{repository}/shares"
    one = base + "/{share_id}"
    body = {"share_type": "account", "share_principals": ["hooli"], "permission": "read", "deadline": FAR,
            "description": "by number"}
    [made] = acme.calls("POST", base, body=body, **web)["shares"]
    equal((acme.last.status_code, made["share_principals"], made["deadline"][:10]), (201, ["hooli"], "2099-10-01"))
    equal((made["share_type"], made["permission"], made["creator_name"]), ("account", "read", "acme"))
    listed = acme.calls("GET", base, **web)
    equal(sorted(share["share_principals"][0] for share in listed), ["globex", "hooli"])
    equal(acme.calls("GET", one, share_id=made["id"], **web), made)
    acme.calls("PATCH", one, body={"deadline": "forever"}, share_id=made["id"], **web)
    equal(acme.last.status_code, 201)
    changed = acme.calls("GET", one, share_id=made["id"], **web)
    equal((changed["deadline"], changed["description"]), ("forever", "by number"))
    with refused(404, 4040091):
        acme.calls("GET", one, share_id=made["id"], **nested)
    with refused(400, 4000014):
        acme.calls("POST", base, body={**body, "share_type": "user"}, **web)
    with refused(400, 4001014):
        acme.calls("POST", base, body={"share_type": "account"}, **web)
    with refused(400, 4000014, "no field"):
        acme.calls("POST", base, body={**body, "shared": True}, **web)
    with refused(400, 4001041, "nobody-at-all: "):
        acme.calls("POST", base, body={**body, "share_principals": ["initech", "nobody-at-all"]}, **web)
    with refused(409, 4090089, "hooli: "):
        acme.calls("POST", base, body={**body, "share_principals": ["initech", "hooli"]}, **web)
    equal(acme.does("show_access_domain", access_domain="initech", **web).exist, False)
    both = acme.calls("POST", base, body={**body, "share_principals": ["initech", "hooli"]}, **nested)["shares"]
    equal([share["share_principals"] for share in both], [["initech"], ["hooli"]])
    for share in both:
        acme.calls("DELETE", one, share_id=share["id"], **nested)
    acme.calls("DELETE", one, share_id=made["id"], **web)
    equal(acme.last.status_code, 204)
    with refused(404, 4040091):
        acme.calls("DELETE", one, share_id=made["id"], **web)


life()
slashes()
refusals()
newer()
