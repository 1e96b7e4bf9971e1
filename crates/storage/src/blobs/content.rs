//! The bytes of an opened blob.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream};

use super::Segment;
use crate::{Error, OpenFile, Place, PlaceError, PlaceReader, Places, Storage};

/// How much is read at once: one step on the blocking pool, for a small blob all of it.
const CHUNK_BYTES: u64 = 256 << 10;

/// A blob, opened for reading, in ranges and as often as one likes.
pub struct Blob {
    size: u64,
    segments: Vec<Segment>,
    /// The reader of the first segment: nearly always the only one.
    first: Option<Arc<dyn PlaceReader>>,
    places: Arc<dyn Places>,
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob")
            .field("size", &self.size)
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

/// Consecutive bytes of a blob in one place.
struct Piece {
    reader: Arc<dyn PlaceReader>,
    /// Where in the place they lie, in bytes.
    range: Range<u64>,
}

/// Consecutive bytes of a blob in one file, which can be sent without copying them.
#[derive(Debug, Clone)]
pub struct FileRange {
    /// The file.
    pub file: OpenFile,
    /// Where in it they lie, in bytes.
    pub range: Range<u64>,
}

impl Blob {
    pub(crate) async fn open(storage: &Storage, size: u64, segments: Vec<Segment>) -> Result<Blob, Error> {
        let places = Arc::clone(storage.places());
        let first = match segments.first() {
            Some(segment) => Some(storage.inner.small_blobs.open(&*places, size, segment).await?),
            None => None,
        };
        Ok(Blob { size, segments, first, places })
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of `range`, cut to the blob's size, in order.
    pub fn read(&self, range: Range<u64>) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        let cursor = Cursor { pieces: self.pieces(range), reading: None };
        stream::try_unfold(cursor, |mut cursor| async move {
            let chunk = cursor.next_chunk().await?;
            Ok(chunk.map(|chunk| (chunk, cursor)))
        })
    }

    /// Whether its bytes lie in files ([`Blob::read_files`]).
    #[must_use]
    pub fn is_in_files(&self) -> bool {
        self.first.as_ref().is_some_and(|first| first.file().is_some())
    }

    /// The files that hold the bytes of `range`, cut to the blob's size, opened one after the other. It fails where the
    /// bytes lie in no files.
    pub fn read_files(
        &self,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<FileRange, Error>> + Send + 'static {
        stream::try_unfold(self.pieces(range), |mut pieces| async move {
            let Some(Piece { reader, range }) = pieces.next().await? else { return Ok(None) };
            let file = reader.file().cloned().ok_or_else(no_file)?;
            Ok(Some((FileRange { file, range }, pieces)))
        })
    }

    fn pieces(&self, range: Range<u64>) -> Pieces {
        let mut offset = 0;
        let mut left = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            let start = range.start.max(offset);
            let end = range.end.min(offset + segment.bytes);
            if start < end {
                let opened = if index == 0 { self.first.clone() } else { None };
                left.push(Unopened { place: segment.place, range: start - offset..end - offset, opened });
            }
            offset += segment.bytes;
        }
        Pieces { left: left.into_iter(), places: self.places.clone() }
    }
}

fn no_file() -> Error {
    Error::Places(PlaceError::Failed(std::io::ErrorKind::Unsupported.into()))
}

struct Unopened {
    place: Place,
    range: Range<u64>,
    /// Of the first segment alone.
    opened: Option<Arc<dyn PlaceReader>>,
}

struct Pieces {
    left: std::vec::IntoIter<Unopened>,
    places: Arc<dyn Places>,
}

impl Pieces {
    async fn next(&mut self) -> Result<Option<Piece>, Error> {
        let Some(Unopened { place, range, opened }) = self.left.next() else { return Ok(None) };
        let reader = match opened {
            Some(reader) => reader,
            None => self.places.open(place).await?,
        };
        Ok(Some(Piece { reader, range }))
    }
}

struct Cursor {
    pieces: Pieces,
    reading: Option<Piece>,
}

impl Cursor {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let piece = match &mut self.reading {
                Some(piece) if !piece.range.is_empty() => piece,
                _ => match self.pieces.next().await? {
                    Some(piece) => self.reading.insert(piece),
                    None => return Ok(None),
                },
            };
            let end = piece.range.end.min(piece.range.start + CHUNK_BYTES);
            let length = usize::try_from(end - piece.range.start).unwrap_or(usize::MAX);
            let chunk = piece.reader.read(piece.range.start, length).await?;
            piece.range.start = end;
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
    }
}
