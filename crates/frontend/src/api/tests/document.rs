//! The document of the interface: complete, consistent, and of the routes that are served.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::registry::Registry;
use super::schema::Schemas;

/// Every operation there is: what the document lists must be exactly this.
const OPERATIONS: &[(&str, &str)] = &[
    ("/openapi.json", "GET"),
    ("/whoami", "GET"),
    ("/accounts", "GET POST"),
    ("/accounts/{account}", "GET PATCH DELETE"),
    ("/accounts/{account}/users", "GET POST"),
    ("/accounts/{account}/users/{user}", "GET PATCH DELETE"),
    ("/namespaces", "GET POST"),
    ("/namespaces/{namespace}", "GET DELETE"),
    ("/namespaces/{namespace}/permissions", "GET"),
    ("/namespaces/{namespace}/permissions/{user}", "PUT DELETE"),
    ("/repositories", "GET POST"),
    ("/repositories/{repository}", "GET PATCH DELETE"),
    ("/repositories/{repository}/tags", "GET"),
    ("/repositories/{repository}/tags/{tag}", "GET DELETE"),
    ("/repositories/{repository}/permissions", "GET"),
    ("/repositories/{repository}/permissions/{user}", "PUT DELETE"),
    ("/repositories/{repository}/shares", "GET POST"),
    ("/repositories/{repository}/shares/{account}", "GET PATCH DELETE"),
    ("/repositories/{repository}/shares/{account}/usage", "GET"),
    ("/audit", "GET"),
    ("/shares", "GET POST"),
    ("/shares/{id}", "DELETE"),
    ("/blocked-owners", "GET POST"),
    ("/blocked-owners/{account}", "DELETE"),
    ("/tokens", "GET POST"),
    ("/tokens/{id}", "DELETE"),
    ("/logins", "POST"),
    ("/access-keys", "GET POST"),
    ("/access-keys/{access_key}", "PATCH DELETE"),
    ("/directory", "GET PUT"),
    ("/system", "GET"),
    ("/accounts/{account}/reservation", "DELETE"),
    ("/accounts/{account}/profile", "GET PATCH"),
    ("/namespaces/{namespace}/reservation", "DELETE"),
    ("/webhooks", "GET POST"),
    ("/webhooks/{webhook}", "GET PATCH DELETE"),
    ("/webhooks/{webhook}/deliveries", "GET POST"),
];
const METHODS: &[&str] = &["GET", "PUT", "POST", "PATCH", "DELETE"];

pub(super) fn document() -> Value {
    serde_json::from_str(crate::api::openapi()).unwrap()
}

/// The operations of `document`, as method and path below `/api/v1`.
pub(super) fn operations(document: &Value) -> impl Iterator<Item = (String, String)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let path = path.strip_prefix("/api/v1").unwrap_or_else(|| panic!("{path} lies elsewhere")).to_owned();
        item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
    })
}

#[test]
fn lists_exactly_the_operations_there_are() {
    let listed: BTreeSet<(String, String)> = operations(&document()).collect();
    let wanted = OPERATIONS
        .iter()
        .flat_map(|(path, methods)| methods.split(' ').map(|method| (method.to_owned(), (*path).to_owned())));
    assert_eq!(listed, wanted.collect());
}

#[tokio::test]
async fn what_is_listed_is_served_and_nothing_else() {
    let registry = Registry::furnished().await;
    for (path, methods) in OPERATIONS {
        let path = path.replace("{repository}", "team-a%2Fweb").replace("{id}", "7").replace(['{', '}'], "");
        for method in METHODS {
            let answer = registry.send("", method, &path, None).await;
            let served = methods.split(' ').any(|served| served == *method);
            let expected = match (served, path.as_str()) {
                (true, "/openapi.json") => 200,
                (true, _) => 401,
                (false, _) => 405,
            };
            assert_eq!(answer.status.as_u16(), expected, "{method} {path}: {}", answer.body);
            if !served {
                assert_eq!(answer.problem().1, "method_not_allowed");
                let allow: BTreeSet<_> = answer.headers["allow"].to_str().unwrap().split(',').collect();
                assert!(methods.split(' ').all(|method| allow.contains(method)), "{path}: {allow:?}");
            }
        }
    }
    for path in
        ["", "/", "/whoami/", "/nothing", "/repositories/team-a/web", "/accounts/acme/users/dev/tokens"]
    {
        let answer = registry.send("acme", "GET", path, None).await;
        assert_eq!(answer.problem(), (404, "path_unknown", None), "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[test]
fn every_operation_is_documented() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["security"], json!([{"basic": []}, {"bearer": []}]));
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        (&schemes["basic"]["scheme"], &schemes["bearer"]["scheme"]),
        (&json!("basic"), &json!("bearer"))
    );
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let (schemas, mut ids) = (Schemas(&document), BTreeSet::new());
    for (method, path) in operations(&document) {
        let operation = &document["paths"][format!("/api/v1{path}")][method.to_lowercase()];
        let at = format!("{method} {path}");
        assert!(
            operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')),
            "{at}: no summary"
        );
        assert!(
            ids.insert(operation["operationId"].as_str().expect("an id").to_owned()),
            "{at}: its id is taken"
        );
        let of = operation["tags"].as_array().unwrap();
        assert!(of.len() == 1 && tags.contains(&&of[0]), "{at}: its tag is not described");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{at}: no success");
        for response in responses.values() {
            let described = schemas.resolve(response)["description"].as_str().unwrap_or_default();
            assert!(!described.is_empty(), "{at}: a response without a description");
        }
        if path != "/openapi.json" {
            assert!(
                ["401", "429", "500", "503"].iter().all(|status| responses.contains_key(*status)),
                "{at}"
            );
        }
        let names_something = path.contains('{');
        assert!(!names_something || responses.contains_key("404"), "{at}: no 404");
        let takes_a_body = ["POST", "PUT", "PATCH"].contains(&method.as_str());
        assert_eq!(operation.get("requestBody").is_some(), takes_a_body, "{at}");
        assert_eq!(responses.contains_key("415"), takes_a_body, "{at}");
        assert_eq!(responses.contains_key("507"), method != "GET", "{at}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{at}: {parameter}");
            assert_eq!(
                parameter["required"] == true,
                parameter["in"] == "path" || parameter["name"] == "direction"
            );
        }
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = document();
    let (mut schemas_with, checker) = (0, Schemas(&document));
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if let Some(example) = schema.get("example") {
            assert_eq!(checker.faults(schema, example), Vec::<String>::new(), "{name}");
            schemas_with += 1;
        }
    }
    assert!(schemas_with >= 18, "only {schemas_with} schemas have an example");
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        let content = &response["content"]["application/problem+json"];
        assert_eq!(checker.faults(&content["schema"], &content["example"]), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn every_reference_points_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
}
