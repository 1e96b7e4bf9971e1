//! Where messages begin and end in the bytes of one direction of a connection: as much of HTTP/1.1 as says which bytes
//! are a head's and which a body's.

/// No head is larger, or what passes is no HTTP.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// How a body ends.
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With an empty chunk.
    Chunked,
}

/// Who is told of what passes.
pub(super) trait Listener {
    /// A head has passed: its first line and its headers. Says how the body ends that follows.
    fn head(&mut self, head: &str) -> Framing;
    /// So many bytes of a body have passed.
    fn body(&mut self, bytes: u64);
}

/// Follows one direction of one connection.
#[derive(Default)]
pub(super) struct Follower(State);

enum State {
    Head(Vec<u8>),
    Body(u64),
    ChunkSize(Vec<u8>),
    /// What is left of a chunk, with the line's end behind it.
    Chunk(u64),
    Trailer(Vec<u8>),
}

impl Default for State {
    fn default() -> State {
        State::Head(Vec::new())
    }
}

/// The end of a line.
const END: &[u8] = b"\r\n";

impl Follower {
    /// Goes on with these bytes.
    pub(super) fn hears(&mut self, mut bytes: &[u8], listener: &mut impl Listener) {
        while let Some(first) = bytes.first() {
            let taken = match &mut self.0 {
                State::Head(text) | State::ChunkSize(text) | State::Trailer(text) => {
                    assert!(text.len() < TEXT_BYTES_MAX, "no HTTP passes here");
                    text.push(*first);
                    self.ends_text(listener);
                    1
                }
                State::Body(left) => {
                    let taken = (*left).min(bytes.len() as u64);
                    *left -= taken;
                    listener.body(taken);
                    if *left == 0 {
                        self.0 = State::default();
                    }
                    taken
                }
                State::Chunk(left) => {
                    let taken = (*left).min(bytes.len() as u64);
                    listener.body(taken.min(left.saturating_sub(END.len() as u64)));
                    *left -= taken;
                    if *left == 0 {
                        self.0 = State::ChunkSize(Vec::new());
                    }
                    taken
                }
            };
            bytes = &bytes[usize::try_from(taken).expect("no more than there are")..];
        }
    }

    /// What follows, if the text that is being read ends here.
    fn ends_text(&mut self, listener: &mut impl Listener) {
        match &self.0 {
            State::Head(text) if text.ends_with(b"\r\n\r\n") => {
                self.0 = match listener.head(&String::from_utf8_lossy(text)) {
                    Framing::Length(0) => State::default(),
                    Framing::Length(length) => State::Body(length),
                    Framing::Chunked => State::ChunkSize(Vec::new()),
                };
            }
            State::ChunkSize(text) if text.ends_with(END) => {
                let text = String::from_utf8_lossy(text);
                let size = text.trim_end().split(';').next().unwrap_or_default();
                self.0 = match u64::from_str_radix(size, 16).expect("a chunk's size") {
                    0 => State::Trailer(Vec::new()),
                    size => State::Chunk(size + END.len() as u64),
                };
            }
            State::Trailer(text) if text == END || text.ends_with(b"\r\n\r\n") => self.0 = State::default(),
            _ => {}
        }
    }
}
