//! The status of a call that is not let in.

use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Status};
use torii_backend::{AccessError, Refusal};

const CODE: &str = "torii-code";
const GUARD: &str = "torii-guard";
/// When a client may [try again](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The status of a call that is not let in. The cause goes to the log.
pub fn status(cause: &AccessError) -> Status {
    of(&Refusal::new(cause))
}

pub(crate) fn of(refusal: &Refusal) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert(CODE, AsciiMetadataValue::from_static(refusal.code()));
    // A name that metadata cannot hold is left out.
    if let Some(Ok(guard)) = refusal.guard().map(AsciiMetadataValue::try_from) {
        metadata.insert(GUARD, guard);
    }
    if let Some(seconds) = refusal.retry_after() {
        let milliseconds = seconds.saturating_mul(1_000);
        metadata.insert(PUSHBACK, AsciiMetadataValue::from(milliseconds));
    }
    let code = Code::from_i32(refusal.grpc_code().into());
    Status::with_metadata(code, refusal.message(), metadata)
}
