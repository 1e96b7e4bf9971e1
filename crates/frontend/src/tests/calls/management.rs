//! The management interface, `/api/v1`. All of it but its own document needs signing in; what may not be seen answers as
//! what does not exist.

use super::role::State::{Any, Private, Public, Shared};
use super::table::{Cells, Table, row};

const SIGNED_IN: Cells = &[(Any, "✓ ✓ ✓ ✓  ✓ ✓  ✓ 401 ✓")];
/// Administrators alone; it is no thing that could be hidden.
const ADMINISTRATOR: Cells = &[(Any, "403 403 403 403  403 403  403 401 ✓")];
/// The reservation of a name that something bears: administrators alone are told that.
const FREED: Cells = &[(Any, "403 403 403 403  403 403  403 401 409/exists")];
/// The account itself, or an administrator; its users see that it is there.
const ACCOUNT: Cells = &[(Any, "✓ 403 403 403  404 404  404 401 ✓")];
/// Accounts themselves, not their users.
const ACCOUNTS: Cells = &[(Any, "✓ 403 403 403  ✓ 403  ✓ 401 ✓")];
/// The user with *read* itself, its account, or an administrator.
const READERS_KEY: Cells = &[(Any, "✓ 404 404 ✓  404 404  404 401 ✓")];
/// One of the owner's.
const OWN_WEBHOOK: Cells = &[(Any, "✓ 403 403 403  404 403  404 401 404")];
/// A namespace with `manage` on it.
const NAMESPACE_MANAGE: Cells = &[(Any, "✓ ✓ 403 403  404 404  404 401 404")];

/// Whoever may pull.
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
/// With a share that is there only where the image is shared.
const MANAGE_SHARE: Cells = &[
    (Shared, "✓ ✓ 403 403  403 403  404 401 404"),
    (Private, "none none 403 403  404 404  404 401 404"),
    (Public, "none none 403 403  403 403  403 401 403"),
];

