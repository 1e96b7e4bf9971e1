//! Every door answers a name that nobody has as one whose password is wrong: by the same text, after the same reads. That
//! both cost one hash is tested in `auth`, where hashes are counted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::question::same;
use super::wire::Question;
use super::world::World;

const FORM: &str = "application/x-www-form-urlencoded";

/// Every way to give a name and a password.
fn doors(login: &str) -> Vec<Question> {
    let basic = format!("Basic {}", STANDARD.encode(format!("{login}:a wrong password")));
    let with_basic = |method: &'static str, target: &str| Question {
        method,
        target: target.to_owned(),
        headers: vec![("authorization", basic.clone())],
        body: Vec::new(),
    };
    let body = format!("grant_type=password&service=gangplank&username={login}&password=a wrong password");
    vec![
        with_basic("GET", "/v2/"),
        with_basic("GET", "/v2/_catalog"),
        with_basic("GET", "/v2/team-a/web/manifests/v1"),
        with_basic("GET", "/v2/team-a/open/manifests/v1"),
        with_basic("POST", "/v2/team-a/web/blobs/uploads/"),
        with_basic("PATCH", "/v2/team-a/web/blobs/uploads/00000000000000000000000000000001"),
        with_basic("GET", "/auth/token?service=gangplank&scope=repository:team-a/web:pull"),
        Question {
            method: "POST",
            target: "/auth/token".to_owned(),
            headers: vec![("content-type", FORM.to_owned())],
            body: body.into_bytes(),
        },
        with_basic("GET", "/api/v1/whoami"),
        with_basic("POST", "/api/v1/repositories/team-a%2Fweb/shares"),
    ]
}

#[tokio::test]
async fn every_door_answers_an_unknown_name_as_a_wrong_password() {
    let world = World::new().await;
    for (there, not_there) in [
        ("acme", "missing"),
        ("editor@acme", "missing@acme"),
        ("editor@acme", "editor@missing"),
        ("ops@globex", "missing@missing"),
    ] {
        for (known, unknown) in doors(there).into_iter().zip(doors(not_there)) {
            // Copies of their own: a name that was asked for too often has to wait.
            let (one, reads) = world.copy().await.ask(&known).await;
            let (other, others) = world.copy().await.ask(&unknown).await;
            let door = format!("{} {} of {there}", known.method, known.target);
            assert_eq!(one.status, 401, "{door}: {}", one.text());
            same(&one, &other, ("", "")).unwrap_or_else(|fault| panic!("{door}: {fault}"));
            assert_eq!(reads, others, "{door}");
        }
    }
}
