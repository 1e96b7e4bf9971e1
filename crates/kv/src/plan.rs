//! What a batch would write, decided against a state: the part of a commit that all embedded engines share.

use std::collections::HashSet;

use crate::{
    BATCH_OPERATIONS_MAX, Batch, Entry, Error, KEY_BYTES_MAX, Outcome, SCAN_ENTRIES_MAX, VALUE_BYTES_MAX,
};

/// A key and its new value; `None` removes it.
pub(crate) type Write = (Vec<u8>, Option<Vec<u8>>);

/// The writes of `batch` on the state that `read` shows, or the outcome that forbids them.
pub(crate) fn plan(
    batch: Batch,
    mut read: impl FnMut(&[u8]) -> Result<Option<Entry>, Error>,
) -> Result<Result<Vec<Write>, Outcome>, Error> {
    check(&batch)?;
    for (key, expected) in &batch.expect {
        if read(key)?.map(|entry| entry.version) != *expected {
            return Ok(Err(Outcome::Conflict));
        }
    }
    let mut writes = Vec::with_capacity(batch.put.len() + batch.delete.len() + batch.add.len());
    for add in batch.add {
        let now = read(&add.key)?.map_or(Ok(0), |entry| entry.counter())?;
        match now.checked_add(add.delta) {
            Some(sum) if (add.min..=add.max).contains(&sum) => {
                writes.push((add.key, Some(sum.to_be_bytes().to_vec())));
            }
            _ => return Ok(Err(Outcome::OutOfBounds { key: add.key })),
        }
    }
    writes.extend(batch.put.into_iter().map(|(key, value)| (key, Some(value))));
    writes.extend(batch.delete.into_iter().map(|key| (key, None)));
    Ok(Ok(writes))
}

/// The bounds and rules that hold whatever the state.
fn check(batch: &Batch) -> Result<(), Error> {
    let operations = batch.expect.len() + batch.put.len() + batch.delete.len() + batch.add.len();
    if operations > BATCH_OPERATIONS_MAX {
        return Err(invalid(format!("a batch of {operations} operations, more than {BATCH_OPERATIONS_MAX}")));
    }
    batch.expect.iter().try_for_each(|(key, _)| check_key(key))?;
    let written = batch.put.iter().map(|(key, _)| key).chain(&batch.delete);
    let written = written.chain(batch.add.iter().map(|add| &add.key));
    let mut seen = HashSet::new();
    for key in written {
        check_key(key)?;
        if !seen.insert(key) {
            return Err(invalid("a key that one batch writes twice".to_owned()));
        }
    }
    match batch.put.iter().find(|(_, value)| value.len() > VALUE_BYTES_MAX) {
        Some((_, value)) => {
            Err(invalid(format!("a value of {} bytes, more than {VALUE_BYTES_MAX}", value.len())))
        }
        None => Ok(()),
    }
}

/// A key's length is within bounds.
pub(crate) fn check_key(key: &[u8]) -> Result<(), Error> {
    if (1..=KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(());
    }
    Err(invalid(format!("a key of {} bytes, not 1 to {KEY_BYTES_MAX}", key.len())))
}

/// A read asks for no more than it may.
pub(crate) fn check_count(entries: usize) -> Result<(), Error> {
    if entries <= SCAN_ENTRIES_MAX {
        return Ok(());
    }
    Err(invalid(format!("a read of {entries} entries, more than {SCAN_ENTRIES_MAX}")))
}

fn invalid(what: String) -> Error {
    Error::Invalid { what }
}
