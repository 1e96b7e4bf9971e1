"""Both lists of shared images, from both sides: filtered, ordered and paged in both ways.

globex and initech each have shares of acme's images; some have ended, since the registry's clock went on.
"""

from people import SETUP, Person, equal, refused

acme, globex, initech = Person("acme"), Person("globex"), Person("initech")


def offset_pages(person, limit, **wanted):
    """All rows, read as clients do: on and on, until there are `total_range` of them."""
    rows, offset = [], 0
    while True:
        page = person.does("list_shared_repos_details", limit=str(limit), offset=str(offset), **wanted)
        rows += page.body or []
        if not page.body:
            return rows
        total = page.body[0].total_range
        equal(page.content_range, f"{offset}-{len(page.body)}/{total}")
        assert all(row.total_range == total for row in page.body)
        offset += limit
        if len(rows) >= total:
            equal(len(rows), total)
            return rows


def marker_pages(person, limit, **wanted):
    rows, marker, last = [], None, 0
    while True:
        page = person.does("list_shared_repo_details", limit=limit, marker=marker, **wanted)
        rows += page.repos
        marker = page.next_marker
        if marker is None:
            assert "nextMarker" not in person.last.text
            return rows
        assert last < marker < 2**53, (last, marker)
        last = marker


def names(rows):
    return [row.name for row in rows]


def sharee():
    expected = ["apps/api/v2", *(f"n{number}" for number in range(7)), "web"]
    for limit in [1, 4, 100]:
        equal(sorted(names(offset_pages(globex, limit, center="thirdparty"))), expected)
        equal(sorted(names(marker_pages(globex, limit, shared_by="thirdparty"))), expected)
    ordered = offset_pages(globex, 4, center="thirdparty", order_column="name", order_type="asc")
    equal(names(ordered), expected)
    ordered = offset_pages(globex, 4, center="thirdparty", order_column="name", order_type="desc")
    equal(names(ordered), expected[::-1])
    ended = [f"n{number}" for number in range(3)]
    for status, which in [(True, [name for name in expected if name not in ended]), (False, ended)]:
        equal(sorted(names(marker_pages(globex, 2, shared_by="thirdparty", status=status))), which)
    by_tags = offset_pages(globex, 3, center="thirdparty", order_column="tag_count", order_type="desc")
    equal((by_tags[0].name, by_tags[0].num_images, by_tags[0].tags), ("web", 2, ["latest", "v1"]))
    assert by_tags[0].size > 0
    by_update = offset_pages(globex, 100, center="thirdparty", order_column="updated_at", order_type="asc")
    times = [row.updated_at for row in by_update]
    equal(times, sorted(times))
    for column in ["namespace", "domain_name"]:
        equal(len(offset_pages(globex, 4, center="thirdparty", order_column=column, order_type="asc")), 9)
    rows = {row.name: row for row in ordered}
    equal([rows[name].status for name in ["n0", "n3", "web"]], [False, True, True])
    equal((rows["n0"].description, rows["n0"].tags, rows["n0"].size), ("", [], 0))
    equal((rows["n3"].description, rows["n3"].category), ("number 3", "database"))
    equal((rows["web"].domain_name, rows["web"].namespace), ("acme", "team-a"))


def filters():
    one = globex.does("list_shared_repos_details", filter="center::thirdparty|name::n4|limit::10|offset::0",
                      center=None)
    equal((names(one.body), one.content_range), (["n4"], "0-1/1"))
    found = globex.does("list_shared_repos_details", center="thirdparty", name="apps$api")
    equal(names(found.body), ["apps/api/v2"])
    equal(globex.does("list_shared_repos_details", center="thirdparty", namespace="team").body, None)
    equal(globex.does("list_shared_repos_details", center="self").body, None)
    equal(names(offset_pages(initech, 10, center="thirdparty")), ["n6"])
    path = "/v2/manage/shared-repositories"
    for owner, count in [("acme", 9), ("initech", 0)]:
        rows = globex.calls("GET", path, query=[("center", "thirdparty"), ("domain_name", owner)])
        equal(len(rows), count)


def owner():
    expected = sorted(["apps/api/v2", "web", *(f"n{number}" for number in range(7)), "n6"])
    equal(sorted(names(offset_pages(acme, 3, center="self"))), expected)
    equal(sorted(names(marker_pages(acme, 3, shared_by="self"))), expected)
    ordered = offset_pages(acme, 3, center="self", order_column="name", order_type="asc")
    equal(names(ordered), expected)
    rows = {row.name: row for row in ordered}
    equal((rows["n0"].status, rows["n0"].description), (False, "number 0"))
    equal((rows["web"].status, rows["web"].tags), (True, ["latest", "v1"]))
    raw = acme.calls("GET", "/v2/manage/shared-repositories", query=[("center", "self"), ("name", "n6")])
    equal(sorted(row["access_domain"] for row in raw), ["globex", "initech"])
    equal(acme.does("list_shared_repos_details", center="thirdparty").body, None)


def refusals():
    for wrong in [{"center": "both"}, {"center": None}, {"center": "self", "offset": "x"},
                  {"center": "self", "order_column": "size", "order_type": "asc"},
                  {"center": "self", "filter": "center::self"}]:
        with refused(400, 4001025):
            globex.does("list_shared_repos_details", **wrong)
    with refused(400, 4000056):
        globex.does("list_shared_repos_details", center="self", limit="1001")
    with refused(400, 4001025):
        globex.does("list_shared_repo_details", shared_by="nobody")
    with refused(400, 4001025):
        globex.does("list_shared_repo_details", shared_by="self", marker=2**53)


sharee()
filters()
owner()
refusals()
