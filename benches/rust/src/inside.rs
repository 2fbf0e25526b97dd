//! Our crate by itself: what the signature check does not explain, what a remembered token weighs, and how the cost
//! grows with keys, issuers and remembered tokens.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use torii_backend::{ErrorCode, KeySource, Verifier, VerifierBuilder, verify_token_blocking};

use crate::measure::{Case, Sample, Worker, repeat, resident};
use crate::verify::{Verify, aws_lc_rs, hot};
use crate::world::World;

/// At least as many as any case has.
const ISSUERS: usize = 10_000;
/// More than the process remembers.
const MORE_THAN_REMEMBERED: usize = 512;

pub(crate) struct Inside {
    world: &'static World,
    signature: Verify,
    /// Issuers of our own, each with a token.
    issuers: Vec<(String, String)>,
    /// Memory of the process before the first of them.
    empty: u64,
    most_issuers: usize,
    /// What was made for a case of that name and size, when it was asked for first.
    verifiers: HashMap<(String, usize), Verifier>,
}

impl Worker for Inside {
    fn measure(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        match case.name.as_str() {
            "outside the signature" => self.outside(case),
            "unknown key" => self.unknown_key(case),
            "one by one" | "batch" => self.batch(case),
            "memory" => self.memory(case),
            "bound" => self.bound(case),
            "keys" => self.keys(case),
            "tokens" => self.tokens(case),
            "issuers" => self.issuers(case),
            name => Err(format!("no case is called {name}").into()),
        }
    }
}

impl Inside {
    pub(crate) fn new(world: &'static World) -> Result<Self, Box<dyn Error>> {
        let names: Vec<_> = (0..ISSUERS)
            .map(|index| format!("{}/{index}", world.url))
            .collect();
        let tokens = world.sign(names.iter().map(String::as_str))?;
        Ok(Self {
            world,
            signature: aws_lc_rs(world)?,
            issuers: names.into_iter().zip(tokens).collect(),
            empty: resident()?,
            most_issuers: 0,
            verifiers: HashMap::new(),
        })
    }

    /// The whole less the signature check, token by token. Whichever of the two comes second finds what the first has just
    /// done in the processor's memory, which is worth more than what is measured: so both orders count alike.
    fn outside(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        let verifier = self.verifier(0, 0)?;
        let (tokens, signature) = (&self.world.tokens, &self.signature);
        let whole = |index: usize| verify(&verifier, &tokens[index]);
        let timed = |operation: &dyn Fn(usize), index: usize| {
            let start = Instant::now();
            operation(index);
            start.elapsed().as_nanos() as f64
        };
        let start = Instant::now();
        let (mut whole_second, mut whole_first) = (Vec::new(), Vec::new());
        while start.elapsed() < Duration::from_millis(case.milliseconds) {
            let index = (whole_second.len() + whole_first.len()) % (tokens.len() - 1);
            let raw = timed(signature, index);
            whole_second.push(timed(&whole, index) - raw);
            let first = timed(&whole, index + 1);
            whole_first.push(first - timed(signature, index + 1));
        }
        let median = |mut differences: Vec<f64>| {
            differences.sort_by(f64::total_cmp);
            differences[differences.len() / 2]
        };
        let (second, first) = (median(whole_second), median(whole_first));
        Ok(Sample::from([("ns", (second + first) / 2.0)]))
    }

    /// Refusing a token whose key is not in the set takes all but the signature check and the claims' values.
    fn unknown_key(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        let keys = self.world.jwks(0)?.replace("bench-key", "another-key");
        let verifier = Verifier::builder(&self.world.url).key_source(KeySource::Jwks(keys));
        let (verifier, tokens) = (verifier.build()?, &self.world.tokens);
        let refuse = |index: usize| {
            let refusal = verifier.verify_blocking(&tokens[index % tokens.len()]);
            assert_eq!(
                refusal.err().map(|error| error.code()),
                Some(ErrorCode::KidUnknown)
            );
        };
        Ok(repeat(case, |_, done| done, refuse))
    }

