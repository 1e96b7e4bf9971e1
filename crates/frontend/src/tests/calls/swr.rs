//! The SWR management API, `/v2/manage` and `/v3/manage`: the same rights as in the management interface, asked by requests
//! that are signed with an access key. An account is a domain there, a namespace an organization.

use super::role::State::{Any, Private, Public, Shared};
use super::table::{Cells, Table, row};

const SIGNED: Cells = &[(Any, "✓ ✓ ✓ ✓  ✓ ✓  ✓ 401 ✓")];
/// Accounts themselves, not their users.
const ACCOUNTS: Cells = &[(Any, "✓ 403 403 403  ✓ 403  ✓ 401 ✓")];
const ORGANIZATION: Cells = &[(Any, "✓ ✓ ✓ ✓  404 404  404 401 404")];
const ORGANIZATION_MANAGE: Cells = &[(Any, "✓ ✓ 403 403  404 404  404 401 404")];
const READ: Cells = &[
    (Shared, "✓ ✓ ✓ ✓  ✓ ✓  404 401 404"),
    (Private, "✓ ✓ ✓ ✓  404 404  404 401 404"),
    (Public, "✓ ✓ ✓ ✓  ✓ ✓  ✓ 401 ✓"),
];
const EDIT: Cells = &[
    (Shared, "✓ ✓ ✓ 403  403 403  404 401 404"),
    (Private, "✓ ✓ ✓ 403  404 404  404 401 404"),
    (Public, "✓ ✓ ✓ 403  403 403  403 401 403"),
];
const MANAGE: Cells = &[
    (Shared, "✓ ✓ 403 403  403 403  404 401 404"),
    (Private, "✓ ✓ 403 403  404 404  404 401 404"),
    (Public, "✓ ✓ 403 403  403 403  403 401 403"),
];
const MANAGE_SHARE: Cells = &[
    (Shared, "✓ ✓ 403 403  403 403  404 401 404"),
    (Private, "none none 403 403  404 404  404 401 404"),
    (Public, "none none 403 403  403 403  403 401 403"),
];
/// Lists of what the caller's own account owns.
const OWN_LIST: Cells = &[
    (Shared, "✓ ✓ ✓ ✓  – –  – 401 –"),
    (Private, "✓ ✓ ✓ ✓  – –  – 401 –"),
    (Public, "✓ ✓ ✓ ✓  – –  – 401 –"),
];
/// A new share; a public image is not shared.
const NEW_SHARE: Cells = &[
    (Shared, "✓ ✓ 403 403  403 403  404 401 404"),
    (Private, "✓ ✓ 403 403  404 404  404 401 404"),
    (Public, "400/SVCSTG.SWR.4000014 400/SVCSTG.SWR.4000014 403 403  403 403  403 401 403"),
];
const LIST_SHARES: Cells = &[
    (Shared, "✓ ✓ 403 403  403 403  404 401 404"),
    (Private, "– – 403 403  404 404  404 401 404"),
    (Public, "– – 403 403  403 403  403 401 403"),
];
const SHARED_BY: Cells = &[
    (Shared, "✓ ✓ – –  – –  – 401 –"),
    (Private, "– – – –  – –  – 401 –"),
    (Public, "– – – –  – –  – 401 –"),
];
const SHARED_WITH: Cells = &[
    (Shared, "– – – –  ✓ ✓  – 401 –"),
    (Private, "– – – –  – –  – 401 –"),
    (Public, "– – – –  – –  – 401 –"),
];

