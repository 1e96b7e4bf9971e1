//! TLS of our own: the handshake, what is agreed on in it, and what it may not do to the server.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Version};
use reqwest::{Certificate, Client, ClientBuilder};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::app::{TestApp, header, sha256};
use crate::{Settings, TlsIdentity};

const SOON: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(10);

/// A server, what shows it another identity, and the certificate that its clients trust.
struct Server {
    app: TestApp,
    shown: watch::Sender<TlsIdentity>,
    certificate: CertificateDer<'static>,
}

fn identity() -> (TlsIdentity, rcgen::Certificate) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    (TlsIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap(), made.cert)
}

fn client(certificate: &CertificateDer<'static>) -> ClientBuilder {
    let trusted = Certificate::from_der(certificate).unwrap();
    Client::builder().no_proxy().tls_certs_only([trusted])
}

async fn start(settings: Settings) -> Server {
    let (identity, certificate) = identity();
    let certificate = certificate.der().clone();
    let (shown, current) = watch::channel(identity);
    let client = client(&certificate).build().unwrap();
    Server { app: TestApp::start_over_tls(settings, current, client).await, shown, certificate }
}

async fn impatient() -> Server {
    start(Settings { head_timeout: SOON, body_idle_timeout: SOON, ..Settings::default() }).await
}

/// A connection that offers no protocol.
async fn connect(server: &Server, trusted: &CertificateDer<'static>) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(&server.app.host).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// Asks on a connection that stays, and reads the answer's head.
async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 1024];
    let read = timeout(PATIENCE, stream.read(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// What comes back for bytes that are no handshake, sent in parts, until the server closes the connection.
async fn converse(server: &Server, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(&server.app.host).await.unwrap();
    for part in parts {
        stream.write_all(part).await.unwrap();
        tokio::time::sleep(SOON / 10).await;
    }
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it is closed").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn the_handshake_chooses_the_protocol() {
    let server = start(Settings::default()).await;
    let layer = vec![3; 5 << 20];
    let digest = server.app.push_blob("acme", "team-a/web", &layer).await;
    let path = format!("/v2/team-a/web/blobs/{digest}");
    let by_choice = client(&server.certificate).build().unwrap();
    let older = client(&server.certificate).http1_only().build().unwrap();
    for (client, version) in [(by_choice, Version::HTTP_2), (older, Version::HTTP_11)] {
        let url = format!("https://{}{path}", server.app.host);
        let get = client.get(url).basic_auth("acme", Some(super::app::password_of("acme")));
        let get = get.send().await.unwrap();
        assert_eq!((get.status().as_u16(), get.version()), (200, version));
        assert_eq!(sha256(&get.bytes().await.unwrap()), digest);
    }
    let mut silent = connect(&server, &server.certificate).await;
    assert!(ask(&mut silent).await.starts_with("HTTP/1.1 200"), "none offered is HTTP/1.1");
}

#[tokio::test]
async fn the_realm_is_https_on_the_host_that_the_client_used() {
    let server = start(Settings::default()).await;
    let port = server.app.host.split(':').next_back().unwrap();
    let older = client(&server.certificate).http1_only().build().unwrap();
    for (client, version) in [(server.app.client.clone(), Version::HTTP_2), (older, Version::HTTP_11)] {
        for host in ["127.0.0.1", "localhost"] {
            let forged = [("x-forwarded-proto", "http"), ("x-forwarded-host", "evil")];
            let request = client.get(format!("https://{host}:{port}/v2/"));
            let request = forged.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let answer = request.send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.version()), (401, version));
            let realm = format!("realm=\"https://{host}:{port}/auth/token\"");
            assert!(header(&answer, "www-authenticate").contains(&realm), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_new_identity_is_shown_to_new_connections_alone() {
    let server = start(Settings::default()).await;
    let mut old = connect(&server, &server.certificate).await;
    assert!(ask(&mut old).await.starts_with("HTTP/1.1 200"));
    let (other, other_certificate) = identity();
    server.shown.send_replace(other);
    let mut new = connect(&server, other_certificate.der()).await;
    assert!(ask(&mut new).await.starts_with("HTTP/1.1 200"));
    assert!(ask(&mut old).await.starts_with("HTTP/1.1 200"), "the old one goes on");
    let old_trust = client(&server.certificate).build().unwrap();
    let refused = old_trust.get(format!("https://{}/healthz", server.app.host)).send().await;
    assert!(refused.is_err_and(|error| error.is_connect()));
}

#[tokio::test]
async fn a_stalled_handshake_is_closed_and_keeps_nobody_waiting() {
    let server = impatient().await;
    let _silent = TcpStream::connect(&server.app.host).await.unwrap();
    let answered = server.app.anonymous(Method::GET, "/healthz").send().await.unwrap();
    assert_eq!(answered.status(), 200);
    for stalled in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"] {
        converse(&server, &[stalled]).await;
    }
    let settings = Settings { connections_max: 1, head_timeout: SOON, ..Settings::default() };
    let narrow = start(settings).await;
    let _silent = TcpStream::connect(&narrow.app.host).await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut let_in = connect(&narrow, &narrow.certificate).await;
    assert!(ask(&mut let_in).await.starts_with("HTTP/1.1 200"));
    assert!(begun.elapsed() >= SOON / 2, "a handshake counts as a connection");
}

#[tokio::test]
async fn a_silent_connection_is_closed_after_its_handshake_too() {
    let server = impatient().await;
    let mut silent = connect(&server, &server.certificate).await;
    let mut nothing = [0];
    let closed = timeout(PATIENCE, silent.read(&mut nothing)).await.expect("it is closed");
    // Cut off, which is told apart from an end that is said.
    assert_eq!(closed.map_err(|error| error.kind()), Err(ErrorKind::UnexpectedEof));
}

#[tokio::test]
async fn plain_http_is_told_that_tls_is_spoken() {
    let server = start(Settings::default()).await;
    let (head, body) = (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 600000\r\n\r\n", vec![b'x'; 300_000]);
    let large: &[&[u8]] = &[head, &body, &body];
    let small: &[&[u8]] = &[b"GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n"];
    for request in [small, large] {
        let answer = converse(&server, request).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.ends_with("This port speaks HTTPS, and the request was sent as plain HTTP."));
    }
    let client = Client::builder().no_proxy().build().unwrap();
    let answer = client.get(format!("http://{}/v2/", server.app.host)).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("HTTPS"));
}

#[tokio::test]
async fn an_answer_that_ends_the_connection_ends_tls_first() {
    let server = start(Settings::default()).await;
    let mut stream = connect(&server, &server.certificate).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // Without the notice of the end this fails: the answer may have been cut off.
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_stop_waits_for_no_handshake() {
    let server = start(Settings::default()).await;
    let mut idle = connect(&server, &server.certificate).await;
    assert!(ask(&mut idle).await.starts_with("HTTP/1.1 200"));
    let _silent = TcpStream::connect(&server.app.host).await.unwrap();
    // Only what was accepted could hold it up.
    tokio::time::sleep(SOON).await;
    timeout(PATIENCE, server.app.stop()).await.unwrap().unwrap().unwrap();
}
