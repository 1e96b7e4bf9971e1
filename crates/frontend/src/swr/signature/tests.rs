//! Signatures of the clients' own signer, and what becomes of a request that was touched.
//!
//! The vectors were made with `huaweicloudsdkcore` 3.1.219: a `SdkRequest` of these parts with the host `127.0.0.1:5000` and
//! the headers below, handed to `huaweicloudsdkcore.signer.signer.Signer` with the key pair below; its `uri` and the
//! `Signature` of its `Authorization` are what stands here.

use std::sync::Arc;

use auth::{Auth, Description, Keys, PasswordCost, Principal, Secret};
use aws_lc_rs::hmac;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};

use super::{Refusal, SIGNED_BODY_BYTES_MAX, Signature};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const DATE: &str = "20270115T080000Z";
const ACCESS_KEY: &str = "ABCDEFGHIJKLMNOPQRST";
const SECRET_KEY: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123";
const STANDARD: &str = "content-type;host;user-agent;x-project-id;x-sdk-date";

/// Method, URI, signed headers, body, signature.
const VECTORS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "GET",
        "/v2/manage/namespaces/team-a/repositories/web/access-domains",
        STANDARD,
        "",
        "8026dac6b406364e95b5eb757eb5775c988d77ac869a256d856b52e1545dcdaa",
    ),
    (
        "POST",
        "/v2/manage/namespaces/team-a/repositories/a%2Fb/access-domains",
        STANDARD,
        r#"{"access_domain": "globex", "permit": "read", "deadline": "forever", "description": "für die Probe ✓"}"#,
        "d94beb6908800e76124cf11b88065c29c620108deacbe8b465b13402429df23a",
    ),
    (
        "GET",
        "/v2/manage/shared-repositories?a=1&a=2&b=a%20b%2Bc&filter=center%3A%3Aself%7Climit%3A%3A10%7Coffset%3A%3A0&flag=true&~tilde=x~y",
        STANDARD,
        "",
        "06c82c577acd03a9d16c40720d2a1ff273320e5ce555b28be2612e46c461d359",
    ),
    (
        "GET",
        "/v2/manage/shared-repositories?a=1&a=2&b=a%20b%2Bc&filter=center%3A%3Aself%7Climit%3A%3A10%7Coffset%3A%3A0&flag=true&~tilde=x~y&%C3%A4=%C3%B6",
        STANDARD,
        "",
        "5fad317163f1fba15d4a7ed5d11fe7190be069bee2f7c93ae59ee39ab30225e1",
    ),
    (
        "DELETE",
        "/v2/manage/namespaces/team-a/repos/a$b/tags/v1.0~rc",
        "host;x-sdk-date",
        "",
        "9880d6049090f388a60bec63753b2f82abf7108842edab57a0b2733d2fe44a55",
    ),
    (
        "PATCH",
        "/v2/manage/namespaces/team-a?%C3%A4=%C3%B6",
        "content-type;host;user-agent;x-project-id;x-sdk-date;x-text",
        "{}",
        "c527f32c6a5b282cd297f94bd742afeffb639c594fd2c68922291bba917b56f6",
    ),
];

/// A request with all headers that a vector may sign, and an `Authorization` that says so.
fn request(
    method: &str,
    uri: &str,
    (access_key, signed, signature): (&str, &str, &str),
    date: &str,
) -> Parts {
    let authorization =
        format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={signed}, Signature={signature}");
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", "application/json")
        .header("host", "127.0.0.1:5000")
        .header("user-agent", "huaweicloud-usdk-python/3.0")
        .header("x-project-id", "p1")
        .header("x-text", HeaderValue::from_bytes("  größe ".as_bytes()).unwrap())
        .header("x-sdk-date", date)
        .header(AUTHORIZATION, authorization);
    request.body(()).unwrap().into_parts().0
}

fn sign(secret: &str, message: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message);
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_clients_own_signer_signs_what_is_checked_here() {
    for (method, uri, signed, body, signature) in VECTORS {
        let parts = request(method, uri, (ACCESS_KEY, signed, signature), DATE);
        let read = Signature::of(&parts, NOW).unwrap();
        let message = read.message(&parts, body.as_bytes()).unwrap();
        assert_eq!(sign(SECRET_KEY, &message), *signature, "{method} {uri}");
    }
}

/// A registry with acme and a pair of its.
struct World {
    auth: Auth,
    acme: Principal,
    access_key: String,
    secret: Secret,
}

