//! The registry's protocol: `/v2/` and the token service.
//!
//! Who may pull sees the repository; so whoever may pull, and no more, is told 403. Whoever sends no credentials is told to
//! sign in for all that is not public, whether it is there or not.

use super::role::State::{Any, Private, Public, Shared};
use super::table::{Cells, Row, Table, row};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Whoever may read: the owner, its users with any level, the sharee and its users while it is shared, and everybody
/// what is public.
const PULL: Cells = &[
    (Shared, "✓ ✓ ✓ ✓  ✓ ✓  404 401 404"),
    (Private, "✓ ✓ ✓ ✓  404 404  404 401 404"),
    (Public, "✓ ✓ ✓ ✓  ✓ ✓  ✓ ✓ ✓"),
];
/// *edit* and above: push, and delete tags.
const EDIT: Cells = &[
    (Shared, "✓ ✓ ✓ 403  403 403  404 401 404"),
    (Private, "✓ ✓ ✓ 403  404 404  404 401 404"),
    (Public, "✓ ✓ ✓ 403  403 403  403 401 403"),
];
/// *manage*: delete.
const MANAGE: Cells = &[
    (Shared, "✓ ✓ 403 403  403 403  404 401 404"),
    (Private, "✓ ✓ 403 403  404 404  404 401 404"),
    (Public, "✓ ✓ 403 403  403 403  403 401 403"),
];
/// Nobody's: an upload is of who began it.
const OTHERS: Cells = &[
    (
        Shared,
        "404/BLOB_UPLOAD_UNKNOWN 404/BLOB_UPLOAD_UNKNOWN 404/BLOB_UPLOAD_UNKNOWN 403  403 403  404 401 404",
    ),
    (
        Private,
        "404/BLOB_UPLOAD_UNKNOWN 404/BLOB_UPLOAD_UNKNOWN 404/BLOB_UPLOAD_UNKNOWN 403  404 404  404 401 404",
    ),
    (
        Public,
        "404/BLOB_UPLOAD_UNKNOWN 404/BLOB_UPLOAD_UNKNOWN 404/BLOB_UPLOAD_UNKNOWN 403  403 403  403 401 403",
    ),
];
/// What a share of some tags reaches.
const SOME: Cells = &[(Any, "✓ ✓ ✓ ✓  ✓ ✓  404 401 404")];
const NO_MANIFEST: Cells = &[(Any, "✓ ✓ ✓ ✓  404/MANIFEST_UNKNOWN 404/MANIFEST_UNKNOWN  404 401 404")];
const NO_BLOB: Cells = &[(Any, "✓ ✓ ✓ ✓  404/BLOB_UNKNOWN 404/BLOB_UNKNOWN  404 401 404")];
const EVERYBODY: Cells = &[(Any, "✓ ✓ ✓ ✓  ✓ ✓  ✓ ✓ ✓")];
/// SHA-256 of `hello`.
const HELLO: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

