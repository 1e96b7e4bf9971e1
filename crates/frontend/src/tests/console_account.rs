//! The console's pages about who is there and who may do what: organizations, permissions, users, accounts.

use super::app::TestApp;
use super::browser::Browser;

const ORGANIZATIONS: &str = "/console/organizations";
const TEAM: &str = "/console/organizations/team-a";
const USERS: &str = "/console/users";
const ACCOUNTS: &str = "/console/accounts";

#[tokio::test]
async fn an_account_makes_organizations_and_says_who_may_do_what_there() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Browser::of(&app, "acme").await;
    acme.opens(ORGANIZATIONS).await.is(200).says(&[
        "team-a",
        "Manage",
        "href=\"/console/organizations/team-a\"",
    ]);
    let new = "/console/organizations?do=create";
    for (name, told) in
        [("", "This is needed."), ("Team", "not the name"), ("globex", "of this name already")]
    {
        let page = acme.sends(new, ORGANIZATIONS, &[("action", "create"), ("name", name)]).await;
        page.says(&["id=\"name-error\"", told, &format!("value=\"{name}\""), "aria-invalid=\"true\""]);
    }
    let made = acme.sends(new, ORGANIZATIONS, &[("action", "create"), ("name", "team-b")]).await;
    made.says(&["Made.", "No user has a permission here."]);
    let at = "/console/organizations/team-b";
    assert!(made.address.starts_with(at));
    let set = |user: &'static str, level: &'static str| {
        [("action", "set-permission"), ("user", user), ("level", level)]
    };
    for (user, told) in [("", "This is needed."), ("nobody", "no such user"), ("dev@globex", "no such user")]
    {
        acme.sends(at, at, &set(user, "read")).await.says(&[
            "id=\"user-error\"",
            told,
            &format!("value=\"{user}\""),
        ]);
    }
    acme.sends(at, at, &set("dev", "owner")).await.is(404);
    acme.sends(at, at, &set("dev@acme", "manage")).await.says(&["The permission is set.", "dev@acme"]);
    let dev = Browser::of(&app, "dev@acme").await;
    dev.opens(at).await.is(200).says(&["Give a permission", "Manage"]);
    let question = acme.opens(&format!("{at}?do=remove-permission&of=dev")).await;
    question.says(&["Take away the permission of dev?"]);
    let remove = [("action", "remove-permission"), ("of", "dev")];
    acme.posts(at, &question.form_token(), &remove).await.says(&["The permission is taken away."]);
    dev.opens(at).await.is(404);

    let delete = [("action", "delete"), ("of", "team-a")];
    acme.opens(&format!("{TEAM}?do=delete")).await.says(&["Delete team-a?"]);
    acme.sends(&format!("{TEAM}?do=delete"), TEAM, &delete).await.says(&["It still holds something."]);
    acme.sends(&format!("{at}?do=delete"), at, &delete)
        .await
        .says(&["Deleted.", "team-a"])
        .says_nothing_of(&["team-b"]);
    acme.opens(at).await.is(404);
}

#[tokio::test]
async fn a_user_sees_its_organizations_and_makes_none() {
    let app = TestApp::start().await;
    let dev = Browser::of(&app, "dev@acme").await;
    dev.opens(ORGANIZATIONS).await.says(&["team-a", "Edit"]).says_nothing_of(&["New organization"]);
    let page = dev.opens(TEAM).await;
    page.is(200).says_nothing_of(&["Give a permission", "do=delete"]);
    let token = page.form_token();
    dev.opens("/console/organizations?do=create").await.is(403);
    dev.posts(ORGANIZATIONS, &token, &[("action", "create"), ("name", "team-c")]).await.is(403);
    let set = [("action", "set-permission"), ("user", "dev"), ("level", "manage")];
    dev.posts(TEAM, &token, &set).await.is(403);
    dev.posts(TEAM, &token, &[("action", "delete"), ("of", "team-a")]).await.is(403);
    Browser::of(&app, "globex").await.opens(TEAM).await.is(404);
}

