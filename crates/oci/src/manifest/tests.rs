//! Bodies that are accepted, with what is read from them.

mod refusals;

use serde_json::{Value, json};

use super::{DESCRIPTORS_MAX, Manifest, ManifestError};
use crate::{Algorithm, Digest, Kind, ManifestType};

const OCI_IMAGE: &str = ManifestType::OciImage.as_str();
const OCI_INDEX: &str = ManifestType::OciIndex.as_str();
const DOCKER_IMAGE: &str = ManifestType::DockerImage.as_str();
const DOCKER_LIST: &str = ManifestType::DockerList.as_str();

fn digest(content: &str) -> Digest {
    Digest::of(Algorithm::Sha256, content.as_bytes())
}

fn descriptor(media_type: &str, content: &str) -> Value {
    json!({ "mediaType": media_type, "digest": digest(content), "size": content.len() })
}

fn config() -> Value {
    descriptor("application/vnd.oci.image.config.v1+json", "config")
}

fn layer(content: &str) -> Value {
    descriptor("application/vnd.oci.image.layer.v1.tar+gzip", content)
}

fn image() -> Value {
    let layers = [layer("one"), layer("two")];
    json!({ "schemaVersion": 2, "mediaType": OCI_IMAGE, "config": config(), "layers": layers })
}

fn index() -> Value {
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor(OCI_IMAGE, "child")] })
}

/// `base` with some fields set; `Value::Null` removes one.
fn with(mut base: Value, fields: Value) -> Value {
    for (key, value) in fields.as_object().unwrap() {
        match value {
            Value::Null => base.as_object_mut().unwrap().remove(key),
            value => base.as_object_mut().unwrap().insert(key.clone(), value.clone()),
        };
    }
    base
}

fn parse(content_type: &str, body: &Value) -> Result<Manifest, ManifestError> {
    Manifest::parse(content_type, body.to_string().as_bytes())
}