impl World {
    async fn new() -> World {
        let engine = Arc::new(kv::memory::Memory::new());
        let store = kv::Store::open(engine, kv::Region::parse("here").unwrap()).await.unwrap();
        let cost = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let settings = auth::Settings { password_hash: cost, ..auth::Settings::default() };
        let auth = Auth::new(store, Keys::ephemeral().unwrap(), settings);
        let password = Secret::new("correct horse battery staple");
        auth.bootstrap(|| password.clone(), NOW).await.unwrap();
        let acme = auth.authenticate("admin", &password, None, NOW).await.unwrap();
        let (made, secret) = auth.create_access_key(&acme, Description::default(), NOW).await.unwrap();
        World { auth, acme, access_key: made.id.to_string(), secret }
    }

    /// A signed request.
    fn signed(&self, method: &str, uri: &str, signed: &str, date: &str, body: &[u8]) -> Parts {
        let none = "0".repeat(64);
        let unsigned = request(method, uri, (&self.access_key, signed, &none), date);
        let at = Signature::of(&unsigned, super::date(date.as_bytes()).unwrap()).unwrap();
        let signature = sign(self.secret.reveal(), &at.message(&unsigned, body).unwrap());
        request(method, uri, (&self.access_key, signed, &signature), date)
    }

    async fn judged(&self, parts: &Parts, body: &[u8], now: Timestamp) -> String {
        let judged = match Signature::of(parts, now) {
            Ok(signature) => signature.verified(&self.auth, parts, body, None, now).await,
            Err(refusal) => Err(refusal),
        };
        match judged {
            Ok(principal) => {
                assert!(principal.same_as(&self.acme) && !principal.is_narrowed());
                "in".to_owned()
            }
            Err(Refusal::Malformed(_)) => "malformed".to_owned(),
            Err(other) => format!("{other:?}").split([' ', '{', '(']).next().unwrap().to_lowercase(),
        }
    }
}

#[tokio::test]
async fn whatever_is_touched_is_refused() {
    let world = World::new().await;
    let (uri, body) = ("/v2/manage/namespaces/team-a/repos?filter=a::b&limit=10", b"{\"a\": 1}");
    let signed = || world.signed("POST", uri, STANDARD, DATE, body);
    let touch = |change: &dyn Fn(&mut Parts)| {
        let mut parts = signed();
        change(&mut parts);
        parts
    };
    let uri_to = |to: &'static str| move |parts: &mut Parts| parts.uri = to.parse().unwrap();
    let header_to = |name: &'static str, to: &'static str| {
        move |parts: &mut Parts| {
            parts.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(to));
        }
    };
    let touched = [
        touch(&|parts| parts.method = http::Method::PUT),
        touch(&uri_to("/v2/manage/namespaces/team-b/repos?filter=a::b&limit=10")),
        touch(&uri_to("/v2/manage/namespaces/team-a/repos/x?filter=a::b&limit=10")),
        touch(&uri_to("/v2/manage/namespaces/team-a/%72epos%2f?filter=a::b&limit=11")),
        touch(&uri_to("/v2/manage/namespaces/team-a/repos?filter=a::b&limit=1000")),
        touch(&uri_to("/v2/manage/namespaces/team-a/repos?filter=a::b")),
        touch(&uri_to("/v2/manage/namespaces/team-a/repos?filter=a::b&limit=10&limit=10")),
        touch(&uri_to("/v2/manage/namespaces/team-a/repos")),
        touch(&header_to("content-type", "application/xml")),
        touch(&header_to("host", "127.0.0.1:5001")),
        touch(&header_to("x-project-id", "p2")),
        touch(&header_to("x-sdk-date", "20270115T080001Z")),
    ];
    for parts in touched {
        assert_eq!(world.judged(&parts, body, NOW).await, "rejected", "{parts:?}");
    }
    for other in [&b"{\"a\": 2}"[..], b"", b"{\"a\": 1} "] {
        assert_eq!(world.judged(&signed(), other, NOW).await, "rejected", "{other:?}");
    }
    for host in ["evil.example", "127.0.0.1:5001"] {
        // The request's line names another host than the header that is signed.
        let parts = touch(&|parts: &mut Parts| {
            parts.uri = format!("http://{host}{uri}").parse().unwrap();
        });
        assert_eq!(world.judged(&parts, body, NOW).await, "malformed", "{host}");
    }
    // What is written in another way and says the same is the same.
    let same = "/v2/manage/namespaces/team%2Da/repos?limit=10&filter=a%3A%3ab";
    assert_eq!(world.judged(&touch(&uri_to(same)), body, NOW).await, "in");
    let unsigned = touch(&header_to("x-text", "whatever it likes"));
    assert_eq!(world.judged(&unsigned, body, NOW).await, "replayed", "the same signature");
}

