//! What stands for a file's bytes never reaches a client, whatever is done with it on the way.

use std::convert::Infallible;
use std::io::IoSlice;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use storage::files::Files;
use storage::{FileRange, Place, Places};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{MIB, PATIENCE, content};
use crate::connection::{Activity, Admitted, Socket};
use crate::outbox::{Answering, Outbox};

/// A file, and the two ends of a connection.
struct Sender {
    _folder: tempfile::TempDir,
    file: FileRange,
    socket: Socket,
    peer: TcpStream,
}

fn answer() -> Arc<Answering> {
    let admitted = Arc::new(Admitted::new(Activity::new().begin(), None));
    Arc::new(Answering { meter: None, admitted })
}

impl Sender {
    async fn new(length: usize) -> Sender {
        let folder = tempfile::tempdir().unwrap();
        let (files, place) = (Files::open(folder.path()).unwrap(), Place::random());
        let mut writer = files.create(place).await.unwrap();
        writer.write(vec![content(length).into()]).await.unwrap();
        let file = files.open(place).await.unwrap().file().unwrap().clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let socket = Socket::new(listener.accept().await.unwrap().0, PATIENCE);
        Sender { _folder: folder, file: FileRange { file, range: 0..length as u64 }, socket, peer }
    }

    fn range(&self, start: u64, end: u64) -> FileRange {
        FileRange { file: self.file.file.clone(), range: start..end }
    }

    /// Writes until all is written or refused, and answers what the peer got.
    async fn write(mut self, data: &[&[u8]]) -> (bool, Vec<u8>) {
        let mut slices: Vec<_> = data.iter().map(|data| IoSlice::new(data)).collect();
        let mut left = slices.as_mut_slice();
        let mut refused = false;
        while !left.is_empty() && !refused {
            match self.socket.write_vectored(left).await {
                Ok(0) => break,
                Ok(written) => IoSlice::advance_slices(&mut left, written),
                Err(_) => refused = true,
            }
        }
        drop(self.socket);
        let mut got = Vec::new();
        self.peer.read_to_end(&mut got).await.unwrap();
        (refused, got)
    }
}

#[tokio::test]
async fn each_is_replaced_by_its_range() {
    let sender = Sender::new(50_000).await;
    let (outbox, answer, all) = (sender.socket.outbox(), answer(), content(50_000));
    let first = outbox.put(sender.range(10, 20_000), &answer);
    let second = outbox.put(sender.range(30_000, 50_000), &answer);
    let (refused, got) = sender.write(&[b"head", &first, b"between", &second, b"end"]).await;
    assert!(!refused);
    let expected = [b"head", &all[10..20_000], b"between", &all[30_000..], b"end"].concat();
    assert!(got == expected, "{} bytes", got.len());
}

#[tokio::test]
async fn none_is_written_that_is_not_its_ranges() {
    type Wrong = fn(&Sender, &Outbox) -> Vec<Bytes>;
    let wrong: [(&str, Wrong); 7] = [
        ("of another connection", |sender, _| vec![Outbox::default().put(sender.range(0, 100), &answer())]),
        ("copied", |sender, outbox| vec![outbox.put(sender.range(0, 100), &answer()).to_vec().into()]),
        ("copied behind a head", |sender, outbox| {
            let copy = [b"head", &outbox.put(sender.range(0, 100), &answer())[..]].concat();
            vec![copy.into()]
        }),
        ("kept back", |sender, outbox| {
            outbox.put(sender.range(0, 100), &answer());
            vec![Bytes::from_static(b"head")]
        }),
        ("in part", |sender, outbox| vec![outbox.put(sender.range(0, 100), &answer()).slice(..50)]),
        ("twice", |sender, outbox| {
            let stand_in = outbox.put(sender.range(0, 100), &answer());
            vec![stand_in.clone(), stand_in]
        }),
        ("out of order", |sender, outbox| {
            let first = outbox.put(sender.range(0, 100), &answer());
            vec![outbox.put(sender.range(0, 200), &answer()), first]
        }),
    ];
    for (name, data) in wrong {
        let sender = Sender::new(1000).await;
        let data = data(&sender, &sender.socket.outbox());
        let slices: Vec<_> = data.iter().map(|data| &data[..]).collect();
        assert_eq!(sender.write(&slices).await, (true, Vec::new()), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_ends_within_a_range_fails_the_socket() {
    for (start, sent) in [(500, 500), (1000, 0), (2000, 0)] {
        let sender = Sender::new(1000).await;
        let stand_in = sender.socket.outbox().put(sender.range(start, 3000), &answer());
        let (refused, got) = sender.write(&[&stand_in, b"the next answer"]).await;
        assert!(refused && got == content(1000)[1000 - sent..], "{start}: {} bytes", got.len());
    }
}

#[tokio::test]
async fn one_that_hyper_copies_ends_the_connection() {
    for (copies, length) in [(false, 3 * MIB), (true, 3 * MIB)] {
        let Sender { file, socket, mut peer, _folder } = Sender::new(length).await;
        let outbox = socket.outbox();
        let service = service_fn(move |_: Request<Incoming>| {
            let (outbox, mut left) = (outbox.clone(), file.clone());
            let frames = (0..length / MIB).map(move |_| {
                let end = left.range.start + MIB as u64;
                let range = FileRange { file: left.file.clone(), range: left.range.start..end };
                left.range.start = end;
                Ok::<_, Infallible>(Frame::data(outbox.put(range, &answer())))
            });
            let answer = Response::builder().header("content-length", length);
            let answer = answer.body(StreamBody::new(stream::iter(frames))).unwrap();
            async move { Ok::<_, Infallible>(answer) }
        });
        let serving = tokio::spawn(
            http1::Builder::new().writev(!copies).serve_connection(TokioIo::new(socket), service),
        );
        peer.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut got = Vec::new();
        timeout(PATIENCE, peer.read_to_end(&mut got)).await.unwrap().unwrap();
        assert_eq!(serving.await.unwrap().is_err(), copies);
        if copies {
            assert_eq!(got.len(), 0, "nothing of it is written");
        } else {
            assert!(got.ends_with(&content(length)));
        }
    }
}
