//! Hashes of passwords.

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use tokio::sync::Semaphore;
use torii_backend_types::Password;

use crate::error::Error;

/// Password hashing, off the async threads and a few at a time: each takes tens of milliseconds and 19 MiB.
pub(super) struct Hashing {
    turns: Semaphore,
}

impl Default for Hashing {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Semaphore::new(cores),
        }
    }
}

impl Hashing {
    pub(super) async fn hash(&self, password: Option<Password>) -> Result<Option<String>, Error> {
        let Some(password) = password else { return Ok(None) };
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        let hashing = tokio::task::spawn_blocking(move || {
            Argon2::default()
                .hash_password(password.expose().as_bytes())
                .map(|hash| hash.to_string())
        });
        hashing
            .await
            .map_err(Error::internal)?
            .map(Some)
            .map_err(Error::internal)
    }
}
