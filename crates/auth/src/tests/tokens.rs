//! Access and refresh tokens: what is in them, what they are bound to, and every way to forge one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::{Answer, START, TestAuth, account, at, cheap_settings, memory_store, password_of, repository};
use super::{requests, texts};
use crate::{Action, AuthenticationError, Error, Level, Principal, Secret, Settings, ShareEnd, SigningKeys};

const WEB: &str = "repository:team-a/web:pull,push";

fn parts(token: &Secret) -> (Value, Value, String) {
    let mut parts = token.reveal().split('.');
    let mut json =
        || serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap()).unwrap();
    let (header, claims) = (json(), json());
    (header, claims, parts.next().unwrap().to_owned())
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with this header and these claims, signed with our key, as only we could.
fn signed(keys: &SigningKeys, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let (_, key) = keys.signing().unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::ES256).unwrap();
    format!("{message}.{signature}")
}

async fn is_rejected(test: &TestAuth, jwt: &str) -> bool {
    matches!(test.authenticate_access_token(jwt, None, START).await, Err(AuthenticationError::Rejected))
}

#[tokio::test]
async fn the_intersection_is_granted() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    test.permit(&acme, "team-a", "dev", Level::Edit).await;
    test.namespace(&acme, "open").await;
    test.repository(&acme, "open/image").await;
    test.publish(&acme, "open/image").await;
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    let nobody = Principal::anonymous();
    let table: [(&str, &Principal, &[&str], &[&str]); 14] = [
        ("nothing asked", &acme, &[], &[]),
        ("owner", &acme, &[WEB], &[WEB]),
        ("all", &acme, &["repository:team-a/web:*"], &["repository:team-a/web:pull,push,delete"]),
        ("new name", &acme, &["repository:team-a/new:push,pull"], &["repository:team-a/new:pull,push"]),
        ("editor", &dev, &["repository:team-a/web:*"], &["repository:team-a/web:pull,push,delete"]),
        ("sharee", &globex, &["repository:team-a/web:*"], &["repository:team-a/web:pull"]),
        ("sharee of nothing else", &globex, &["repository:team-a/new:pull,push"], &[]),
        ("public", &globex, &["repository:open/image:pull,push"], &["repository:open/image:pull"]),
        ("anonymous", &nobody, &["repository:open/image:pull,push"], &["repository:open/image:pull"]),
        ("anonymous, private", &nobody, &[WEB, "repository:missing/x:pull"], &[]),
        ("catalog", &dev, &["registry:catalog:*"], &["registry:catalog:*"]),
        (
            "several in one",
            &acme,
            &["registry:catalog:* repository:team-a/web:pull"],
            &["registry:catalog:*", "repository:team-a/web:pull"],
        ),
        ("twice", &acme, &["repository:team-a/web:pull", "repository:team-a/web:push"], &[WEB]),
        (
            "nonsense",
            &acme,
            &["repository", "repository:A:pull", "x:y:z", "::", "registry:catalog:pull", ""],
            &[],
        ),
    ];
    for (what, p, asked, granted) in table {
        let token = test.issue_access_token(p, &requests(asked), START).await.unwrap();
        assert_eq!(texts(&token.granted), granted, "{what}");
        assert_eq!(token.expires_in_seconds, 299, "{what}: 300 from a fraction of a second, rounded down");
        test.authenticate_access_token(token.token.reveal(), None, START).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_narrows_to_what_it_carries() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.repository(&acme, "team-a/api").await;
    let p = test.by_token(&acme, &["repository:team-a/web:pull"], START).await;
    assert!(p.same_as(&acme));
    let scope = |scope: &str| Answer::Scope(vec![scope.to_owned()]);
    let table = [
        ("team-a/web", Action::Pull, Answer::Yes),
        ("team-a/web", Action::Push, scope(WEB)),
        ("team-a/web", Action::Delete, scope("repository:team-a/web:delete")),
        ("team-a/web", Action::DeleteTag, scope("repository:team-a/web:delete")),
        ("team-a/web", Action::Manage, Answer::Forbidden),
        ("team-a/api", Action::Pull, scope("repository:team-a/api:pull")),
        ("team-a/missing", Action::Pull, Answer::Vacant),
    ];
    for (name, action, expected) in table {
        assert_eq!(test.may(&p, name, action, START).await, expected, "{action:?} {name}");
    }
    assert_eq!(test.may_push(&p, "team-a/new", START).await, scope("repository:team-a/new:pull,push"));
    let web = test.authorize(&p, &repository("team-a/web"), Action::Pull, START).await.unwrap();
    assert!(!web.allows_push(), "a token for pulling renews nothing");

    let all = test.by_token(&acme, &["repository:team-a/web:*"], START).await;
    assert_eq!(test.may(&all, "team-a/web", Action::Delete, START).await, Answer::Yes);
    assert_eq!(test.may(&all, "team-a/web", Action::Manage, START).await, Answer::Forbidden);
    assert!(matches!(test.issue_access_token(&all, &[], START).await, Err(Error::Forbidden)));
    assert!(matches!(test.issue_refresh_token(&all, START).await, Err(Error::Forbidden)));
}

