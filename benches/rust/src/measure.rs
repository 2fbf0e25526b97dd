//! How a worker is asked: a line of JSON in, a line of JSON out, until the input ends.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;

/// What is to be measured.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// How many of what the case is about: tokens, keys, issuers, users.
    #[serde(default)]
    pub(crate) size: usize,
    #[serde(default = "one")]
    pub(crate) threads: usize,
    /// How long to go on.
    #[serde(default)]
    pub(crate) milliseconds: u64,
}

/// What was measured: `ns` and `cpu_ns` for one operation, `bytes` for one thing, `resident` for the process.
pub(crate) type Sample = BTreeMap<&'static str, f64>;

/// Something that can be measured.
pub(crate) trait Worker {
    fn measure(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>>;
}

impl<F: FnMut(&Case) -> Result<Sample, Box<dyn Error>>> Worker for F {
    fn measure(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        self(case)
    }
}

/// Answers until nobody asks any more.
pub(crate) fn answer(mut worker: impl Worker) -> Result<(), Box<dyn Error>> {
    say(&serde_json::json!({ "ready": true }))?;
    for line in std::io::stdin().lock().lines() {
        let mut sample = worker.measure(&serde_json::from_str(&line?)?)?;
        sample.insert("resident", resident()? as f64);
        say(&sample)?;
    }
    Ok(())
}

/// Writes one line that the reader sees at once.
pub(crate) fn say(value: &impl serde::Serialize) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(value)?)?;
    Ok(out.flush()?)
}

/// Operations between two looks at the clock.
pub(crate) const BLOCK: usize = 32;

/// Repeats an operation on each of the case's threads until its time is over. `block` gives the number of the first
/// operation of a block, from the thread and how many operations that has done.
pub(crate) fn repeat(
    case: &Case,
    block: impl Fn(usize, usize) -> usize + Sync,
    operation: impl Fn(usize) + Sync,
) -> Sample {
    let limit = Duration::from_millis(case.milliseconds);
    let barrier = Barrier::new(case.threads);
    let work = &|thread: usize| {
        barrier.wait();
        let start = Instant::now();
        let mut done = 0;
        while start.elapsed() < limit {
            let first = block(thread, done);
            (first..first + BLOCK).for_each(&operation);
            done += BLOCK;
        }
        (done as f64, start.elapsed().as_nanos() as f64)
    };
    let cpu = cpu_ns();
    let counts: Vec<(f64, f64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..case.threads)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        let own = work(0);
        let others = threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread failed"));
        std::iter::once(own).chain(others).collect()
    });
    let cpu = cpu_ns() - cpu;
    let done: f64 = counts.iter().map(|(done, _)| done).sum();
    let rate: f64 = counts.iter().map(|(done, time)| done / time).sum();
    Sample::from([("ns", 1.0 / rate), ("cpu_ns", cpu / done)])
}

/// Processor time of this process, all threads.
pub(crate) fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Memory of this process that is really there, in bytes.
pub(crate) fn resident() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

fn one() -> usize {
    1
}
