//! `gangplank repository`

use frontend::types::{self, NewRepository, RepositoryChange};

use crate::client::{Client, path};
use crate::commands::Remote;
use crate::failure::Failure;
use crate::input::Confirmation;
use crate::output::{Output, Shown, size, time};

#[derive(Debug, clap::Args)]
pub(crate) struct Repository {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a repository ahead of its first push
    #[command(
        after_help = "Example:\n  gangplank repository create team-a/web --description \"the shop's front\""
    )]
    Create {
        /// Its full name, team-a/web
        name: String,
        /// 0 to 1000 characters
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// List the repositories
    #[command(after_help = "Example:\n  gangplank repository list --namespace team-a")]
    List {
        /// Only those of this namespace
        #[arg(long, value_name = "NAME")]
        namespace: Option<String>,
        /// Those too that hold no manifest yet
        #[arg(long)]
        empty: bool,
    },
    /// Show a repository
    #[command(after_help = "Example:\n  gangplank repository show team-a/web")]
    Show { name: String },
    /// Delete a repository with its images and shares
    #[command(after_help = "Example:\n  gangplank repository delete team-a/web --yes")]
    Delete {
        name: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Make a repository public, so that everybody may pull it, or private again; its shares end with `public`
    #[command(after_help = "Example:\n  gangplank repository visibility team-a/web private")]
    Visibility {
        name: String,
        #[arg(value_enum)]
        visibility: Visibility,
    },
    /// Say something else of a repository
    #[command(after_help = "Example:\n  gangplank repository describe team-a/web \"the shop's front\"")]
    Describe {
        name: String,
        /// 0 to 1000 characters
        description: String,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Visibility {
    /// Nobody pulls it without being named
    Private,
    /// Everybody pulls it, without signing in too
    Public,
}

impl From<Visibility> for types::Visibility {
    fn from(visibility: Visibility) -> types::Visibility {
        match visibility {
            Visibility::Private => types::Visibility::Private,
            Visibility::Public => types::Visibility::Public,
        }
    }
}

impl Repository {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::Create { name, description } => {
                let repository = NewRepository { name, description };
                let made: types::Repository = client.post(&path(&["repositories"])?, &repository).await?;
                output
                    .changed(&made, &format!("Repository {} is made, {}.", made.name, word(made.visibility)))
            }
            Action::List { namespace, empty } => {
                let mut query: Vec<_> = namespace.iter().map(|name| ("namespace", name.as_str())).collect();
                query.extend(empty.then_some(("empty", "true")));
                output.list(&client.list::<types::Repository>(&path(&["repositories"])?, &query).await?)
            }
            Action::Show { name } => {
                output.one(&client.get::<types::Repository>(&path(&["repositories", &name])?).await?)
            }
            Action::Delete { name, confirmation } => {
                confirmation.obtain(&format!("Delete the repository {name} with its images and shares?"))?;
                client.delete(&path(&["repositories", &name])?).await?;
                output.done(&format!("Repository {name} is deleted."))
            }
            Action::Visibility { name, visibility } => {
                let change = RepositoryChange { visibility: Some(visibility.into()), description: None };
                change_repository(&client, output, &name, &change).await
            }
            Action::Describe { name, description } => {
                let change = RepositoryChange { visibility: None, description: Some(description) };
                change_repository(&client, output, &name, &change).await
            }
        }
    }
}

async fn change_repository(
    client: &Client,
    output: Output,
    name: &str,
    change: &RepositoryChange,
) -> Result<(), Failure> {
    let changed: types::Repository = client.patch(&path(&["repositories", name])?, change).await?;
    let what = match change.visibility {
        Some(_) => format!("is {} now", word(changed.visibility)),
        None => "has a new description".to_owned(),
    };
    output.changed(&changed, &format!("Repository {} {what}.", changed.name))
}

fn word(visibility: types::Visibility) -> &'static str {
    match visibility {
        types::Visibility::Private => "private",
        types::Visibility::Public => "public",
    }
}

/// A figure of what it holds: none of an image that only some tags of are shared with the caller.
fn figure(figure: Option<u64>, shown: impl FnOnce(u64) -> String) -> String {
    figure.map_or_else(|| "-".to_owned(), shown)
}

impl Shown for types::Repository {
    const COLUMNS: &[&str] = &["NAME", "VISIBILITY", "TAGS", "SIZE", "CREATED"];

    fn row(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            word(self.visibility).to_owned(),
            figure(self.tags, |tags| tags.to_string()),
            figure(self.size_bytes, size),
            time(self.created_at),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Name", self.name.clone()),
            ("Account", self.account.clone()),
            ("Visibility", word(self.visibility).to_owned()),
            ("Description", self.description.clone()),
            ("Tags", figure(self.tags, |tags| tags.to_string())),
            ("Manifests", figure(self.manifests, |manifests| manifests.to_string())),
            ("Size", figure(self.size_bytes, size)),
            ("Created", time(self.created_at)),
        ]
    }
}
