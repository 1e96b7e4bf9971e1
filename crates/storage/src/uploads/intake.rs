//! One request's bytes on their way into an upload.
//!
//! Two halves, so that neither the network waits for the disk nor a caller who goes away leaves half a step behind: the
//! request's future gathers the body into batches ([`run`]), a task of its own writes, hashes, syncs and saves them
//! ([`Intake`]). The task ends by itself when the request's future is dropped: to it, the body broke off.

use std::ops::RangeInclusive;
use std::pin::pin;
use std::sync::Arc;

use auth::Permit;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use oci::{Algorithm, Digest, Hasher};
use tokio::sync::mpsc;

use super::checkpoint::{Checkpoint, Claim};
use super::session::Session;
use super::{ContentRange, Upload, UploadId};
use crate::blobs::Segment;
use crate::commit::{after, retrying};
use crate::{BlobStat, BodyError, Error, Place, PlaceError, PlaceWriter, Storage};

/// How much is gathered of a body before it is written: the more, the less often a thread is woken for it.
const BATCH_BYTES: RangeInclusive<usize> = 64 << 10..=1 << 20;

/// Of each body up to so many batches are in memory: one being gathered, one waiting, one being written and hashed.
const BATCHES: usize = 3;

/// The batches of all bodies together, until each of them is as small as it may be.
const BATCHES_BYTES: usize = 24 << 20;

/// Below this a chunk is copied to those before it: as it came, it may keep a buffer many times as large in memory.
const COPIED_BYTES_MAX: usize = 16 << 10;

/// So much is hashed before others have their turn: what takes a tenth of a millisecond.
const HASHED_AT_ONCE_BYTES: usize = 128 << 10;

/// Up to here an upload's segments may be as small as they come: what is left of requests that broke off, for one.
pub(crate) const SMALL_SEGMENTS_MAX: usize = 100;

/// What the body's half tells the task. The channel's end without an [`Message::End`] means that the body broke off.
pub(super) enum Message {
    Batch(Vec<Bytes>),
    End,
}

/// What became of a body, as the task saw it.
pub(super) enum Taken<T> {
    Whole(T),
    BrokenOff,
}

/// The bodies that come in at this time. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intakes(Arc<()>);

impl Intakes {
    /// How much is to be gathered of each of them.
    fn batch_bytes(&self) -> usize {
        let bodies = (Arc::strong_count(&self.0) - 1).max(1);
        (BATCHES_BYTES / (BATCHES * bodies)).clamp(*BATCH_BYTES.start(), *BATCH_BYTES.end())
    }
}

/// Feeds `body` to the task that `start` makes of the channel's other end, and waits for what it answers.
pub(super) async fn run<T, F>(
    intakes: &Intakes,
    body: impl Stream<Item = Result<Bytes, BodyError>> + Send,
    start: impl FnOnce(mpsc::Receiver<Message>) -> F,
) -> Result<T, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<Taken<T>, Error>> + Send + 'static,
{
    let (sender, messages) = mpsc::channel(1);
    let (work, counted) = (start(messages), intakes.clone());
    let task = tokio::spawn(async move {
        let taken = work.await;
        // It may outlive the request, and has batches until then.
        drop(counted);
        taken
    });
    let fed = feed(intakes, body, sender).await;
    let taken = task.await.map_err(|error| PlaceError::Failed(std::io::Error::other(error)))?;
    match (taken?, fed) {
        (_, Err(error)) => Err(Error::Body(error)),
        (Taken::Whole(answer), Ok(())) => Ok(answer),
        (Taken::BrokenOff, Ok(())) => Err(Error::Body(BodyError::new("the body was not read to its end"))),
    }
}