#[tokio::test]
async fn who_manages_an_image_says_who_may_do_what_with_it() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let (acme, dev) = (Browser::of(&app, "acme").await, Browser::of(&app, "dev@acme").await);
    let (image, tab) = ("/console/images/team-a/web", "/console/images/team-a/web?tab=permissions");
    acme.opens(tab).await.says(&[
        "No user has a permission on this image alone.",
        "<a href=\"/console/organizations/team-a\">From the organization team-a</a>",
        ">dev@acme</th>",
        "<div>Edit</div>",
        ">reader@acme</th>",
        "<div>Read</div>",
    ]);
    dev.opens(tab).await.is(404);
    let set = [("action", "set-permission"), ("user", "dev"), ("level", "manage")];
    let token = dev.opens("/console/settings").await.form_token();
    dev.posts(image, &token, &set).await.is(403);
    acme.sends(tab, image, &set).await.says(&["The permission is set.", "Permission of dev@acme"]);
    dev.opens(tab).await.is(200).says(&["Users may have a permission from the organization team-a, too"]);
    let wrong = [("action", "set-permission"), ("user", "x y"), ("level", "read")];
    acme.sends(tab, image, &wrong).await.says(&["There is no such user", "value=\"x y\""]);
    let remove = [("action", "remove-permission"), ("of", "dev")];
    acme.sends(&format!("{tab}&do=remove-permission&of=dev"), image, &remove)
        .await
        .says(&["taken away", "No user has"]);
    dev.opens(tab).await.is(404);
}

#[tokio::test]
async fn an_account_makes_closes_and_deletes_users() {
    let app = TestApp::start().await;
    let acme = Browser::of(&app, "acme").await;
    let new = "/console/users?do=create";
    acme.opens(USERS).await.is(200).says(&["dev@acme", "reader@acme", "Enabled", "Disable dev@acme"]);
    let make = |name: &'static str, password: &'static str, repeated: &'static str| {
        [("action", "create"), ("name", name), ("password", password), ("repeated", repeated)]
    };
    for (fields, field, told) in [
        (make("Dev", "a good password", "a good password"), "name", "1 to 64 of a-z"),
        (make("dev", "a good password", "a good password"), "name", "of this name already"),
        (make("ci", "short", "short"), "password", "8 to "),
        (make("ci", "a good password", "another"), "repeated", "not the same"),
    ] {
        let page = acme.sends(new, USERS, &fields).await;
        page.says(&[&format!("id=\"{field}-error\""), told, &format!("value=\"{}\"", fields[1].1)]);
        page.says_nothing_of(&["value=\"a good password\"", "value=\"short\""]);
    }
    acme.sends(new, USERS, &make("ci", "the password of ci@acme", "the password of ci@acme"))
        .await
        .says(&["Made.", "ci@acme"]);
    let ci = Browser::of(&app, "ci@acme").await;
    ci.opens(ORGANIZATIONS).await.says(&["You have no permission in any organization."]);
    acme.sends(USERS, USERS, &[("action", "disable"), ("of", "ci")])
        .await
        .says(&["Disabled. It takes effect", "Enable ci@acme"]);
    assert!(ci.opens(USERS).await.address.starts_with("/console/sign-in"));
    acme.sends(USERS, USERS, &[("action", "enable"), ("of", "ci")]).await.says(&["Enabled."]);
    ci.opens(USERS).await.is(200);
    let at = "/console/users?do=password&of=ci";
    acme.opens(at).await.says(&["New password for ci@acme", "All its sessions and tokens end."]);
    let change = [
        ("action", "password"),
        ("of", "ci"),
        ("password", "another password"),
        ("repeated", "another password"),
    ];
    acme.sends(at, USERS, &change).await.says(&["The password is set."]);
    assert!(ci.opens(USERS).await.address.starts_with("/console/sign-in"));
    acme.opens("/console/users?do=delete&of=ci").await.says(&["Delete ci@acme?"]);
    acme.sends(USERS, USERS, &[("action", "delete"), ("of", "ci")])
        .await
        .says(&["Deleted."])
        .says_nothing_of(&["ci@acme"]);
    acme.opens("/console/users?do=delete&of=ci").await.says(&["It was gone already"]);
    let dev = Browser::of(&app, "dev@acme").await;
    let page = dev.opens(USERS).await;
    page.is(200).says(&["The account acme itself manages its users"]).says_nothing_of(&["reader@acme"]);
    for action in ["create", "password", "disable", "enable", "delete"] {
        dev.posts(USERS, &page.form_token(), &[("action", action), ("of", "reader"), ("name", "x")])
            .await
            .is(403);
    }
}

