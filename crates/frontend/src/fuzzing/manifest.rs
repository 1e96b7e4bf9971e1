//! Manifests and what is listed of them as referrers.

use oci::{
    Algorithm, DESCRIPTORS_MAX, Descriptor, Digest, KEYS_MAX, Kind, MEDIA_TYPE_BYTES_MAX, Manifest,
    ManifestType, ReferrersPage, SIZE_MAX, URLS_MAX, referrer,
};
use serde_json::Value;

/// A refusal is read by people, in one answer.
const REFUSAL_BYTES_MAX: usize = 16 << 10;

/// A `Content-Type` on the first line, and the body behind it.
pub fn manifest(input: &[u8]) {
    let Some((content_type, body)) = super::line(input) else { return };
    match Manifest::parse(content_type, body) {
        Ok(manifest) => {
            is_within_bounds(&manifest);
            is_read_alike(&manifest, content_type, body);
            is_listed(&manifest, body);
        }
        Err(error) => {
            let length = error.to_string().len();
            assert!(length <= REFUSAL_BYTES_MAX, "a refusal of {length} bytes");
        }
    }
}

fn is_within_bounds(manifest: &Manifest) {
    assert!(ManifestType::ALL.iter().any(|accepted| accepted.as_str() == manifest.media_type()));
    assert_eq!(manifest.config().is_some(), manifest.kind() == Kind::Image);
    assert!(manifest.layers().is_empty() || manifest.children().is_empty());
    assert!(manifest.layers().len().max(manifest.children().len()) <= DESCRIPTORS_MAX);
    let named = || manifest.blobs().chain(manifest.children());
    let sizes = named().try_fold(0u64, |sum, descriptor| sum.checked_add(descriptor.size));
    assert!(sizes.is_some_and(|sum| sum <= SIZE_MAX), "{sizes:?}");
    for descriptor in named().chain(manifest.subject()) {
        assert!(descriptor.media_type.len() <= MEDIA_TYPE_BYTES_MAX, "{descriptor:?}");
        assert!(descriptor.size <= SIZE_MAX && descriptor.urls.len() <= URLS_MAX, "{descriptor:?}");
        assert!(descriptor.annotations.len() <= KEYS_MAX, "{descriptor:?}");
    }
}

/// Another reader, who takes the last of two keys and knows nothing of our rules, reads the same (CVE-2021-41190).
fn is_read_alike(manifest: &Manifest, content_type: &str, body: &[u8]) {
    let value: Value = serde_json::from_slice(body).expect("what was accepted is JSON");
    assert_eq!(value["schemaVersion"], 2);
    if let Some(said) = value["mediaType"].as_str() {
        assert_eq!(said, manifest.media_type());
    } else {
        assert_eq!(
            ManifestType::from_content_type(content_type).map(ManifestType::as_str),
            Some(manifest.media_type())
        );
    }
    let (present, absent) = match manifest.kind() {
        Kind::Image => ("layers", "manifests"),
        Kind::Index => ("manifests", "layers"),
    };
    assert!(value.get(present).is_some() && value.get(absent).is_none());
    let nothing = Vec::new();
    let entries = value[present].as_array().unwrap_or(&nothing);
    let named: Vec<_> = manifest.layers().iter().chain(manifest.children()).collect();
    assert_eq!(entries.len(), named.len());
    let others = [(&value["config"], manifest.config()), (&value["subject"], manifest.subject())];
    for (other, ours) in entries.iter().zip(named.into_iter().map(Some)).chain(others) {
        let ours = ours.map(|ours| (ours.media_type.as_str(), ours.digest.to_string(), ours.size));
        let other = other.as_object().map(|other| {
            let text = |key: &str| other[key].as_str().unwrap_or_default();
            (text("mediaType"), text("digest").to_owned(), other["size"].as_u64().unwrap_or(u64::MAX))
        });
        assert_eq!(ours, other);
    }
}

/// It can be stored and listed as a referrer, and the list is a manifest that we would accept.
fn is_listed(manifest: &Manifest, body: &[u8]) {
    let listed = referrer(manifest, Digest::of(Algorithm::Sha256, body), body.len() as u64);
    let stored = serde_json::to_vec(&listed).expect("a descriptor can be written");
    let stored: Descriptor = serde_json::from_slice(&stored).expect("a descriptor that was written");
    assert_eq!(stored, listed);
    let page = serde_json::to_vec(&ReferrersPage::new(&[listed])).expect("a page can be written");
    let page = Manifest::parse(ReferrersPage::MEDIA_TYPE, &page).expect("a page is an index");
    assert_eq!(page.children(), [stored]);
}