/// Stops early, without an error, when the task has ended: its answer says why.
async fn feed(
    intakes: &Intakes,
    body: impl Stream<Item = Result<Bytes, BodyError>>,
    sender: mpsc::Sender<Message>,
) -> Result<(), BodyError> {
    let mut body = pin!(body);
    loop {
        let (batch, end) = gather(&mut body, intakes.batch_bytes()).await;
        if !batch.is_empty() && sender.send(Message::Batch(batch)).await.is_err() {
            return Ok(());
        }
        match end {
            Some(Ok(())) => {
                // A task that has ended will say why.
                let _ = sender.send(Message::End).await;
                return Ok(());
            }
            Some(Err(error)) => return Err(error),
            None => {}
        }
    }
}

/// The next batch, and how the body ended if it did.
async fn gather(
    body: &mut (impl Stream<Item = Result<Bytes, BodyError>> + Unpin),
    bytes_max: usize,
) -> (Vec<Bytes>, Option<Result<(), BodyError>>) {
    let mut batch = Batch::default();
    while batch.bytes < bytes_max {
        match body.next().await {
            Some(Ok(chunk)) => batch.add(chunk),
            Some(Err(error)) => return (batch.finish(), Some(Err(error))),
            None => return (batch.finish(), Some(Ok(()))),
        }
    }
    (batch.finish(), None)
}

#[derive(Default)]
struct Batch {
    chunks: Vec<Bytes>,
    /// What follows them, of small ones.
    small: BytesMut,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, chunk: Bytes) {
        self.bytes += chunk.len();
        if chunk.len() < COPIED_BYTES_MAX {
            self.small.extend_from_slice(&chunk);
        } else {
            self.end_small();
            self.chunks.push(chunk);
        }
    }

    fn end_small(&mut self) {
        if !self.small.is_empty() {
            self.chunks.push(self.small.split().freeze());
        }
    }

    fn finish(mut self) -> Vec<Bytes> {
        self.end_small();
        self.chunks
    }
}

/// What a request says before its body.
#[derive(Clone, Copy)]
pub(super) struct Begin<'a> {
    pub(super) permit: &'a Permit,
    pub(super) id: UploadId,
    pub(super) at: Option<ContentRange>,
    pub(super) promised: Option<u64>,
    /// What the digest is known to be of.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) now: Timestamp,
}

/// A request that has taken its epoch.
pub(super) struct Intake {
    claim: Claim,
    /// The session without this request's bytes, with its epoch and place.
    before: Session,
    place: Place,
    /// Made with the first bytes.
    writer: Option<Box<dyn PlaceWriter>>,
    hasher: Hasher,
    /// How many bytes of this request were written, and how many of those the session's record names.
    received: u64,
    saved: u64,
    /// The one under way, which names more.
    checkpoint: Option<Checkpoint>,
    promised: Option<u64>,
    /// Whether a commit failed in such a way that it may have been done.
    in_doubt: bool,
}

impl Storage {
    /// Takes the next epoch of an upload.
    pub(super) async fn begin(&self, begin: Begin<'_>) -> Result<Intake, Error> {
        let max = self.settings().blob_bytes_max;
        if begin.promised.is_some_and(|promised| promised > max) {
            return Err(Error::TooLarge { max });
        }
        self.check_space(begin.promised.unwrap_or(0)).await?;
        let (before, place) = retrying(|| self.try_begin(begin)).await?;
        let hasher = match (begin.algorithm, before.saved_hash()) {
            (Some(algorithm), _) if before.offset == 0 => Hasher::new(algorithm),
            (_, Some(hasher)) => hasher,
            (_, None) => self.hash_again(&before.segments, before.offset, before.algorithm).await?,
        };
        let claim = Claim {
            storage: self.clone(),
            repository: before.repository,
            id: begin.id,
            epoch: before.epoch,
            now: begin.now,
        };
        Ok(Intake {
            claim,
            before,
            place,
            writer: None,
            hasher,
            received: 0,
            saved: 0,
            checkpoint: None,
            promised: begin.promised,
            in_doubt: false,
        })
    }

