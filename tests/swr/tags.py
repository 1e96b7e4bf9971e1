"""The tags of an image that docker has pushed; and one more of what a tag names."""

import json

from people import SETUP, Person, equal, refused
from huaweicloudsdkswr.v2 import CreateRepoTagRequestBody

acme, globex = Person("acme"), Person("globex")
on = {"namespace": "team-a", "repository": "web"}
host = SETUP["endpoint"].removeprefix("http://")


def copies(source, destination, override=None):
    body = CreateRepoTagRequestBody(source_tag=source, destination_tag=destination, override=override)
    answer = acme.does("create_repo_tag", body=body, **on)
    equal((answer.status_code, acme.last.text), (201, "{}"))


def reads():
    [tag] = acme.does("list_repository_tags", **on).body
    equal((tag.tag, tag.digest, tag.path), ("v1", SETUP["digest"], f"{host}/team-a/web:v1"))
    manifest = json.loads(tag.manifest)
    equal(tag.image_id, manifest["config"]["digest"].removeprefix("sha256:"))
    assert tag.size > sum(layer["size"] for layer in manifest["layers"]), tag.size
    shown = acme.does("show_repo_tag", tag="v1", **on)
    equal((shown.tag, shown.digest, shown.id, shown.tag_type), ("v1", tag.digest, tag.id, 0))
    equal(acme.does("show_repository", **on).num_images, 1)
    with refused(404, 4040115):
        acme.does("show_repo_tag", tag="v2", **on)
    with refused(400, 4009021):
        acme.does("show_repo_tag", tag="-v1", **on)
    with refused(404, 4040113):
        globex.does("list_repository_tags", **on)


def writes():
    copies("v1", "latest")
    copies("v1", "stable")
    with refused(409, 4090006):
        copies("v1", "latest")
    copies("stable", "latest", override=True)
    with refused(404, 4040115):
        copies("v7", "v8")
    with refused(400, 4009021):
        copies("v1", "a b")
    found = acme.does("list_repository_tags", limit="2", offset="0", order_column="tag", order_type="desc", **on)
    equal(([one.tag for one in found.body], found.content_range), (["v1", "stable"], "0-2/3"))
    equal([one.tag for one in acme.does("list_repository_tags", filter="tag::sta", **on).body], ["stable"])
    names, marker = [], None
    while True:
        page = acme.does("list_repository_tag", limit=2, marker=marker, with_manifest=True, **on)
        names += [one.tag for one in page.tags]
        assert all(json.loads(one.manifest) for one in page.tags)
        marker = page.next_marker
        equal(page.has_more, marker is not None)
        if marker is None:
            break
    equal(names, ["latest", "stable", "v1"])
    equal(acme.does("list_repository_tag", **on).tags[0].manifest, "")
    equal(acme.does("delete_repo_tag", tag="stable", **on).status_code, 204)
    with refused(404, 4040115):
        acme.does("delete_repo_tag", tag="stable", **on)


reads()
writes()
