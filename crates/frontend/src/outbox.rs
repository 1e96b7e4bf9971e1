//! Bytes of files on their way through a connection, without passing through this process (`sendfile(2)`).
//!
//! An answer's body yields bytes, and a file's would have to be read for that. So for a range of a file the body yields a
//! stand-in: as many bytes of one memory that holds nothing, and the range itself goes into the outbox of its connection.
//! The connection's socket tells a stand-in by its address, and lets the system send the range instead.
//!
//! No stand-in is ever sent itself. Each time that something is to be written, those in it must be those of all the
//! ranges in the outbox, in their order and of their lengths; else nothing is written, and the connection fails. So what
//! copies or keeps back a stand-in breaks the connection.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustix::io::Errno;
use storage::FileRange;
use tokio::net::TcpStream;

use crate::connection::Admitted;
use crate::meter::Meter;

/// The longest range that one stand-in is for.
pub(crate) const RANGE_BYTES_MAX: usize = 1 << 20;

/// The memory of all stand-ins: never read and never written, so that the system gives none for it.
static STAND_INS: LazyLock<&'static [u8]> =
    LazyLock::new(|| Box::leak(vec![0; RANGE_BYTES_MAX].into_boxed_slice()));

fn is_stand_in(data: &[u8]) -> bool {
    !data.is_empty() && STAND_INS.as_ptr_range().contains(&data.as_ptr())
}

/// The ranges that one connection has to send, in order. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Outbox(Arc<Mutex<VecDeque<Outgoing>>>);

struct Outgoing {
    /// What is left of it.
    left: FileRange,
    answer: Arc<Answering>,
}

/// How an answer to a request sends files past this process: where its connection can.
#[derive(Clone)]
pub(crate) struct Direct {
    pub(crate) outbox: Outbox,
    pub(crate) admitted: Arc<Admitted>,
}

/// The answer that ranges belong to.
pub(crate) struct Answering {
    pub(crate) meter: Option<Mutex<Meter>>,
    /// Until its last byte has left, the request is in flight.
    pub(crate) admitted: Arc<Admitted>,
}

/// What is to be written first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// The first slices, so many of them, as they are.
    Slices(usize),
    /// The first range.
    Range,
}

impl Outbox {
    /// Adds `range`, of at most [`RANGE_BYTES_MAX`], and answers what to write in its place: at once, and whole.
    pub(crate) fn put(&self, range: FileRange, answer: &Arc<Answering>) -> Bytes {
        let stand_in = Bytes::from_static(STAND_INS.get(..length(&range)).unwrap_or_default());
        self.lock().push_back(Outgoing { left: range, answer: Arc::clone(answer) });
        stand_in
    }

    /// What of `data`, all that is to be written, is to be written first.
    ///
    /// # Errors
    /// When its stand-ins are not those of all the ranges here.
    pub(crate) fn first(&self, data: &[IoSlice<'_>]) -> io::Result<First> {
        let outbox = self.lock();
        let lengths = outbox.iter().map(|outgoing| length(&outgoing.left));
        let mut stand_ins = data.iter().enumerate().filter(|(_, slice)| is_stand_in(slice)).peekable();
        let first = stand_ins.peek().map(|(index, _)| *index);
        if !stand_ins.map(|(_, slice)| slice.len()).eq(lengths) {
            return Err(io::Error::other("a stand-in was about to be sent in place of a file"));
        }
        Ok(match first {
            Some(0) => First::Range,
            Some(before) => First::Slices(before),
            None => First::Slices(data.len()),
        })
    }

    /// Sends of the first range what the socket takes, and answers how much that was. [`io::ErrorKind::WouldBlock`] when
    /// it takes nothing.
    ///
    /// # Errors
    /// As the socket and the file; a file that ends before the range does has no more to send.
    pub(crate) fn send(&self, socket: &TcpStream) -> io::Result<usize> {
        let mut outbox = self.lock();
        let Some(Outgoing { left, answer }) = outbox.front_mut() else { return Ok(0) };
        let mut offset = left.range.start;
        let sent = loop {
            match rustix::fs::sendfile(socket, &left.file, Some(&mut offset), length(left)) {
                Err(Errno::INTR) => {}
                Ok(0) => return Err(unreadable(io::ErrorKind::UnexpectedEof.into())),
                Err(Errno::IO) => return Err(unreadable(Errno::IO.into())),
                other => break other?,
            }
        };
        left.range.start += sent as u64;
        answer.count(sent);
        if left.range.is_empty() {
            outbox.pop_front();
        }
        Ok(sent)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Outgoing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answering {
    /// Some of its bytes have left.
    pub(crate) fn count(&self, bytes: usize) {
        self.admitted.touch();
        if let Some(meter) = &self.meter {
            meter.lock().unwrap_or_else(PoisonError::into_inner).count(bytes);
        }
    }
}

/// The file's fault, not the client's: that is logged where it is seen.
fn unreadable(error: io::Error) -> io::Error {
    tracing::error!(%error, "content could not be read");
    error
}

/// In bytes; more than one stand-in is for where it is too long.
fn length(range: &FileRange) -> usize {
    usize::try_from(range.range.end - range.range.start).unwrap_or(usize::MAX)
}
