//! Bodies that are not accepted, with what is said of them.

use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use serde_json::{Value, json};

use super::{
    DOCKER_IMAGE, DOCKER_LIST, OCI_IMAGE, OCI_INDEX, descriptor, image, index, layer, parse, refusal, with,
};
use crate::field::KEYS_MAX;
use crate::{Manifest, ManifestError, ManifestType, SIZE_MAX};

/// What is said of an OCI image whose second layer has some fields set.
fn layer_refusal(fields: Value) -> String {
    let changed = with(layer("one"), fields);
    refusal(OCI_IMAGE, &with(image(), json!({ "layers": [layer("one"), changed] })).to_string())
}

#[test]
fn the_type_is_never_guessed() {
    let unsaid = with(image(), json!({ "mediaType": null })).to_string();
    let image = image().to_string();
    assert!(refusal("", &unsaid).starts_with("the media type is not known"));
    assert!(refusal(" ; charset=utf-8", &unsaid).starts_with("the media type is not known"));
    for content_type in [
        "application/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "text/html",
        "application/vnd.oci.artifact.manifest.v1+json",
        "application/vnd.oci.image.manifest.v1+json, application/json",
    ] {
        let said = refusal(content_type, &image);
        assert!(said.starts_with(&format!("manifests of type {content_type:?} are not accepted")), "{said}");
    }
    let other = with(index(), json!({ "mediaType": "application/vnd.example+json" })).to_string();
    assert!(
        refusal("", &other)
            .starts_with("manifests of type \"application/vnd.example+json\" are not accepted")
    );
    // What an error repeats is bounded.
    assert!(refusal(&"x".repeat(1 << 20), &image).len() < 500);
}

/// CVE-2021-41190: the same bytes must not be one thing here and another to a client.
#[test]
fn cve_2021_41190_a_manifest_is_what_it_says() {
    for (content_type, body) in [
        (OCI_INDEX, with(index(), json!({ "mediaType": OCI_IMAGE }))),
        (OCI_IMAGE, with(image(), json!({ "mediaType": OCI_INDEX }))),
        (OCI_IMAGE, with(image(), json!({ "mediaType": DOCKER_IMAGE }))),
        (DOCKER_IMAGE, image()),
        (OCI_IMAGE, with(image(), json!({ "mediaType": "application/json" }))),
        (OCI_IMAGE, with(image(), json!({ "mediaType": "" }))),
        (OCI_IMAGE, with(image(), json!({ "mediaType": OCI_IMAGE.to_uppercase() }))),
        (OCI_IMAGE, with(image(), json!({ "mediaType": format!("{OCI_IMAGE}; a=b") }))),
        ("", with(image(), json!({ "mediaType": format!("{OCI_IMAGE}; a=b") }))),
    ] {
        let error = parse(content_type, &body).unwrap_err();
        assert!(matches!(error, ManifestError::MediaTypeMismatch { .. }), "{content_type} {body}: {error}");
    }
    let said = refusal(OCI_IMAGE, &with(image(), json!({ "mediaType": 2 })).to_string());
    assert_eq!(said, "mediaType: is not a text");

    for value in ["null", "[]", "{}", &json!([descriptor(OCI_IMAGE, "child")]).to_string()] {
        for (content_type, base, field) in [
            (OCI_IMAGE, image(), "manifests"),
            (DOCKER_IMAGE, with(image(), json!({ "mediaType": DOCKER_IMAGE })), "manifests"),
            (OCI_INDEX, index(), "layers"),
            (OCI_INDEX, index(), "config"),
            (DOCKER_LIST, with(index(), json!({ "mediaType": DOCKER_LIST })), "layers"),
        ] {
            let body = base.to_string().replacen('{', &format!("{{\"{field}\":{value},"), 1);
            let said = refusal(content_type, &body);
            assert!(said.contains(&format!("must not have \"{field}\"")), "{body}: {said}");
        }
    }
}

