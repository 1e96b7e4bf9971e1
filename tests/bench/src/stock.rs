//! What is pulled: an image with blobs of several sizes, a repository with many tags and some referrers, others that
//! only fill the catalog, and the blobs of the mixed load. The same bytes lie in every registry, and as files before nginx, under the same paths.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::connection::Connection;
use crate::door::{Door, MANIFEST};
use crate::random::{Body, Random};
use crate::scale::Scale;
use crate::systems::{LOGIN, Running, System};

/// The tag of the image.
pub(crate) const TAG: &str = "v1";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// What is pulled.
pub(crate) struct Stock {
    pub(crate) large: Body,
    pub(crate) middle: Body,
    pub(crate) small: Body,
    /// An image of those three.
    pub(crate) manifest: Body,
    /// An image that has many tags and is referred to.
    pub(crate) subject: Body,
    /// One for each of the scale's sizes.
    pub(crate) mixed: Vec<Body>,
    config: Body,
    referrers: Vec<Body>,
    tags: u64,
    /// The names of repositories that only fill the catalog.
    others: Vec<String>,
}

/// The repository of the image.
pub(crate) fn images() -> String {
    format!("{LOGIN}/images")
}

/// The repository with the tags and the referrers.
pub(crate) fn lists() -> String {
    format!("{LOGIN}/lists")
}

/// The repository of the mixed load.
pub(crate) fn mixed() -> String {
    format!("{LOGIN}/mixed")
}

impl Stock {
    pub(crate) fn new(scale: &Scale, random: &mut Random) -> Stock {
        let config = Body::of(json!({ "architecture": "amd64", "os": "linux" }).to_string());
        let large = random.body(scale.large_bytes);
        let (middle, small) = (random.body(scale.middle_bytes), random.body(scale.small_bytes));
        let manifest = image(&config, &[&small, &middle, &large], None);
        let subject = image(&config, &[&small], None);
        let referrer = |number: u64| image(&config, &[&small], Some((&subject, number)));
        Stock {
            referrers: (0..scale.referrers).map(referrer).collect(),
            mixed: scale.mixed_bytes.iter().map(|bytes| random.body(*bytes)).collect(),
            tags: scale.tags,
            others: (2..scale.repositories).map(|number| format!("{LOGIN}/r{number:06}")).collect(),
            large,
            middle,
            small,
            manifest,
            subject,
            config,
        }
    }

    /// Pushes all of it but what the mixed load wants.
    pub(crate) async fn fill(&self, running: &Running) -> Result<(), String> {
        let mut connection = Connection::open(running.address).await?;
        let images = running.door(&images()).await?;
        for blob in [&self.config, &self.small, &self.middle, &self.large] {
            images.push(&mut connection, blob).await?;
        }
        images.push_manifest(&mut connection, TAG, &self.manifest).await?;
        let lists = running.door(&lists()).await?;
        for blob in [&self.config, &self.small] {
            lists.push(&mut connection, blob).await?;
        }
        for number in 0..self.tags {
            lists.push_manifest(&mut connection, &tag(number), &self.subject).await?;
        }
        for referrer in &self.referrers {
            lists.push_manifest(&mut connection, &referrer.digest, referrer).await?;
        }
        for name in &self.others {
            let other = running.door(name).await?;
            for blob in [&self.config, &self.small] {
                other.push(&mut connection, blob).await?;
            }
            other.push_manifest(&mut connection, TAG, &self.subject).await?;
        }
        running.share(&self::images()).await?;
        self.verify(&images, &mut connection).await
    }

    /// Pushes what the mixed load pulls.
    pub(crate) async fn fill_for_mixed(&self, running: &Running) -> Result<(), String> {
        let mut connection = Connection::open(running.address).await?;
        let door = running.door(&mixed()).await?;
        for blob in &self.mixed {
            door.push(&mut connection, blob).await?;
        }
        Ok(())
    }

    /// Whether what is pulled is what was pushed. (The large blob's bytes are only counted, each time.)
    async fn verify(&self, door: &Door, connection: &mut Connection) -> Result<(), String> {
        for (request, body) in [
            (door.blob("GET", &self.small.digest), &self.small),
            (door.blob("GET", &self.middle.digest), &self.middle),
            (door.manifest("GET", TAG), &self.manifest),
        ] {
            let answer = connection.ask_for(&request).await?;
            if answer.status != 200 || answer.body != body.parts().concat() {
                return Err(format!("{}: not what was pushed (status {})", request.line, answer.status));
            }
        }
        Ok(())
    }

    /// Writes all of it as files, for a server that knows nothing else.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), String> {
        let files = System::files(folder).join("v2");
        let (images, lists) = (files.join(images()), files.join(lists()));
        for blob in [&self.small, &self.middle, &self.large] {
            write(&images.join("blobs").join(&blob.digest), &blob.parts())?;
        }
        write(&images.join("manifests").join(TAG), &self.manifest.parts())?;
        let tags: Vec<_> = (0..self.tags).map(tag).collect();
        let list = json!({ "name": self::lists(), "tags": tags }).to_string();
        write(&lists.join("tags/list"), &[list.as_bytes()])?;
        let names: Vec<_> = [self::images(), self::lists()].into_iter().chain(self.others.clone()).collect();
        let catalog = json!({ "repositories": names }).to_string();
        write(&files.join("_catalog"), &[catalog.as_bytes()])?;
        let referrers: Vec<_> =
            self.referrers.iter().map(|referrer| descriptor(MANIFEST, referrer)).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": referrers }).to_string();
        write(&lists.join("referrers").join(&self.subject.digest), &[index.as_bytes()])
    }
}

fn tag(number: u64) -> String {
    format!("v{number:06}")
}

/// An image's manifest; it may refer to another one, with a number.
pub(crate) fn image(config: &Body, layers: &[&Body], refers: Option<(&Body, u64)>) -> Body {
    let layers: Vec<_> = layers.iter().map(|layer| descriptor(LAYER, layer)).collect();
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, config),
        "layers": layers,
    });
    if let Some((subject, number)) = refers {
        manifest["subject"] = descriptor(MANIFEST, subject);
        manifest["annotations"] = json!({ "number": number.to_string() });
        manifest["artifactType"] = json!("application/vnd.example.note");
    }
    Body::of(manifest.to_string())
}

fn descriptor(media_type: &str, body: &Body) -> Value {
    json!({ "mediaType": media_type, "digest": body.digest, "size": body.len() })
}

fn write(path: &Path, parts: &[&[u8]]) -> Result<(), String> {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        parts.iter().try_for_each(|part| file.write_all(part))
    };
    written().map_err(|error| format!("cannot write {}: {error}", path.display()))
}