pub(super) const TABLES: &[Table] = &[
    Table {
        noun: "SWR: organizations",
        remark: "Acme's, on which its users have their levels.",
        rows: &[
            row("POST", "/v2/manage/namespaces", 201, ACCOUNTS).body(r#"{"namespace": "new"}"#),
            row("GET", "/v2/manage/namespaces", 200, &[(Any, "✓ ✓ ✓ ✓  – –  – 401 –")])
                .shows("\"team-a\""),
            row("GET", "/v2/manage/namespaces/{organization}", 200, ORGANIZATION)
                .with(&[("organization", "team-a")]),
            row("DELETE", "/v2/manage/namespaces/{organization}", 204, ORGANIZATION_MANAGE)
                .with(&[("organization", "team-b")])
                .remark("an empty one"),
            row("GET", "/v2/manage/namespaces/{organization}/access", 200, ORGANIZATION_MANAGE)
                .with(&[("organization", "team-b")])
                .shows("\"ci\""),
            row("POST", "/v2/manage/namespaces/{organization}/access", 201, ORGANIZATION_MANAGE)
                .with(&[("organization", "team-a")])
                .body(r#"[{"user_id": "{ci-id}", "user_name": "ci", "auth": 1}]"#),
            row("PATCH", "/v2/manage/namespaces/{organization}/access", 201, ORGANIZATION_MANAGE)
                .with(&[("organization", "team-b")])
                .body(r#"[{"user_id": "{ci-id}", "user_name": "ci", "auth": 3}]"#),
            row("DELETE", "/v2/manage/namespaces/{organization}/access", 204, ORGANIZATION_MANAGE)
                .with(&[("organization", "team-b")])
                .body(r#"["{ci-id}"]"#),
        ],
    },
    Table {
        noun: "SWR: images and tags",
        remark: "The lists of images are of the caller's own account.",
        rows: &[
            row(
                "POST",
                "/v2/manage/namespaces/{organization}/repos",
                201,
                &[(Any, "✓ ✓ ✓ 403  404 404  404 401 404")],
            )
            .with(&[("organization", "team-a")])
            .body(r#"{"repository": "new", "is_public": false}"#),
            row("GET", "/v2/manage/repos", 200, OWN_LIST).shows("\"name\":\"{name}\""),
            row("GET", "/v3/manage/repos", 200, OWN_LIST).shows("\"name\":\"{name}\""),
            row("GET", "/v2/manage/namespaces/{organization}/repos/{name}", 200, READ),
            row("PATCH", "/v2/manage/namespaces/{organization}/repos/{name}", 201, MANAGE)
                .body(r#"{"is_public": false, "description": "changed"}"#),
            row("DELETE", "/v2/manage/namespaces/{organization}/repos/{name}", 204, MANAGE),
            row("GET", "/v2/manage/namespaces/{organization}/repos/{name}/tags", 200, READ).shows("\"v1\""),
            row("GET", "/v3/manage/namespaces/{organization}/repos/{name}/tags", 200, READ).shows("\"v1\""),
            row("POST", "/v2/manage/namespaces/{organization}/repos/{name}/tags", 201, EDIT)
                .body(r#"{"source_tag": "v1", "destination_tag": "v9", "override": false}"#)
                .remark("a copy"),
            row("GET", "/v2/manage/namespaces/{organization}/repos/{name}/tags/{tag}", 200, READ)
                .with(&[("tag", "v1")]),
            row("DELETE", "/v2/manage/namespaces/{organization}/repos/{name}/tags/{tag}", 204, EDIT)
                .with(&[("tag", "v1")]),
            row("GET", "/v2/manage/namespaces/{organization}/repos/{name}/access", 200, MANAGE)
                .shows("\"ci\""),
            row("POST", "/v2/manage/namespaces/{organization}/repos/{name}/access", 201, MANAGE)
                .body(r#"[{"user_id": "{reader-id}", "user_name": "reader", "auth": 7}]"#),
            row("PATCH", "/v2/manage/namespaces/{organization}/repos/{name}/access", 201, MANAGE)
                .body(r#"[{"user_id": "{ci-id}", "user_name": "ci", "auth": 3}]"#),
            row("DELETE", "/v2/manage/namespaces/{organization}/repos/{name}/access", 204, MANAGE)
                .body(r#"["{ci-id}"]"#),
        ],
    },
    Table {
        noun: "SWR: shares",
        remark: "With globex, the sharee, where the image is shared. Only private images are.",
        rows: &[
            row(
                "POST",
                "/v2/manage/namespaces/{organization}/repositories/{name}/access-domains",
                201,
                NEW_SHARE,
            )
            .with(&[("grantee", "initech")])
            .body(r#"{"access_domain": "{grantee}", "permit": "read", "deadline": "forever"}"#),
            row(
                "GET",
                "/v2/manage/namespaces/{organization}/repositories/{name}/access-domains",
                200,
                LIST_SHARES,
            )
            .shows("\"globex\""),
            row("GET", "/v2/manage/namespaces/{organization}/repos/{name}/access-domains", 200, LIST_SHARES)
                .shows("\"globex\"")
                .remark("the address that other clients use"),
            row(
                "GET",
                "/v2/manage/namespaces/{organization}/repositories/{name}/access-domains/{account}",
                200,
                &[
                    (Shared, "✓ ✓ 403 403  ✓ ✓  404 401 404"),
                    (Private, "– – 403 403  404 404  404 401 404"),
                    (Public, "– – 403 403  – –  403 401 403"),
                ],
            )
            .with(&[("account", "globex")])
            .shows("\"exist\":true"),
            row(
                "PATCH",
                "/v2/manage/namespaces/{organization}/repositories/{name}/access-domains/{account}",
                201,
                MANAGE_SHARE,
            )
            .with(&[("account", "globex")])
            .body(r#"{"permit": "read", "deadline": "forever", "description": "changed"}"#),
            row(
                "DELETE",
                "/v2/manage/namespaces/{organization}/repositories/{name}/access-domains/{account}",
                204,
                MANAGE_SHARE,
            )
            .with(&[("account", "globex")]),
            row("POST", "/v2/manage/namespaces/{organization}/repos/{name}/shares", 201, NEW_SHARE)
                .with(&[("grantee", "initech")])
                .body(
                    r#"{"share_type": "account", "share_principals": ["{grantee}"], "permission": "read", "deadline": "forever"}"#,
                ),
            row("GET", "/v2/manage/namespaces/{organization}/repos/{name}/shares", 200, LIST_SHARES)
                .shows("\"globex\""),
            row("GET", "/v2/manage/namespaces/{organization}/repos/{name}/shares/{id}", 200, MANAGE_SHARE)
                .with(&[("id", "{share}")]),
            row("PATCH", "/v2/manage/namespaces/{organization}/repos/{name}/shares/{id}", 201, MANAGE_SHARE)
                .with(&[("id", "{share}")])
                .body(r#"{"description": "changed"}"#),
            row("DELETE", "/v2/manage/namespaces/{organization}/repos/{name}/shares/{id}", 204, MANAGE_SHARE)
                .with(&[("id", "{share}")]),
            row("GET", "/v2/manage/shared-repositories?center=self", 200, SHARED_BY)
                .shows("\"name\":\"{name}\""),
            row("GET", "/v2/manage/shared-repositories?center=thirdparty", 200, SHARED_WITH)
                .shows("\"name\":\"{name}\""),
            row("GET", "/v3/manage/shared-repositories?shared_by=self", 200, SHARED_BY)
                .shows("\"name\":\"{name}\""),
            row("GET", "/v3/manage/shared-repositories?shared_by=thirdparty", 200, SHARED_WITH)
                .shows("\"name\":\"{name}\""),
        ],
    },
    Table {
        noun: "SWR: logins",
        remark: "Everybody's own.",
        rows: &[row("POST", "/v2/manage/utils/secret?duration_seconds=900", 200, SIGNED)],
    },
];