#[tokio::test]
async fn a_mount_without_a_source_goes_by_live_rights() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let api = test.repository(&acme, "team-a/api").await;
    let p = test.by_token(&acme, &[WEB], START).await;
    let permit = test.authorize_source(&p, api, START).await.unwrap().unwrap();
    assert_eq!((permit.repository(), permit.action()), (api, Action::Pull));
    for stranger in [globex, Principal::anonymous()] {
        assert!(test.authorize_source(&stranger, api, START).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn times_are_checked_without_leeway() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let token = test.token(&acme, &[WEB], START).await;
    let end = jiff::Timestamp::from_second(START.as_second() + 300).unwrap();
    let tick = jiff::SignedDuration::from_nanos(1);
    assert!(test.authenticate_access_token(token.reveal(), None, end - tick).await.is_ok());
    match test.authenticate_access_token(token.reveal(), None, end).await {
        Err(AuthenticationError::Expired { at }) => assert_eq!(at, end),
        other => panic!("{other:?}"),
    }
    let (p, expired_at) = test.authenticate_for_upload(token.reveal(), None, at(3600)).await.unwrap();
    assert_eq!((p.name(), expired_at), ("acme".to_owned(), Some(end)));
    assert_eq!(test.may(&p, "team-a/web", Action::Push, at(3600)).await, Answer::Yes);
    let (_, expired_at) = test.authenticate_for_upload(token.reveal(), None, START).await.unwrap();
    assert_eq!(expired_at, None);
    let begin = jiff::Timestamp::from_second(START.as_second()).unwrap();
    assert!(matches!(
        test.authenticate_for_upload(token.reveal(), None, begin - tick).await,
        Err(AuthenticationError::Rejected)
    ));
}

#[tokio::test]
async fn a_token_ends_with_the_share_it_rests_on() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let issue = async |seconds: i64| {
        let requested = requests(&["repository:team-a/web:pull"]);
        test.issue_access_token(&globex, &requested, at(seconds)).await.unwrap()
    };
    test.share(&acme, "team-a/web", "globex", ShareEnd::Until(at(60))).await;
    let token = issue(0).await;
    assert_eq!((token.expires_in_seconds, token.granted.len()), (59, 1));
    let (_, claims, _) = parts(&token.token);
    assert_eq!(claims["exp"], json!(at(60).as_second()));
    assert_eq!(issue(58).await.expires_in_seconds, 1);
    let late = issue(59).await;
    assert_eq!((late.expires_in_seconds, late.granted.len()), (299, 0), "less than a second is nothing");
    assert_eq!(issue(60).await.granted.len(), 0);
}

#[tokio::test]
async fn a_token_ends_with_the_personal_token_it_was_bought_with() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (id, secret) = test.personal_token(&acme, 60, Some(&["repository:team-a/web:pull"])).await;
    let p = test.authenticate("acme", &secret, None, START).await.unwrap();
    let token = test.issue_access_token(&p, &requests(&[WEB]), START).await.unwrap();
    assert_eq!(token.expires_in_seconds, 59);
    assert_eq!(texts(&token.granted), ["repository:team-a/web:pull"], "scope is kept at the exchange");
    let refresh = test.issue_refresh_token(&p, START).await.unwrap();
    let again = test.authenticate_refresh_token(&refresh, None, START).await.unwrap();
    let renewed = test.issue_access_token(&again, &requests(&[WEB]), START).await.unwrap();
    assert_eq!(texts(&renewed.granted), ["repository:team-a/web:pull"], "and through a refresh token");
    assert!(matches!(test.issue_access_token(&p, &[], at(60)).await, Err(Error::Unauthenticated)));
    test.revoke_personal_token(&acme, id, crate::Made::Ends, START).await.unwrap();
    assert!(is_rejected(&test, token.token.reveal()).await);
    assert!(test.authenticate_refresh_token(&refresh, None, START).await.is_err());
}

