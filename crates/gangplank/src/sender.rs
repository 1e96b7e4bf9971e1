//! Sends a notice to where a webhook says: one POST, signed, to a permitted address, and what became of it.
//!
//! An account names the URL, and we stand inside the operator's network: so the address is checked that is connected to.
//! A name is resolved here and nowhere else, and the connection is made to one of the addresses that were permitted, so
//! that no second answer of a name server leads elsewhere; a redirect is not followed, and no proxy of the environment is
//! used, which would resolve by itself. Of an answer only its head is read.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::auth::{Attempt, AttemptEnd, DeliveryFailure, Destinations};
use frontend::types::CloudEvent;
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{ClientBuilder, Response, StatusCode, redirect};

const CLOUD_EVENT: &str = "application/cloudevents+json; charset=utf-8";

/// Sends notices. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sender {
    http: reqwest::Client,
    destinations: Destinations,
}

/// [`DeliveryFailure::NotPermitted`], as the cause of another error.
#[derive(Debug, thiserror::Error)]
#[error("{}", DeliveryFailure::NotPermitted)]
struct NotPermitted;

impl Sender {
    /// One that connects to what `destinations` permit, and waits `timeout` for an answer.
    ///
    /// # Errors
    /// When the system's TLS cannot be set up.
    pub(crate) fn new(destinations: Destinations, timeout: Duration) -> Result<Sender, reqwest::Error> {
        let client = |trust: fn(ClientBuilder) -> ClientBuilder| {
            trust(reqwest::Client::builder())
                .dns_resolver(Arc::new(CheckedNames { destinations: destinations.clone() }))
                .no_proxy()
                .redirect(redirect::Policy::none())
                .user_agent(concat!("gangplank/", env!("CARGO_PKG_VERSION")))
                .timeout(timeout)
                // Notices are rare, and a receiver's connections are its own.
                .pool_max_idle_per_host(0)
                .build()
        };
        // A machine that knows no authorities sends over plain HTTP, and trusts nobody else.
        let http = client(|builder| builder).or_else(|error| {
            tracing::warn!(%error, "no certificate authorities: webhooks over https will fail");
            client(|builder| builder.tls_certs_only([]))
        })?;
        Ok(Sender { http, destinations })
    }

    /// Sends `event` at `now`.
    pub(crate) async fn send(&self, attempt: &Attempt, event: &CloudEvent, now: Timestamp) -> AttemptEnd {
        // What is an address already never comes to the resolver.
        if attempt.url.address().is_some_and(|address| !self.destinations.permit(address)) {
            return AttemptEnd::Unanswered { reason: NotPermitted.to_string() };
        }
        let signed = serde_json::to_vec(event).map_err(|error| error.to_string()).and_then(|body| {
            let signature = attempt.signature(&body, now).map_err(|error| error.to_string())?;
            Ok((body, signature))
        });
        let (body, signature) = match signed {
            Ok(signed) => signed,
            Err(reason) => return AttemptEnd::Unanswered { reason },
        };
        let request = self
            .http
            .post(attempt.url.as_str())
            .header(CONTENT_TYPE, CLOUD_EVENT)
            .header("webhook-id", attempt.message_id())
            .header("webhook-timestamp", now.as_second())
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(response) => judge(&response, now),
            Err(error) => AttemptEnd::Unanswered { reason: reason(&error) },
        }
    }
}

fn judge(response: &Response, now: Timestamp) -> AttemptEnd {
    let status = response.status();
    if status.is_success() {
        return AttemptEnd::Taken;
    }
    if status == StatusCode::GONE {
        return AttemptEnd::Gone;
    }
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|text| wait(text, now));
    let answer = DeliveryFailure::Answered { status: status.to_string(), redirect: status.is_redirection() };
    AttemptEnd::Refused { answer: answer.to_string(), retry_after }
}

/// How long from `now` on a `Retry-After` asks to be left alone: so many seconds, or until a date (RFC 9110, 10.2.3).
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()?;
    // One that has passed asks for nothing.
    Duration::try_from(until.duration_since(now)).ok()
}

/// Why there was no answer: the deepest cause, which is the one that says something.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return DeliveryFailure::TimedOut.to_string();
    }
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// Resolves names as the system does, and answers the permitted addresses alone.
struct CheckedNames {
    destinations: Destinations,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let destinations = self.destinations.clone();
        Box::pin(async move {
            // The port is the connection's, whatever stands here.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|error| {
                tracing::debug!(name = name.as_str(), %error, "a webhook's name leads to no address");
                NotPermitted
            })?;
            let permitted: Vec<SocketAddr> =
                found.filter(|address| destinations.permit(address.ip())).collect();
            if permitted.is_empty() {
                return Err(NotPermitted.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ::auth::Destinations;
    use tokio::net::TcpListener;

    use super::{Sender, reason, wait};

    fn loopback() -> Destinations {
        Destinations { internal_networks_allowed: vec!["127.0.0.0/8".parse().unwrap()] }
    }

    /// Whether a request to a name of this machine arrives, and why not.
    async fn arrives(destinations: Destinations) -> (bool, Option<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let sender = Sender::new(destinations, Duration::from_secs(2)).unwrap();
        let sent = tokio::spawn(async move { sender.http.post(url).send().await.err().map(|e| reason(&e)) });
        let accepted = tokio::time::timeout(Duration::from_secs(5), listener.accept());
        tokio::select! {
            accepted = accepted => (accepted.is_ok(), None),
            failure = sent => (false, failure.unwrap()),
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_connected_to_only_where_that_is_allowed() {
        assert_eq!(arrives(loopback()).await, (true, None));
        let (arrived, failure) = arrives(Destinations::default()).await;
        assert!(!arrived);
        assert!(failure.as_deref().is_some_and(|why| why.contains("does not send to")), "{failure:?}");
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_fails_as_one_that_leads_nowhere() {
        let (_, inside) = arrives(Destinations::default()).await;
        let sender = Sender::new(Destinations::default(), Duration::from_secs(20)).unwrap();
        // Longer than a name's part may be, so that no name server is asked.
        let nowhere = format!("http://{}.example/", "x".repeat(64));
        let failed = sender.http.post(nowhere).send().await.unwrap_err();
        assert_eq!(inside, Some(reason(&failed)));
    }

    #[test]
    fn a_receiver_asks_to_be_left_alone_for_a_while_or_until_a_date() {
        let now = "2027-01-31T12:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Sun, 31 Jan 2027 12:02:00 GMT", Some(120)),
            ("Sun, 31 Jan 2027 12:00:00 GMT", Some(0)),
            ("Sun, 31 Jan 2027 11:59:59 GMT", None),
            ("Sunday", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(wait(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
