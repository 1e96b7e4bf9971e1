"""A temporary docker login, of the owner's; prints the command and the end of it."""

import base64
import json

from people import SETUP, Person, equal, refused

acme = Person("acme")
host = SETUP["endpoint"].removeprefix("http://")
answer = acme.does("create_secret", projectname=SETUP["region"])
words = answer.x_swr_dockerlogin.split()
equal((words[:3], words[4], words[6:]), (["docker", "login", "-u"], "-p", [host]))
equal(base64.b64decode(answer.auths[host].auth).decode(), f"{words[3]}:{words[5]}")
with refused(400, 4001025, "region"):
    acme.does("create_secret", projectname="elsewhere")
for seconds in [0, 899, 86401, -1, "soon"]:
    with refused(400, 4001025):
        acme.calls("POST", "/v2/manage/utils/secret", query=[("duration_seconds", seconds)])
acme.calls("POST", "/v2/manage/utils/secret", query=[("duration_seconds", 900)])
short = acme.last.headers
print(json.dumps({"login": words[3], "password": words[5], "ends": answer.x_swr_expireat,
                  "short_password": short["X-Swr-Dockerlogin"].split()[5], "short_ends": short["X-Swr-Expireat"]}))
