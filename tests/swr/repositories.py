"""Images: made, shown, changed, listed in both ways; and what users may do with one."""

from people import SETUP, Person, equal, refused
from huaweicloudsdkswr.v2 import CreateRepoRequestBody, UpdateRepoRequestBody, UserAuth

acme, globex, dev = Person("acme"), Person("globex"), Person("dev@acme")
host = SETUP["endpoint"].removeprefix("http://")


def creates(person, name, is_public=False, namespace="team-a", **more):
    body = CreateRepoRequestBody(repository=name, is_public=is_public, **more)
    answer = person.does("create_repo", namespace=namespace, body=body)
    equal((answer.status_code, person.last.text), (201, "{}"))


def repositories():
    creates(acme, "web", category="linux", description="The shop window. 店の窓 🪟")
    creates(acme, "apps$api$v2")
    creates(acme, "open", is_public=True, category="database")
    with refused(409, 4090006):
        creates(acme, "apps/api/v2")
    with refused(413, 4131012, "1000 characters"):
        creates(acme, "long", description="x" * 1001)
    creates(acme, "exactly", description="船" * 1000)
    equal(acme.does("delete_repo", namespace="team-a", repository="exactly").status_code, 204)
    for name in ["", "Web", "a//b", "../b", "a" * 129, "日本"]:
        with refused(400, 4001029):
            creates(acme, name)
    with refused(400, 4000014, "a category is one of"):
        creates(acme, "sorted", category="everything")
    with refused(400, 4000014, "control characters"):
        creates(acme, "controlled", description="\x07")
    with refused(404, 4040058):
        creates(globex, "web")
    with refused(404, 4040058):
        creates(acme, "web", namespace="nobodys")

    shown = acme.does("show_repository", namespace="team-a", repository="web")
    equal((shown.name, shown.category, shown.is_public, shown.num_images), ("web", "linux", False, 0))
    equal(shown.description, "The shop window. 店の窓 🪟")
    equal((shown.creator_name, shown.path), ("acme", f"{host}/team-a/web"))
    for written in ["apps$api$v2", "apps/api/v2", "apps%24api%24v2", "apps%2Fapi%2Fv2"]:
        found = acme.does("show_repository", namespace="team-a", repository=written)
        equal((found.name, found.path), ("apps/api/v2", f"{host}/team-a/apps/api/v2"))
    for repository in ["web", "nothing"]:
        with refused(404, 4040113, "no such repository"):
            globex.does("show_repository", namespace="team-a", repository=repository)
    equal(globex.does("show_repository", namespace="team-a", repository="open").is_public, True)

    change = UpdateRepoRequestBody(is_public=False, category="lang", description="Private again.")
    answer = acme.does("update_repo", namespace="team-a", repository="open", body=change)
    equal((answer.status_code, acme.last.text), (201, "{}"))
    shown = acme.does("show_repository", namespace="team-a", repository="open")
    equal((shown.is_public, shown.category, shown.description), (False, "lang", "Private again."))
    with refused(404, 4040113):
        globex.does("update_repo", namespace="team-a", repository="open", body=change)


def lists():
    found = acme.does("list_repos_details", namespace="team-a", limit="2", offset="1",
                      order_column="name", order_type="desc")
    equal([one.name for one in found.body], ["open", "apps/api/v2"])
    equal((found.body[0].total_range, found.content_range), (3, "1-2/3"))
    found = acme.does("list_repos_details", filter="namespace::team-a|name::api|limit::10|offset::0")
    equal([(one.namespace, one.name, one.status) for one in found.body], [("team-a", "apps/api/v2", False)])
    equal([one.name for one in acme.does("list_repos_details", category="linux").body], ["web"])
    names, marker = [], None
    while True:
        page = acme.does("list_repo_details", limit=2, marker=marker)
        names += [one.name for one in page.repos]
        marker = page.next_marker
        if marker is None:
            break
    equal(sorted(names), ["apps/api/v2", "open", "web"])
    equal(acme.does("list_repo_details", namespace="nobodys").repos, [])
    for wrong in [{"limit": "0"}, {"limit": "1001"}, {"limit": "ten"}]:
        with refused(400, 4000056):
            acme.does("list_repos_details", **wrong)
    for wrong in [{"offset": "-1"}, {"order_column": "size"}, {"filter": "colour::red"}]:
        with refused(400, 4001025):
            acme.does("list_repos_details", **wrong)


def permissions():
    on = {"namespace": "team-a", "repository": "apps$api$v2"}
    dev_auth = UserAuth(user_id=SETUP["users"]["dev"], user_name="dev", auth=1)
    with refused(404, 4040113):
        dev.does("show_repository", **on)
    equal(acme.does("create_user_repository_auth", body=[dev_auth], **on).status_code, 201)
    equal(dev.does("show_repository", **on).name, "apps/api/v2")
    found = acme.does("show_user_repository_auth", **on)
    equal((found.name, found.self_auth.auth, found.others_auths[0].user_name), ("apps/api/v2", 7, "dev"))
    equal([one.name for one in dev.does("list_namespaces").namespaces or []], [])
    equal([(one.name, one.auth) for one in dev.does("list_namespaces", filter="mode::visible").namespaces],
          [("team-a", 0)])
    dev_auth.auth = 7
    equal(acme.does("update_user_repository_auth", body=[dev_auth], **on).status_code, 201)
    equal(dev.does("show_user_repository_auth", **on).others_auths, [])
    equal(acme.does("delete_user_repository_auth", body=[dev_auth.user_id], **on).status_code, 204)
    with refused(404, 4040113):
        dev.does("show_repository", **on)
    with refused(406, 4060074):
        acme.does("delete_namespaces", namespace="team-a")


repositories()
lists()
permissions()
