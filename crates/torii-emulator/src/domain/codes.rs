//! Codes of six digits that a mail brings, and that somebody types.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use serde_json::Value;
use torii_backend_types::{EnvironmentId, Timestamp};

use super::one_time_token;
use crate::clock::from_micros;
use crate::error::Error;
use crate::records::{CodePurpose, CodeRecord};
use crate::store::Tx;

/// How long a code counts, and how often it may be mistyped.
const LIFETIME_SECONDS: i64 = 10 * 60;
const TRIES: u32 = 5;
const CODES: u64 = 1_000_000;

/// A new code in the clear, with what is kept of it.
pub(super) fn issue(
    tx: &Tx<'_>,
    purpose: CodePurpose,
    environment: EnvironmentId,
    subject: String,
    details: Value,
    now: Timestamp,
) -> Result<String, Error> {
    let mut bytes = [0; 8];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::internal("the system gave no randomness"))?;
    let code = format!("{:06}", u64::from_le_bytes(bytes) % CODES);
    tx.put_code(&CodeRecord {
        purpose,
        environment_id: environment,
        code_hash: hash(&subject, &code),
        subject,
        tries_left: TRIES,
        expires_at: from_micros(now.as_microsecond() + LIFETIME_SECONDS * 1_000_000),
        details,
    })?;
    Ok(code)
}

/// The details of the code, which counts no more. The inner error must be committed: it has used up one of the tries.
pub(super) fn redeem(
    tx: &Tx<'_>,
    purpose: CodePurpose,
    environment: EnvironmentId,
    subject: &str,
    code: &str,
    now: Timestamp,
) -> Result<Result<Value, Error>, Error> {
    let record = tx.code(purpose, environment, subject)?;
    let Some(mut record) = record.filter(|record| record.expires_at > now && record.tries_left > 0) else {
        return Ok(Err(refused(purpose)));
    };
    if record.code_hash != hash(subject, code) {
        record.tries_left -= 1;
        tx.put_code(&record)?;
        return Ok(Err(refused(purpose)));
    }
    tx.delete_code(purpose, environment, subject)?;
    Ok(Ok(record.details))
}

fn refused(purpose: CodePurpose) -> Error {
    let code = match purpose {
        CodePurpose::SignUp => "invalid_code",
        CodePurpose::PasswordReset => "invalid_reset_code",
    };
    let error = Error::invalid("the code is wrong, used up or too old");
    Error::new(error.kind(), code, error.detail().to_owned())
}

fn hash(subject: &str, code: &str) -> String {
    one_time_token::hash(&format!("{subject}\n{code}"))
}
