//! The accounts of a region, for another region's server: with their users, what they sign in with, and their access keys.
//! Ids are kept, so that an account is the same account in both, and a share or a permission there means it.
//!
//! One region is an account's home: there it is made, changed and removed, and from there it is exported. What belongs to
//! a region stays: namespaces, images, shares, permissions, personal tokens. So do the accounts that administer a server:
//! each has its own, and one server's administrator shall not open another.
//!
//! Password hashes and access keys stand in the document sealed. Only a server that holds the same sealing key reads them,
//! so that neither the file nor an administrator's token gives them away. A seal over the whole document proves that it is
//! as that server made it.

use jiff::Timestamp;
use kv::{Key, decode};
use oci::{Algorithm, Digest};
use serde::{Deserialize, Serialize};

use crate::access_keys::record_key;
use crate::accounts::administrator;
use crate::lists::{Rows, text};
use crate::records::{AccessKeyRecord, AccountRecord, Credential, NameRecord, UserRecord};
use crate::{
    AccessKeyId, AccountId, AccountName, Auth, Description, Error, Principal, PrincipalId, Sealed, Secret,
    UserId, UserName,
};

/// The form of the document that this program writes and reads.
pub(crate) const FORM: u32 = 1;
/// What a document's proof is sealed for.
pub(crate) const PROOF_OF: &[u8] = b"a directory of accounts";
/// The most accounts, users and access keys, together, that one document holds.
pub const DIRECTORY_ENTRIES_MAX: usize = 50_000;

/// The accounts whose home is a region.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// The form of this document.
    pub form: u32,
    /// The region.
    pub region: String,
    /// When it was made: an older one is not imported after a newer one.
    pub exported_at: Timestamp,
    /// In the order of their names.
    pub accounts: Vec<DirectoryAccount>,
    /// The hash of all the above, sealed.
    pub proof: Sealed,
}

/// An account in a [`Directory`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryAccount {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: AccountName,
    /// A disabled one opens nothing.
    pub disabled: bool,
    /// What it signs in with.
    pub credential: SealedCredential,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its users, in the order of their names.
    pub users: Vec<DirectoryUser>,
    /// Its own access keys, and those of its users.
    pub access_keys: Vec<DirectoryAccessKey>,
}

