//! The same for the registry's protocol and the token service: names, digests, queries, headers and forms that are none.

use super::{Bench, Verdict, harm, names, segments, shortened};
use crate::tests::calls::question::Asked;
use crate::tests::calls::role::{Role, State};
use crate::tests::calls::rows;
use crate::tests::calls::table::Row;
use crate::tests::calls::wire::{Answer, Question};

/// Whether a request was refused in the specification's form, for a reason of the client's.
fn refused(answer: &Answer) -> Option<String> {
    let status = answer.status.as_u16();
    let codes = answer.codes();
    if !(400..500).contains(&status) {
        Some(format!("{status}"))
    } else if codes.is_empty() && answer.json()["errors"].is_null() {
        Some("no errors in the specification's form".to_owned())
    } else {
        harm(answer)
    }
}

fn registry_rows() -> impl Iterator<Item = &'static Row> {
    rows().filter(|row| row.is_registry() && row.bound.iter().all(|(name, _)| *name != "repository"))
}

async fn valid(bench: &Bench, row: &Row) -> Question {
    let state = row.cells[0].0;
    Asked { world: &bench.world, row, state, role: Role::Owner }.plain(&bench.copy).await
}

#[tokio::test]
async fn names_digests_and_references_that_are_none() {
    let (mut bench, mut faults, mut asked) = (Bench::new().await, Vec::new(), 0);
    for row in registry_rows() {
        let question = valid(&bench, row).await;
        let digest = bench.world.value(Role::Owner, State::Shared, "image").unwrap();
        let places = [
            ("{repository}", State::Shared.repository().to_owned()),
            ("{image}", digest),
            ("{layer}", bench.world.value(Role::Owner, State::Shared, "layer").unwrap()),
            ("{loose}", bench.world.value(Role::Owner, State::Shared, "loose").unwrap()),
            ("{upload}", bench.world.value(Role::Owner, State::Shared, "upload").unwrap()),
        ];
        for (word, good) in places {
            if row.method == "HEAD" || !row.path().contains(word) {
                continue;
            }
            for segment in segments() {
                asked += 1;
                let bad =
                    Question { target: question.target.replacen(&good, &segment, 1), ..question.clone() };
                let (answer, changed) = bench.ask(&bad).await;
                let fault = refused(&answer).or_else(|| changed.then(|| "something has changed".to_owned()));
                let shown = shortened(&bad.target);
                faults.extend(
                    fault.map(|fault| {
                        format!("{} {shown}: {fault}: {}", row.name(), shortened(&answer.text()))
                    }),
                );
            }
        }
    }
    assert!(asked > 300, "only {asked} were asked");
    assert!(faults.is_empty(), "{} faults in {asked}:\n{}", faults.len(), faults.join("\n"));
}

/// Parameters that routes look at; some routes take some of them, and the rest look away.
const PARAMETERS: &[&str] =
    &["n", "last", "digest", "digest-algorithm", "mount", "from", "artifactType", "tag", "unknown"];
/// Headers that routes look at.
const HEADERS: &[&str] = &[
    "authorization",
    "content-type",
    "content-range",
    "range",
    "if-none-match",
    "if-range",
    "accept",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-for",
];

/// One bad value of each sort, percent-encoded: enough where every route takes each parameter.
const FEW: &[&str] = &[
    "",
    "two%20words",
    "%E6%BC%A2%E5%AD%97",
    "%07",
    "a%0D%0Aset-cookie:%20b",
    "%2E%2E%2F%2E%2E%2Fetc%2Fpasswd",
    "%FF",
    "%00",
    super::DIGITS,
    "99999999999999999999",
    "-7",
    "sha256:0",
    "%F0%9F%9A%A2%F0%9F%9A%A2%F0%9F%9A%A2",
];

#[tokio::test]
async fn queries_that_are_none() {
    let (mut bench, mut faults) = (Bench::new().await, Vec::new());
    for row in registry_rows().filter(|row| row.method != "HEAD" && !row.target.contains("others")) {
        let question = valid(&bench, row).await;
        for parameter in PARAMETERS {
            for segment in FEW {
                let path = question.target.split('?').next().unwrap();
                let bad = Question { target: format!("{path}?{parameter}={segment}"), ..question.clone() };
                let (answer, changed) = bench.ask(&bad).await;
                faults.extend(fault(row, &answer, changed, &bad.target));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What is refused changes nothing, and is not our failure.
fn fault(row: &Row, answer: &Answer, changed: bool, given: &str) -> Option<String> {
    let status = answer.status.as_u16();
    let fault = match status {
        200..=399 => return None,
        400..=499 if changed && row.method != "POST" => "something has changed".to_owned(),
        400..=499 => refused(answer)?,
        status => format!("{status}"),
    };
    Some(format!("{} {}: {fault}: {}", row.name(), shortened(given), shortened(&answer.text())))
}

#[tokio::test]
async fn headers_that_are_none() {
    let (mut bench, mut faults) = (Bench::new().await, Vec::new());
    for row in registry_rows().filter(|row| row.method != "HEAD" && !row.target.contains("others")) {
        let question = valid(&bench, row).await;
        for header in HEADERS {
            for (value, _) in names(Verdict::Fine) {
                // A line end would be another header, and NUL no HTTP.
                if value.contains(['\r', '\n', '\0']) || value.len() > 8192 {
                    continue;
                }
                let mut headers = question.headers.clone();
                headers.retain(|(name, _)| name != header);
                headers.push((header, value.clone()));
                let bad = Question { headers, ..question.clone() };
                let Some(answer) = bench.copy.wire.try_ask(&bad).await else { continue };
                let changed = bench.renew().await;
                faults.extend(fault(row, &answer, changed, &format!("{header}: {value}")));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

const FORM: &str = "grant_type=password&service=gangplank&username=acme&password=the password of acme";

#[tokio::test]
async fn forms_of_the_token_service_that_are_none() {
    let (mut bench, mut faults) = (Bench::new().await, Vec::new());
    for field in [
        "grant_type",
        "username",
        "password",
        "refresh_token",
        "service",
        "scope",
        "access_type",
        "client_id",
    ] {
        let rest: Vec<_> = FORM.split('&').filter(|pair| !pair.starts_with(&format!("{field}="))).collect();
        let grant = if field == "refresh_token" { "grant_type=refresh_token" } else { "" };
        let needed = matches!(field, "grant_type" | "username" | "password" | "refresh_token");
        let absent = std::iter::once(format!("{grant}&{}", rest.join("&")));
        let given =
            segments().into_iter().map(|segment| format!("{grant}&{}&{field}={segment}", rest.join("&")));
        for body in absent.chain(given) {
            let question = Question {
                method: "POST",
                target: "/auth/token".to_owned(),
                headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
                body: body.clone().into_bytes(),
            };
            // Who errs too often has to wait: each comes to a registry that knows nothing of the others.
            bench.copy = bench.world.copy().await;
            let (answer, changed) = bench.ask(&question).await;
            let status = answer.status.as_u16();
            let fault = match (status, needed) {
                (400 | 401, true) => refused(&answer),
                (200, false) => None,
                (status, _) => Some(status.to_string()),
            };
            let fault = fault.or_else(|| changed.then(|| "something has changed".to_owned()));
            faults.extend(
                fault.map(|fault| format!("{}: {fault}: {}", shortened(&body), shortened(&answer.text()))),
            );
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
