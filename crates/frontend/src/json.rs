//! Bodies of JSON, read strictly: the fields that there are, each once, each of its type, and nothing else.
//!
//! What is wrong with one is told apart here; which status and code that has is each API's own.

use serde::de::DeserializeOwned;

/// What a body is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One object.
    Object,
    /// One array.
    Array,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Object => "a JSON object",
            Kind::Array => "a JSON array",
        })
    }
}

/// What is wrong with a body: a sentence without its full stop.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    /// It has no bytes.
    #[error("The body is empty; send {0}")]
    Empty(Kind),
    /// It is something else.
    #[error("The body must be {0}")]
    Kind(Kind),
    /// It is no JSON.
    #[error("The body is not well-formed JSON: {0}")]
    Malformed(String),
    /// It has a field that there is not.
    #[error("There is no field `{field}` here: {told}")]
    Unknown {
        /// The field.
        field: String,
        /// Which ones there are.
        told: String,
    },
    /// It lacks a field.
    #[error("The field `{field}` is needed")]
    Missing {
        /// The field.
        field: String,
    },
    /// It has a field twice.
    #[error("The field `{field}` is given twice")]
    Repeated {
        /// The field.
        field: String,
    },
    /// A field is of another type than it has.
    #[error("The field `{field}` does not fit: {told}")]
    Misfit {
        /// The field, with the way to it.
        field: String,
        /// What is there and what was expected.
        told: String,
    },
}

impl JsonError {
    /// The field that is wrong, if it is one.
    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            JsonError::Empty(_) | JsonError::Kind(_) | JsonError::Malformed(_) => None,
            JsonError::Unknown { field, .. }
            | JsonError::Missing { field }
            | JsonError::Repeated { field }
            | JsonError::Misfit { field, .. } => Some(field),
        }
    }
}

/// Reads one object.
///
/// # Errors
/// [`JsonError`].
pub(crate) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, JsonError> {
    // serde reads an array of the fields' values in order, too.
    read(body, Kind::Object, b'{')
}

/// Reads one array.
///
/// # Errors
/// [`JsonError`].
pub(crate) fn array<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, JsonError> {
    read(body, Kind::Array, b'[')
}

fn read<T: DeserializeOwned>(body: &[u8], kind: Kind, opening: u8) -> Result<T, JsonError> {
    match body.trim_ascii_start().first() {
        Some(first) if *first == opening => {}
        Some(_) => return Err(JsonError::Kind(kind)),
        None => return Err(JsonError::Empty(kind)),
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        // A wrong type in an enum's place is a syntax error to serde_json, although the body is well-formed.
        let well_formed = error.is_data() || serde_json::from_slice::<serde_json::Value>(body).is_ok();
        if well_formed { misfit(path, &error) } else { malformed(&error) }
    })?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> JsonError {
    JsonError::Malformed(error.to_string())
}

fn misfit(path: String, error: &serde_json::Error) -> JsonError {
    let told = error.to_string();
    // serde's own words are the only place that names an unknown, absent or repeated field.
    let field = told.split('`').nth(1).unwrap_or_default().to_owned();
    if told.starts_with("unknown field") {
        JsonError::Unknown { field, told }
    } else if told.starts_with("missing field") {
        JsonError::Missing { field }
    } else if told.starts_with("duplicate field") {
        JsonError::Repeated { field }
    } else {
        JsonError::Misfit { field: path, told }
    }
}