#[test]
fn keys_that_others_read_otherwise_are_refused() {
    let text = image().to_string();
    let first = |entry: &str| text.replacen('{', &format!("{{{entry},"), 1);
    for (body, said) in [
        (first("\"layers\":[]"), "layers: stands twice"),
        (first("\"layers\":null"), "layers: stands twice"),
        (first("\"l\\u0061yers\":[]"), "layers: stands twice"),
        (first("\"x\":1,\"x\":1"), "x: stands twice"),
        (first("\"Layers\":[]"), "Layers: must be written \"layers\""),
        (first("\"MANIFESTS\":[]"), "MANIFESTS: must be written \"manifests\""),
        (first("\"manifest\u{17f}\":[]"), "manifest\u{17f}: must be written \"manifests\""),
        (first("\"mediatype\":\"a/b\""), "mediatype: must be written \"mediaType\""),
        (first("\"FsLayers\":[]"), "FsLayers: must be written \"fsLayers\""),
        (text.replacen("\"size\":3", "\"size\":3,\"size\":3", 1), "layers[0].size: stands twice"),
        (
            text.replacen("\"size\":3", "\"size\":3,\"Digest\":\"\"", 1),
            "layers[0].Digest: must be written \"digest\"",
        ),
        (first("\"annotations\":{\"a\":\"1\",\"a\":\"2\"}"), "annotations.a: stands twice"),
    ] {
        assert_eq!(refusal(OCI_IMAGE, &body), said, "{body}");
    }
    // Annotations are not matched with anything, so their case is their own.
    let body = with(image(), json!({ "annotations": { "Layers": "x", "a": "1", "A": "2" } }));
    assert_eq!(parse(OCI_IMAGE, &body).unwrap().annotations().len(), 3);
    // A key of any length: what the error repeats of it is bounded.
    let long = "k".repeat(1 << 20);
    assert!(refusal(OCI_IMAGE, &first(&format!("\"{long}\":1,\"{long}\":1"))).len() < 100);
}

#[test]
fn schema_versions() {
    for body in [
        json!({ "schemaVersion": 1, "name": "a/b", "tag": "x", "fsLayers": [], "history": [] }),
        with(image(), json!({ "schemaVersion": 1 })),
        with(image(), json!({ "fsLayers": [] })),
    ] {
        let error = parse(OCI_IMAGE, &body).unwrap_err();
        assert!(matches!(error, ManifestError::DockerSchema1), "{body}: {error}");
    }
    for content_type in [
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws; charset=utf-8",
    ] {
        assert!(refusal(content_type, &image().to_string()).starts_with("Docker's manifests of schema 1"));
    }
    for (version, said) in [
        (json!(3), "schemaVersion: is not 2"),
        (json!(0), "schemaVersion: is not 2"),
        (json!(-2), "schemaVersion: is not 2"),
        (json!("2"), "schemaVersion: is not 2"),
        (json!(2.0), "schemaVersion: is not 2"),
        (json!([2]), "schemaVersion: is not 2"),
        (Value::Null, "schemaVersion: is missing"),
    ] {
        assert_eq!(refusal(OCI_IMAGE, &with(image(), json!({ "schemaVersion": version })).to_string()), said);
    }
}

#[test]
fn what_is_not_json_is_refused() {
    let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    for body in [
        "",
        " ",
        "{",
        "{}{}",
        "{} x",
        "{\"schemaVersion\":2,}",
        "{'schemaVersion':2}",
        "{\"x\":01}",
        "{\"x\":NaN}",
        "{\"x\":1e999}",
        "{\"x\":\"\\ud800\"}",
        "{\"x\":\"\t\"}",
        "\u{feff}{}",
        &nested(200),
        &nested(1_000_000),
        &"[".repeat(1_000_000),
        &"{\"a\":".repeat(200_000),
    ] {
        let error = Manifest::parse(OCI_IMAGE, body.as_bytes()).unwrap_err();
        assert!(matches!(error, ManifestError::Json(_)), "{error}");
        assert!(error.to_string().len() < 200, "{error}");
    }
    for body in [&b"{\"x\":\"\xff\"}"[..], b"\xff", b"{\"\xc0\xaf\":1}"] {
        assert!(matches!(Manifest::parse(OCI_IMAGE, body), Err(ManifestError::Json(_))));
    }
    for body in ["null", "[]", "2", "\"x\"", "true"] {
        assert_eq!(refusal(OCI_IMAGE, body), "the manifest: is not a JSON object", "{body}");
    }
    // The bytes around the object may be white space.
    assert!(Manifest::parse(OCI_IMAGE, format!("\n\t {} \r\n", image()).as_bytes()).is_ok());
}

#[test]
fn keys_are_bounded() {
    let annotations = |count: usize| (0..count).map(|key| (key.to_string(), json!("x"))).collect::<Value>();
    let of = |count: usize| with(image(), json!({ "annotations": annotations(count) }));
    assert!(parse(OCI_IMAGE, &of(KEYS_MAX)).is_ok());
    assert_eq!(
        refusal(OCI_IMAGE, &of(KEYS_MAX + 1).to_string()),
        "annotations: holds more than 1000 entries"
    );
    let unknown = with(image(), annotations(KEYS_MAX));
    assert_eq!(refusal(OCI_IMAGE, &unknown.to_string()), "the manifest: holds more than 1000 entries");
}

