//! What kind of thing a repository's images are, as its owner sorts them. It decides nothing.

use serde::{Deserialize, Serialize};

use crate::Error;

/// A repository's category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Servers of applications.
    AppServer,
    /// Linux distributions.
    Linux,
    /// Applications made with a framework.
    FrameworkApp,
    /// Databases.
    Database,
    /// Languages and their tools.
    Lang,
    /// Windows.
    Windows,
    /// For ARM.
    Arm,
    /// Whatever nobody has sorted.
    #[default]
    Other,
}

impl Category {
    /// All of them.
    pub const ALL: [Category; 8] = [
        Category::AppServer,
        Category::Linux,
        Category::FrameworkApp,
        Category::Database,
        Category::Lang,
        Category::Windows,
        Category::Arm,
        Category::Other,
    ];

    /// Reads a category as it is written.
    ///
    /// # Errors
    /// [`Error::Invalid`] with those that there are.
    pub fn parse(text: &str) -> Result<Category, Error> {
        Category::ALL.into_iter().find(|category| category.as_str() == text).ok_or_else(|| {
            let all = Category::ALL.map(Category::as_str).join(", ");
            Error::Invalid { field: "category", reason: format!("a category is one of {all}") }
        })
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Category::AppServer => "app_server",
            Category::Linux => "linux",
            Category::FrameworkApp => "framework_app",
            Category::Database => "database",
            Category::Lang => "lang",
            Category::Windows => "windows",
            Category::Arm => "arm",
            Category::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Category;

    #[test]
    fn categories_are_read_as_they_are_written_and_kept() {
        for category in Category::ALL {
            assert_eq!(Category::parse(category.as_str()).unwrap(), category);
            assert_eq!(serde_json::to_value(category).unwrap(), category.as_str());
        }
        for bad in ["", "Linux", "linux ", "operating_system", "日本"] {
            assert!(Category::parse(bad).is_err(), "{bad:?}");
        }
    }
}
