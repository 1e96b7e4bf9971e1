"""The calls of the Python package `oras` that the matrix makes: one each time, named by the first argument.

python_oras.py version
python_oras.py login HOST LOGIN          the password is on standard input
python_oras.py push FILE REFERENCE
python_oras.py pull REFERENCE FOLDER     prints the files
python_oras.py push-index LAYOUT NAME REFERENCE
python_oras.py pull-index REFERENCE FOLDER NAME
python_oras.py tags REPOSITORY
python_oras.py delete REFERENCE
python_oras.py attach FILE REFERENCE
"""

import hashlib
import os
import sys

import oras.client
import oras.decorator
import oras.defaults
import oras.layout
import oras.oci
import oras.version


# Asked for a token, the package gets one for its first request, a read, and never another that would let it write. Who
# writes must choose its other way, the password itself in each request.
WRITES = "basic"


def client(reference, auth="token"):
    """Somebody's client, with the sign-in that they have kept."""
    made = oras.client.OrasClient(insecure=True, auth_backend=auth)
    made.auth.load_configs(made.get_container(reference))
    return made


def login(host, name):
    # The package writes the sign-in down and asks nobody: this request does.
    made = oras.client.OrasClient(insecure=True)
    made.login(name, sys.stdin.read(), hostname=host)
    made.do_request(f"http://{host}/v2/").raise_for_status()


def push(file, reference):
    os.chdir(os.path.dirname(file))
    client(reference, WRITES).push(reference, files=[os.path.basename(file)])


def pull(reference, folder):
    print("\n".join(client(reference).pull(reference, outdir=folder)))


def push_index(folder, name, reference):
    oras.layout.NewLayout(folder).push_to_registry(client(reference, WRITES), reference, name)


def pull_index(reference, folder, name):
    oras.layout.NewLayoutFromRegistry(folder, client(reference), reference, name)


def tags(repository):
    print("\n".join(client(repository).get_tags(repository)))


def delete(reference):
    made = client(reference, WRITES)
    if not made.delete_tag(reference, made.get_container(reference).tag):
        sys.exit(f"{reference} was not deleted")


def attach(file, reference):
    made = client(reference, WRITES)
    container = made.get_container(reference)
    # The package's own digest of a manifest is that of its own way to write JSON: this is of what lies in the registry.
    headers = {"Accept": oras.defaults.default_manifest_media_type}
    answer = made.do_request(f"http://{container.manifest_url()}", headers=headers)
    answer.raise_for_status()
    digest = "sha256:" + hashlib.sha256(answer.content).hexdigest()
    subject = oras.oci.Subject(answer.headers["Content-Type"], digest, len(answer.content))
    os.chdir(os.path.dirname(file))
    made.push(f"{reference}-note", files=[os.path.basename(file)], subject=subject)


def version():
    print(oras.version.__version__)


# It asks six times, and waits two minutes in all, whenever it is turned away.
oras.decorator.time.sleep = lambda _: None

CALLS = (version, login, push, pull, push_index, pull_index, tags, delete, attach)
{call.__name__.replace("_", "-"): call for call in CALLS}[sys.argv[1]](*sys.argv[2:])
