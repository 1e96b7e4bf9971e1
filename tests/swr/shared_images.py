"""Images to list, and shares of them that end at different times: what `lists.py` reads."""

from people import SETUP, Person, equal
from huaweicloudsdkswr.v2 import CreateRepoDomainsRequestBody, CreateRepoRequestBody

acme = Person("acme")


def shares(name, account, deadline):
    body = CreateRepoDomainsRequestBody(access_domain=account, permit="read", deadline=deadline)
    acme.does("create_repo_domains", namespace="team-a", repository=name, body=body)


for number in range(7):
    name = f"n{number}"
    body = CreateRepoRequestBody(repository=name, is_public=False, category="database",
                                 description=f"number {number}")
    acme.does("create_repo", namespace="team-a", body=body)
    shares(name, "globex", SETUP["soon"] if number < 3 else SETUP["later"])
shares("n6", "initech", "forever")
equal(acme.does("show_access_domain", namespace="team-a", repository="n0", access_domain="globex").status, True)
