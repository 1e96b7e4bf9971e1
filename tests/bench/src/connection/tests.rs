//! Answers of every form that the servers give, in the pieces that a network makes of them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use super::{Connection, Request};
use crate::random::Body;

/// A server that reads `request_bytes`, sends these pieces one after the other, and closes the connection.
fn server(request_bytes: usize, pieces: &'static [&'static [u8]]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; request_bytes];
        stream.read_exact(&mut request).unwrap();
        for piece in pieces {
            stream.write_all(piece).unwrap();
            thread::sleep(Duration::from_millis(5));
        }
    });
    address
}

fn get() -> Request {
    Request::new("GET", "/", &[], None)
}

const GET_BYTES: usize = "GET / HTTP/1.1\r\n\r\n".len();

#[tokio::test]
async fn a_body_of_a_told_length_is_counted_and_kept() {
    let pieces: &[&[u8]] = &[b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 10\r\n\r\n0123", b"456789"];
    let mut connection = Connection::open(server(GET_BYTES, pieces)).await.unwrap();
    let answer = connection.ask(&get()).await.unwrap();
    assert_eq!((answer.status, answer.body_bytes, answer.told_bytes), (200, 10, Some(10)));
    let mut connection = Connection::open(server(GET_BYTES, pieces)).await.unwrap();
    assert_eq!(connection.ask_for(&get()).await.unwrap().body, b"0123456789");
}

#[tokio::test]
async fn chunks_are_put_together() {
    let pieces: &[&[u8]] = &[
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r",
        b"\n0123\r\n6\r\n45",
        b"6789\r\n0\r\n\r\n",
    ];
    let mut connection = Connection::open(server(GET_BYTES, pieces)).await.unwrap();
    let answer = connection.ask_for(&get()).await.unwrap();
    assert_eq!((answer.status, answer.body_bytes), (200, 10));
    assert_eq!(answer.body, b"0123456789");
    let mut connection = Connection::open(server(GET_BYTES, pieces)).await.unwrap();
    assert_eq!(connection.ask(&get()).await.unwrap().body_bytes, 10);
}

#[tokio::test]
async fn a_head_has_no_body_whatever_it_tells() {
    let request = Request::new("HEAD", "/", &[], None);
    let pieces: &[&[u8]] = &[b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"];
    let mut connection = Connection::open(server(GET_BYTES + 1, pieces)).await.unwrap();
    let answer = connection.ask(&request).await.unwrap();
    assert_eq!((answer.told_bytes, answer.body_bytes), (Some(10), 0));
}

#[tokio::test]
async fn a_body_that_ends_early_is_an_error() {
    let pieces: &[&[u8]] = &[b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123"];
    let mut connection = Connection::open(server(GET_BYTES, pieces)).await.unwrap();
    let why = connection.ask(&get()).await.unwrap_err();
    assert!(why.contains("6 bytes before"), "{why}");
}

#[tokio::test]
async fn a_body_is_sent_with_its_length_and_a_location_is_read() {
    let request = Request::new("PUT", "/x", &[("host", "here")], Some(Body::of(&b"0123456789"[..])));
    let bytes = "PUT /x HTTP/1.1\r\nhost: here\r\ncontent-length: 10\r\n\r\n0123456789".len();
    let pieces: &[&[u8]] = &[b"HTTP/1.1 201 Created\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"];
    let mut connection = Connection::open(server(bytes, pieces)).await.unwrap();
    let answer = connection.ask(&request).await.unwrap();
    assert_eq!((answer.status, answer.location.as_deref()), (201, Some("/there")));
}
