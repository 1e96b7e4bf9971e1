//! The token service, and the list of repositories, for which a token has a scope of its own.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::{Answer, Image, Person};

use super::{MANIFEST_OF_WEB, Stage, UPLOADS_TO_WEB, WEB, image};

/// The fields with which containerd asks first: everything that it knows, and a scope.
fn containerd<'a>(who: &'a Person, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("client_id", "containerd-client"),
        ("grant_type", "password"),
        ("password", who.password()),
        ("scope", scope),
        ("service", "gangplank"),
        ("username", who.login()),
    ]
}

#[tokio::test]
async fn authentication_05_scopes_come_repeated_or_space_separated_or_both_in_get_and_in_the_form() {
    let mut stage = Stage::with_image().await;
    let acme = stage.acme.clone();
    for name in ["team-a/one", "team-a/two"] {
        acme.pushes(name, "1", &Image::small()).await;
    }
    let scopes =
        ["repository:team-a/web:pull", "repository:team-a/one:pull,push", "repository:team-a/two:pull"];
    let [web, one, two] = scopes;
    let reaches = async |token: &str| {
        for name in [WEB, "team-a/one", "team-a/two"] {
            acme.get(&format!("/v2/{name}/tags/list")).bearer(token).send().await.expect(200);
        }
        acme.post("/v2/team-a/one/blobs/uploads/").bearer(token).send().await.expect(202);
        acme.post("/v2/team-a/two/blobs/uploads/").bearer(token).send().await.expect(401);
    };
    for query in [
        format!("scope={web}&scope={one}&scope={two}"),
        format!("scope={web}+{one}%20{two}"),
        format!("scope={web}&scope={one}%20{two}"),
        format!(
            "scope={}",
            format!("{web} {one} {two}").replace(' ', "%20").replace(':', "%3A").replace('/', "%2F")
        ),
        // The same twice is the sum of both.
        format!("scope={web}&scope={two}&scope=repository:team-a/one:pull&scope=repository:team-a/one:push"),
    ] {
        let answer =
            stage.hears(acme.get(&format!("/auth/token?service=gangplank&{query}"))).await.expect(200);
        reaches(&answer.token()).await;
    }
    let together = scopes.join(" ");
    let mixed = format!("{one} {two}");
    for list in [&[web, one, two][..], &[&*together], &[web, &*mixed]] {
        let mut fields = containerd(&acme, list[0]);
        fields.extend(list[1..].iter().map(|scope| ("scope", *scope)));
        let answer = stage.hears(acme.token_form(&fields)).await.expect(200);
        assert_eq!(answer.json()["scope"], together);
        reaches(&answer.token()).await;
    }
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn authentication_06_containerds_post_is_answered_and_falls_back_to_get_on_400_401_and_404_only() {
    let mut stage = Stage::with_image().await;
    let acme = stage.acme.clone();
    let scope = "repository:team-a/web:pull,push";
    let answer = stage.hears(acme.token_form(&containerd(&acme, scope))).await.expect(200);
    stage.hears(acme.get(MANIFEST_OF_WEB).bearer(&answer.token())).await.expect(200);
    let refresh = acme.refresh_token().await;
    let fields = [
        ("client_id", "containerd-client"),
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("scope", scope),
        ("service", "gangplank"),
    ];
    let answer = stage.hears(acme.token_form(&fields)).await.expect(200);
    stage.hears(acme.get(MANIFEST_OF_WEB).bearer(&answer.token())).await.expect(200);

    let wrong = stage.server.person("acme", "wrong");
    stage.hears(acme.token_form(&containerd(&wrong, scope))).await.expect(401);
    let all = containerd(&acme, scope);
    let without = |name: &str| all.iter().copied().filter(|(field, _)| *field != name).collect::<Vec<_>>();
    for fields in [
        without("grant_type"),
        without("username"),
        without("password"),
        vec![("grant_type", "authorization_code")],
        vec![("grant_type", "refresh_token"), ("refresh_token", "none")],
        Vec::new(),
    ] {
        stage.hears(acme.token_form(&fields)).await.expect_any(&[400, 401, 404]);
    }
    let json = acme.post("/auth/token").header("content-type", "application/json").body("{}");
    stage.hears(json).await.expect_any(&[400, 401, 404]);
    // The way that it then goes.
    let get = acme.get("/auth/token?scope=repository:team-a/web:pull,push&service=gangplank");
    stage.hears(get).await.expect(200);
    insta::assert_snapshot!(stage.said.text());
}

/// The fields' names of a token service's answer, in their order.
fn fields_of(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let mut fields: Vec<_> = json.as_object().expect("an object").keys().cloned().collect();
    fields.sort();
    fields
}

#[tokio::test]
async fn authentication_07_the_answer_has_token_access_token_and_expires_in_and_no_issued_at() {
    let mut stage = Stage::with_image().await;
    let acme = stage.acme.clone();
    let scope = "repository:team-a/web:pull";
    // docker would store a refresh token in the password's place: on GET there is none, even when it asks.
    for query in ["", "&offline_token=true", "&offline_token=true&access_type=offline"] {
        let get = acme.get(&format!("/auth/token?service=gangplank&scope={scope}{query}"));
        let answer = stage.hears(get).await.expect(200);
        assert_eq!(fields_of(&answer), ["access_token", "expires_in", "token"]);
        assert_eq!(
            (&answer.json()["token"], &answer.json()["expires_in"]),
            (&answer.json()["access_token"], &json!(300))
        );
    }
    let post = stage.hears(acme.token_form(&containerd(&acme, scope))).await.expect(200);
    assert_eq!(fields_of(&post), ["access_token", "expires_in", "scope", "token"]);
    assert_eq!((&post.json()["token"], &post.json()["scope"]), (&post.json()["access_token"], &json!(scope)));
    let mut offline = containerd(&acme, scope);
    offline.push(("access_type", "offline"));
    let post = stage.hears(acme.token_form(&offline)).await.expect(200);
    assert_eq!(fields_of(&post), ["access_token", "expires_in", "refresh_token", "scope", "token"]);
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn authentication_07_a_refresh_token_on_get_is_given_where_the_operator_says_so() {
    let mut stage = Stage::set_with(|config| config.auth.refresh_tokens_on_get = true).await;
    let acme = stage.acme.clone();
    acme.pushes(WEB, "1", &image()).await;
    let scope = "repository:team-a/web:pull";
    let path = format!("/auth/token?service=gangplank&scope={scope}");
    let without = stage.hears(acme.get(&path)).await.expect(200);
    assert_eq!(fields_of(&without), ["access_token", "expires_in", "token"], "nobody asked");
    let path = format!("{path}&offline_token=true");
    let answer = stage.hears(acme.get(&path)).await.expect(200);
    assert_eq!(fields_of(&answer), ["access_token", "expires_in", "refresh_token", "token"]);
    let refresh = answer.json()["refresh_token"].as_str().expect("a refresh token").to_owned();
    let again = acme.refreshes(&refresh, scope).await.expect(200);
    stage.said.note(&again);
    stage.hears(acme.get(MANIFEST_OF_WEB).bearer(&again.token())).await.expect(200);
    let nobody = stage.hears(stage.server.stranger().get(&path)).await.expect(200);
    assert_eq!(fields_of(&nobody), ["access_token", "expires_in", "token"], "nobody is no credential");
    insta::assert_snapshot!(stage.said.text());
}

/// containerd takes 0 for eternal; docker rounds up to a minute, and asks again when it is refused.
#[tokio::test]
async fn authentication_07_expires_in_is_at_least_1_however_near_the_end_is() {
    let mut stage = Stage::with_image().await;
    let (acme, globex) = (stage.acme.clone(), stage.globex.clone());
    let deadline = stage.server.in_seconds(100);
    acme.shares(WEB, "globex", deadline).await;
    for (milliseconds_before, expires_in, status) in [
        (100_000, 100, 200),
        (2_500, 2, 200),
        (1_999, 1, 200),
        (1_000, 1, 200),
        (999, 299, 401),
        (1, 299, 401),
    ] {
        stage.server.clock().set(deadline - SignedDuration::from_millis(milliseconds_before));
        stage.said.remark(&format!("{milliseconds_before} ms before the share's end"));
        let get = globex.get("/auth/token?service=gangplank&scope=repository:team-a/web:pull");
        let answer = stage.hears(get).await.expect(200);
        assert_eq!(answer.json()["expires_in"], expires_in);
        let pull = globex.get(MANIFEST_OF_WEB).bearer(&answer.token()).send().await;
        // Less than a second of it is not given, so that the token carries nothing of it.
        pull.expect(status);
    }
    // So with a credential that is about to end: it buys nothing rather than a token of 0 seconds.
    stage.server.clock().set(deadline);
    let script = acme.as_other("acme", &acme.creates_token(10, None).await);
    let end = stage.server.in_seconds(10);
    for (milliseconds_before, status) in [(1_000, 200), (999, 401)] {
        stage.server.clock().set(end - SignedDuration::from_millis(milliseconds_before));
        stage.said.remark(&format!("{milliseconds_before} ms before the personal token's end"));
        let answer = stage.hears(script.get("/auth/token?service=gangplank")).await.expect(status);
        assert_eq!(answer.json()["expires_in"].as_u64(), (status == 200).then_some(1));
    }
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn authentication_07_a_refresh_token_is_reusable_and_dies_with_its_credential() {
    let mut stage = Stage::with_image().await;
    let (acme, scope) = (stage.acme.clone(), "repository:team-a/web:pull");
    for (name, change) in [
        ("disabled", json!({ "disabled": true })),
        ("changed", json!({ "password": "another-password" })),
        ("deleted", Value::Null),
    ] {
        let dev = acme.creates_user(name).await;
        acme.permits(name, "read", WEB).await;
        let refresh = dev.refresh_token().await;
        for _ in 0..3 {
            stage.server.clock().pass(3600);
            let again = dev.refreshes(&refresh, scope).await.expect(200);
            assert_eq!(again.json()["refresh_token"], refresh, "reusable, and its own successor");
            dev.get(MANIFEST_OF_WEB).bearer(&again.token()).send().await.expect(200);
        }
        stage.said.note(&dev.refreshes(&refresh, scope).await);
        let user = format!("/api/v1/accounts/acme/users/{name}");
        if change.is_null() {
            acme.delete(&user).send().await.expect(204);
        } else {
            acme.patch(&user).json(&change).send().await.expect(200);
        }
        stage.said.remark(&format!("the user's account is {name}"));
        let refused = dev.refreshes(&refresh, scope).await.expect(401);
        stage.said.note(&refused);
    }
    // One that was bought with a personal token ends with that.
    let made = acme.post("/api/v1/tokens").json(&json!({ "expires_in_seconds": 60 }));
    let made = made.send().await.expect(201).json();
    let script = acme.as_other("acme", made["secret"].as_str().expect("a secret"));
    let refresh = script.refresh_token().await;
    script.refreshes(&refresh, scope).await.expect(200);
    stage.server.clock().pass(60);
    stage.said.remark("the personal token expires");
    stage.said.note(&script.refreshes(&refresh, scope).await.expect(401));
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn authentication_08_what_is_asked_beyond_what_is_held_is_left_out_and_never_an_error() {
    let mut stage = Stage::with_image().await;
    let (acme, globex, nobody) = (stage.acme.clone(), stage.globex.clone(), stage.server.stranger());
    acme.shares(WEB, "globex", stage.server.in_seconds(100_000)).await;
    // `docker login` asks for no scope at all.
    let login = "/auth/token?account=acme&client_id=docker&offline_token=true&service=gangplank";
    let answer = stage.hears(acme.get(login)).await.expect(200);
    stage.hears(acme.get("/v2/").bearer(&answer.token())).await.expect(200);
    stage.hears(acme.get(&format!("{login}&scope="))).await.expect(200);
    stage.hears(nobody.get(&format!("{login}&scope=repository:team-a/web:pull"))).await.expect(200);

    for (who, scope, granted) in [
        (&globex, "repository:team-a/web:pull,push", "repository:team-a/web:pull"),
        (&globex, "repository:team-a/web:*", "repository:team-a/web:pull"),
        (&globex, "repository:team-a/none:pull", ""),
        (&globex, "repository:team-a/web:push,delete", ""),
        (
            &globex,
            "repository:team-a/none:pull repository:team-g/new:pull,push",
            "repository:team-g/new:pull,push",
        ),
        (&acme, "repository:team-a/web:*", "repository:team-a/web:pull,push,delete"),
        (&acme, "repository:team-a/web:pull,fly", "repository:team-a/web:pull"),
        (&acme, "repository:registry.example.org:5000/team-a/web:pull", ""),
        (
            &acme,
            "repository:registry.example.org:5000/x:pull repository:team-a/web:pull",
            "repository:team-a/web:pull",
        ),
        (&acme, "repository(plugin):team-a/web:pull", ""),
        (&acme, "nonsense", ""),
        (&acme, ":::", ""),
    ] {
        let mut fields = containerd(who, scope);
        fields.push(("account", who.login()));
        let answer = stage.hears(who.token_form(&fields)).await.expect(200);
        assert_eq!(answer.json()["scope"], granted, "{scope}");
        let get =
            who.get(&format!("/auth/token?account={}&scope={}", who.login(), scope.replace(' ', "%20")));
        get.send().await.expect(200);
    }
    // What was left out is refused where it is used.
    let token = globex.token(&["repository:team-a/web:pull,push"]).await;
    globex.get(MANIFEST_OF_WEB).bearer(&token).send().await.expect(200);
    stage.hears(globex.post(UPLOADS_TO_WEB).bearer(&token)).await.expect(403);
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn authentication_10_the_catalog_needs_its_scope_and_lists_what_the_caller_may_see() {
    let mut stage = Stage::with_image().await;
    let (acme, globex, nobody) = (stage.acme.clone(), stage.globex.clone(), stage.server.stranger());
    for name in ["team-a/shared", "team-a/public"] {
        acme.pushes(name, "1", &Image::small()).await;
    }
    globex.pushes("team-g/own", "1", &Image::small()).await;
    acme.shares("team-a/shared", "globex", stage.server.in_seconds(100)).await;
    acme.makes("team-a/public", "public").await.expect(200);

    let wanted = ",scope=\"registry:catalog:*\"";
    let refused = stage.hears(nobody.get("/v2/_catalog")).await.expect(401);
    assert_eq!(refused.header("www-authenticate"), stage.challenge(wanted));
    let narrow = acme.token(&["repository:team-a/web:pull"]).await;
    let refused = stage.hears(acme.get("/v2/_catalog").bearer(&narrow)).await.expect(401);
    assert_eq!(
        refused.header("www-authenticate"),
        stage.challenge(&format!("{wanted},error=\"insufficient_scope\""))
    );

    for (who, names) in [
        (&acme, &["team-a/public", "team-a/shared", "team-a/web"][..]),
        (&globex, &["team-a/public", "team-a/shared", "team-g/own"]),
        (&nobody, &["team-a/public"]),
    ] {
        let token = who.token(&["registry:catalog:*"]).await;
        let answer = stage.hears(who.get("/v2/_catalog").bearer(&token)).await.expect(200);
        assert_eq!(answer.strings("repositories"), names);
    }
    let page = stage.hears(acme.get("/v2/_catalog?n=2")).await.expect(200);
    assert_eq!(page.header("link"), "</v2/_catalog?n=2&last=team-a%2Fshared>; rel=\"next\"");
    let rest = stage.hears(acme.get("/v2/_catalog?n=2&last=team-a%2Fshared")).await.expect(200);
    assert_eq!((rest.strings("repositories"), rest.header("link")), (vec!["team-a/web".to_owned()], ""));
    stage.server.clock().pass(100);
    stage.said.remark("the share ends");
    let answer = stage.hears(globex.get("/v2/_catalog")).await.expect(200);
    assert_eq!(answer.strings("repositories"), ["team-a/public", "team-g/own"]);
    insta::assert_snapshot!(stage.said.text());
}
