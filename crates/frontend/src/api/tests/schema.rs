//! Checks JSON against the schemas of the OpenAPI document. It knows the part of JSON Schema that the document uses; a
//! keyword beyond that is a failure, so that a schema never passes for not being understood. Stricter than JSON Schema
//! in one point: a property that the schema does not list is a failure.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The document whose schemas are meant.
pub(super) struct Schemas<'a>(pub(super) &'a Value);

impl Schemas<'_> {
    /// What is wrong with `value`; empty when it fits.
    pub(super) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, "$", &mut faults);
        faults
    }

    /// What `reference` points at.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let pointer = reference.strip_prefix('#').expect("references stay in the document");
                self.0.pointer(pointer).unwrap_or_else(|| panic!("{reference} points nowhere"))
            }
            None => schema,
        }
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let words = schema.as_object().unwrap_or_else(|| panic!("{at}: a schema is an object, not {schema}"));
        for (word, rule) in words {
            match word.as_str() {
                "type" => check_type(rule, value, at, faults),
                "format" => check_format(rule, value, at, faults),
                "enum" if !rule.as_array().expect("a list").contains(value) => {
                    faults.push(format!("{at}: {value} is none of {rule}"));
                }
                "minimum" if value.as_u64().zip(rule.as_u64()).is_some_and(|(is, least)| is < least) => {
                    faults.push(format!("{at}: {value} is below {rule}"));
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{at}[{index}]"), faults);
                    }
                }
                "oneOf" => {
                    let fits = |choice: &&Value| self.faults(choice, value).is_empty();
                    if rule.as_array().expect("a list").iter().filter(fits).count() != 1 {
                        faults.push(format!("{at}: {value} does not fit exactly one of {rule}"));
                    }
                }
                "properties" | "required" | "allOf" | "additionalProperties" => {}
                "enum" | "minimum" | "title" | "description" | "example" | "examples" | "default" => {}
                other => panic!("{at}: the keyword `{other}` is not known to this check"),
            }
        }
        self.check_object(schema, value, at, faults);
    }

    fn check_object(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        self.collect(schema, &mut properties, &mut required);
        let Some(object) = value.as_object().filter(|_| !properties.is_empty()) else { return };
        for name in required.iter().filter(|name| !object.contains_key(*name)) {
            faults.push(format!("{at}: {name} is missing"));
        }
        for (name, value) in object {
            match properties.get(name) {
                Some(schema) => self.check(schema, value, &format!("{at}.{name}"), faults),
                None => faults.push(format!("{at}: {name} is not listed")),
            }
        }
    }

    /// The properties of a schema and of all that it is made of.
    fn collect(&self, schema: &Value, properties: &mut Map<String, Value>, required: &mut Vec<String>) {
        let schema = self.resolve(schema);
        if let Some(own) = schema.get("properties").and_then(Value::as_object) {
            properties.extend(own.clone());
        }
        let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        required.extend(names.filter_map(Value::as_str).map(str::to_owned));
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.collect(part, properties, required);
        }
    }
}

fn check_type(rule: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let wanted: Vec<&str> = match rule {
        Value::String(one) => vec![one],
        several => several.as_array().expect("a list").iter().filter_map(Value::as_str).collect(),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !wanted.contains(&is) {
        faults.push(format!("{at}: {value} is not of type {rule}"));
    }
}

fn check_format(rule: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let fits = match (rule.as_str().expect("a word"), value) {
        (_, Value::Null) => true,
        ("date-time", Value::String(text)) => text.parse::<Timestamp>().is_ok() && text.ends_with('Z'),
        ("int64" | "int32", Value::Number(_)) => true,
        _ => false,
    };
    if !fits {
        faults.push(format!("{at}: {value} is not of format {rule}"));
    }
}

#[test]
fn the_check_can_fail() {
    let document = serde_json::json!({"components": {"schemas": {
        "Kind": {"type": "string", "enum": ["a", "b"]},
        "Base": {"type": "object", "required": ["at"], "properties": {"at": {"type": "string", "format": "date-time"}}},
        "Thing": {
            "allOf": [{"$ref": "#/components/schemas/Base"}, {
                "type": "object",
                "required": ["kind"],
                "properties": {
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "list": {"type": ["array", "null"], "items": {"type": "integer", "minimum": 0}}
                }
            }]
        }
    }}});
    let schema = serde_json::json!({"$ref": "#/components/schemas/Thing"});
    let faults = |value: Value| Schemas(&document).faults(&schema, &value).len();
    let at = "2026-11-24T20:15:00Z";
    assert_eq!(faults(serde_json::json!({"at": at, "kind": "a", "list": [1, 2]})), 0);
    assert_eq!(faults(serde_json::json!({"at": at, "kind": "a", "list": null})), 0);
    assert_eq!(faults(serde_json::json!({"at": at, "kind": "c"})), 1);
    assert_eq!(faults(serde_json::json!({"at": at, "kind": "a", "list": ["x"]})), 1);
    assert_eq!(faults(serde_json::json!({"at": at, "kind": "a", "more": 1})), 1);
    assert_eq!(faults(serde_json::json!({"kind": "a"})), 1);
    assert_eq!(faults(serde_json::json!({"at": "2026-11-24", "kind": "a"})), 1);
}