#[tokio::test]
async fn what_was_revoked_or_shortened_bites_on_the_next_request() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    let token = test.token(&globex, &["repository:team-a/web:pull"], START).await;
    let by_token = async || test.authenticate_access_token(token.reveal(), None, at(10)).await.unwrap();
    assert_eq!(test.may(&by_token().await, "team-a/web", Action::Pull, at(10)).await, Answer::Yes);
    let change = crate::ShareChange { end: Some(ShareEnd::Until(at(10))), ..Default::default() };
    let name = repository("team-a/web");
    test.update_share(&acme, &name, &account("globex"), change, START).await.unwrap();
    assert_eq!(test.may(&by_token().await, "team-a/web", Action::Pull, at(10)).await, Answer::NotFound);
    test.revoke_share(&acme, &name, &account("globex"), START).await.unwrap();
    assert_eq!(test.may(&by_token().await, "team-a/web", Action::Pull, at(5)).await, Answer::NotFound);
}

#[tokio::test]
async fn tokens_die_with_the_credential_they_were_issued_for() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let tokens = async || {
        let p = test.sign_in("acme").await;
        (test.token(&p, &[WEB], START).await, test.issue_refresh_token(&p, START).await.unwrap())
    };
    let (access, refresh) = tokens().await;
    test.set_account_disabled(&test.admin, &account("acme"), true, START).await.unwrap();
    assert!(is_rejected(&test, access.reveal()).await);
    assert!(test.authenticate_refresh_token(&refresh, None, START).await.is_err());
    test.set_account_disabled(&test.admin, &account("acme"), false, START).await.unwrap();
    let (old, new) = (password_of("acme"), Secret::new("another password"));
    test.set_account_password(&acme, &account("acme"), Some(&old), &new, START).await.unwrap();
    assert!(is_rejected(&test, access.reveal()).await);
    assert!(test.authenticate_for_upload(access.reveal(), None, at(400)).await.is_err());
    assert!(test.authenticate_refresh_token(&refresh, None, START).await.is_err());
}

#[tokio::test]
async fn a_name_given_anew_opens_nothing_for_old_tokens() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let name = repository("team-a/web");
    let token = test.token(&acme, &[WEB], START).await;
    test.delete_repository(&acme, &name, START).await.unwrap();
    test.repository(&acme, "team-a/web").await;
    let p = test.authenticate_access_token(token.reveal(), None, START).await.unwrap();
    assert_eq!(
        test.may(&p, "team-a/web", Action::Pull, START).await,
        Answer::Scope(vec!["repository:team-a/web:pull".to_owned()])
    );

    let dev = test.user("dev@acme").await;
    test.permit(&acme, "team-a", "dev", Level::Manage).await;
    let token = test.token(&dev, &[WEB], START).await;
    let user = crate::UserName::parse("dev").unwrap();
    test.delete_user(&acme, &account("acme"), &user, START).await.unwrap();
    test.user("dev@acme").await;
    assert!(is_rejected(&test, token.reveal()).await);

    // A grant for a name without a repository binds the namespace.
    test.namespace(&acme, "team-b").await;
    let token = test.token(&acme, &["repository:team-b/new:pull,push"], START).await;
    let p = test.authenticate_access_token(token.reveal(), None, START).await.unwrap();
    test.repository(&p, "team-b/new").await;
    assert_eq!(test.may(&p, "team-b/new", Action::Push, START).await, Answer::Yes);
    test.delete_repository(&acme, &repository("team-b/new"), START).await.unwrap();
    let namespace = oci::NamespaceName::parse("team-b").unwrap();
    test.delete_namespace(&acme, &namespace, START).await.unwrap();
    test.namespace(&acme, "team-b").await;
    assert!(matches!(test.may_push(&p, "team-b/new", START).await, Answer::Scope(_)));
}