    async fn try_begin(&self, begin: Begin<'_>) -> Result<Option<(Session, Place)>, Error> {
        let Begin { permit, id, at, promised, now, .. } = begin;
        let found = self.session(permit, id, now).await?;
        let session = &found.session.value;
        if at.is_some_and(|at| at.first() != session.offset) {
            return Err(Error::RangeUnsatisfiable { upload: session.upload(id) });
        }
        let size_max = self.settings().blob_bytes_max;
        if session.offset.saturating_add(promised.unwrap_or(0)) > size_max {
            return Err(Error::TooLarge { max: size_max });
        }
        self.check_segments(session)?;
        let place = Place::random();
        let next = Session {
            epoch: session.epoch + 1,
            writing: Some(place),
            expires_at: after(now, self.settings().upload_ttl),
            ..session.clone()
        };
        let due_at = after(now, self.settings().discard_delay);
        let done = self.try_change(id, &found, &next, session.stray(), due_at).await?;
        Ok(done.map(|()| (next, place)))
    }

    /// Refuses another segment where the record, which each request writes anew, would outgrow the bytes.
    fn check_segments(&self, session: &Session) -> Result<(), Error> {
        let (max, bytes_min) = (self.settings().segments_per_upload_max, self.settings().segment_bytes_min);
        let count = session.segments.len();
        let is_small = session.offset < bytes_min.saturating_mul(count as u64);
        if count >= max || (count >= SMALL_SEGMENTS_MAX && is_small) {
            return Err(Error::TooManySegments { max, bytes_min });
        }
        Ok(())
    }
}

impl Intake {
    /// Takes the body in, and answers the upload as it then stands.
    pub(super) async fn append(
        mut self,
        mut messages: mpsc::Receiver<Message>,
    ) -> Result<Taken<Upload>, Error> {
        match self.try_append(&mut messages).await {
            Ok(true) => {
                self.check_promise().map(|()| Taken::Whole(self.session(false).upload(self.claim.id)))
            }
            Ok(false) => Ok(Taken::BrokenOff),
            Err(error) => Err(self.roll_back(error).await),
        }
    }

    /// Takes the body in, and makes the upload a blob.
    pub(super) async fn finish(
        mut self,
        mut messages: mpsc::Receiver<Message>,
        permit: Permit,
        digest: Digest,
    ) -> Result<Taken<BlobStat>, Error> {
        match self.try_finish(&mut messages, &permit, &digest).await {
            Ok(Taken::Whole(stat)) => Ok(Taken::Whole(stat)),
            Ok(Taken::BrokenOff) => {
                self.take_back().await;
                Ok(Taken::BrokenOff)
            }
            Err(error) => Err(self.roll_back(error).await),
        }
    }

    async fn try_append(&mut self, messages: &mut mpsc::Receiver<Message>) -> Result<bool, Error> {
        let whole = self.take(messages).await?;
        self.end_checkpoint().await?;
        self.sync().await?;
        let saved = self.claim.replace(&self.session(false), None).await;
        self.note_doubt(&saved);
        saved?;
        self.saved = self.received;
        Ok(whole)
    }

    async fn try_finish(
        &mut self,
        messages: &mut mpsc::Receiver<Message>,
        permit: &Permit,
        digest: &Digest,
    ) -> Result<Taken<BlobStat>, Error> {
        if !self.take(messages).await? {
            return Ok(Taken::BrokenOff);
        }
        self.check_promise()?;
        // Its record must not be written any more when the blob takes its place.
        self.end_checkpoint().await?;
        self.sync().await?;
        let whole = self.session(false);
        let hasher = Some(self.hasher.clone());
        self.claim.storage.check_digest(hasher, &whole.segments, whole.offset, digest).await?;
        let this = &*self;
        let made = retrying(|| async {
            let Claim { storage, id, now, .. } = &this.claim;
            let found = this.claim.current().await?;
            storage.try_make_blob(permit, *id, &found, &whole, digest, *now).await
        })
        .await;
        self.note_doubt(&made);
        made.map(Taken::Whole)
    }