#[test]
fn errors_name_the_field() {
    let hex = "a".repeat(64);
    let size = "layers[1].size: is not a whole number from 0 to 9007199254740991";
    for (fields, said) in [
        (json!({ "mediaType": null }), "layers[1].mediaType: is missing"),
        (json!({ "mediaType": "" }), "layers[1].mediaType: is not a media type"),
        (json!({ "mediaType": "layer" }), "layers[1].mediaType: is not a media type"),
        (json!({ "mediaType": "a/b\r\nx: y" }), "layers[1].mediaType: is not a media type"),
        (json!({ "mediaType": 1 }), "layers[1].mediaType: is not a text"),
        (json!({ "digest": null }), "layers[1].digest: is missing"),
        (json!({ "digest": 1 }), "layers[1].digest: is not a text"),
        (json!({ "size": null }), "layers[1].size: is missing"),
        (json!({ "size": -1 }), size),
        (json!({ "size": 1.5 }), size),
        (json!({ "size": "1" }), size),
        (json!({ "size": 1u64 << 53 }), size),
        (json!({ "size": u64::MAX }), size),
        (json!({ "size": 1e30 }), size),
        (json!({ "size": SIZE_MAX }), "layers: the sizes add up to more than 9007199254740991"),
        (json!({ "urls": "https://example.org" }), "layers[1].urls: is not a list"),
        (json!({ "urls": ["https://example.org", 1] }), "layers[1].urls[1]: is not a text"),
        (json!({ "urls": vec!["https://example.org"; 101] }), "layers[1].urls: holds more than 100 entries"),
        (json!({ "annotations": ["x"] }), "layers[1].annotations: is not a JSON object"),
        (json!({ "annotations": { "a": 1 } }), "layers[1].annotations.a: is not a text"),
        (json!({ "artifactType": "x" }), "layers[1].artifactType: is not a media type"),
        (json!({ "data": {} }), "layers[1].data: is not a text"),
        (json!({ "platform": "linux/amd64" }), "layers[1].platform: is not a JSON object"),
    ] {
        assert_eq!(layer_refusal(fields), said);
    }
    for digest in ["", "sha256:", &format!("sha256:{}", "A".repeat(64)), &format!("sha512:{hex}"), &hex] {
        assert!(
            layer_refusal(json!({ "digest": digest })).starts_with("layers[1].digest: not a digest"),
            "{digest}"
        );
    }
    let said = layer_refusal(json!({ "digest": format!("sha1:{hex}") }));
    assert!(said.starts_with("layers[1].digest: the digest algorithm \"sha1\" is not supported"), "{said}");

    for (fields, said) in [
        (json!({ "config": null }), "config: is missing"),
        (json!({ "config": [] }), "config: is not a JSON object"),
        (json!({ "config": {} }), "config.mediaType: is missing"),
        (json!({ "subject": "x" }), "subject: is not a JSON object"),
        (json!({ "subject": { "mediaType": "a/b", "size": 1 } }), "subject.digest: is missing"),
        (json!({ "annotations": { "a": { "b": "c" } } }), "annotations.a: is not a text"),
        (json!({ "artifactType": 1 }), "artifactType: is not a text"),
        (json!({ "artifactType": "not a type" }), "artifactType: is not a media type"),
    ] {
        assert_eq!(refusal(OCI_IMAGE, &with(image(), fields).to_string()), said);
    }
    assert_eq!(
        refusal(OCI_INDEX, &with(index(), json!({ "manifests": [{}] })).to_string()),
        "manifests[0].mediaType: is missing"
    );
}

proptest! {
    /// Any change of some bytes is read or refused, and never panics.
    #[test]
    fn damaged_bodies_do_not_panic(changes in vec((any::<usize>(), any::<u8>()), 1..4)) {
        let more = json!({ "subject": layer("subject"), "annotations": { "a": "b" } });
        let mut body = with(image(), more).to_string().into_bytes();
        for (at, byte) in changes {
            let at = at % body.len();
            body[at] = byte;
        }
        for media_type in ManifestType::ALL {
            drop(Manifest::parse(media_type.as_str(), &body));
        }
    }
}