#[tokio::test]
async fn a_grant_for_a_name_without_a_repository_is_for_the_first_one_alone() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let new = "team-a/new";
    let granted = async || test.by_token(&acme, &["repository:team-a/new:pull,push"], START).await;
    let first = granted().await;
    test.repository(&first, new).await;
    // Another one's deletion does not touch what was made before it.
    test.delete_repository(&acme, &repository("team-a/web"), START).await.unwrap();
    assert_eq!(test.may(&first, new, Action::Push, START).await, Answer::Yes);

    test.delete_repository(&acme, &repository(new), START).await.unwrap();
    assert!(matches!(test.may_push(&first, new, START).await, Answer::Scope(_)), "it makes no second one");
    let second = granted().await;
    test.repository(&acme, new).await;
    for action in [Action::Pull, Action::Push] {
        assert!(matches!(test.may(&first, new, action, START).await, Answer::Scope(_)), "{action:?}");
        assert_eq!(test.may(&second, new, action, START).await, Answer::Yes, "{action:?}");
    }
}

#[tokio::test]
async fn one_kind_of_token_never_stands_in_for_the_other() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let access = test.token(&acme, &[WEB], START).await;
    let refresh = test.issue_refresh_token(&acme, START).await.unwrap();
    let bare = refresh.reveal().strip_prefix("gp_ref_").unwrap();
    assert!(is_rejected(&test, bare).await);
    assert!(is_rejected(&test, refresh.reveal()).await);
    for token in [access.reveal().to_owned(), format!("gp_ref_{}", access.reveal()), bare.to_owned()] {
        assert!(test.authenticate_refresh_token(&Secret::new(token), None, START).await.is_err());
    }
    let nobody = Principal::anonymous();
    assert!(matches!(test.issue_refresh_token(&nobody, START).await, Err(Error::Unauthenticated)));
    let end = START + jiff::SignedDuration::from_hours(90 * 24);
    assert!(matches!(
        test.authenticate_refresh_token(&refresh, None, end).await,
        Err(AuthenticationError::Expired { .. })
    ));
}

#[tokio::test]
async fn a_foreign_issuer_service_or_region_is_refused() {
    let keys = SigningKeys::ephemeral().unwrap();
    let home = TestAuth::over(memory_store("here").await, keys.clone(), cheap_settings()).await;
    let acme = home.account("acme").await;
    let token = home.token(&acme, &[], START).await;
    assert!(home.authenticate_access_token(token.reveal(), None, START).await.is_ok());

    // The same accounts and keys, under another name, and in another region.
    let renamed = Settings { service: "other".to_owned(), ..cheap_settings() };
    let renamed = TestAuth::over(home.store().clone(), keys.clone(), renamed).await;
    assert!(is_rejected(&renamed, token.reveal()).await);
    let there = TestAuth::over(memory_store("there").await, keys.clone(), cheap_settings()).await;
    assert!(is_rejected(&there, token.reveal()).await);

    let (header, claims, _) = parts(&token);
    assert!(!is_rejected(&home, &signed(&keys, &header, &claims)).await, "the forger's tool works");
    for (claim, value) in [("iss", "other"), ("aud", "other"), ("region", "there"), ("purpose", "refresh")] {
        let mut forged = claims.clone();
        forged[claim] = json!(value);
        assert!(is_rejected(&home, &signed(&keys, &header, &forged)).await, "{claim}");
    }
    for claim in ["iss", "aud", "region", "purpose", "exp", "nbf"] {
        let mut forged = claims.clone();
        forged.as_object_mut().unwrap().remove(claim);
        assert!(is_rejected(&home, &signed(&keys, &header, &forged)).await, "without {claim}");
    }
}

