//! Reading JSON field by field, so that an error names the field it is about (`layers[3].size`).
//!
//! Stricter than serde's own reading in what matters for content that others will read too: a key that stands
//! twice, or that differs from a known one only in case, is refused. Clients written in Go take the last of
//! two keys and match them without regard to case, so such a manifest would be one thing to the registry and
//! another to them.
//!
//! Bounded in what it holds: keys of an object, elements of an array, and (by serde_json's limit of 128)
//! depth.

use std::collections::BTreeMap;

use serde::de::{
    Deserialize, DeserializeOwned, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::DigestError;

/// The most keys of one object (a manifest, a descriptor, annotations).
pub const KEYS_MAX: usize = 1_000;

/// How much of an unknown key an error repeats, in characters.
const SHOWN_CHARACTERS_MAX: usize = 64;

/// A field that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct FieldError {
    /// Which field, from the top: `layers[3].digest`.
    pub path: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is needed, and not there or `null`.
    #[error("is missing")]
    Missing,
    /// Its key stands twice in one object.
    #[error("stands twice")]
    Duplicate,
    /// Its key differs from a known one only in case: some readers would take it for that one.
    #[error("must be written {known:?}")]
    Miswritten {
        /// The known key.
        known: &'static str,
    },
    /// Its value is of another type, or out of range.
    #[error("is not {expected}")]
    NotA {
        /// What it should be, with its article.
        expected: &'static str,
    },
    /// It holds more than it may.
    #[error("holds more than {max} entries")]
    TooMany {
        /// The bound.
        max: usize,
    },
    /// The sizes of all descriptors together are more than a size can be.
    #[error("the sizes add up to more than {max}")]
    TotalSize {
        /// The bound, in bytes.
        max: u64,
    },
    /// It is not a digest that we can work with.
    #[error("{0}")]
    Digest(#[from] DigestError),
}

/// Whether some bytes are one JSON value and nothing else, of bounded depth. Holds nothing of it.
pub(crate) fn check_json(body: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice::<Anything>(body).map(|Anything| ())
}

/// A JSON object whose fields have not been read yet. `null` counts as absent, as it does for readers written
/// in Go.
pub(crate) struct Object<'a> {
    path: String,
    fields: BTreeMap<String, &'a RawValue>,
}

impl<'a> Object<'a> {
    /// `path` is empty for the object at the top. `known` are the keys that nothing may look like.
    pub(crate) fn read(
        raw: &'a RawValue,
        path: String,
        known: &[&'static str],
    ) -> Result<Object<'a>, FieldError> {
        let mut object = Object { path, fields: BTreeMap::new() };
        let entries = serde_json::Deserializer::from_str(raw.get())
            .deserialize_map(Entries)
            .map_err(|_| object.error(Problem::NotA { expected: "a JSON object" }))?;
        if entries.len() > KEYS_MAX {
            return Err(object.error(Problem::TooMany { max: KEYS_MAX }));
        }
        for (key, value) in entries {
            if let Some(known) = known.iter().find(|known| looks_like(&key, known) && key != **known) {
                return Err(object.field_error(&key, Problem::Miswritten { known }));
            }
            if object.fields.contains_key(&key) {
                return Err(object.field_error(&key, Problem::Duplicate));
            }
            object.fields.insert(key, value);
        }
        Ok(object)
    }

    /// Whether the key is there, whatever its value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// A field's value in the form `expected` describes.
    pub(crate) fn value<T: DeserializeOwned>(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<Option<T>, FieldError> {
        let read = |raw: &RawValue| {
            serde_json::from_str(raw.get()).map_err(|_| self.field_error(name, Problem::NotA { expected }))
        };
        self.raw(name).map(read).transpose()
    }

    /// A field's text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, FieldError> {
        self.value(name, "a text")
    }

    /// A field's object.
    pub(crate) fn object(
        &self,
        name: &str,
        known: &[&'static str],
    ) -> Result<Option<Object<'a>>, FieldError> {
        self.element(name).map(|(path, raw)| Object::read(raw, path, known)).transpose()
    }

