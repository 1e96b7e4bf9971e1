//! A client that sees the bytes as they come, and what the server holds open for it.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use super::{MIB, PATIENCE};
use crate::tests::app::TestApp;

pub(super) struct Wire {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Wire {
    pub(super) async fn connect(app: &TestApp) -> Wire {
        Wire::over(TcpSocket::new_v4().unwrap(), app).await
    }

    /// One that takes at most so many bytes ahead of its reader.
    pub(super) async fn connect_narrow(app: &TestApp, bytes: u32) -> Wire {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(bytes).unwrap();
        Wire::over(socket, app).await
    }

    async fn over(socket: TcpSocket, app: &TestApp) -> Wire {
        let token = app.token("acme", "repository:team-a/web:pull").await;
        let stream = socket.connect(app.host.parse().unwrap()).await.unwrap();
        Wire { stream: BufReader::new(stream), token }
    }

    pub(super) async fn ask(&mut self, method: &str, path: &str, headers: &str) {
        let token = &self.token;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n");
        self.stream.write_all(format!("{head}{headers}\r\n").as_bytes()).await.unwrap();
    }

    /// The head of the next answer.
    pub(super) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        let read = async {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.stream.read_u8().await.unwrap());
            }
        };
        timeout(PATIENCE, read).await.expect("a head comes");
        String::from_utf8(head).unwrap()
    }

    /// The next answer, whole.
    pub(super) async fn answer(&mut self) -> (String, Vec<u8>) {
        let head = self.head().await;
        let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let body = self.some(length.parse().unwrap()).await;
        (head, body)
    }

    /// So many bytes of a body.
    pub(super) async fn some(&mut self, length: usize) -> Vec<u8> {
        let mut some = vec![0; length];
        timeout(PATIENCE, self.stream.read_exact(&mut some)).await.expect("the body comes").unwrap();
        some
    }

    /// So many bytes of a body, so many of them every 20 milliseconds on average.
    pub(super) async fn some_slowly(&mut self, length: usize, each: usize) -> Vec<u8> {
        let mut beat = tokio::time::interval(Duration::from_millis(20));
        let mut some = Vec::new();
        while some.len() < length {
            beat.tick().await;
            some.extend(self.some(each.min(length - some.len())).await);
        }
        some
    }

    /// What comes until the server closes the connection, one way or the other.
    pub(super) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = self.stream.read_to_end(&mut rest);
        // A connection that is reset has lost nothing of what was read before.
        let _ = timeout(PATIENCE, read).await.expect("the connection is closed");
        rest
    }
}

/// How many files in `folder` this process has open.
fn open_files(folder: &Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let paths = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    paths.filter(|path| path.starts_with(folder)).count()
}

/// Waits until this process has so many files in `folder` open.
pub(super) async fn wait_for_open_files(folder: &Path, count: usize) {
    let until = Instant::now() + PATIENCE;
    while open_files(folder) != count {
        assert!(Instant::now() < until, "{} files are open, not {count}", open_files(folder));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The only file in `folder` of more than a mebibyte.
pub(super) fn large_file(folder: &Path) -> std::fs::File {
    let mut large = files(folder).into_iter().filter(|path| path.metadata().unwrap().len() > MIB as u64);
    let file = std::fs::OpenOptions::new().write(true).open(large.next().unwrap()).unwrap();
    assert!(large.next().is_none());
    file
}

/// Has the system forget what it holds of the files in `folder`, where it can.
pub(super) fn forget(folder: &Path) {
    for path in files(folder) {
        let file = std::fs::File::open(path).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