    /// New tokens, so many at a time: on this thread, or on as many as there are cores.
    fn batch(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        let verifier = self.verifier(0, 0)?;
        let tokens = self.some_tokens(case.size)?;
        let together = case.name == "batch";
        let start = Instant::now();
        let mut done = 0;
        while start.elapsed() < Duration::from_millis(case.milliseconds) {
            if together {
                let results = verifier.verify_many_blocking(tokens);
                assert!(results.iter().all(Result::is_ok));
            } else {
                tokens.iter().for_each(|token| verify(&verifier, token));
            }
            done += tokens.len();
        }
        Ok(Sample::from([(
            "ns",
            start.elapsed().as_nanos() as f64 / done as f64,
        )]))
    }

    /// What the process grows by with each remembered token.
    fn memory(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        let (verifier, grown) = self.filled(case.size, 2 * case.size)?;
        // Memory that is freed here would be used again, and hide the growth the next time.
        std::mem::forget(verifier);
        Ok(Sample::from([("bytes", grown / case.size as f64)]))
    }

    /// What the process grows by with many more tokens than the default remembers. Measured once.
    fn bound(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        let name = (case.name.clone(), case.size);
        if self.verifiers.contains_key(&name) {
            return Ok(Sample::new());
        }
        let (verifier, grown) = self.filled(case.size, VerifierBuilder::DEFAULT_VERIFIED_TOKENS)?;
        self.verifiers.insert(name, verifier);
        Ok(Sample::from([("bytes", grown)]))
    }

    /// New tokens, against keys in the set.
    fn keys(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        let name = (case.name.clone(), case.size);
        if !self.verifiers.contains_key(&name) {
            self.verifiers
                .insert(name.clone(), self.verifier(case.size - 1, 0)?);
        }
        let verifier = &self.verifiers[&name];
        let tokens = &self.world.tokens;
        Ok(repeat(
            case,
            |_, done| done,
            |index| verify(verifier, &tokens[index % tokens.len()]),
        ))
    }

    /// Remembered tokens, against how many there are.
    fn tokens(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        let name = (case.name.clone(), case.size);
        let mut bytes = None;
        if !self.verifiers.contains_key(&name) {
            let (verifier, grown) = self.filled(case.size, 2 * case.size)?;
            self.verifiers.insert(name.clone(), verifier);
            bytes = Some(("bytes", grown));
        }
        let verifier = &self.verifiers[&name];
        let mut sample = hot(case, |index| verify(verifier, &self.world.tokens[index]));
        sample.extend(bytes);
        Ok(sample)
    }

    /// Issuers in turn, each with one token. Past what the process remembers of issuers, each is a fetch.
    fn issuers(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        let issuers = self
            .issuers
            .get(..case.size)
            .ok_or("so many issuers have not been made")?;
        let verify = |index: usize| {
            let (issuer, token) = &issuers[index % case.size];
            black_box(verify_token_blocking(token, issuer)).expect("a good token");
        };
        let new = case.size > self.most_issuers;
        self.most_issuers = self.most_issuers.max(case.size);
        let first = if new {
            case.size
        } else {
            case.size.min(MORE_THAN_REMEMBERED)
        };
        (0..first).for_each(verify);
        let mut sample = repeat(case, |_, done| done, verify);
        // Later rounds find what earlier ones have left behind.
        if new {
            sample.insert("bytes", resident()?.saturating_sub(self.empty) as f64);
        }
        Ok(sample)
    }

    /// A verifier that has seen that many tokens, and what the process grew by.
    fn filled(&self, tokens: usize, remember: usize) -> Result<(Verifier, f64), Box<dyn Error>> {
        let verifier = self.verifier(0, remember)?;
        let tokens = self.some_tokens(tokens)?;
        let before = resident()?;
        tokens.iter().for_each(|token| verify(&verifier, token));
        Ok((verifier, resident()?.saturating_sub(before) as f64))
    }

    fn some_tokens(&self, count: usize) -> Result<&'static [String], &'static str> {
        let tokens = self.world.tokens.get(..count);
        tokens.ok_or("so many tokens have not been made")
    }

    fn verifier(&self, other_keys: usize, remember: usize) -> Result<Verifier, Box<dyn Error>> {
        let keys = KeySource::Jwks(self.world.jwks(other_keys)?);
        let builder = Verifier::builder(&self.world.url).key_source(keys);
        Ok(builder.remember_verified(remember).build()?)
    }
}

fn verify(verifier: &Verifier, token: &str) {
    black_box(verifier.verify_blocking(token)).expect("a good token");
}