    /// Writes what comes; `false` when the body broke off.
    async fn take(&mut self, messages: &mut mpsc::Receiver<Message>) -> Result<bool, Error> {
        while let Some(message) = messages.recv().await {
            match message {
                Message::Batch(batch) => self.write(batch).await?,
                Message::End => return Ok(true),
            }
        }
        Ok(false)
    }

    async fn write(&mut self, batch: Vec<Bytes>) -> Result<(), Error> {
        let received = self.received + batch.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        if let Some(promised) = self.promised.filter(|promised| received > *promised) {
            return Err(Error::SizeMismatch { promised, received });
        }
        let max = self.claim.storage.settings().blob_bytes_max;
        if self.before.offset + received > max {
            return Err(Error::TooLarge { max });
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(self.claim.storage.places().create(self.place).await?),
        };
        let (written, hasher) = tokio::join!(writer.write(batch.clone()), hash(self.hasher.clone(), &batch));
        written?;
        self.hasher = hasher;
        self.received = received;
        let begun = self.checkpoint.as_ref().map_or(self.saved, Checkpoint::received);
        if self.received - begun >= self.claim.storage.settings().checkpoint_bytes {
            self.end_checkpoint().await?;
            self.begin_checkpoint();
            self.claim.storage.check_space(self.promised.unwrap_or(0).saturating_sub(self.received)).await?;
        }
        Ok(())
    }

    fn check_promise(&self) -> Result<(), Error> {
        match self.promised {
            Some(promised) if promised != self.received => {
                Err(Error::SizeMismatch { promised, received: self.received })
            }
            _ => Ok(()),
        }
    }

    async fn sync(&mut self) -> Result<(), Error> {
        if let Some(writer) = &mut self.writer {
            writer.sync().await?;
        }
        Ok(())
    }

    /// The session with what this request has brought; `more` while it goes on.
    fn session(&self, more: bool) -> Session {
        let mut session = self.before.clone();
        if self.received > 0 {
            session.segments.push(Segment { place: self.place, bytes: self.received });
        }
        session.offset += self.received;
        session.set_hash(&self.hasher);
        session.writing = more.then_some(self.place);
        session
    }

    /// Syncs what came, and then lets the session's record name it, while more comes.
    fn begin_checkpoint(&mut self) {
        let session = self.session(true);
        if let Some(writer) = &mut self.writer {
            let (claim, synced) = (self.claim.clone(), writer.sync());
            self.checkpoint = Some(Checkpoint::begin(claim, synced, session, self.received));
        }
    }

    /// Waits for the checkpoint that is under way.
    async fn end_checkpoint(&mut self) -> Result<(), Error> {
        let Some(checkpoint) = self.checkpoint.take() else { return Ok(()) };
        let saved = checkpoint.end().await;
        self.note_doubt(&saved);
        self.saved = saved?;
        Ok(())
    }

    fn note_doubt<T>(&mut self, outcome: &Result<T, Error>) {
        self.in_doubt |= matches!(outcome, Err(Error::Store(_)));
    }

    async fn roll_back(&mut self, error: Error) -> Error {
        self.take_back().await;
        error
    }

    /// Makes the session what it was before this request, and gives the room back, as far as that can be done. What
    /// cannot is no loss: the session names the place until it ends.
    async fn take_back(&mut self) {
        // Why it failed is told already, or makes no difference any more; what it saved does.
        let _ = self.end_checkpoint().await;
        if self.in_doubt {
            return;
        }
        let mut is_ours = self.saved == 0;
        if !is_ours {
            let before = Session { writing: None, ..self.before.clone() };
            let restored = self.claim.replace(&before, Some(self.place)).await;
            is_ours = restored.is_ok();
        }
        let Some(mut writer) = self.writer.take() else { return };
        if is_ours {
            self.claim.storage.remove_early([self.place]).await;
        } else if let Err(error) = writer.truncate(self.saved).await {
            // Somebody else's segment now: up to what was saved, it must stay.
            tracing::warn!(place = %self.place, %error, "a place was not cut to what counts of it");
        }
    }
}

