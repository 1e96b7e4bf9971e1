//! What is taken down, and in whose trail.
//!
//! A pull is the GET of a manifest; a HEAD, a mount and a blob are none. The owner's trail has the pulls of its own
//! users and of those it shares with. What strangers pull of a public image is one event a minute there, without saying
//! who: they must not fill it.

use std::net::IpAddr;

use jiff::Timestamp;
use oci::{Digest, Reference, RepositoryName};

use super::{RefusedPull, Used, What, use_of};
use crate::authorize::permit;
use crate::rights::Standing;
use crate::scope::Scope;
use crate::{
    AccountId, Action, Actor, Auth, Error, Event, EventDetail, EventKind, EventResult, Permit, Principal,
    TokenId,
};

/// Who was refused, when signing in.
pub(crate) struct Refused<'a> {
    /// In whose trail it stands.
    pub(crate) account: AccountId,
    /// The name that was given, or what stands for it.
    pub(crate) name: &'a str,
    pub(crate) from: Option<IpAddr>,
    pub(crate) reason: String,
}

/// A change that was asked of a management interface, and refused to somebody who may see what it was to change.
#[derive(Debug, Clone, Copy)]
pub struct RefusedChange<'a> {
    /// The call: its method and path.
    pub call: &'a str,
    /// What it was to change, by name.
    pub subject: &'a str,
    /// The same, if it is a repository.
    pub repository: Option<&'a RepositoryName>,
}

impl Auth {
    /// Takes down a refused change: in the trail of the account that asked, and in that of the repository's owner, if the
    /// account sees the repository. Where that is public, its owner is not told who asked: strangers must not fill a trail.
    ///
    /// # Errors
    /// As the store, which is asked for the owner.
    pub async fn note_refused_change(
        &self,
        p: &Principal,
        refused: RefusedChange<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let RefusedChange { call, subject, repository } = refused;
        let Some(account) = p.account() else { return Ok(()) };
        let note = |trail, actor| {
            let event = Event::new(trail, EventKind::ChangeRefused, actor, subject.to_owned(), now);
            self.recorder().event(event.with_detail(call).with_result(EventResult::Denied));
        };
        note(account, p.into());
        let Some(name) = repository else { return Ok(()) };
        let standing = self.standing(p, name, now).await?;
        let Some(found) = standing.repository else { return Ok(()) };
        let owner = found.life.value.owner;
        if owner != account && permit(p, &found, standing.basis, Action::Pull).is_ok() {
            let is_shared = standing.basis.share().is_some();
            note(owner, if is_shared { Actor::from(p) } else { Actor::anybody() });
        }
        Ok(())
    }

    /// Takes down a manifest's pull under `permit`: `bytes` of it are sent.
    pub fn note_pull(
        &self,
        permit: &Permit,
        reference: &Reference,
        digest: &Digest,
        bytes: u64,
        now: Timestamp,
    ) {
        let puller = permit.principal();
        let digest = digest.to_string();
        let detail = EventDetail::Names(match reference {
            Reference::Tag(tag) => [tag.as_str(), " ", &digest].concat(),
            Reference::Digest(_) => digest,
        });
        let pulled = |account, actor, detail| {
            let event = Event::new(account, EventKind::ManifestPulled, actor, permit.name().to_string(), now);
            self.recorder().event(event.with_detail(detail));
        };
        let is_owner = puller.account() == Some(permit.owner());
        if is_owner || permit.share().is_some() {
            pulled(permit.owner(), Actor::from(puller), detail.clone());
        } else {
            pulled(permit.owner(), Actor::anybody(), EventDetail::PulledAsPublic);
        }
        if let Some(account) = puller.account().filter(|_| !is_owner) {
            pulled(account, Actor::from(puller), detail);
        }
        self.note_use(permit, Used { pulls: 1, bytes, last_at: now });
    }

    /// Takes down that `bytes` of a blob, or of a large manifest, were sent under `permit`.
    pub fn note_sent(&self, permit: &Permit, bytes: u64, now: Timestamp) {
        self.note_use(permit, Used { pulls: 0, bytes, last_at: now });
    }

