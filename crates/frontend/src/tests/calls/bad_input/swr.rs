//! The same for the SWR management API. It has no document that lists fields and parameters, so the rows of the table are
//! touched: every part of every path, every field of every body, and queries that nothing knows. What exactly each field
//! is told stands in `tests/swr/bad_input.rs`; here is what holds for all of it.

use serde_json::{Value, json};

use super::{Bench, Verdict, harm, names, segments, shortened};
use crate::tests::calls::question::Asked;
use crate::tests::calls::role::{Role, State};
use crate::tests::calls::rows;
use crate::tests::calls::table::{Cell, Row};
use crate::tests::calls::wire::{Answer, Question};

/// Rows, each with somebody who may do it.
fn allowed() -> Vec<(&'static Row, State, Role)> {
    let first = |row: &'static Row| {
        let (state, role, _) = row.cells().find(|(_, _, cell)| *cell == Cell::Done)?;
        Some((row, state, role))
    };
    rows().filter(|row| row.is_swr()).filter_map(first).collect()
}

/// What is wrong with how it was refused, if it was.
fn fault_of_refusal(answer: &Answer, changed: bool) -> Option<String> {
    match answer.status.as_u16() {
        200..=299 => None,
        400..=499 if changed => Some("it is refused, and something has changed".to_owned()),
        400..=499 if !answer.codes().iter().any(|code| code.starts_with("SVCSTG.SWR.")) => {
            Some("it is refused without a code".to_owned())
        }
        400..=499 => harm(answer),
        status => Some(format!("{status}")),
    }
}

/// Asks each of `questions` about a row, signed by who may do it, and says what is wrong with the answers; where they
/// `must` be refused, that they were not.
async fn ask(
    bench: &mut Bench,
    (row, state, role): (&Row, State, Role),
    questions: Vec<Question>,
    must: bool,
) -> Vec<String> {
    let mut faults = Vec::new();
    for question in questions {
        let sealed = Asked { world: &bench.world, row, state, role }.sealed(question);
        let (answer, changed) = bench.ask(&sealed).await;
        let accepted = must && answer.status.is_success();
        let fault =
            fault_of_refusal(&answer, changed).or_else(|| accepted.then(|| "it is not refused".to_owned()));
        let (target, body) = (shortened(&sealed.target), shortened(&String::from_utf8_lossy(&sealed.body)));
        faults.extend(
            fault.map(|fault| {
                format!("{} {target} {body}: {fault}: {}", row.name(), shortened(&answer.text()))
            }),
        );
    }
    faults
}

async fn unsealed(bench: &Bench, (row, state, role): (&Row, State, Role)) -> Question {
    Asked { world: &bench.world, row, state, role }.unsealed(&bench.copy).await
}

#[tokio::test]
async fn parts_of_paths_and_queries_that_are_none() {
    let (mut bench, mut faults) = (Bench::new().await, Vec::new());
    for allowed in allowed() {
        let valid = unsealed(&bench, allowed).await;
        let (path, query) = valid.target.split_once('?').unwrap_or((&valid.target, ""));
        let parts = allowed.0.path().split('/').enumerate().filter(|(_, part)| part.starts_with('{'));
        let mut questions = Vec::new();
        for (nth, _) in parts {
            for segment in segments() {
                let touched = path.split('/').enumerate();
                let touched: Vec<_> =
                    touched.map(|(n, old)| if n == nth { segment.as_str() } else { old }).collect();
                questions.push(Question { target: touched.join("/"), ..valid.clone() });
            }
        }
        faults.extend(ask(&mut bench, allowed, questions, true).await);
        let queries = segments().into_iter().map(|segment| format!("{path}?{query}&{segment}=1"));
        let questions = queries.map(|target| Question { target, ..valid.clone() }).collect();
        faults.extend(ask(&mut bench, allowed, questions, false).await);
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The body of a row with each field touched in each way.
fn touched(body: &Value) -> Vec<Value> {
    let object = if body.is_array() { &body[0] } else { body };
    let whole = |object: Value| if body.is_array() { json!([object]) } else { object };
    let wrong =
        [json!(null), json!(-1), json!(1.5), json!(u64::MAX), json!(true), json!([[]]), json!({"a": 1})];
    let texts = names(Verdict::Fine).into_iter().map(|(text, _)| Value::String(text));
    let values: Vec<_> = texts.chain(wrong).collect();
    let Some(fields) = object.as_object() else { return values.into_iter().map(whole).collect() };
    let mut bodies = Vec::new();
    for name in fields.keys() {
        let mut without = fields.clone();
        without.remove(name);
        bodies.push(whole(Value::Object(without)));
        for value in &values {
            let mut other = fields.clone();
            other.insert(name.clone(), value.clone());
            bodies.push(whole(Value::Object(other)));
        }
    }
    bodies
}

#[tokio::test]
async fn fields_of_bodies_that_are_none() {
    let (mut bench, mut faults) = (Bench::new().await, Vec::new());
    for allowed in allowed() {
        let valid = unsealed(&bench, allowed).await;
        let Ok(body) = serde_json::from_slice::<Value>(&valid.body) else { continue };
        let with = |body: Value| Question { body: body.to_string().into_bytes(), ..valid.clone() };
        let questions = touched(&body).into_iter().map(with).collect();
        faults.extend(ask(&mut bench, allowed, questions, false).await);
        // No field has such a name, and no body is of such a type.
        let unknown = names(Verdict::Fine).into_iter().map(|(name, _)| json!({ name: 1 }));
        let others = [json!(null), json!(7), json!("text"), json!([7, null]), json!({"a": {"b": []}})];
        let questions = unknown.chain(others).map(with).collect();
        faults.extend(ask(&mut bench, allowed, questions, true).await);
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
