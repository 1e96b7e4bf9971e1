//! Whole exchanges over real connections, against a registry in this process whose clock the test sets.

mod app;
mod browser;
mod calls;
mod connections;
mod console;
mod console_account;
mod console_again;
mod console_credentials;
mod console_forms;
mod console_image;
mod console_languages;
mod console_many;
mod console_once;
mod console_pages;
mod console_sessions;
mod console_sharing;
mod console_trail;
mod console_words;
mod counted;
mod engine;
mod pulling;
mod pushing;
mod sending;
mod sharing;
mod sign_ins;
mod swr;
mod system;
mod tls;
mod tokens;
mod withdrawn;

/// What a server of the region `north` exports that has these keys and nothing but its administrator.
pub(crate) async fn directory_of_north(keys: auth::Keys, now: jiff::Timestamp) -> auth::Directory {
    let store =
        kv::Store::open(std::sync::Arc::new(kv::memory::Memory::new()), kv::Region::parse("north").unwrap())
            .await
            .unwrap();
    let password_hash = auth::PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
    let north = auth::Auth::new(store, keys, auth::Settings { password_hash, ..auth::Settings::default() });
    let password = auth::Secret::new("a good password");
    north.bootstrap(|| password.clone(), now).await.unwrap();
    let admin = north.authenticate("admin", &password, None, now).await.unwrap();
    north.export_directory(&admin, now).await.unwrap()
}
