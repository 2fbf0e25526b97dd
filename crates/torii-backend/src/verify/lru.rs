//! A map for what a process shares by name: read without a lock, and bounded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};

use arc_swap::ArcSwap;

/// Most issuers that are remembered. Beyond it, the one that was not used for longest is forgotten.
const CAPACITY: usize = 256;

/// Keeps the most recently used entries. Inserting copies the map, which is rare.
#[derive(Debug)]
pub(crate) struct Lru<T> {
    entries: ArcSwap<HashMap<String, Arc<Entry<T>>>>,
    ticks: AtomicU64,
}

#[derive(Debug)]
struct Entry<T> {
    value: Arc<T>,
    last_used: AtomicU64,
}

impl<T> Default for Lru<T> {
    fn default() -> Self {
        Self {
            entries: ArcSwap::default(),
            ticks: AtomicU64::new(0),
        }
    }
}

impl<T> Lru<T> {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<T>> {
        let entries = self.entries.load();
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
            let mut next = HashMap::clone(entries);
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
            next
        });
        self.entries
            .load()
            .get(name)
            .map_or_else(|| entry.value.clone(), |entry| entry.value.clone())
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }
}

fn warn_once() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            CAPACITY,
            "more issuers than are remembered: is the issuer taken from a token or a request?"
        );
    });
}
