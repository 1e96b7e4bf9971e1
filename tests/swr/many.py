"""600 accounts, and an image that may be shared with 500 of them."""

from people import SETUP, Person, equal, refused
from huaweicloudsdkswr.v2 import CreateRepoDomainsRequestBody, CreateRepoRequestBody

acme = Person("acme")
image = {"namespace": "team-a", "repository": "many"}


def shares(number):
    body = CreateRepoDomainsRequestBody(access_domain=f"sharee-{number}", permit="read", deadline="forever")
    acme.does("create_repo_domains", body=body, **image)


body = CreateRepoRequestBody(repository="many", is_public=False)
acme.does("create_repo", namespace="team-a", body=body)
for number in range(500):
    shares(number)
for number in range(500, 600):
    with refused(400, 4000098, "at most 500 open shares"):
        shares(number)
equal(len(acme.does("list_repo_domains", **image).body), 100)
page = acme.calls("GET", "/v2/manage/namespaces/{namespace}/repositories/{repository}/access-domains",
                  query=[("limit", "1000"), ("offset", "0")], **image)
equal(len({one["access_domain"] for one in page}), 500)
equal(acme.last.headers["Content-Range"], "0-500/500")
# One that ends makes room for one.
acme.does("delete_repo_domains", access_domain="sharee-0", **image)
shares(599)
with refused(400, 4000098):
    shares(0)
rows, marker = 0, None
while True:
    page = acme.does("list_shared_repo_details", shared_by="self", name="many", limit=150, marker=marker)
    rows, marker = rows + len(page.repos), page.next_marker
    if marker is None:
        break
equal(rows, 500)
