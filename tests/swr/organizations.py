"""Organizations, and what users may do with them."""

from people import SETUP, Person, equal, refused
from huaweicloudsdkswr.v2 import CreateNamespaceRequestBody, UserAuth

acme, globex, dev = Person("acme"), Person("globex"), Person("dev@acme")
users = SETUP["users"]


def creates(person, name):
    answer = person.does("create_namespace", body=CreateNamespaceRequestBody(namespace=name))
    equal((answer.status_code, person.last.text), (201, "{}"))


def level(name, auth):
    return UserAuth(user_id=users[name], user_name=name, auth=auth)


def organizations():
    creates(acme, "team-a")
    creates(acme, "team-empty")
    with refused(409, 4090060, "exists already"):
        creates(acme, "team-a")
    with refused(409, 4090060):
        creates(globex, "team-a")
    for name in ["manage", "Team", "-team", "a..b", "a/b", "", "a" * 65, "日本", "a\n"]:
        with refused(400, 4001028):
            creates(acme, name)
    with refused(403, 4039002):
        creates(dev, "of-a-user")

    found = acme.does("list_namespaces").namespaces
    equal([(one.name, one.creator_name, one.auth) for one in found],
          [("team-a", "acme", 7), ("team-empty", "acme", 7)])
    equal([one.name for one in acme.does("list_namespaces", namespace="team-e").namespaces], ["team-empty"])
    equal([one.name for one in acme.does("list_namespaces", filter="namespace::team-a").namespaces], ["team-a"])
    equal(globex.does("list_namespaces").namespaces, [])
    shown = acme.does("show_namespace", namespace="team-a")
    equal((shown.id, shown.name, shown.auth), (found[0].id, "team-a", 7))
    for namespace in ["team-a", "nobodys"]:
        with refused(404, 4040058, "no such namespace"):
            globex.does("show_namespace", namespace=namespace)
    equal(acme.does("delete_namespaces", namespace="team-empty").status_code, 204)
    with refused(404, 4040058):
        acme.does("show_namespace", namespace="team-empty")


def permissions():
    on = {"namespace": "team-a"}
    with refused(404, 4040058):
        dev.does("show_namespace", **on)
    equal(acme.does("create_namespace_auth", body=[level("dev", 1)], **on).status_code, 201)
    equal(dev.does("show_namespace", **on).auth, 1)
    with refused(409, 4090076):
        acme.does("create_namespace_auth", body=[level("ops", 3), level("dev", 3)], **on)
    found = acme.does("show_namespace_auth", **on)
    equal((found.name, found.creator_name, found.self_auth.auth), ("team-a", "acme", 7))
    equal([(one.user_id, one.user_name, one.auth) for one in found.others_auths], [(users["dev"], "dev", 1)])
    with refused(403, 4039002):
        dev.does("show_namespace_auth", **on)
    for wrong, code in [
        (UserAuth(user_id=users["ops"], user_name="dev", auth=1), 4001067),
        (UserAuth(user_id="1", user_name="nobody", auth=1), 4001067),
        (UserAuth(user_id="x", user_name="ops", auth=1), 4000014),
        (UserAuth(user_id=users["ops"], user_name="Ops", auth=1), 4001067),
        (UserAuth(user_id=users["ops"], user_name="ops", auth=5), 4001066),
    ]:
        with refused(400, code):
            acme.does("create_namespace_auth", body=[wrong], **on)
    equal(acme.does("update_namespace_auth", body=[level("dev", 3)], **on).status_code, 201)
    equal(dev.does("show_namespace", **on).auth, 3)
    with refused(404, 4040078):
        acme.does("update_namespace_auth", body=[level("ops", 3)], **on)
    equal(acme.does("delete_namespace_auth", body=[users["dev"]], **on).status_code, 204)
    with refused(404, 4040078):
        acme.does("delete_namespace_auth", body=[users["dev"]], **on)


organizations()
permissions()