    fn note_use(&self, permit: &Permit, used: Used) {
        if let (Some(share), Some(id)) = (permit.share(), permit.principal().id()) {
            let of = use_of(share, id, permit.principal().address(), used.last_at);
            self.recorder().used(of, permit.owner(), used);
        }
    }

    /// Takes down a sign-in, `with` a password or a personal token.
    pub(crate) fn note_sign_in(&self, p: &Principal, with: String, now: Timestamp) {
        let Some(account) = p.account() else { return };
        let event = Event::new(account, EventKind::SignedIn, p.into(), p.name(), now);
        self.recorder().event(event.with_detail(with));
    }

    /// Takes down a sign-in that was refused.
    pub(crate) fn note_refused_sign_in(&self, refused: Refused<'_>, now: Timestamp) {
        let Refused { account, name, from, reason } = refused;
        let address = from.map(|from| from.to_canonical());
        let actor = Actor { account: None, user: None, name: name.to_owned(), address };
        let event = Event::new(account, EventKind::SignInFailed, actor, name.to_owned(), now);
        self.recorder().event(event.with_detail(reason).with_result(EventResult::Denied));
    }

    /// Takes down a refused sign-in under a name, or with a key or token, that no account has.
    pub(crate) fn note_stranger(&self, from: Option<IpAddr>) {
        self.recorder().stranger(from.map(|from| from.to_canonical()));
    }

    /// Takes down that an access token was issued, and for what.
    pub(crate) fn note_access_token(&self, p: &Principal, granted: &[Scope], now: Timestamp) {
        let scopes: Vec<_> = granted.iter().map(ToString::to_string).collect();
        self.note_token(p, EventDetail::AccessToken(scopes.join(" ")), now);
    }

    /// Takes down that a refresh token was issued.
    pub(crate) fn note_refresh_token(&self, p: &Principal, now: Timestamp) {
        self.note_token(p, EventDetail::RefreshToken, now);
    }

    fn note_token(&self, p: &Principal, detail: EventDetail, now: Timestamp) {
        let Some(account) = p.account() else { return };
        let event = Event::new(account, EventKind::TokenIssued, p.into(), p.name(), now);
        self.recorder().event(event.with_detail(detail));
    }

    /// Takes down that an administrator read `account`'s trail: in that trail, and in its own.
    pub(crate) fn note_trail_read(&self, p: &Principal, account: AccountId, name: String, now: Timestamp) {
        for trail in [Some(account), p.account()].into_iter().flatten() {
            self.recorder().event(Event::new(trail, EventKind::TrailRead, p.into(), name.clone(), now));
        }
    }

    /// Takes down that `action` on a repository was refused, where its owner is to know: to a user of its own, or to
    /// somebody with whom it was shared. A stranger leaves no trace.
    pub(crate) fn note_refusal(
        &self,
        p: &Principal,
        name: &RepositoryName,
        standing: &Standing,
        action: Action,
        now: Timestamp,
    ) {
        let (Some(found), Some(account)) = (&standing.repository, p.account()) else { return };
        let kind = match action {
            Action::Pull => EventKind::ManifestPulled,
            Action::Push => EventKind::ManifestPushed,
            Action::Delete => EventKind::ManifestDeleted,
            Action::DeleteTag => EventKind::TagDeleted,
            // One question for many things to do: which of them was meant, the interface that was asked knows. It notes a
            // refused change ([`Auth::note_refused_change`]).
            Action::Manage => return,
        };
        let owner = found.life.value.owner;
        let event = Event::new(owner, kind, p.into(), name.to_string(), now).with_result(EventResult::Denied);
        if account == owner || standing.basis.share().is_some() {
            self.recorder().event(event);
        } else if action == Action::Pull {
            let refused =
                RefusedPull { repository: found.id, owner, grantee: account, what: What::from(event) };
            self.recorder().refused_pull(refused, now);
        }
    }
}

/// What a sign-in with a personal token says.
pub(crate) fn with_token(token: TokenId) -> String {
    EventDetail::PersonalToken(token.to_string()).to_string()
}
