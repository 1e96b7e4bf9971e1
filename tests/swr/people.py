"""Who calls the registry, by the unmodified SDK: their access keys, and the log of what they called.

Everything about the run comes as one JSON object on standard input:

{"endpoint": "http://127.0.0.1:40001", "log": "calls.jsonl", "people": {"acme": {"access_key": "…", "secret_key": "…"}}, …}
"""

import json
import re
import sys
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkcore.http.http_handler import HttpHandler
from huaweicloudsdkswr import v2 as swr
from huaweicloudsdkswr.v2 import SwrClient

SETUP = json.load(sys.stdin)


class Person:
    """Somebody with an access key, and a client of the SDK as its own documentation makes one."""

    def __init__(self, name, **other_keys):
        keys = {**SETUP["people"][name], **other_keys}
        self.access_key, self.secret_key = keys["access_key"], keys["secret_key"]
        self.last = None
        handler = HttpHandler().add_response_handler(self._note)
        self.client = (
            SwrClient.new_builder()
            .with_credentials(BasicCredentials(self.access_key, self.secret_key))
            .with_endpoint(SETUP["endpoint"])
            .with_http_handler(handler)
            .build()
        )
        self._calling = (None, None)
        self._call, self._called = None, {}

    def does(self, method, **fields):
        """Calls the SDK's method with a request of these fields, and gives its response."""
        self._waits(f"{method} {fields}")
        request = getattr(swr, "".join(word.title() for word in method.split("_")) + "Request")(**fields)
        template = getattr(self.client, f"_{method}_http_info")(request)["resource_path"]
        self._calling = (method, template)
        return getattr(self.client, method)(request)

    def calls(self, verb, template, body=None, query=None, **path):
        """Makes a call that the SDK has no method for, by the SDK's own way to make one; gives the JSON."""
        self._waits(f"{verb} {template} {path} {query} {body}")
        self._calling = ("call_api", template)
        self.client.call_api(
            resource_path=template,
            method=verb,
            path_params=path,
            query_params=query or [],
            body=body,
            # A response of no fields: what came is looked at as it is.
            response_type="CreateNamespaceResponse",
        )
        return self.last.json() if self.last.text else None

    def _waits(self, call):
        """An equal call within the same second would have the same signature, and be a replay."""
        while self._called.get(call) == int(time.time()):
            time.sleep(0.05)
        self._call = call

    def _note(self, **kwargs):
        answer = kwargs["response"]
        self.last = answer
        self._called[self._call] = int(time.time())
        method, template = self._calling
        path = answer.request.url[len(SETUP["endpoint"]):]
        entry = [method, answer.request.method, template, path, answer.status_code]
        with open(SETUP["log"], "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")


def refused(status, code, saying=""):
    """A `with` block that must end in the SDK's own exception, with this status, code and words."""
    return _Refused(status, f"SVCSTG.SWR.{code}", saying)


class _Refused:
    def __init__(self, status, code, saying):
        self.expected, self.saying = (status, code), saying

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        assert kind is not None, f"{self.expected} expected, and it was done"
        if not isinstance(error, exceptions.ServiceResponseException):
            return False
        assert isinstance(error, exceptions.ClientRequestException), error
        assert (error.status_code, error.error_code) == self.expected, error
        assert self.saying in error.error_msg, f"{self.saying!r} expected: {error.error_msg!r}"
        assert re.fullmatch(r"[0-9a-f]{16}", error.request_id), error.request_id
        return True


def equal(found, expected):
    assert found == expected, f"found {found!r}, expected {expected!r}"
