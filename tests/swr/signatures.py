"""What the SDK signed, touched on its way: each time it is refused, and nothing is done."""

import requests

from people import SETUP, Person, equal, refused
from huaweicloudsdkswr.v2 import CreateNamespaceRequestBody

acme = Person("acme")


def sent(prepared, **changes):
    """Sends what the SDK had prepared, once more, with these changes."""
    again = prepared.copy()
    for name, value in changes.items():
        if name == "body":
            again.body = value
            again.headers["Content-Length"] = str(len(value))
        elif name in ("url", "method"):
            setattr(again, name, value)
        else:
            again.headers[name.replace("_", "-")] = value
    answer = requests.Session().send(again, proxies={})
    error = answer.json() if answer.text else {}
    return answer.status_code, error.get("errorCode"), error.get("errorMsg", "")


def is_refused(outcome, saying):
    equal(outcome[:2], (401, "SVCSTG.SWR.4010000"))
    assert saying in outcome[2], outcome


def writes():
    acme.does("create_namespace", body=CreateNamespaceRequestBody(namespace="signed"))
    write = acme.last.request
    is_refused(sent(write), "sent before")
    is_refused(sent(write, body=b'{"namespace": "other"}'), "wrong")
    is_refused(sent(write, url=write.url + "/team-a", method="DELETE"), "wrong")
    is_refused(sent(write, Content_Type="application/json; charset=utf-8"), "wrong")
    is_refused(sent(write, X_Sdk_Date="20270101T000000Z"), "15 minutes")
    is_refused(sent(write, Authorization=""), "")
    is_refused(sent(write, Authorization="Basic YWNtZTpwYXNzd29yZA=="), "SDK-HMAC-SHA256")
    equal(acme.does("delete_namespaces", namespace="signed").status_code, 204)
    is_refused(sent(acme.last.request), "sent before")
    equal([one.name for one in acme.does("list_namespaces").namespaces], ["team-a"])


def reads():
    acme.does("show_namespace", namespace="team-a")
    read = acme.last.request
    equal(sent(read)[0], 200)
    is_refused(sent(read, url=read.url.replace("team-a", "team-b")), "wrong")
    is_refused(sent(read, url=read.url + "?limit=1"), "wrong")
    is_refused(sent(read, method="DELETE"), "wrong")
    is_refused(sent(read, Host="other.example:5000"), "wrong")


def strangers():
    for keys in [{"secret_key": "x" * 40}, {"access_key": "ABCDEFGHIJKLMNOPQRST"}]:
        with refused(401, 4010000, "wrong"):
            Person("acme", **keys).does("list_namespaces")


writes()
reads()
strangers()