/// Adds `batch` to `hasher`, while the processor's own memory still holds some of it.
pub(super) async fn hash(mut hasher: Hasher, batch: &[Bytes]) -> Hasher {
    let mut hashed = 0;
    for piece in batch.iter().flat_map(|chunk| chunk.chunks(HASHED_AT_ONCE_BYTES)) {
        hasher.update(piece);
        hashed += piece.len();
        if hashed >= HASHED_AT_ONCE_BYTES {
            hashed = 0;
            tokio::task::yield_now().await;
        }
    }
    hasher
}

#[cfg(test)]
mod tests {
    use super::{
        BATCHES, BATCHES_BYTES, Bytes, COPIED_BYTES_MAX, HASHED_AT_ONCE_BYTES, Hasher, Intakes, gather, hash,
    };

    #[test]
    fn the_more_bodies_come_in_the_less_is_gathered_of_each() {
        let intakes = Intakes::default();
        let mut bodies = Vec::new();
        let mut gathered = |count: usize| {
            bodies.resize(count, intakes.clone());
            intakes.batch_bytes()
        };
        assert_eq!([0, 1, 8].map(&mut gathered), [1 << 20; 3]);
        for count in [9, 16, 100, 128] {
            let bytes = gathered(count) * count * BATCHES;
            assert!(
                (BATCHES_BYTES - 1_000..=BATCHES_BYTES).contains(&bytes),
                "{count} bodies: {bytes} bytes"
            );
        }
        assert_eq!([1_000, 1].map(&mut gathered), [64 << 10, 1 << 20]);
    }

    #[tokio::test]
    async fn small_chunks_are_gathered_in_one_buffer_and_large_ones_as_they_are() {
        let large = Bytes::from(vec![7; COPIED_BYTES_MAX]);
        let sizes = [1, 2, 0, COPIED_BYTES_MAX, COPIED_BYTES_MAX, 3, COPIED_BYTES_MAX - 1, 5];
        let chunks = sizes.map(|size| large.slice(..size));
        let mut body = futures::stream::iter(chunks.clone().map(Ok));
        let bytes: usize = sizes.iter().sum();
        let (batch, end) = gather(&mut body, bytes).await;
        assert!(end.is_none());
        let lengths: Vec<_> = batch.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [3, COPIED_BYTES_MAX, COPIED_BYTES_MAX, COPIED_BYTES_MAX + 7]);
        assert_eq!(batch.concat(), chunks.concat());
        assert_eq!(batch[1].as_ptr(), large.as_ptr());
        let (batch, end) = gather(&mut body, bytes).await;
        assert!(batch.is_empty() && matches!(end, Some(Ok(()))));
    }

    #[tokio::test(start_paused = true)]
    async fn others_have_their_turn_while_much_is_hashed() {
        let batch: Vec<_> = (0..64).map(|_| Bytes::from(vec![0; 16 << 10])).collect();
        let turns = std::cell::Cell::new(0);
        let other = async {
            loop {
                turns.set(turns.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            _ = hash(Hasher::new(oci::Algorithm::Sha256), &batch) => {}
            () = other => {}
        }
        assert_eq!(turns.get(), batch.len() * (16 << 10) / HASHED_AT_ONCE_BYTES);
    }

    #[tokio::test]
    async fn what_is_hashed_in_pieces_is_hashed_whole() {
        let algorithm = oci::Algorithm::Sha256;
        for sizes in [&[][..], &[0], &[1, 131_072], &[131_073, 5, 400_000]] {
            let batch: Vec<_> = (1..).zip(sizes).map(|(byte, size)| Bytes::from(vec![byte; *size])).collect();
            let hashed = hash(Hasher::new(algorithm), &batch).await;
            assert_eq!(hashed.finish(), oci::Digest::of(algorithm, &batch.concat()));
        }
    }
}
