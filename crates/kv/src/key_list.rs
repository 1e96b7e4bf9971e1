//! Several keys in one piece of memory: what one read asks for.

/// Encoded keys, in their order. One may be there twice.
#[derive(Debug, Clone, Default)]
pub struct KeyList {
    bytes: Vec<u8>,
    /// Where each ends in `bytes`.
    ends: Vec<usize>,
}

impl KeyList {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.key(at))
    }

    /// The one at `at`, which there is.
    pub(crate) fn key(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[at]]
    }

    /// Room for so many, of so many bytes each.
    pub(crate) fn with_capacity(keys: usize, bytes: usize) -> KeyList {
        KeyList { bytes: Vec::with_capacity(keys * bytes), ends: Vec::with_capacity(keys) }
    }

    /// One more, which `write` adds to the end of what it is given.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }
}

impl<K: AsRef<[u8]>> FromIterator<K> for KeyList {
    fn from_iter<T: IntoIterator<Item = K>>(keys: T) -> KeyList {
        let mut all = KeyList::default();
        keys.into_iter().for_each(|key| all.push(|bytes| bytes.extend_from_slice(key.as_ref())));
        all
    }
}