/// What is said of a body that must not be accepted.
fn refusal(content_type: &str, body: &str) -> String {
    match Manifest::parse(content_type, body.as_bytes()) {
        Ok(_) => panic!("accepted as {content_type}: {body}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_image_names_its_blobs() {
    let body = with(image(), json!({ "layers": [layer("one"), layer("two"), layer("one")] }));
    let manifest = parse(OCI_IMAGE, &body).unwrap();
    assert_eq!((manifest.kind(), manifest.media_type()), (Kind::Image, OCI_IMAGE));
    let blobs: Vec<&Digest> = manifest.blobs().map(|blob| &blob.digest).collect();
    assert_eq!(blobs, [&digest("config"), &digest("one"), &digest("two"), &digest("one")]);
    assert_eq!(manifest.config().map(|config| config.size), Some(6));
    assert_eq!(manifest.layers().len(), 3);
    assert!(
        manifest.children().is_empty() && manifest.subject().is_none() && manifest.annotations().is_empty()
    );
}

#[test]
fn an_index_names_its_children_whatever_they_are() {
    let platform =
        json!({ "os": "windows", "architecture": "amd64", "os.version": "10.0", "os.features": ["x"] });
    let child =
        with(descriptor(OCI_IMAGE, "child"), json!({ "platform": platform, "annotations": { "a": "b" } }));
    let artifact = with(descriptor(OCI_IMAGE, "artifact"), json!({ "artifactType": "application/x" }));
    let layer = descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", "layer");
    let unknown = descriptor("application/vnd.example.manifest.v9+json", "unknown");
    let body = with(
        index(),
        json!({ "manifests": [child, artifact, descriptor(OCI_INDEX, "nested"), layer, unknown] }),
    );
    let manifest = parse(OCI_INDEX, &body).unwrap();
    assert_eq!((manifest.kind(), manifest.media_type()), (Kind::Index, OCI_INDEX));
    let children: Vec<&Digest> = manifest.children().iter().map(|child| &child.digest).collect();
    let contents = ["child", "artifact", "nested", "layer", "unknown"].map(digest);
    assert_eq!(children, contents.iter().collect::<Vec<_>>());
    assert_eq!(manifest.children()[1].artifact_type.as_deref(), Some("application/x"));
    assert_eq!(manifest.children()[0].annotations.get("a").map(String::as_str), Some("b"));
    assert!(manifest.config().is_none() && manifest.layers().is_empty() && manifest.blobs().next().is_none());
}

#[test]
fn every_accepted_type() {
    for (media_type, body) in
        [(OCI_IMAGE, image()), (OCI_INDEX, index()), (DOCKER_IMAGE, image()), (DOCKER_LIST, index())]
    {
        let said = with(body.clone(), json!({ "mediaType": media_type }));
        let unsaid = with(body, json!({ "mediaType": null }));
        let parameters = format!("{}; charset=utf-8", media_type.to_uppercase());
        for (content_type, body) in
            [(media_type, &said), (media_type, &unsaid), ("", &said), (&parameters, &said)]
        {
            assert_eq!(parse(content_type, body).unwrap().media_type(), media_type, "{content_type} {body}");
        }
    }
}

#[test]
fn lists() {
    for (content_type, base, list) in [(OCI_IMAGE, image(), "layers"), (OCI_INDEX, index(), "manifests")] {
        let null = with(base.clone(), json!({ list: [] })).to_string().replace("[]", "null");
        let manifest = Manifest::parse(content_type, null.as_bytes()).unwrap();
        assert!(manifest.layers().is_empty() && manifest.children().is_empty(), "{null}");
        assert!(parse(content_type, &with(base.clone(), json!({ list: [] }))).is_ok());
        let removed = with(base.clone(), json!({ list: null })).to_string();
        assert_eq!(refusal(content_type, &removed), format!("{list}: is missing"));
        for wrong in [json!({}), json!("x"), json!(1)] {
            let body = with(base.clone(), json!({ list: wrong })).to_string();
            assert_eq!(refusal(content_type, &body), format!("{list}: is not a list"));
        }
        for wrong in [json!([null]), json!(["x"]), json!([[]])] {
            let body = with(base.clone(), json!({ list: wrong })).to_string();
            assert_eq!(refusal(content_type, &body), format!("{list}[0]: is not a JSON object"));
        }
        let many = vec![layer("one"); DESCRIPTORS_MAX];
        assert!(parse(content_type, &with(base.clone(), json!({ list: many }))).is_ok());
        for many in [vec![layer("one"); DESCRIPTORS_MAX + 1], vec![json!(0); 100 * DESCRIPTORS_MAX]] {
            let body = with(base.clone(), json!({ list: many })).to_string();
            assert_eq!(refusal(content_type, &body), format!("{list}: holds more than 10000 entries"));
        }
    }
}

#[test]
fn null_counts_as_absent_and_unknown_fields_pass() {
    let body = image().to_string().replacen(
        '{',
        "{\"subject\":null,\"annotations\":null,\"artifactType\":null,\"org.example\":{\"layers\":[{}]},",
        1,
    );
    let manifest = Manifest::parse(OCI_IMAGE, body.as_bytes()).unwrap();
    assert!(manifest.subject().is_none() && manifest.annotations().is_empty());
    let nulls =
        image().to_string().replacen("\"size\":3", "\"size\":3,\"urls\":null,\"platform\":null,\"x\":[]", 1);
    assert!(Manifest::parse(OCI_IMAGE, nulls.as_bytes()).is_ok());
    let null = image().to_string().replacen("\"size\":3", "\"size\":null", 1);
    assert_eq!(refusal(OCI_IMAGE, &null), "layers[0].size: is missing");
}

#[test]
fn an_artifact_has_a_subject_a_type_and_an_empty_config() {
    let empty = with(descriptor(crate::OCI_EMPTY, "{}"), json!({ "data": "e30=" }));
    let body = with(
        image(),
        json!({
            "artifactType": "application/vnd.example.sbom.v1",
            "config": empty,
            "layers": [empty],
            "subject": descriptor(OCI_IMAGE, "subject"),
            "annotations": { "org.example": "x" },
        }),
    );
    let manifest = parse(OCI_IMAGE, &body).unwrap();
    assert_eq!(manifest.artifact_type(), Some("application/vnd.example.sbom.v1"));
    assert_eq!(manifest.subject().map(|subject| &subject.digest), Some(&digest("subject")));
    assert_eq!(manifest.annotations().get("org.example").map(String::as_str), Some("x"));
    assert_eq!(manifest.blobs().count(), 2);
}

#[test]
fn the_artifact_type_follows_the_referrers_rule() {
    let config_type = "application/vnd.oci.image.config.v1+json";
    for (content_type, body, expected) in [
        (OCI_IMAGE, with(image(), json!({ "artifactType": "a/b" })), Some("a/b")),
        (OCI_IMAGE, with(image(), json!({ "artifactType": "" })), Some(config_type)),
        (OCI_IMAGE, image(), Some(config_type)),
        (OCI_INDEX, with(index(), json!({ "artifactType": "a/b" })), Some("a/b")),
        (OCI_INDEX, with(index(), json!({ "artifactType": "" })), None),
        (OCI_INDEX, index(), None),
    ] {
        assert_eq!(parse(content_type, &body).unwrap().artifact_type(), expected, "{body}");
    }
}

#[test]
fn foreign_layers_are_those_that_say_where_they_lie() {
    let docker = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let oci = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
    for (media_type, urls, is_foreign) in [
        (docker, json!(["https://example.org/x"]), true),
        (oci, json!(["ftp://example.org", "http://example.org/x"]), true),
        (oci, json!([]), false),
        (docker, json!(["file:///etc/passwd"]), false),
        ("application/vnd.oci.image.layer.v1.tar+gzip", json!(["https://example.org/x"]), false),
    ] {
        let layer = with(descriptor(media_type, "layer"), json!({ "urls": urls }));
        let manifest = parse(OCI_IMAGE, &with(image(), json!({ "layers": [layer] }))).unwrap();
        let foreign: Vec<bool> = manifest.blobs().map(crate::Descriptor::is_foreign).collect();
        assert_eq!(foreign, [false, is_foreign], "{media_type} {urls}");
    }
}

/// The reader that clients of the Rust world use finds the same digests in what we accept.
#[test]
fn oci_spec_reads_the_same() {
    let artifact = json!({ "subject": descriptor(OCI_IMAGE, "subject"), "artifactType": "a/b", "x": [1] });
    for body in [image(), with(image(), artifact.clone()), with(image(), json!({ "layers": [] }))] {
        let theirs = oci_spec::image::ImageManifest::from_reader(body.to_string().as_bytes()).unwrap();
        let ours = parse(OCI_IMAGE, &body).unwrap();
        let theirs_blobs =
            [theirs.config()].into_iter().chain(theirs.layers()).map(|blob| blob.digest().to_string());
        assert!(ours.blobs().map(|blob| blob.digest.to_string()).eq(theirs_blobs), "{body}");
        let subject = theirs.subject().as_ref().map(|subject| subject.digest().to_string());
        assert_eq!(ours.subject().map(|subject| subject.digest.to_string()), subject);
    }
    for body in [index(), with(index(), artifact)] {
        let theirs = oci_spec::image::ImageIndex::from_reader(body.to_string().as_bytes()).unwrap();
        let ours = parse(OCI_INDEX, &body).unwrap();
        let children = theirs.manifests().iter().map(|child| child.digest().to_string());
        assert!(ours.children().iter().map(|child| child.digest.to_string()).eq(children), "{body}");
    }
}