pub(super) const TABLES: &[Table] = &[
    Table {
        noun: "About",
        remark: "",
        rows: &[
            row("GET", "/api/v1/openapi.json", 200, &[(Any, "✓ ✓ ✓ ✓  ✓ ✓  ✓ ✓ ✓")]),
            row("GET", "/api/v1/whoami", 200, SIGNED_IN),
            row("GET", "/api/v1/system", 200, ADMINISTRATOR).remark("how the server does"),
        ],
    },
    Table {
        noun: "Accounts",
        remark: "The account asked about is acme, the owner's.",
        rows: &[
            row("POST", "/api/v1/accounts", 201, ADMINISTRATOR)
                .body(r#"{"name": "umbrella", "password": "a good password"}"#),
            row("GET", "/api/v1/accounts", 200, ADMINISTRATOR).shows("\"acme\""),
            row("GET", "/api/v1/directory", 200, ADMINISTRATOR)
                .shows("\"acme\"")
                .remark("an export for another region"),
            row("PUT", "/api/v1/directory", 200, ADMINISTRATOR)
                .body("{directory}")
                .remark("an import of another region's"),
            row("GET", "/api/v1/accounts/{account}", 200, &[(Any, "✓ ✓ ✓ ✓  404 404  404 401 ✓")])
                .with(&[("account", "acme")]),
            row("PATCH", "/api/v1/accounts/{account}", 200, &[(Any, "403 403 403 403  404 404  404 401 ✓")])
                .with(&[("account", "acme")])
                .body(r#"{"disabled": true}"#)
                .remark("close it"),
            row("PATCH", "/api/v1/accounts/{account}", 200, ACCOUNT)
                .with(&[("account", "acme")])
                .body(r#"{"password": "a new password", "current_password": "the password of acme"}"#)
                .remark("a new password"),
            row(
                "DELETE",
                "/api/v1/accounts/{account}",
                204,
                &[(Any, "403 403 403 403  404 404  404 401 409/not_empty")],
            )
            .with(&[("account", "acme")])
            .remark("it owns namespaces"),
            row("DELETE", "/api/v1/accounts/{account}", 204, &[(Any, "404 404 404 404  404 404  404 401 ✓")])
                .with(&[("account", "hooli")])
                .remark("another one, which owns none"),
            row("GET", "/api/v1/accounts/{account}/profile", 200, &[(Any, "✓ ✓ ✓ ✓  404 404  404 401 ✓")])
                .with(&[("account", "acme")])
                .shows("time_zone"),
            row("PATCH", "/api/v1/accounts/{account}/profile", 200, ACCOUNT)
                .with(&[("account", "acme")])
                .body(r#"{"display_name": "Acme Inc.", "time_zone": "Europe/Berlin"}"#),
            row("DELETE", "/api/v1/accounts/{account}/reservation", 204, FREED)
                .with(&[("account", "acme")])
                .remark("it is there still"),
        ],
    },
    Table {
        noun: "Users",
        remark: "The user asked about is the one with *read*; a user sees itself, and no other.",
        rows: &[
            row("POST", "/api/v1/accounts/{account}/users", 201, ACCOUNT)
                .with(&[("account", "acme")])
                .body(r#"{"name": "new", "password": "a good password"}"#),
            row("GET", "/api/v1/accounts/{account}/users", 200, ACCOUNT)
                .with(&[("account", "acme")])
                .shows("\"reader\""),
            row(
                "GET",
                "/api/v1/accounts/{account}/users/{user}",
                200,
                &[(Any, "✓ 404 404 ✓  404 404  404 401 ✓")],
            )
            .with(&[("account", "acme"), ("user", "reader")]),
            row(
                "PATCH",
                "/api/v1/accounts/{account}/users/{user}",
                200,
                &[(Any, "✓ 404 404 403  404 404  404 401 ✓")],
            )
            .with(&[("account", "acme"), ("user", "reader")])
            .body(r#"{"disabled": true}"#)
            .remark("close it"),
            row(
                "PATCH",
                "/api/v1/accounts/{account}/users/{user}",
                200,
                &[(Any, "✓ 404 404 ✓  404 404  404 401 ✓")],
            )
            .with(&[("account", "acme"), ("user", "reader")])
            .body(r#"{"password": "a new password", "current_password": "the password of reader@acme"}"#)
            .remark("a new password"),
            row(
                "DELETE",
                "/api/v1/accounts/{account}/users/{user}",
                204,
                &[(Any, "✓ 404 404 403  404 404  404 401 ✓")],
            )
            .with(&[("account", "acme"), ("user", "reader")]),
        ],
    },
    Table {
        noun: "Namespaces",
        remark: "Acme's, on which its users have their levels. An image that is shared, or public, does not open its \
                 namespace.",
        rows: &[
            row("POST", "/api/v1/namespaces", 201, ACCOUNTS).body(r#"{"name": "new"}"#),
            row("GET", "/api/v1/namespaces", 200, &[(Any, "✓ ✓ ✓ ✓  – –  – 401 –")]).shows("\"team-a\""),
            row("GET", "/api/v1/namespaces/{namespace}", 200, &[(Any, "✓ ✓ ✓ ✓  404 404  404 401 404")])
                .with(&[("namespace", "team-a")]),
            row("DELETE", "/api/v1/namespaces/{namespace}/reservation", 204, FREED)
                .with(&[("namespace", "team-a")])
                .remark("it is there still"),
            row("DELETE", "/api/v1/namespaces/{namespace}", 204, NAMESPACE_MANAGE)
                .with(&[("namespace", "team-b")])
                .remark("an empty one"),
            row("GET", "/api/v1/namespaces/{namespace}/permissions", 200, NAMESPACE_MANAGE)
                .with(&[("namespace", "team-b")])
                .shows("\"ci\""),
            row("PUT", "/api/v1/namespaces/{namespace}/permissions/{user}", 200, NAMESPACE_MANAGE)
                .with(&[("namespace", "team-b"), ("user", "ci")])
                .body(r#"{"level": "edit"}"#),
            row("DELETE", "/api/v1/namespaces/{namespace}/permissions/{user}", 204, NAMESPACE_MANAGE)
                .with(&[("namespace", "team-b"), ("user", "ci")]),
        ],
    },
    Table {
        noun: "Repositories",
        remark: "The list is of the caller's own account.",
        rows: &[
            row("POST", "/api/v1/repositories", 201, &[(Any, "✓ ✓ ✓ 403  404 404  404 401 404")])
                .body(r#"{"name": "team-a/new"}"#),
            row(
                "GET",
                "/api/v1/repositories",
                200,
                &[
                    (Shared, "✓ ✓ ✓ ✓  – –  – 401 –"),
                    (Private, "✓ ✓ ✓ ✓  – –  – 401 –"),
                    (Public, "✓ ✓ ✓ ✓  – –  – 401 –"),
                ],
            )
            .shows("\"{repository}\""),
            row("GET", "/api/v1/repositories/{repository}", 200, READ),
            row("PATCH", "/api/v1/repositories/{repository}", 200, MANAGE)
                .body(r#"{"description": "changed"}"#)
                .remark("describe it"),
            row("PATCH", "/api/v1/repositories/{repository}", 200, MANAGE)
                .body(r#"{"visibility": "private", "description": "closed"}"#)
                .remark("make it private"),
            row("PATCH", "/api/v1/repositories/{repository}", 200, MANAGE)
                .body(r#"{"visibility": "public", "description": "open"}"#)
                .remark("make it public"),
            row("DELETE", "/api/v1/repositories/{repository}", 204, MANAGE),
        ],
    },
    Table {
        noun: "Tags",
        remark: "",
        rows: &[
            row("GET", "/api/v1/repositories/{repository}/tags", 200, READ).shows("\"v1\""),
            row("GET", "/api/v1/repositories/{repository}/tags/{tag}", 200, READ).with(&[("tag", "v1")]),
            row("DELETE", "/api/v1/repositories/{repository}/tags/{tag}", 204, EDIT).with(&[("tag", "v1")]),
            row("GET", "/api/v1/repositories/{repository}/tags", 200, &[(Any, "✓ ✓ ✓ ✓  – –  404 401 404")])
                .with(&[("repository", "team-a/some")])
                .shows("\"v2\"")
                .remark("of `team-a/some`, of which `v1*` is shared: whether it shows `v2`"),
            row(
                "GET",
                "/api/v1/repositories/{repository}/tags/{tag}",
                200,
                &[(Any, "✓ ✓ ✓ ✓  none none  404 401 404")],
            )
            .with(&[("repository", "team-a/some"), ("tag", "v2")])
            .remark("`v2` of `team-a/some`"),
        ],
    },
    Table {
        noun: "Permissions on a repository",
        remark: "",
        rows: &[
            row("GET", "/api/v1/repositories/{repository}/permissions", 200, MANAGE).shows("\"ci\""),
            row("PUT", "/api/v1/repositories/{repository}/permissions/{user}", 200, MANAGE)
                .with(&[("user", "ci")])
                .body(r#"{"level": "edit"}"#),
            row("DELETE", "/api/v1/repositories/{repository}/permissions/{user}", 204, MANAGE)
                .with(&[("user", "ci")]),
        ],
    },
    Table {
        noun: "Shares",
        remark: "With globex, the sharee, where the image is shared. Only private images are.",
        rows: &[
            row(
                "POST",
                "/api/v1/repositories/{repository}/shares",
                201,
                &[
                    (Shared, "✓ ✓ 403 403  403 403  404 401 404"),
                    (Private, "✓ ✓ 403 403  404 404  404 401 404"),
                    (Public, "409/public_image 409/public_image 403 403  403 403  403 401 403"),
                ],
            )
            .with(&[("grantee", "initech")])
            .body(r#"{"account": "{grantee}", "permanent": true}"#),
            row(
                "GET",
                "/api/v1/repositories/{repository}/shares",
                200,
                &[
                    (Shared, "✓ ✓ 403 403  403 403  404 401 404"),
                    (Private, "– – 403 403  404 404  404 401 404"),
                    (Public, "– – 403 403  403 403  403 401 403"),
                ],
            )
            .shows("\"globex\""),
            row(
                "GET",
                "/api/v1/repositories/{repository}/shares/{account}",
                200,
                &[
                    (Shared, "✓ ✓ 403 403  ✓ ✓  404 401 404"),
                    (Private, "none none 403 403  404 404  404 401 404"),
                    (Public, "none none 403 403  none none  403 401 403"),
                ],
            )
            .with(&[("account", "globex")]),
            row("PATCH", "/api/v1/repositories/{repository}/shares/{account}", 200, MANAGE_SHARE)
                .with(&[("account", "globex")])
                .body(r#"{"description": "changed"}"#),
            row("DELETE", "/api/v1/repositories/{repository}/shares/{account}", 204, MANAGE_SHARE)
                .with(&[("account", "globex")]),
            row(
                "POST",
                "/api/v1/shares",
                201,
                &[
                    (Shared, "✓ ✓ 403 403  403 403  404 401 404"),
                    (Private, "✓ ✓ 403 403  404 404  404 401 404"),
                    (Public, "409/public_image 409/public_image 403 403  403 403  403 401 403"),
                ],
            )
            .with(&[("grantee", "initech")])
            .body(r#"{"repositories": ["{repository}"], "accounts": ["{grantee}"], "permanent": true}"#)
            .remark("several at once"),
            row("DELETE", "/api/v1/shares/{id}", 204, &[(Any, "404 404 404 404  ✓ 403  404 401 404")])
                .with(&[("id", "{share}")])
                .remark("leave it"),
            row(
                "GET",
                "/api/v1/shares?direction=by_me",
                200,
                &[
                    (Shared, "✓ ✓ – –  – –  – 401 –"),
                    (Private, "– – – –  – –  – 401 –"),
                    (Public, "– – – –  – –  – 401 –"),
                ],
            )
            .shows("\"{repository}\""),
            row(
                "GET",
                "/api/v1/shares?direction=with_me",
                200,
                &[
                    (Shared, "– – – –  ✓ ✓  – 401 –"),
                    (Private, "– – – –  – –  – 401 –"),
                    (Public, "– – – –  – –  – 401 –"),
                ],
            )
            .shows("\"{repository}\""),
        ],
    },
    Table {
        noun: "Audit and usage",
        remark: "Acme's trail, and what was pulled under its share with globex. A trail is the account's, not its users'.",
        rows: &[
            row("GET", "/api/v1/audit", 200, ACCOUNTS).remark("one's own"),
            row("GET", "/api/v1/audit?account={account}", 200, ACCOUNT)
                .with(&[("account", "acme")])
                .shows("team-a/web")
                .audited(),
            row("GET", "/api/v1/repositories/{repository}/shares/{account}/usage", 200, MANAGE_SHARE)
                .with(&[("account", "globex")]),
        ],
    },
    Table {
        noun: "Blocked owners",
        remark: "Everybody's own account's.",
        rows: &[
            row("GET", "/api/v1/blocked-owners", 200, SIGNED_IN).shows("\"umbrella\""),
            row("POST", "/api/v1/blocked-owners", 201, ACCOUNTS).body(r#"{"account": "hooli"}"#),
            row("DELETE", "/api/v1/blocked-owners/{account}", 204, ACCOUNTS).with(&[("account", "umbrella")]),
        ],
    },
    Table {
        noun: "Personal tokens",
        remark: "Everybody's own.",
        rows: &[
            row("POST", "/api/v1/tokens", 201, SIGNED_IN).body(r#"{"expires_in_seconds": 60}"#),
            row("GET", "/api/v1/tokens", 200, SIGNED_IN).shows("{token}"),
            row("DELETE", "/api/v1/tokens/{id}", 204, SIGNED_IN)
                .with(&[("id", "{token}")])
                .remark("an own one"),
            row("DELETE", "/api/v1/tokens/{id}", 204, &[(Any, "✓ 404 404 404  404 404  404 401 404")])
                .with(&[("id", "{owners-token}")])
                .remark("the owner's"),
            row("POST", "/api/v1/logins", 201, SIGNED_IN)
                .body(r#"{"expires_in_seconds": 900}"#)
                .remark("a temporary login for docker"),
        ],
    },
    Table {
        noun: "Access keys",
        remark: "Everybody's own; of a user's, its account and administrators list, disable and delete them too.",
        rows: &[
            row("POST", "/api/v1/access-keys", 201, SIGNED_IN).body("{}"),
            row("GET", "/api/v1/access-keys", 200, SIGNED_IN).shows("{access-key}"),
            row("GET", "/api/v1/access-keys?of=reader@acme", 200, ACCOUNT)
                .shows("{readers-access-key}")
                .remark("those of the user with *read*"),
            row("PATCH", "/api/v1/access-keys/{access_key}", 200, SIGNED_IN)
                .with(&[("access_key", "{access-key}")])
                .body(r#"{"disabled": true}"#)
                .remark("an own one"),
            row("PATCH", "/api/v1/access-keys/{access_key}", 200, READERS_KEY)
                .with(&[("access_key", "{readers-access-key}")])
                .body(r#"{"disabled": true}"#)
                .remark("one of the user with *read*"),
            row("DELETE", "/api/v1/access-keys/{access_key}", 204, SIGNED_IN)
                .with(&[("access_key", "{access-key}")])
                .remark("an own one"),
            row("DELETE", "/api/v1/access-keys/{access_key}", 204, READERS_KEY)
                .with(&[("access_key", "{readers-access-key}")])
                .remark("one of the user with *read*"),
        ],
    },
    Table {
        noun: "Webhooks",
        remark: "An account's own, for the account itself; `{webhook}` is the owner's.",
        rows: &[
            row("POST", "/api/v1/webhooks", 201, ACCOUNTS).body(r#"{"url": "https://example.com/hook"}"#),
            row("GET", "/api/v1/webhooks", 200, &[(Any, "✓ 403 403 403  – 403  – 401 –")]).shows("{webhook}"),
            row("GET", "/api/v1/webhooks/{webhook}", 200, OWN_WEBHOOK),
            row("PATCH", "/api/v1/webhooks/{webhook}", 200, OWN_WEBHOOK).body(r#"{"enabled": false}"#),
            row("DELETE", "/api/v1/webhooks/{webhook}", 204, OWN_WEBHOOK),
            row("GET", "/api/v1/webhooks/{webhook}/deliveries", 200, OWN_WEBHOOK),
            row("POST", "/api/v1/webhooks/{webhook}/deliveries", 201, OWN_WEBHOOK)
                .body(r#"{"delivery": null}"#)
                .remark("a test"),
            row("POST", "/api/v1/webhooks/{webhook}/deliveries", 201, OWN_WEBHOOK)
                .body(r#"{"delivery": {delivery}}"#)
                .remark("one of them again")
                .keeps(),
        ],
    },
];
