"""The registry's clock is 16 minutes ahead of ours: no signature is good."""

from people import Person, refused

with refused(401, 4010000, "15 minutes"):
    Person("acme").does("list_namespaces")
