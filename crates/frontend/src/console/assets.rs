//! The console's own files: built in, and served under names that change with them, so that browsers keep them for good.

use std::sync::LazyLock;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use oci::{Algorithm, Digest};

use super::page::Answer;

/// One of them.
pub(super) struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

pub(super) static STYLE: Asset = Asset {
    name: "style.css",
    media_type: "text/css; charset=utf-8",
    content: include_str!("assets/style.css"),
};
pub(super) static SCRIPT: Asset = Asset {
    name: "script.js",
    media_type: "text/javascript; charset=utf-8",
    content: include_str!("assets/script.js"),
};
pub(super) static LOGO: Asset =
    Asset { name: "logo.svg", media_type: "image/svg+xml", content: include_str!("assets/logo.svg") };

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all = [STYLE.content, SCRIPT.content, LOGO.content].concat();
    Digest::of(Algorithm::Sha256, all.as_bytes()).hex()[..12].to_owned()
});

impl Asset {
    /// Where it is served.
    pub(super) fn address(&self) -> String {
        format!("/console/assets/{}/{}", *VERSION, self.name)
    }
}

/// The file of that version and name.
pub(super) fn find(version: &str, name: &str) -> Option<Answer> {
    let asset = [&STYLE, &SCRIPT, &LOGO].into_iter().find(|asset| asset.name == name)?;
    if version != *VERSION {
        return None;
    }
    let mut answer = Response::new(Body::from(asset.content));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Some(answer)
}