pub(super) const TABLES: &[Table] = &[
    Table {
        noun: "Registry: reading",
        remark: "By name and password, or with a token.",
        rows: &[
            row("GET", "/v2/", 200, &[(Any, "✓ ✓ ✓ ✓  ✓ ✓  ✓ 401 ✓")]),
            row("GET", "/v2/{repository}/manifests/v1", 200, PULL),
            row("HEAD", "/v2/{repository}/manifests/v1", 200, PULL),
            row("GET", "/v2/{repository}/manifests/{image}", 200, PULL),
            row("HEAD", "/v2/{repository}/manifests/{image}", 200, PULL),
            row("GET", "/v2/{repository}/blobs/{layer}", 200, PULL),
            row("HEAD", "/v2/{repository}/blobs/{layer}", 200, PULL),
            row("GET", "/v2/{repository}/blobs/{layer}", 206, PULL)
                .headers(&[("range", "bytes=0-3")])
                .remark("a range"),
            row("GET", "/v2/{repository}/tags/list", 200, PULL),
            row("GET", "/v2/{repository}/referrers/{image}", 200, PULL),
            row(
                "GET",
                "/v2/_catalog",
                200,
                &[
                    (Shared, "✓ ✓ ✓ ✓  ✓ ✓  – 401 –"),
                    (Private, "✓ ✓ ✓ ✓  – –  – 401 –"),
                    (Public, "✓ ✓ ✓ ✓  ✓ ✓  ✓ 401 ✓"),
                ],
            )
            .shows("\"{repository}\""),
        ],
    },
    Table {
        noun: "Registry: an image of which some tags are shared",
        remark: "`team-a/some`, of which globex is given `v1*`. What `v2` alone names is, to the sharee, not there.",
        rows: &[
            row("GET", "/v2/{repository}/manifests/v1", 200, SOME).with(&[("repository", "team-a/some")]),
            row("GET", "/v2/{repository}/manifests/{image-v1}", 200, SOME)
                .with(&[("repository", "team-a/some")])
                .remark("of `v1`"),
            row("GET", "/v2/{repository}/blobs/{layer-v1}", 200, SOME)
                .with(&[("repository", "team-a/some")])
                .remark("of `v1`"),
            row("GET", "/v2/{repository}/manifests/v2", 200, NO_MANIFEST).with(&[("repository", "team-a/some")]),
            row("HEAD", "/v2/{repository}/manifests/v2", 200, NO_MANIFEST).with(&[("repository", "team-a/some")]),
            row("GET", "/v2/{repository}/manifests/{image-v2}", 200, NO_MANIFEST)
                .with(&[("repository", "team-a/some")])
                .remark("of `v2`"),
            row("GET", "/v2/{repository}/blobs/{layer-v2}", 200, NO_BLOB)
                .with(&[("repository", "team-a/some")])
                .remark("of `v2`"),
            row("HEAD", "/v2/{repository}/blobs/{layer-v2}", 200, NO_BLOB)
                .with(&[("repository", "team-a/some")])
                .remark("of `v2`"),
            row("GET", "/v2/{repository}/tags/list", 200, &[(Any, "✓ ✓ ✓ ✓  – –  404 401 404")])
                .with(&[("repository", "team-a/some")])
                .shows("\"v2\"")
                .remark("whether it shows `v2`"),
            row(
                "POST",
                "/v2/{own-namespace}/target/blobs/uploads/?mount={layer-v1}&from={repository}",
                201,
                &[(Any, "✓ ✓ ✓ 403  ✓ ✓  202 401 202")],
            )
            .with(&[("repository", "team-a/some")])
            .remark("of `v1`, a mount into a namespace of one's own"),
            row(
                "POST",
                "/v2/{own-namespace}/target/blobs/uploads/?mount={layer-v2}&from={repository}",
                201,
                &[(Any, "✓ ✓ ✓ 403  202 202  202 401 202")],
            )
            .with(&[("repository", "team-a/some")])
            .remark("of `v2`, a mount into a namespace of one's own"),
        ],
    },
    Table {
        noun: "Registry: pushing",
        remark: "An upload is of who began it: nobody else goes on with it, whatever they may do.",
        rows: &[
            row("POST", "/v2/{repository}/blobs/uploads/", 202, EDIT),
            row("POST", "/v2/{repository}/blobs/uploads/?digest={hello}", 201, EDIT)
                .with(&[("hello", HELLO)])
                .body("hello")
                .media_type("application/octet-stream"),
            row("GET", "/v2/{repository}/blobs/uploads/{upload}", 204, EDIT).remark("an own one"),
            row("PATCH", "/v2/{repository}/blobs/uploads/{upload}", 202, EDIT)
                .body("hello")
                .media_type("application/octet-stream")
                .remark("an own one"),
            row("PUT", "/v2/{repository}/blobs/uploads/{upload}?digest={hello}", 201, EDIT)
                .with(&[("hello", HELLO)])
                .body("hello")
                .media_type("application/octet-stream")
                .remark("an own one"),
            row("DELETE", "/v2/{repository}/blobs/uploads/{upload}", 204, EDIT).remark("an own one"),
            row("GET", "/v2/{repository}/blobs/uploads/{others-upload}", 204, OTHERS)
                .remark("somebody else's"),
            row("PATCH", "/v2/{repository}/blobs/uploads/{others-upload}", 202, OTHERS)
                .body("hello")
                .media_type("application/octet-stream")
                .remark("somebody else's"),
            row("PUT", "/v2/{repository}/blobs/uploads/{others-upload}?digest={hello}", 201, OTHERS)
                .with(&[("hello", HELLO)])
                .body("hello")
                .media_type("application/octet-stream")
                .remark("somebody else's"),
            row("DELETE", "/v2/{repository}/blobs/uploads/{others-upload}", 204, OTHERS)
                .remark("somebody else's"),
            MOUNT,
            row("PUT", "/v2/{repository}/manifests/v2", 201, EDIT).body("{manifest}").media_type(IMAGE),
            row("PUT", "/v2/{repository}/manifests/v1", 201, EDIT)
                .body("{manifest}")
                .media_type(IMAGE)
                .remark("a tag that is there"),
            row("PUT", "/v2/team-a/new/manifests/v1", 201, &[(Any, "✓ ✓ ✓ 403  404 404  404 401 404")])
                .body(r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#)
                .media_type("application/vnd.oci.image.index.v1+json")
                .remark("of a repository that is not there yet"),
        ],
    },
    Table {
        noun: "Registry: deleting",
        remark: "",
        rows: &[
            row("DELETE", "/v2/{repository}/manifests/v1", 202, EDIT).remark("a tag"),
            row("DELETE", "/v2/{repository}/manifests/{image}", 202, MANAGE),
            row("DELETE", "/v2/{repository}/blobs/{loose}", 202, MANAGE),
        ],
    },
    Table {
        noun: "Tokens of the registry",
        remark: "What is asked for beyond what is held is left out, never refused: a cell says what the token carries.",
        rows: &[
            row(
                "GET",
                "/auth/token?service=gangplank&scope=repository:{repository}:pull,push,delete",
                200,
                GRANTS,
            ),
            row(
                "POST",
                "/auth/token",
                200,
                &[
                    (Shared, GRANTED_SHARED),
                    (Private, GRANTED_PRIVATE),
                    (Public, "grants/pull,push,delete grants/pull,push,delete grants/pull,push,delete grants/pull  grants/pull grants/pull  grants/pull 401/UNAUTHORIZED grants/pull"),
                ],
            )
            .body("grant_type=password&service=gangplank&username={login}&password={password}&scope=repository:{repository}:pull,push,delete")
            .media_type(FORM)
            .keeps(),
            row("GET", "/auth/jwks.json", 200, EVERYBODY),
        ],
    },
    Table {
        noun: "The console",
        remark: "It signs in with cookies of its own; its pages do what the calls of the management interface do.",
        rows: &[row("GET", "/console/sign-in", 200, EVERYBODY)],
    },
    Table {
        noun: "The process",
        remark: "",
        rows: &[row("GET", "/healthz", 200, EVERYBODY), row("GET", "/readyz", 200, EVERYBODY)],
    },
];

const GRANTED_SHARED: &str = "grants/pull,push,delete grants/pull,push,delete grants/pull,push,delete grants/pull  \
                              grants/pull grants/pull  – 401/UNAUTHORIZED –";
const GRANTED_PRIVATE: &str = "grants/pull,push,delete grants/pull,push,delete grants/pull,push,delete grants/pull  \
                               – –  – 401/UNAUTHORIZED –";
const GRANTS: Cells = &[
    (
        Shared,
        "grants/pull,push,delete grants/pull,push,delete grants/pull,push,delete grants/pull  \
         grants/pull grants/pull  – – –",
    ),
    (
        Private,
        "grants/pull,push,delete grants/pull,push,delete grants/pull,push,delete grants/pull  – –  – – –",
    ),
    (
        Public,
        "grants/pull,push,delete grants/pull,push,delete grants/pull,push,delete grants/pull  \
         grants/pull grants/pull  grants/pull grants/pull grants/pull",
    ),
];

/// Into a namespace where the role pushes, if it has one. What may not be pulled is not found (202: an upload begins), never
/// refused: containerd would fail the push.
const MOUNT: Row = row(
    "POST",
    "/v2/{own-namespace}/target/blobs/uploads/?mount={layer}&from={repository}",
    201,
    &[
        (Shared, "✓ ✓ ✓ 403  ✓ ✓  202 401 202"),
        (Private, "✓ ✓ ✓ 403  202 202  202 401 202"),
        (Public, "✓ ✓ ✓ 403  ✓ ✓  ✓ 401 ✓"),
    ],
)
.remark("a mount into a namespace of one's own");