/// A user in a [`Directory`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryUser {
    /// Its id.
    pub id: UserId,
    /// Its name.
    pub name: UserName,
    /// A disabled one opens nothing.
    pub disabled: bool,
    /// What it signs in with.
    pub credential: SealedCredential,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An access key pair in a [`Directory`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryAccessKey {
    /// Its public half.
    pub access_key: AccessKeyId,
    /// The user who holds it; `None`: the account itself.
    pub user: Option<UserId>,
    /// Its secret half.
    pub sealed: Sealed,
    /// A disabled one opens nothing.
    pub disabled: bool,
    /// What it is for.
    pub description: Description,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What somebody signs in with, in a [`Directory`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedCredential {
    /// The password's hash.
    pub password: Option<Sealed>,
    /// Its version.
    pub version: u64,
}

impl Auth {
    /// The accounts whose home is this region, for another region's server. Administrators only.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Limit`] when there are too many for one document.
    pub async fn export_directory(&self, p: &Principal, now: Timestamp) -> Result<Directory, Error> {
        administrator(p)?;
        let mut accounts = Vec::new();
        let list = Key::AccountName { name: "" };
        let mut rows = Rows::all(list.siblings(self.region()));
        let mut entries = 0;
        while let page = rows.next(self).await?
            && !page.is_empty()
        {
            for (encoded, entry) in page {
                let name = text(list, self.region(), &encoded)?;
                let Some(id) = decode::<NameRecord>(Key::AccountName { name }, &entry)?.value.held() else {
                    continue;
                };
                let record = self.store().get::<AccountRecord>(Key::Account { account: id }).await?;
                // What administers stays, and what has its home elsewhere is exported there.
                let ours = |record: &AccountRecord| !record.administrator && record.home.is_none();
                let Some(record) = record.map(|record| record.value).filter(ours) else { continue };
                let account = self.export_account(id.into(), record).await?;
                entries += 1 + account.users.len() + account.access_keys.len();
                if entries > DIRECTORY_ENTRIES_MAX {
                    let what = "accounts, users and access keys in one export";
                    return Err(Error::Limit { what, max: DIRECTORY_ENTRIES_MAX as u64 });
                }
                accounts.push(account);
            }
        }
        let (form, region) = (FORM, self.region().to_string());
        let proof = self.directory_proof(form, &region, now, &accounts)?;
        Ok(Directory { form, region, exported_at: now, accounts, proof })
    }

    /// What proves that a document is as this server, or one with the same sealing key, made it.
    pub(crate) fn directory_proof(
        &self,
        form: u32,
        region: &str,
        exported_at: Timestamp,
        accounts: &[DirectoryAccount],
    ) -> Result<Sealed, Error> {
        let hash = content_hash(form, region, exported_at, accounts)?;
        self.sealing_keys().seal(&Secret::new(hash), PROOF_OF)
    }

    async fn export_account(&self, id: AccountId, record: AccountRecord) -> Result<DirectoryAccount, Error> {
        let itself = PrincipalId { account: id, user: None };
        let mut users = Vec::new();
        let mut access_keys = self.export_access_keys(itself).await?;
        for (user, record) in self.users_of(id).await? {
            let holder = PrincipalId { account: id, user: Some(user) };
            access_keys.extend(self.export_access_keys(holder).await?);
            let UserRecord { name, disabled, credential, created_at } = record;
            let credential = self.sealed_credential(holder, &credential)?;
            users.push(DirectoryUser { id: user, name, disabled, credential, created_at });
        }
        let AccountRecord { name, disabled, credential, created_at, .. } = record;
        let credential = self.sealed_credential(itself, &credential)?;
        Ok(DirectoryAccount { id, name, disabled, credential, created_at, users, access_keys })
    }

    async fn export_access_keys(&self, holder: PrincipalId) -> Result<Vec<DirectoryAccessKey>, Error> {
        let mut exported = Vec::new();
        for access_key in self.access_keys(holder).await? {
            let record = self.store().get::<AccessKeyRecord>(record_key(&access_key)).await?;
            let Some(record) = record else { continue };
            let AccessKeyRecord { sealed, disabled, description, created_at, .. } = record.value;
            let user = holder.user;
            exported.push(DirectoryAccessKey { access_key, user, sealed, disabled, description, created_at });
        }
        Ok(exported)
    }

    /// All users of an account, by name.
    pub(crate) async fn users_of(&self, account: AccountId) -> Result<Vec<(UserId, UserRecord)>, Error> {
        let list = Key::UserName { account: account.raw(), name: "" };
        let mut rows = Rows::all(list.siblings(self.region()));
        let mut users = Vec::new();
        while let page = rows.next(self).await?
            && !page.is_empty()
        {
            for (encoded, _) in page {
                let name = UserName::parse(text(list, self.region(), &encoded)?)?;
                if let Some((id, record)) = self.user_named(account, &name).await? {
                    users.push((id, record.value));
                }
            }
        }
        Ok(users)
    }

    fn sealed_credential(
        &self,
        holder: PrincipalId,
        credential: &Credential,
    ) -> Result<SealedCredential, Error> {
        let seal = |hash: &crate::PasswordHash| {
            self.sealing_keys().seal(&Secret::new(hash.0.clone()), &password_of(holder))
        };
        let password = credential.password.as_ref().map(seal).transpose()?;
        Ok(SealedCredential { password, version: credential.version })
    }
}

/// The hash of what a document says, however it was written down.
pub(crate) fn content_hash(
    form: u32,
    region: &str,
    exported_at: Timestamp,
    accounts: &[DirectoryAccount],
) -> Result<String, Error> {
    let content = serde_json::to_vec(&(form, region, exported_at, accounts)).map_err(Error::crypto)?;
    Ok(Digest::of(Algorithm::Sha256, &content).hex())
}

/// What a password's hash is sealed for.
pub(crate) fn password_of(holder: PrincipalId) -> Vec<u8> {
    format!("password of {} {}", holder.account, holder.user_field()).into_bytes()
}