#[tokio::test]
async fn a_forged_header_is_refused() {
    let keys = SigningKeys::ephemeral().unwrap();
    let test = TestAuth::over(memory_store("here").await, keys.clone(), cheap_settings()).await;
    let acme = test.account("acme").await;
    let token = test.token(&acme, &[], START).await;
    let (header, claims, signature) = parts(&token);
    assert_eq!(header.as_object().unwrap().len(), 3);
    let with = |key: &str, value: Value| {
        let mut header = header.clone();
        header[key] = value;
        header
    };
    let attacker = SigningKeys::ephemeral().unwrap();
    let attackers_jwk = attacker.jwks()["keys"][0].clone();
    let attackers_kid = attackers_jwk["kid"].clone();

    // The header offers the key to verify with, or says where it is.
    let offers = [
        ("jwk", attackers_jwk),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("zip", json!("DEF")),
    ];
    for (name, value) in offers {
        for signer in [&attacker, &keys] {
            assert!(is_rejected(&test, &signed(signer, &with(name, value.clone()), &claims)).await, "{name}");
        }
    }
    for kid in
        [attackers_kid, json!(""), json!("../../dev/null"), json!("' OR 1=1"), json!(null), json!(["x"])]
    {
        assert!(is_rejected(&test, &signed(&attacker, &with("kid", kid.clone()), &claims)).await, "{kid}");
    }
    assert!(is_rejected(&test, &signed(&attacker, &header, &claims)).await, "our kid, another's signature");
    for typ in ["jwt", "at+jwt", ""] {
        assert!(is_rejected(&test, &signed(&keys, &with("typ", json!(typ)), &claims)).await, "{typ}");
    }
    for alg in ["none", "None", "", "HS256", "RS256", "ES384", "EdDSA", "es256"] {
        let header = with("alg", json!(alg));
        for signature in [signature.as_str(), ""] {
            let forged = format!("{}.{}.{signature}", encoded(&header), encoded(&claims));
            assert!(is_rejected(&test, &forged).await, "{alg}");
        }
    }
    // The public key as the secret of a symmetric algorithm.
    let point = keys.jwks()["keys"][0]["x"].as_str().unwrap().to_owned();
    let mut symmetric = Header::new(Algorithm::HS256);
    symmetric.kid = header["kid"].as_str().map(str::to_owned);
    let secret = EncodingKey::from_secret(point.as_bytes());
    assert!(is_rejected(&test, &jsonwebtoken::encode(&symmetric, &claims, &secret).unwrap()).await);
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let test = TestAuth::new().await;
    let acme = test.account("acme").await;
    let token = test.token(&acme, &[], START).await;
    let (header, mut claims, signature) = parts(&token);
    claims["exp"] = json!(u32::MAX);
    let changed = format!("{}.{}.{signature}", encoded(&header), encoded(&claims));
    assert!(is_rejected(&test, &changed).await);
    let jwt = token.reveal();
    for nonsense in ["", ".", "..", "...", "a.b.c", &format!("{jwt}."), &format!("{jwt}.{jwt}"), &jwt[1..]] {
        assert!(is_rejected(&test, nonsense).await, "{nonsense:?}");
    }
    assert!(is_rejected(&test, &"a".repeat(1 << 20)).await);
}

#[tokio::test]
async fn a_good_signature_is_looked_at_once_and_a_bad_one_each_time() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let token = test.issue_access_token(&acme, &requests(&[WEB]), START).await.unwrap().token;
    let before = test.verified_tokens().signatures();
    for _ in 0..3 {
        test.authenticate_access_token(token.reveal(), None, START).await.unwrap();
    }
    assert_eq!(test.verified_tokens().signatures(), before + 1);
    let (message, signature) = token.reveal().rsplit_once('.').unwrap();
    let other = test.issue_access_token(&acme, &requests(&[]), START).await.unwrap().token;
    let foreign = other.reveal().rsplit_once('.').unwrap().1;
    assert_ne!(signature, foreign);
    for _ in 0..2 {
        assert!(
            is_rejected(&test, &format!("{message}.{foreign}")).await,
            "what was good is not good with it"
        );
    }
    assert_eq!(test.verified_tokens().signatures(), before + 3);
}

#[tokio::test]
async fn a_token_for_nobody_opens_what_is_public() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.publish(&acme, "team-a/web").await;
    test.repository(&acme, "team-a/api").await;
    let nobody = test.by_token(&Principal::anonymous(), &["repository:team-a/web:pull"], START).await;
    assert!(nobody.is_anonymous());
    assert_eq!(test.may(&nobody, "team-a/web", Action::Pull, START).await, Answer::Yes);
    assert_eq!(test.may(&nobody, "team-a/web", Action::Push, START).await, Answer::SignIn);
    assert_eq!(test.may(&nobody, "team-a/api", Action::Pull, START).await, Answer::SignIn);
    let empty = test.by_token(&Principal::anonymous(), &[], START).await;
    assert!(matches!(test.may(&empty, "team-a/web", Action::Pull, START).await, Answer::Scope(_)));
    test.set_visibility(&acme, &repository("team-a/web"), crate::Visibility::Private, START).await.unwrap();
    assert_eq!(test.may(&nobody, "team-a/web", Action::Pull, START).await, Answer::SignIn);
}
