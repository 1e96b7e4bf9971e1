//! The counting of what shared tags reach, which a share of some tags waits for: `auth` says what, `storage` counts it.

use crate::App;

/// How often it is counted in vain for one request: others give up what was counted.
const COUNTS_MAX: usize = 8;

/// Why there is no share.
#[derive(Debug)]
pub(crate) enum Uncounted {
    /// It was refused.
    Refused(auth::Error),
    /// What its tags reach could not be counted.
    Failed(storage::Error),
}

/// Does `share`, which makes or changes shares, and has what their tags reach counted whenever it asks for that: once for
/// all of them, as a rule.
pub(crate) async fn counted<T, F>(app: &App, share: impl Fn() -> F) -> Result<T, Uncounted>
where
    F: Future<Output = Result<T, auth::Error>>,
{
    for _ in 0..COUNTS_MAX {
        match share().await {
            Err(auth::Error::TagsUncounted { repositories }) => {
                for repository in repositories {
                    app.storage.count_shared_tags(repository).await.map_err(Uncounted::Failed)?;
                }
            }
            done => return done.map_err(Uncounted::Refused),
        }
    }
    Err(Uncounted::Refused(auth::Error::Busy))
}