#[tokio::test]
async fn a_plus_sign_is_the_blank_that_the_handlers_read() {
    let world = World::new().await;
    let parts = |uri: &str| world.signed("GET", uri, "host;x-sdk-date", DATE, b"");
    let mut plus = parts("/v2/manage/repos?name=a%2Bb");
    plus.uri = "/v2/manage/repos?name=a+b".parse().unwrap();
    assert_eq!(world.judged(&plus, b"", NOW).await, "rejected");
    let mut blank = parts("/v2/manage/repos?name=a%20b");
    blank.uri = "/v2/manage/repos?name=a+b".parse().unwrap();
    assert_eq!(world.judged(&blank, b"", NOW).await, "in");
}

#[tokio::test]
async fn a_change_acts_once_and_a_read_may_repeat() {
    let world = World::new().await;
    for (method, again) in [
        ("GET", "in"),
        ("HEAD", "in"),
        ("POST", "replayed"),
        ("PUT", "replayed"),
        ("PATCH", "replayed"),
        ("DELETE", "replayed"),
    ] {
        let parts = world.signed(method, "/v2/manage/namespaces", STANDARD, DATE, b"{}");
        assert_eq!(world.judged(&parts, b"{}", NOW).await, "in", "{method}");
        assert_eq!(world.judged(&parts, b"{}", NOW).await, again, "{method}");
        let later = world.signed(method, "/v2/manage/namespaces", STANDARD, "20270115T080001Z", b"{}");
        assert_eq!(world.judged(&later, b"{}", NOW).await, "in", "{method}");
    }
    // What is forgotten is what would be refused as too old.
    let parts = world.signed("POST", "/v2/manage/x", STANDARD, DATE, b"");
    assert_eq!(world.judged(&parts, b"", NOW).await, "in");
    let last = NOW + SignedDuration::from_mins(15);
    assert_eq!(world.auth.trim_signatures(last, 100).await.unwrap(), 0);
    assert_eq!(world.judged(&parts, b"", last).await, "replayed");
    let mut trimmed = 0;
    for _ in 0..3 {
        trimmed += world.auth.trim_signatures(NOW + SignedDuration::from_mins(31), 4).await.unwrap();
    }
    assert_eq!(trimmed, 9, "POST, PUT, PATCH and DELETE twice, and the last one");
}

#[tokio::test]
async fn of_two_that_come_at_once_one_acts() {
    let world = World::new().await;
    let parts = world.signed("POST", "/v2/manage/namespaces", STANDARD, DATE, b"{}");
    let judged = futures::future::join_all((0..16).map(|_| world.judged(&parts, b"{}", NOW))).await;
    assert_eq!(judged.iter().filter(|judged| *judged == "in").count(), 1, "{judged:?}");
    assert_eq!(judged.iter().filter(|judged| *judged == "replayed").count(), 15, "{judged:?}");
}

#[tokio::test]
async fn a_clock_may_differ_by_fifteen_minutes() {
    let world = World::new().await;
    let parts = world.signed("GET", "/v2/manage/namespaces", STANDARD, DATE, b"");
    for (seconds, expected) in
        [(-901, "skewed"), (-900, "in"), (0, "in"), (900, "in"), (901, "skewed"), (86_400, "skewed")]
    {
        let now = NOW + SignedDuration::from_secs(seconds);
        assert_eq!(world.judged(&parts, b"", now).await, expected, "{seconds}");
    }
}

