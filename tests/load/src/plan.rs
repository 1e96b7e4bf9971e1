//! What is to be there: how many of each, and their names.

/// Accounts that own repositories, and with which they are shared.
pub(crate) const OWNERS: u32 = 100;

/// How much is to be there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Repositories of each owner.
    pub(crate) repositories_each: u32,
    /// Tags and manifests of each repository.
    pub(crate) tags_each: u32,
    /// Tags and manifests of one more.
    pub(crate) many_tags: u32,
}

impl Plan {
    /// A sentence for the person who waits.
    pub(crate) fn describe(self) -> String {
        let repositories = u64::from(OWNERS) * u64::from(self.repositories_each);
        let tags = repositories * u64::from(self.tags_each) + u64::from(self.many_tags);
        format!("{repositories} repositories and shares, {tags} tags and manifests")
    }
}

/// The name of an owner, and of its namespace.
pub(crate) fn owner(number: u32) -> String {
    format!("owner-{number:02}")
}

/// An owner's password.
pub(crate) fn password(owner: &str) -> String {
    format!("the password of {owner}")
}

/// The name of one of an owner's repositories.
pub(crate) fn repository(owner: u32, number: u32) -> String {
    format!("owner-{owner:02}/image-{number:05}")
}

/// The repository with many tags.
pub(crate) const MANY_TAGS: &str = "owner-00/tags";

/// The name of a tag.
pub(crate) fn tag(number: u32) -> String {
    format!("v{number:07}")
}

/// A manifest unlike every other: an index of nothing, so that it needs no blob.
pub(crate) fn manifest(repository: &str, tag: u32) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MEDIA_TYPE}","manifests":[],"annotations":{{"org.opencontainers.image.title":"{repository}","org.opencontainers.image.version":"{tag}"}}}}"#
    )
}

/// Its media type.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.oci.image.index.v1+json";
