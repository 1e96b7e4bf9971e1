//! `gangplank tag`

use std::str::FromStr;

use frontend::types;

use crate::client::path;
use crate::commands::Remote;
use crate::failure::Failure;
use crate::input::Confirmation;
use crate::output::{Shown, size, time};

#[derive(Debug, clap::Args)]
pub(crate) struct Tag {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List a repository's tags
    #[command(after_help = "Example:\n  gangplank tag list team-a/web")]
    List { repository: String },
    /// Show a tag
    #[command(after_help = "Example:\n  gangplank tag show team-a/web:1.0")]
    Show {
        #[arg(value_name = "REPOSITORY:TAG")]
        tag: TagName,
    },
    /// Delete a tag; the image that it names stays
    #[command(after_help = "Example:\n  gangplank tag delete team-a/web:1.0 --yes")]
    Delete {
        #[arg(value_name = "REPOSITORY:TAG")]
        tag: TagName,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// `REPOSITORY:TAG`, split at the last colon.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TagName {
    repository: String,
    tag: String,
}

impl FromStr for TagName {
    type Err = String;

    fn from_str(text: &str) -> Result<TagName, String> {
        match text.rsplit_once(':') {
            Some((repository, tag)) if !repository.is_empty() && !tag.is_empty() && !tag.contains('/') => {
                Ok(TagName { repository: repository.to_owned(), tag: tag.to_owned() })
            }
            _ => Err("a tag is named with its repository, such as team-a/web:1.0".to_owned()),
        }
    }
}

impl TagName {
    fn path(&self) -> Result<String, Failure> {
        path(&["repositories", &self.repository, "tags", &self.tag])
    }
}

impl std::fmt::Display for TagName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

impl Tag {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::List { repository } => output
                .list(&client.list::<types::Tag>(&path(&["repositories", &repository, "tags"])?, &[]).await?),
            Action::Show { tag } => output.one(&client.get::<types::Tag>(&tag.path()?).await?),
            Action::Delete { tag, confirmation } => {
                confirmation.obtain(&format!("Delete the tag {tag}?"))?;
                client.delete(&tag.path()?).await?;
                output.done(&format!("Tag {tag} is deleted."))
            }
        }
    }
}

impl Shown for types::Tag {
    const COLUMNS: &[&str] = &["TAG", "DIGEST", "SIZE", "UPDATED"];

    fn row(&self) -> Vec<String> {
        vec![self.name.clone(), self.digest.clone(), size(self.size_bytes), time(self.updated_at)]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Tag", self.name.clone()),
            ("Digest", self.digest.clone()),
            ("Media type", self.media_type.clone()),
            ("Size", size(self.size_bytes)),
            ("Updated", time(self.updated_at)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::TagName;

    #[test]
    fn a_tag_stands_behind_its_repository() {
        let parsed: Result<TagName, _> = "team-a/web:1.0".parse();
        assert_eq!(parsed, Ok(TagName { repository: "team-a/web".to_owned(), tag: "1.0".to_owned() }));
        for wrong in ["team-a/web", "team-a/web:", ":1.0", "127.0.0.1:5000/team-a/web", ""] {
            assert!(wrong.parse::<TagName>().is_err(), "{wrong}");
        }
    }
}
