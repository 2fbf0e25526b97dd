//! What a process shares by name: a bounded map that is read without a lock.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

/// Most issuers that are remembered. Beyond it, the one that was not used for longest is forgotten.
const CAPACITY: usize = 256;

/// Keeps the most recently used entries. Inserting copies the map, which is rare.
#[derive(Debug)]
pub(crate) struct Registry<T> {
    entries: ArcSwapOption<HashMap<String, Arc<Entry<T>>>>,
    ticks: AtomicU64,
}

#[derive(Debug)]
struct Entry<T> {
    value: Arc<T>,
    last_used: AtomicU64,
}

impl<T> Registry<T> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: ArcSwapOption::const_empty(),
            ticks: AtomicU64::new(0),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<T>> {
        let entries = self.entries.load();
        let entries = entries.as_ref()?;
        let entry = entries.get(name)?;
        // The order matters only once something has to go.
        if entries.len() >= CAPACITY / 2 {
            entry.last_used.store(self.tick(), Ordering::Relaxed);
        }
        Some(entry.value.clone())
    }

    /// Keeps `value` under `name`, unless another thread was first: then that one's is returned.
    pub(crate) fn insert(&self, name: &str, value: Arc<T>) -> Arc<T> {
        let entry = Arc::new(Entry {
            value,
            last_used: AtomicU64::new(self.tick()),
        });
        self.entries.rcu(|entries| {
            let mut next = entries.as_deref().cloned().unwrap_or_default();
            next.entry(name.to_owned()).or_insert_with(|| entry.clone());
            while next.len() > CAPACITY {
                warn_once();
                let oldest = next
                    .iter()
                    .min_by_key(|(_, entry)| entry.last_used.load(Ordering::Relaxed));
                let Some(name) = oldest.map(|(name, _)| name.clone()) else {
                    break;
                };
                next.remove(&name);
            }
            Some(Arc::new(next))
        });
        self.get(name).unwrap_or_else(|| entry.value.clone())
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn clear(&self) {
        self.entries.store(None);
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }
}

fn warn_once() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            CAPACITY,
            "more issuers than are remembered: is the issuer taken from a token or a request?"
        );
    }
}
