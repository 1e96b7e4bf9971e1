//! What may be wrong with a request: every field of every body, every part of every path and every parameter that the
//! document knows, each given every bad value of its kind, by somebody who may do the rest. Whatever is refused is refused
//! with a problem that names what is wrong, tells nothing back that could do harm in a terminal or a log, and leaves the
//! store as it was.

mod fields;
mod protocol;
mod swr;
mod values;

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::question::Asked;
use super::role::{Role, State};
use super::rows;
use super::table::{Cell, Row};
use super::wire::{Answer, Question};
use super::world::{Copy, World, password_of};
use fields::{FIELDS, Field};
use values::{Kind, Verdict, names};

/// Longer than any answer that repeats nothing long.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// A registry that is asked again and again, and made anew when something has changed.
struct Bench {
    world: World,
    copy: Copy,
}

impl Bench {
    async fn new() -> Bench {
        let world = World::new().await;
        let copy = world.copy().await;
        Bench { world, copy }
    }

    /// The answer, and whether the store is another now; the next question is asked of the world as it was.
    async fn ask(&mut self, question: &Question) -> (Answer, bool) {
        let answer = self.copy.wire.ask(question).await;
        (answer, self.renew().await)
    }

    /// Whether the store is another now; the next question is asked of the world as it was.
    async fn renew(&mut self) -> bool {
        let changed = self.copy.differs_from(&self.world).await;
        if changed {
            self.copy = self.world.copy().await;
        }
        changed
    }

    /// The next question is asked of a registry that was asked nothing: wrong passwords are counted.
    async fn forget(&mut self) {
        self.copy = self.world.copy().await;
    }

    /// Asks, and says what is wrong with how it was refused.
    async fn fault(
        &mut self,
        question: &Question,
        expected: &[(u16, &str)],
        field: Option<&str>,
    ) -> Option<String> {
        let (answer, changed) = self.ask(question).await;
        let (body, status) = (answer.json(), answer.status.as_u16());
        let code = body["code"].as_str().unwrap_or_default();
        let told = body["field"].as_str().unwrap_or_default();
        let named = field.is_none_or(|field| {
            told.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        });
        let fault = if !expected.contains(&(status, code)) {
            format!("{status} {code:?} instead of {expected:?}")
        } else if !named {
            format!("{told:?} is named instead of {field:?}")
        } else if changed {
            "something has changed".to_owned()
        } else {
            harm(&answer)?
        };
        Some(format!("{fault}: {}", shortened(&answer.text())))
    }
}

/// What an answer must not have in it.
fn harm(answer: &Answer) -> Option<String> {
    let mut texts = Vec::new();
    collect(&answer.json(), &mut texts);
    if answer.body.len() > ANSWER_BYTES_MAX {
        Some(format!("an answer of {} bytes", answer.body.len()))
    } else if texts
        .iter()
        .any(|text| text.chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}')))
    {
        Some("a control character is told back".to_owned())
    } else {
        None
    }
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            texts.push(name.clone());
            collect(value, texts);
        }),
        _ => {}
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}

fn document() -> Value {
    serde_json::from_str(crate::openapi()).unwrap()
}

fn operation<'d>(document: &'d Value, row: &Row) -> &'d Value {
    &document["paths"][row.path()][row.method.to_lowercase()]
}