#[tokio::test]
async fn what_is_no_signature_is_refused() {
    let world = World::new().await;
    let parts = || world.signed("GET", "/v2/manage/namespaces", STANDARD, DATE, b"");
    let good = parts().headers[AUTHORIZATION].to_str().unwrap().to_owned();
    assert_eq!(world.judged(&parts(), b"", NOW).await, "in");
    let long = good.replace(", SignedHeaders", &format!(",{}SignedHeaders", " ".repeat(9 << 10)));
    let many: Vec<_> = (0..65).map(|n| format!("x-{n:02}")).collect();
    let with = |from: &str, to: &str| good.replace(from, to);
    for authorization in [
        String::new(),
        "SDK-HMAC-SHA256".to_owned(),
        "Basic YWNtZTpzZWNyZXQ=".to_owned(),
        with("SDK-HMAC-SHA256", "SDK-HMAC-SM3"),
        with("Access=", "Access=x"),
        with("Access=", "access="),
        with(STANDARD, ""),
        with(STANDARD, "host"),
        with(STANDARD, "x-sdk-date;host"),
        with(STANDARD, "host;host;x-sdk-date"),
        with(STANDARD, "Host;x-sdk-date"),
        with(STANDARD, "host;;x-sdk-date"),
        with(STANDARD, "host;x sdk;x-sdk-date"),
        with(STANDARD, "host;x-absent;x-sdk-date"),
        with(STANDARD, &format!("host;x-sdk-date;{}", many.join(";"))),
        with("Signature=", "Signature=0"),
        format!("{good}, Signature={}", "0".repeat(64)),
        good[..good.len() - 1].to_owned(),
        good[..good.len() - 64].to_owned() + &good[good.len() - 64..].to_uppercase(),
        long,
    ] {
        let mut parts = parts();
        parts.headers.insert(AUTHORIZATION, HeaderValue::from_str(&authorization).unwrap());
        assert_eq!(world.judged(&parts, b"", NOW).await, "malformed", "{authorization}");
    }
    for date in [
        "",
        "2027-01-15T08:00:00Z",
        "20270115T080000",
        "20271315T080000Z",
        "20270115T086000Z",
        "+0270115T080000Z",
    ] {
        let mut parts = parts();
        parts.headers.insert("x-sdk-date", HeaderValue::from_str(date).unwrap());
        assert_eq!(world.judged(&parts, b"", NOW).await, "malformed", "{date}");
    }
    for name in ["x-sdk-date", "host", "authorization", "x-project-id"] {
        let mut parts = parts();
        let value = parts.headers[name].clone();
        parts.headers.append(HeaderName::from_static(name), value);
        assert_eq!(world.judged(&parts, b"", NOW).await, "malformed", "{name} twice");
    }
    let mut nothing = parts();
    nothing.headers.remove(AUTHORIZATION);
    assert_eq!(world.judged(&nothing, b"", NOW).await, "unsigned");
}

#[tokio::test]
async fn a_body_is_signed_and_bounded() {
    let world = World::new().await;
    let largest = vec![b' '; SIGNED_BODY_BYTES_MAX];
    let parts = world.signed("POST", "/v2/manage/namespaces", STANDARD, DATE, &largest);
    assert_eq!(world.judged(&parts, &largest, NOW).await, "in");
    assert_eq!(world.judged(&parts, &[largest.as_slice(), b" "].concat(), NOW).await, "bodytoolarge");

    // What the signer writes for a body that is no JSON, and does not sign.
    let signed = "host;x-sdk-content-sha256;x-sdk-date";
    let mut parts = request("POST", "/v2/manage/x", (&world.access_key, signed, &"0".repeat(64)), DATE);
    parts.headers.insert("x-sdk-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
    assert_eq!(world.judged(&parts, b"a=b", NOW).await, "malformed");
    assert_eq!(world.judged(&parts, b"", NOW).await, "rejected", "signed with nothing");
}

#[tokio::test]
async fn a_closed_key_signs_nothing_and_nobodys_is_no_different() {
    let world = World::new().await;
    let parts = world.signed("GET", "/v2/manage/namespaces", STANDARD, DATE, b"");
    let id = auth::AccessKeyId::parse(&world.access_key).unwrap();
    for (disabled, expected) in [(true, "rejected"), (false, "in")] {
        world.auth.set_access_key_disabled(&world.acme, &id, disabled, NOW).await.unwrap();
        assert_eq!(world.judged(&parts, b"", NOW).await, expected);
    }
    let nobodys = request("GET", "/v2/manage/namespaces", (ACCESS_KEY, STANDARD, &"0".repeat(64)), DATE);
    assert_eq!(world.judged(&nobodys, b"", NOW).await, "rejected");
    // An empty secret, which stands where there is none, proves nothing.
    let message = Signature::of(&nobodys, NOW).unwrap().message(&nobodys, b"").unwrap();
    let forged = sign("", &message);
    let forged = request("GET", "/v2/manage/namespaces", (ACCESS_KEY, STANDARD, &forged), DATE);
    assert_eq!(world.judged(&forged, b"", NOW).await, "rejected");
    world.auth.delete_access_key(&world.acme, &id, NOW).await.unwrap();
    assert_eq!(world.judged(&parts, b"", NOW).await, "rejected");
}