#[tokio::test]
async fn administrators_make_close_and_delete_accounts_and_nobody_else_knows_the_page() {
    let app = TestApp::start().await;
    let (admin, acme) = (Browser::of(&app, "admin").await, Browser::of(&app, "acme").await);
    let new = "/console/accounts?do=create";
    admin
        .opens(ACCOUNTS)
        .await
        .is(200)
        .says(&["acme", "globex", "here", "Disable acme"])
        .says_nothing_of(&["Disable admin"]);
    let make = |name: &'static str| {
        let password = "the password of initech";
        [("action", "create"), ("name", name), ("password", password), ("repeated", password)]
    };
    admin.sends(new, ACCOUNTS, &make("Initech")).await.says(&["1 to 64 of a-z", "value=\"Initech\""]);
    admin.sends(new, ACCOUNTS, &make("acme")).await.says(&["of this name already"]);
    admin.sends(new, ACCOUNTS, &make("initech")).await.says(&["Made.", "initech"]);
    let initech = Browser::of(&app, "initech").await;
    let of = |action: &'static str, name: &'static str| [("action", action), ("of", name)];
    admin.sends(ACCOUNTS, ACCOUNTS, &of("disable", "initech")).await.says(&["Disabled. It takes effect"]);
    assert!(initech.opens(USERS).await.address.starts_with("/console/sign-in"));
    admin.sends(ACCOUNTS, ACCOUNTS, &of("enable", "initech")).await.says(&["Enabled."]);
    admin
        .sends(ACCOUNTS, ACCOUNTS, &of("disable", "admin"))
        .await
        .says(&["the last account that administers"]);
    let at = "/console/accounts?do=password&of=initech";
    let change = [("action", "password"), ("of", "initech"), ("password", "short"), ("repeated", "short")];
    admin.sends(at, ACCOUNTS, &change).await.says(&["New password for initech", "id=\"password-error\""]);
    admin
        .sends(ACCOUNTS, ACCOUNTS, &of("delete", "acme"))
        .await
        .says(&["Delete acme?", "It still holds something."]);
    admin
        .sends(ACCOUNTS, ACCOUNTS, &of("delete", "initech"))
        .await
        .says(&["Deleted."])
        .says_nothing_of(&["initech"]);
    let token = acme.opens(USERS).await.form_token();
    acme.opens(ACCOUNTS).await.is(404);
    for action in ["create", "password", "disable", "enable", "delete"] {
        acme.posts(ACCOUNTS, &token, &[("action", action), ("of", "globex"), ("name", "x")]).await.is(404);
    }
    assert!(!acme.opens(USERS).await.text.contains(ACCOUNTS));
}