    /// A field's JSON with its path, for whoever reads it further.
    pub(crate) fn element(&self, name: &str) -> Option<(String, &'a RawValue)> {
        self.raw(name).map(|raw| (self.path_of(name), raw))
    }

    /// A list's elements, as from [`Object::element`]; `None` if it is absent.
    pub(crate) fn elements(
        &self,
        name: &str,
        max: usize,
    ) -> Result<Option<impl Iterator<Item = (String, &'a RawValue)>>, FieldError> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let elements = serde_json::Deserializer::from_str(raw.get())
            .deserialize_seq(Elements { max })
            .map_err(|_| self.field_error(name, Problem::NotA { expected: "a list" }))?;
        if elements.len() > max {
            return Err(self.field_error(name, Problem::TooMany { max }));
        }
        let path = self.path_of(name);
        Ok(Some(elements.into_iter().enumerate().map(move |(index, raw)| (format!("{path}[{index}]"), raw))))
    }

    /// A field's list of texts; empty if it is absent.
    pub(crate) fn texts(&self, name: &str, max: usize) -> Result<Vec<String>, FieldError> {
        let text = |(path, raw): (String, &RawValue)| {
            serde_json::from_str(raw.get())
                .map_err(|_| FieldError { path, problem: Problem::NotA { expected: "a text" } })
        };
        self.elements(name, max)?.into_iter().flatten().map(text).collect()
    }

    /// A field's object of texts; empty if it is absent. A text that is `null` is empty, as for readers
    /// written in Go.
    pub(crate) fn texts_by_key(&self, name: &str) -> Result<BTreeMap<String, String>, FieldError> {
        let Some(object) = self.object(name, &[])? else { return Ok(BTreeMap::new()) };
        let text = |key: &String| Ok((key.clone(), object.text(key)?.unwrap_or_default()));
        object.fields.keys().map(text).collect()
    }

    /// An error about one of its fields.
    pub(crate) fn field_error(&self, name: &str, problem: Problem) -> FieldError {
        FieldError { path: self.path_of(name), problem }
    }

    fn error(&self, problem: Problem) -> FieldError {
        let path = if self.path.is_empty() { "the manifest".to_owned() } else { self.path.clone() };
        FieldError { path, problem }
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.fields.get(name).copied().filter(|raw| raw.get() != "null")
    }

    fn path_of(&self, name: &str) -> String {
        let name: String = name.chars().take(SHOWN_CHARACTERS_MAX).collect();
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }
}

/// Whether Go's `encoding/json` would take `key` for `known`: it ignores case, and the letters k and s have
/// each one relative outside ASCII.
fn looks_like(key: &str, known: &str) -> bool {
    let folded = key.chars().map(|letter| match letter {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        other => other.to_ascii_lowercase(),
    });
    folded.eq(known.chars().map(|letter| letter.to_ascii_lowercase()))
}

/// Collects an object's entries, up to one more than [`KEYS_MAX`].
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while entries.len() <= KEYS_MAX
            && let Some(entry) = map.next_entry()?
        {
            entries.push(entry);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(entries)
    }
}

/// Collects an array's elements, up to one more than `max`.
struct Elements {
    max: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() <= self.max
            && let Some(element) = seq.next_element()?
        {
            elements.push(element);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(elements)
    }
}

/// Any JSON value, read in full and dropped. Unlike [`IgnoredAny`] it asks for values rather than skipping
/// them, which is what makes serde_json count the depth and check texts and numbers.
struct Anything;

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Anything, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

impl<'de> Visitor<'de> for Anything {
    type Value = Anything;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_str<E>(self, _: &str) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Anything, A::Error> {
        while seq.next_element::<Anything>()?.is_some() {}
        Ok(Anything)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Anything, A::Error> {
        while map.next_entry::<Anything, Anything>()?.is_some() {}
        Ok(Anything)
    }
}
