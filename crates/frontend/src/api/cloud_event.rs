//! Notices as events of CloudEvents 1.0. An event holds the share as the lists of shares show it, to the owner and to
//! the grantee alike, and never a secret.

use auth::{Notice, NoticeKind};

use super::shares::shown;
use super::types::{CloudEvent, CloudEventData, Share, ShareStatus, WebhookEvent};
use crate::ExternalUrl;

/// What every type of event begins with.
const TYPE_PREFIX: &str = "dev.gangplank.";

/// `notice` of `region`, as it is sent by the registry that clients reach at `external`, if that is known.
#[must_use]
pub fn cloud_event(notice: Notice, region: &kv::Region, external: Option<&ExternalUrl>) -> CloudEvent {
    let Notice { id, kind, at, share } = notice;
    let origin = external.map(ToString::to_string).unwrap_or_default();
    let subject = match &share {
        Some(share) => format!("repositories/{}/shares/{}", share.repository, share.grantee),
        None => "webhook".to_owned(),
    };
    let share = share.map(|share| match kind {
        // It opens nothing any more, whatever its deadline was.
        NoticeKind::ShareRevoked | NoticeKind::ShareLeft => {
            Share { status: ShareStatus::Ended, ..shown(share, region, at) }
        }
        _ => shown(share, region, at),
    });
    CloudEvent {
        specversion: "1.0".to_owned(),
        id: id.to_string(),
        source: format!("{}/regions/{region}", origin.trim_end_matches('/')),
        kind: format!("{TYPE_PREFIX}{kind}"),
        subject,
        time: at,
        datacontenttype: "application/json".to_owned(),
        data: CloudEventData { share },
    }
}

/// The word for a kind of notice; `None`: nobody asks for it.
pub(super) fn word(kind: NoticeKind) -> Option<WebhookEvent> {
    match kind {
        NoticeKind::ShareCreated => Some(WebhookEvent::ShareCreated),
        NoticeKind::ShareUpdated => Some(WebhookEvent::ShareUpdated),
        NoticeKind::ShareEnding => Some(WebhookEvent::ShareEnding),
        NoticeKind::ShareEnded => Some(WebhookEvent::ShareEnded),
        NoticeKind::ShareRevoked => Some(WebhookEvent::ShareRevoked),
        NoticeKind::ShareLeft => Some(WebhookEvent::ShareLeft),
        NoticeKind::Test => None,
    }
}

/// The kind of notice that a word asks for.
pub(super) fn kind(word: WebhookEvent) -> NoticeKind {
    match word {
        WebhookEvent::ShareCreated => NoticeKind::ShareCreated,
        WebhookEvent::ShareUpdated => NoticeKind::ShareUpdated,
        WebhookEvent::ShareEnding => NoticeKind::ShareEnding,
        WebhookEvent::ShareEnded => NoticeKind::ShareEnded,
        WebhookEvent::ShareRevoked => NoticeKind::ShareRevoked,
        WebhookEvent::ShareLeft => NoticeKind::ShareLeft,
    }
}

#[cfg(test)]
mod tests {
    use auth::NoticeKind;
    use jiff::Timestamp;

    use super::{cloud_event, kind, word};
    use crate::ExternalUrl;

    #[test]
    fn the_words_are_those_of_the_kinds() {
        for asked in NoticeKind::ALL {
            let word = word(asked).unwrap();
            assert_eq!((kind(word), serde_json::to_value(word).unwrap()), (asked, asked.as_str().into()));
        }
    }

    #[test]
    fn the_source_is_the_region_of_the_registry_that_clients_know() {
        let region = kv::Region::parse("main").unwrap();
        let notice = auth::Notice {
            id: kv::Id::new(7).unwrap().into(),
            kind: NoticeKind::Test,
            at: Timestamp::UNIX_EPOCH,
            share: None,
        };
        let external = ExternalUrl::parse("https://r.example").unwrap();
        let told = serde_json::to_value(cloud_event(notice.clone(), &region, Some(&external))).unwrap();
        assert_eq!(
            told,
            serde_json::json!({
                "specversion": "1.0", "id": "7", "source": "https://r.example/regions/main",
                "type": "dev.gangplank.webhook.test", "subject": "webhook", "time": "1970-01-01T00:00:00Z",
                "datacontenttype": "application/json", "data": {}
            })
        );
        assert_eq!(cloud_event(notice, &region, None).source, "/regions/main");
    }
}
