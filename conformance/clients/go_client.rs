//! What clients in Go have in common that are one program with a home: they differ in what they do.

use async_trait::async_trait;
use tests::{GoTool, Installation};

use crate::client::{Client, Need, Session};
use crate::stage::Stage;

/// A client whose tool and program have its own name.
pub(crate) struct GoClient {
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [Need],
    /// Somebody, by their installation.
    pub(crate) somebody: fn(Installation) -> Box<dyn Session>,
}

#[async_trait]
impl Client for GoClient {
    fn name(&self) -> &'static str {
        self.name
    }

    fn needs(&self) -> &'static [Need] {
        self.needs
    }

    async fn version(&self) -> Result<String, String> {
        Ok(GoTool::find(self.name)?.version)
    }

    async fn session(&self, stage: &Stage) -> Box<dyn Session> {
        (self.somebody)(Installation::of(self.name, &stage.server))
    }
}
