//! Media types: which manifests are accepted, which layers lie elsewhere, and what a media type looks like at
//! all.

/// The longest media type, in bytes: two names of 127 (RFC 6838) and the `/` between them.
pub const MEDIA_TYPE_BYTES_MAX: usize = 255;

/// A blob that stands for nothing, `{}`: the config of many artifacts.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// The first form of Docker's manifests, signed and not. It names layers by their place in a history rather
/// than by descriptors, and no client of the last years writes it.
const DOCKER_SCHEMA1: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
];

/// Layers that a licence forbids to distribute, and that clients fetch from the descriptor's `urls`.
const NON_DISTRIBUTABLE: [&str; 5] = [
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
];

/// What a manifest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A config and layers: blobs.
    Image,
    /// A list of manifests.
    Index,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Image => "an image manifest",
            Kind::Index => "an index",
        })
    }
}

/// The media types that a manifest is accepted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ManifestType {
    /// OCI image manifest, version 1. Also what artifacts are pushed as.
    OciImage,
    /// OCI image index, version 1.
    OciIndex,
    /// Docker image manifest, version 2, schema 2.
    DockerImage,
    /// Docker manifest list, version 2.
    DockerList,
}

impl ManifestType {
    /// All that are accepted.
    pub const ALL: [ManifestType; 4] =
        [ManifestType::OciImage, ManifestType::OciIndex, ManifestType::DockerImage, ManifestType::DockerList];

    /// The media type as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            ManifestType::OciImage => "application/vnd.oci.image.manifest.v1+json",
            ManifestType::OciIndex => "application/vnd.oci.image.index.v1+json",
            ManifestType::DockerImage => "application/vnd.docker.distribution.manifest.v2+json",
            ManifestType::DockerList => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    /// Whether it is an image's or an index's.
    pub const fn kind(self) -> Kind {
        match self {
            ManifestType::OciImage | ManifestType::DockerImage => Kind::Image,
            ManifestType::OciIndex | ManifestType::DockerList => Kind::Index,
        }
    }

    /// The accepted type that a `Content-Type` names: parameters are ignored, case does not matter.
    pub fn from_content_type(content_type: &str) -> Option<ManifestType> {
        let essence = essence(content_type);
        ManifestType::ALL.into_iter().find(|accepted| essence.eq_ignore_ascii_case(accepted.as_str()))
    }
}

/// A `Content-Type` without its parameters and the spaces around it.
pub(crate) fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Whether a `Content-Type` names the first form of Docker's manifests.
pub(crate) fn is_docker_schema1(content_type: &str) -> bool {
    DOCKER_SCHEMA1.iter().any(|schema1| essence(content_type).eq_ignore_ascii_case(schema1))
}

pub(crate) fn is_non_distributable(media_type: &str) -> bool {
    NON_DISTRIBUTABLE.contains(&media_type)
}

/// Whether a text is a media type: two of RFC 6838's restricted names, and perhaps parameters in printable
/// ASCII. Some tools write `text/plain; charset=utf-8` into a layer's descriptor.
pub(crate) fn is_media_type(text: &str) -> bool {
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let Some((kind, name)) = essence.trim_end_matches(' ').split_once('/') else { return false };
    text.len() <= MEDIA_TYPE_BYTES_MAX
        && is_restricted_name(kind)
        && is_restricted_name(name)
        && parameters.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

fn is_restricted_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use oci_spec::image::{MediaType, ToDockerV2S2};

    use super::{Kind, ManifestType, NON_DISTRIBUTABLE, OCI_EMPTY, is_docker_schema1, is_media_type};

    #[test]
    fn the_specifications_constants() {
        assert_eq!(ManifestType::OciImage.as_str(), MediaType::ImageManifest.to_string());
        assert_eq!(ManifestType::OciIndex.as_str(), MediaType::ImageIndex.to_string());
        assert_eq!(
            ManifestType::DockerImage.as_str(),
            MediaType::ImageManifest.to_docker_v2s2().unwrap_or_default()
        );
        assert_eq!(
            ManifestType::DockerList.as_str(),
            MediaType::ImageIndex.to_docker_v2s2().unwrap_or_default()
        );
        assert_eq!(OCI_EMPTY, MediaType::EmptyJSON.to_string());
        let non_distributable = [
            MediaType::ImageLayerNonDistributable,
            MediaType::ImageLayerNonDistributableGzip,
            MediaType::ImageLayerNonDistributableZstd,
        ];
        assert_eq!(NON_DISTRIBUTABLE[2..], non_distributable.map(|media_type| media_type.to_string()));
    }

    #[test]
    fn content_types() {
        let accepted = [
            ("application/vnd.oci.image.manifest.v1+json", ManifestType::OciImage, Kind::Image),
            ("application/vnd.oci.image.index.v1+json; charset=utf-8", ManifestType::OciIndex, Kind::Index),
            (
                " Application/VND.docker.distribution.manifest.v2+JSON ;a=b;c",
                ManifestType::DockerImage,
                Kind::Image,
            ),
            (
                "application/vnd.docker.distribution.manifest.list.v2+json;",
                ManifestType::DockerList,
                Kind::Index,
            ),
        ];
        for (content_type, media_type, kind) in accepted {
            assert_eq!(ManifestType::from_content_type(content_type), Some(media_type), "{content_type}");
            assert_eq!(media_type.kind(), kind);
        }
        let refused = [
            "",
            ";",
            "application/json",
            "application/vnd.oci.image.manifest.v1",
            "application/vnd.oci.image.manifest.v1+json2",
            "application/vnd.oci.image.manifest.v2+json",
            "application/vnd.oci.artifact.manifest.v1+json",
            "application/vnd.oci.image.manifest.v1+json, application/json",
        ];
        for content_type in refused {
            assert_eq!(ManifestType::from_content_type(content_type), None, "{content_type}");
        }
        assert!(is_docker_schema1("application/vnd.docker.distribution.manifest.v1+prettyjws; q=1"));
        assert!(!is_docker_schema1("application/vnd.docker.distribution.manifest.v2+json"));
    }

    #[test]
    fn media_types() {
        let good = [
            "a/b",
            "application/octet-stream",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            "application/vnd.buildkit.cacheconfig.v0",
            "text/plain; charset=utf-8",
            "text/plain ;charset=\"utf-8\"",
        ];
        for text in good {
            assert!(is_media_type(text), "{text}");
        }
        let bad = [
            "",
            "/",
            "a",
            "a/",
            "/b",
            "a/b/c",
            "a b/c",
            "a/b c",
            " a/b",
            "a/b\n",
            "a/b;\r\nx: y",
            "é/b",
            "a/b;é",
            "-a/b",
        ];
        for text in bad {
            assert!(!is_media_type(text), "{text:?}");
        }
        assert!(is_media_type(&format!("a/{}", "b".repeat(253))));
        assert!(!is_media_type(&format!("a/{}", "b".repeat(254))));
    }
}
