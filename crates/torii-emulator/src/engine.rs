//! What a running emulator consists of, shared by the server and by [`Control`](crate::Control).

use crate::access::Access;
use crate::domain::Domain;
use crate::faults::Faults;
use crate::requests::RequestLog;
use crate::secret_keys::SecretKeys;

pub(crate) struct Engine {
    pub(crate) domain: Domain,
    pub(crate) secret_keys: SecretKeys,
    pub(crate) access: Access,
    pub(crate) faults: Faults,
    pub(crate) requests: RequestLog,
}

impl Engine {
    /// Back to the state of a first start, but for the signing keys and the environments' ids.
    pub(crate) async fn reset(&self) -> Result<(), crate::Error> {
        self.domain.reset().await?;
        self.faults.clear();
        self.requests.clear();
        Ok(())
    }
}
