//! Who asks: nine, who stand to acme's repositories in nine ways.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// The account that owns the repository.
    Owner,
    /// A user of it with *manage* on the namespace.
    Manage,
    /// A user of it with *edit* on the namespace.
    Edit,
    /// A user of it with *read* on the namespace.
    Read,
    /// The account that a repository is shared with.
    Sharee,
    /// A user of that account, who has no permission on anything of acme's.
    ShareesUser,
    /// An account that has nothing to do with any of it.
    Stranger,
    /// Whoever sends no credentials.
    Nobody,
    /// The account that administers the registry.
    Administrator,
}

impl Role {
    /// All of them, in the order of the table's columns.
    pub(super) const ALL: [Role; 9] = [
        Role::Owner,
        Role::Manage,
        Role::Edit,
        Role::Read,
        Role::Sharee,
        Role::ShareesUser,
        Role::Stranger,
        Role::Nobody,
        Role::Administrator,
    ];

    /// The column's head.
    pub(super) fn title(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Manage => "manage",
            Role::Edit => "edit",
            Role::Read => "read",
            Role::Sharee => "sharee",
            Role::ShareesUser => "its user",
            Role::Stranger => "stranger",
            Role::Nobody => "nobody",
            Role::Administrator => "administrator",
        }
    }

    /// The name that it signs in with.
    pub(super) fn login(self) -> Option<&'static str> {
        Some(match self {
            Role::Owner => "acme",
            Role::Manage => "manager@acme",
            Role::Edit => "editor@acme",
            Role::Read => "reader@acme",
            Role::Sharee => "globex",
            Role::ShareesUser => "ops@globex",
            Role::Stranger => "initech",
            Role::Nobody => return None,
            Role::Administrator => "admin",
        })
    }

    /// The account that it is, or is a user of.
    pub(super) fn account(self) -> Option<&'static str> {
        self.login().map(|login| login.rsplit('@').next().unwrap_or(login))
    }

    /// A namespace in which it may push, if there is one; else acme's.
    pub(super) fn own_namespace(self) -> &'static str {
        match self {
            Role::Owner | Role::Manage | Role::Edit | Role::Read | Role::Nobody => "team-a",
            Role::Sharee | Role::ShareesUser => "globex",
            Role::Stranger => "initech",
            Role::Administrator => "admins",
        }
    }
}

/// How a repository of acme's stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The call names no repository, or always the same.
    Any,
    /// Private, and shared with globex.
    Shared,
    /// Private, and shared with nobody.
    Private,
    /// Public.
    Public,
}

impl State {
    /// The states of a repository.
    pub(super) const REPOSITORY: [State; 3] = [State::Shared, State::Private, State::Public];

    /// The repository in this state.
    pub(super) fn repository(self) -> &'static str {
        match self {
            State::Any | State::Shared => "team-a/web",
            State::Private => "team-a/own",
            State::Public => "team-a/open",
        }
    }

    /// As the table calls it.
    pub(super) fn title(self) -> &'static str {
        match self {
            State::Any => "",
            State::Shared => "shared",
            State::Private => "private",
            State::Public => "public",
        }
    }
}