#[tokio::test]
async fn administrators_free_the_names_of_deleted_accounts() {
    let app = TestApp::start().await;
    let mut admin = Browser::of(&app, "admin").await;
    let (form, free) = ("/console/accounts?do=free", [("action", "free"), ("of", "globex")]);
    admin.opens(ACCOUNTS).await.says(&["href=\"/console/accounts?do=free\""]);
    admin.opens(form).await.says(&[
        "Free a reserved name",
        "name=\"do\" value=\"free\"",
        "aria-describedby=\"of-hint\"",
    ]);
    let page = admin.opens("/console/accounts?do=free&of=Globex%22").await;
    page.says(&["id=\"of-error\"", "1 to 64 of a-z", "value=\"Globex&quot;\"", "aria-invalid=\"true\""]);
    let question = admin.opens("/console/accounts?do=free&of=+globex+").await;
    question.says(&["Free the name globex?", "will share with the new one", "name=\"of\" value=\"globex\""]);
    let token = question.form_token();
    for (name, told) in [
        ("globex", "There is one of this name."),
        ("initech", "This name is not reserved"),
        ("Globex", "1 to 64 of a-z"),
    ] {
        let page = admin.posts(ACCOUNTS, &token, &[("action", "free"), ("of", name)]).await;
        page.says(&["id=\"of-error\"", told, &format!("value=\"{name}\""), "Free a reserved name"]);
    }
    admin.language = "zh-CN";
    admin.posts(ACCOUNTS, &token, &free).await.says(&["该名称正在使用", "释放保留的名称"]);
    admin.language = "en";
    let globex = Browser::of(&app, "globex").await;
    let of = [("action", "delete"), ("of", "globex")];
    globex.sends(ORGANIZATIONS, "/console/organizations/globex", &of).await.says(&["Deleted."]);
    admin.posts(ACCOUNTS, &token, &of).await.says(&["Deleted."]);
    let password = "the password of globex";
    let make = [("action", "create"), ("name", "globex"), ("password", password), ("repeated", password)];
    admin.posts(ACCOUNTS, &token, &make).await.says(&["It stays reserved for a while."]);
    let acme = Browser::of(&app, "acme").await;
    acme.sends(USERS, ACCOUNTS, &free).await.is(404);
    admin.posts(ACCOUNTS, &token, &make).await.says(&["It stays reserved for a while."]);
    admin.posts(ACCOUNTS, &token, &free).await.says(&["The name is free."]);
    admin.posts(ACCOUNTS, &token, &make).await.says(&["Made."]);
}

#[tokio::test]
async fn administrators_free_the_names_of_deleted_organizations_and_nobody_else_does() {
    let app = TestApp::start().await;
    let (admin, acme) = (Browser::of(&app, "admin").await, Browser::of(&app, "acme").await);
    let globex = Browser::of(&app, "globex").await;
    let (form, free) = ("/console/organizations?do=free", [("action", "free"), ("of", "team-a")]);
    admin.opens(ORGANIZATIONS).await.says(&["href=\"/console/organizations?do=free\""]);
    acme.opens(ORGANIZATIONS).await.says_nothing_of(&["do=free"]);
    acme.opens(form).await.is(403);
    let page = admin.opens("/console/organizations?do=free&of=Team").await;
    page.says(&["id=\"of-error\"", "not the name of an organization", "value=\"Team\""]);
    let question = admin.opens("/console/organizations?do=free&of=team-a").await;
    question.says(&["Free the name team-a?", "another's images"]);
    let token = question.form_token();
    for (name, told) in [("team-a", "There is one of this name."), ("team-b", "This name is not reserved")] {
        let page = admin.posts(ORGANIZATIONS, &token, &[("action", "free"), ("of", name)]).await;
        page.says(&["id=\"of-error\"", told, &format!("value=\"{name}\"")]);
    }
    acme.sends(TEAM, TEAM, &[("action", "delete"), ("of", "team-a")]).await.says(&["Deleted."]);
    let take = [("action", "create"), ("name", "team-a")];
    let new = "/console/organizations?do=create";
    for browser in [&acme, &globex] {
        browser.sends(ORGANIZATIONS, ORGANIZATIONS, &free).await.is(403);
    }
    globex.sends(new, ORGANIZATIONS, &take).await.says(&["It stays reserved for a while."]);
    admin.posts(ORGANIZATIONS, &token, &free).await.says(&["The name is free."]);
    globex.sends(new, ORGANIZATIONS, &take).await.says(&["Made."]);
    admin.posts(ORGANIZATIONS, &token, &[("action", "rename"), ("of", "team-a")]).await.is(404);
}