/// The schema of a row's body, by name.
fn schema(document: &Value, row: &Row) -> Option<String> {
    let schema = &operation(document, row)["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    Some(schema.as_str()?.rsplit('/').next()?.to_owned())
}

/// Rows of the management interface, each with somebody who may do it.
fn allowed() -> Vec<(&'static Row, State, Role)> {
    let rows =
        rows().filter(|row| row.path().starts_with("/api/v1/") && row.path() != "/api/v1/openapi.json");
    rows.filter_map(|row| {
        let may: Vec<_> = row.cells().filter(|(_, _, cell)| *cell == Cell::Done).collect();
        // Whoever changes its own password has to give the old one: the last who may, but for the administrator.
        let own = row.body.is_some_and(|body| body.contains("current_password"));
        let chosen = if own {
            may.iter().rev().find(|(_, role, _)| *role != Role::Administrator)
        } else {
            may.first()
        };
        chosen.map(|(state, role, _)| (row, *state, *role))
    })
    .collect()
}

/// The question with `body` in the place of the row's.
async fn with_body(bench: &Bench, allowed: (&Row, State, Role), body: &Value) -> Question {
    let (row, state, role) = allowed;
    let asked = Asked { world: &bench.world, row, state, role };
    Question { body: body.to_string().into_bytes(), ..asked.plain(&bench.copy).await }
}

fn beside(field: &Field, role: Role) -> Map<String, Value> {
    let current = role.login().map(password_of).unwrap_or_default();
    serde_json::from_str(&field.beside.replace("{current}", &current)).unwrap()
}

fn and(mut body: Map<String, Value>, name: &str, value: Value) -> Value {
    body.insert(name.to_owned(), value);
    Value::Object(body)
}

#[test]
fn every_field_of_the_document_is_listed() {
    let document = document();
    let mut there = BTreeSet::new();
    for (row, ..) in allowed() {
        let Some(schema) = schema(&document, row) else { continue };
        let properties = document["components"]["schemas"][&schema]["properties"].as_object().unwrap();
        there.extend(properties.keys().map(|name| (schema.clone(), name.clone())));
    }
    let listed = FIELDS.iter().map(|field| (field.schema.to_owned(), field.name.to_owned()));
    assert_eq!(listed.collect::<BTreeSet<_>>(), there, "left: fields.rs, right: the document");
}

#[tokio::test]
async fn every_field_refuses_what_it_cannot_be() {
    let (mut bench, document, mut faults, mut asked) = (Bench::new().await, document(), Vec::new(), 0);
    for (row, state, role) in allowed() {
        let Some(schema) = schema(&document, row) else { continue };
        // An account is closed by an administrator, who is not asked for a password.
        let of_row = |field: &&Field| field.schema == schema && fits(row, field);
        for field in FIELDS.iter().filter(of_row) {
            for (value, verdict) in field.kind.values() {
                asked += 1;
                let body = and(beside(field, role), field.name, value.clone());
                let question = with_body(&bench, (row, state, role), &body).await;
                let fault = match verdict {
                    Verdict::Refused(status, code) => {
                        bench.fault(&question, &[(status, code)], Some(field.name)).await
                    }
                    Verdict::Fine => {
                        let (answer, _) = bench.ask(&question).await;
                        let refused = answer.status.as_u16() != row.done;
                        refused.then(|| format!("refused: {}", shortened(&answer.text())))
                    }
                };
                let shown = shortened(&value.to_string());
                faults.extend(fault.map(|fault| format!("{} {}={shown}: {fault}", row.name(), field.name)));
                if field.name == "current_password" {
                    bench.forget().await;
                }
            }
        }
    }
    assert!(asked > 500, "only {asked} values were asked");
    assert!(faults.is_empty(), "{} faults in {asked} values:\n{}", faults.len(), faults.join("\n"));
}

/// Whether the row is the one that this field of its body is asked with.
fn fits(row: &Row, field: &Field) -> bool {
    field.schema != "CredentialChange"
        || row.body.is_some_and(|body| body.contains(&format!("\"{}\"", field.name)))
}

#[tokio::test]
async fn a_field_that_is_needed_is_missed_by_its_name() {
    let (mut bench, document, mut faults) = (Bench::new().await, document(), Vec::new());
    for (row, state, role) in allowed() {
        let Some(schema) = schema(&document, row) else { continue };
        for field in FIELDS.iter().filter(|field| field.schema == schema && fits(row, field)) {
            let without = Value::Object(beside(field, role));
            let null = and(beside(field, role), field.name, Value::Null);
            for body in [without, null] {
                let question = with_body(&bench, (row, state, role), &body).await;
                let needed = field.absent == Some("field_missing");
                let fault = match field.absent {
                    None => {
                        let (answer, _) = bench.ask(&question).await;
                        (answer.status.as_u16() != row.done).then(|| shortened(&answer.text()))
                    }
                    Some(_) if needed => {
                        let expected = [(400, "field_missing"), (400, "invalid")];
                        bench.fault(&question, &expected, Some(field.name)).await
                    }
                    Some(code) => bench.fault(&question, &[(400, code), (422, code)], None).await,
                };
                faults.extend(fault.map(|fault| format!("{} {body}: {fault}", row.name())));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn a_field_that_is_not_there_is_refused_by_its_name() {
    let (mut bench, document, mut faults) = (Bench::new().await, document(), Vec::new());
    for (row, state, role) in allowed() {
        if schema(&document, row).is_none() {
            continue;
        }
        for (name, _) in names(Verdict::Fine) {
            let question = with_body(&bench, (row, state, role), &json!({ name.clone(): 1 })).await;
            let fault = bench.fault(&question, &[(400, "field_unknown")], None).await;
            faults.extend(fault.map(|fault| format!("{} {:?}: {fault}", row.name(), shortened(&name))));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// 2^53: no id, and a name of some things.
const DIGITS: &str = "9007199254740992";

/// What no part of a path can be, percent-encoded; some of it is not even text.
fn segments() -> Vec<String> {
    let encoded = names(Verdict::Fine)
        .into_iter()
        .map(|(text, _)| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
    encoded.chain(["%FF", "%C0%AF", "%00", "%ED%A0%80", DIGITS, "-7"].map(str::to_owned)).collect()
}

#[tokio::test]
async fn every_part_of_every_path_refuses_what_it_cannot_be() {
    let (mut bench, mut faults, mut asked) = (Bench::new().await, Vec::new(), 0);
    for (row, state, role) in allowed() {
        let parts: Vec<_> =
            row.path().split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let valid = Asked { world: &bench.world, row, state, role }.plain(&bench.copy).await;
        let of_path: Vec<_> = row.path().split('/').collect();
        for part in parts {
            for segment in segments() {
                asked += 1;
                let nth = of_path.iter().position(|of| *of == format!("{{{part}}}")).unwrap();
                let target = valid.target.split('/').enumerate();
                let target: Vec<_> =
                    target.map(|(n, old)| if n == nth { segment.as_str() } else { old }).collect();
                let question = Question { target: target.join("/"), ..valid.clone() };
                let expected = impossible(row, part, &segment);
                let field =
                    (expected == (400, "invalid") && !segment.starts_with("%FF") && !not_text(&segment))
                        .then_some(part);
                let fault = bench.fault(&question, &[expected], field).await;
                faults.extend(
                    fault.map(|fault| format!("{} {part}={}: {fault}", row.name(), shortened(&segment))),
                );
            }
        }
    }
    assert!(asked > 500, "only {asked} parts were asked");
    assert!(faults.is_empty(), "{} faults in {asked} parts:\n{}", faults.len(), faults.join("\n"));
}

fn not_text(segment: &str) -> bool {
    percent_encoding::percent_decode_str(segment).decode_utf8().is_err()
}

/// What `segment` is answered as the `part` of `row`'s path.
fn impossible(row: &Row, part: &str, segment: &str) -> (u16, &'static str) {
    match (part, segment) {
        (part, "") if row.path().ends_with(&format!("{{{part}}}")) => (404, "path_unknown"),
        (_, climbing) if climbing.contains("%2E%2E") => (404, "path_unknown"),
        // These can be such names, and there is none.
        ("tag", "A") | ("tag" | "user" | "namespace", DIGITS) => (404, "not_found"),
        _ => (400, "invalid"),
    }
}

/// The parameters of queries, with what they are for.
const PARAMETERS: &[(&str, Kind)] = &[
    ("after", Kind::Description),
    ("limit", Kind::Seconds),
    ("namespace", Kind::Name),
    ("empty", Kind::Boolean),
    ("direction", Kind::Word),
    ("of", Kind::Name),
    ("gone", Kind::Word),
    ("made", Kind::Word),
    ("account", Kind::Name),
    ("kind", Kind::Word),
    ("actor", Kind::Description),
    ("subject", Kind::Description),
    ("result", Kind::Word),
    ("address", Kind::Word),
    ("from", Kind::Deadline),
    ("to", Kind::Deadline),
    ("order", Kind::Word),
];

#[tokio::test]
async fn every_parameter_refuses_what_it_cannot_be() {
    let (mut bench, document, mut faults, mut asked) = (Bench::new().await, document(), Vec::new(), 0);
    for (row, state, role) in allowed() {
        let parameters = operation(&document, row)["parameters"].as_array().cloned().unwrap_or_default();
        let valid = Asked { world: &bench.world, row, state, role }.plain(&bench.copy).await;
        let path = valid.target.split('?').next().unwrap().to_owned();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let known = PARAMETERS.iter().find(|(known, _)| *known == name);
            let (_, kind) =
                known.unwrap_or_else(|| panic!("{}: what is the parameter {name} for?", row.name()));
            // What else is needed.
            let rest = valid.target.split_once('?').map_or("", |(_, query)| query);
            let rest = if rest.starts_with(&format!("{name}=")) { "" } else { rest };
            for segment in segments() {
                asked += 1;
                let question =
                    Question { target: format!("{path}?{name}={segment}&{rest}"), ..valid.clone() };
                let fault = if *kind == Kind::Description {
                    // Any text is a place in a list of names; a list of ids takes ids.
                    let (answer, _) = bench.ask(&question).await;
                    let fine =
                        matches!(answer.status.as_u16(), 200 | 400) && harm_of_refusal(&answer).is_none();
                    (!fine).then(|| shortened(&answer.text()))
                } else {
                    let is_name = name == "namespace" && segment == DIGITS;
                    let expected = if is_name { (404, "not_found") } else { (400, "invalid") };
                    bench.fault(&question, &[expected], (!is_name).then_some(name)).await
                };
                faults.extend(
                    fault.map(|fault| format!("{} {name}={}: {fault}", row.name(), shortened(&segment))),
                );
            }
        }
        for segment in segments().into_iter().filter(|segment| !segment.is_empty()) {
            let question = Question { target: format!("{path}?{segment}=1"), ..valid.clone() };
            // Only what takes no parameter at all does not look.
            if parameters.iter().any(|parameter| parameter["in"] == "query") {
                let fault = bench.fault(&question, &[(400, "field_unknown")], None).await;
                faults.extend(fault.map(|fault| format!("{} ?{}: {fault}", row.name(), shortened(&segment))));
            }
        }
    }
    assert!(asked > 300, "only {asked} parameters were asked");
    assert!(faults.is_empty(), "{} faults in {asked} parameters:\n{}", faults.len(), faults.join("\n"));
}

fn harm_of_refusal(answer: &Answer) -> Option<String> {
    if answer.status.is_success() { None } else { harm(answer) }
}
