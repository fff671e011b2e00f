//! Shows: what postings find in random chains, with commits, reorganisations and views below the tip, is what a plain
//! scan of the same blocks finds: logs by any filter, appearances in pages, creations.
use alloy_primitives::{Address, B256};
use bedroll_core::trie::EMPTY_ROOT;
use bedroll_store::{BlockRecord, LogPosting, Named, Roles, Store, StoreError, StoreOptions, Term};
use std::collections::BTreeMap;

#[path = "workload/rng.rs"]
mod rng;
use rng::Rng;

/// What a block was made with.
#[derive(Clone, Default)]
struct Plain {
    logs: Vec<LogPosting>,
    named: Vec<Named>,
}

struct Chain {
    store: Store,
    blocks: Vec<Plain>,
    rng: Rng,
}

fn address(number: u64) -> Address {
    Address::left_padding_from(&number.to_be_bytes())
}

fn topic(number: u64) -> B256 {
    B256::left_padding_from(&number.to_be_bytes())
}

impl Chain {
    fn seal(&mut self) {
        let mut plain = Plain::default();
        let count = match self.rng.below(12) {
            0..=2 => 0,
            11 => self.rng.below(300),
            _ => self.rng.below(6),
        };
        for transaction in 0..count as u32 {
            let mut roles: BTreeMap<u64, u8> = BTreeMap::new();
            for _ in 0..=self.rng.below(3) {
                *roles.entry(self.rng.below(30)).or_default() |= 1 << self.rng.below(4);
            }
            plain
                .named
                .extend(roles.into_iter().map(|(who, roles)| Named {
                    address: address(who),
                    transaction,
                    roles: Roles(roles),
                }));
            for _ in 0..self.rng.below(4) {
                let topics = (0..self.rng.below(5)).map(|at| topic(self.rng.below(4 + 20 * at)));
                plain.logs.push(LogPosting {
                    topics: topics.collect(),
                    address: address(self.rng.below(6)),
                    transaction,
                    log: plain.logs.len() as u32,
                });
            }
        }
        let height = self.blocks.len() as u64;
        let hash = B256::left_padding_from(
            &[height.to_be_bytes(), self.rng.next().to_be_bytes()].concat(),
        );
        self.store
            .seal(BlockRecord {
                height,
                hash,
                state_root: EMPTY_ROOT,
                logs: plain.logs.clone(),
                named: plain.named.clone(),
                ..BlockRecord::default()
            })
            .unwrap();
        self.blocks.push(plain);
    }

    fn unwind(&mut self, height: u64) {
        self.store.unwind_to(height).unwrap();
        self.blocks.truncate(height as usize + 1);
    }

    /// Random alternatives of an address and up to four topics.
    fn filter(&mut self) -> (Vec<Address>, Vec<Vec<B256>>) {
        let mut some = |most: u64, of: u64| -> Vec<u64> {
            let count = self.rng.below(most + 1);
            (0..count).map(|_| self.rng.below(of)).collect()
        };
        let addresses = some(3, 8).into_iter().map(address).collect();
        let positions = some(1, 1).len() as u64 * 4;
        let topics = (0..positions)
            .map(|at| some(2, 5 + 20 * at).into_iter().map(topic).collect())
            .collect();
        (addresses, topics)
    }

    fn check_logs(&mut self, height: u64) {
        let view = self.store.view(Some(height)).unwrap();
        for _ in 0..20 {
            let (addresses, topics) = self.filter();
            let (first, last) = (self.rng.below(height + 2), self.rng.below(height + 10));
            let mut wanted: Vec<Vec<Term>> =
                vec![addresses.iter().copied().map(Term::LogAddress).collect()];
            for (at, of) in topics.iter().enumerate() {
                let terms = of.iter().map(|topic| Term::LogTopic(at as u8, *topic));
                wanted.push(terms.collect());
            }
            wanted.retain(|terms| !terms.is_empty());
            if wanted.is_empty() {
                continue;
            }
            let matches = |log: &LogPosting| {
                (addresses.is_empty() || addresses.contains(&log.address))
                    && topics.iter().enumerate().all(|(at, of)| {
                        of.is_empty() || log.topics.get(at).is_some_and(|topic| of.contains(topic))
                    })
            };
            let mut scanned = Vec::new();
            for at in first..=last.min(height) {
                let logs = &self.blocks[at as usize].logs;
                let logs = logs.iter().filter(|log| matches(log));
                scanned.extend(logs.map(|log| (at, log.log)));
            }
            let mut found = Vec::new();
            view.log_places(&wanted, first, last, |places| {
                // The store may give more than what matches; whoever asks compares.
                found.extend(
                    places.iter().copied().filter(|(at, log)| {
                        matches(&self.blocks[*at as usize].logs[*log as usize])
                    }),
                );
                Ok::<bool, StoreError>(true)
            })
            .unwrap();
            assert_eq!(found, scanned, "{wanted:?} in {first}..={last} at {height}");
        }
    }

    fn check_appearances(&mut self, height: u64) {
        let view = self.store.view(Some(height)).unwrap();
        for _ in 0..6 {
            let who = address(self.rng.below(32));
            let mut scanned = Vec::new();
            for (at, block) in (0u64..).zip(&self.blocks[..=height as usize]) {
                let named = block.named.iter().filter(|named| named.address == who);
                scanned.extend(named.map(|named| (at, named.transaction, named.roles)));
            }
            let created = scanned.iter().rfind(|one| one.2.has(Roles::CREATED));
            let creation = view.creation_of(&who).unwrap();
            assert_eq!(creation, created.map(|one| (one.0, one.1)));
            let limit = 1 + self.rng.below(40) as usize;
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let (page, more) = view.appearances_after(&who, after, limit).unwrap();
                after = page.last().map(|last| last.height).or(after);
                assert!(!more || page.len() >= limit);
                paged.extend(
                    page.iter()
                        .map(|one| (one.height, one.transaction, one.roles)),
                );
                if !more {
                    break;
                }
            }
            assert_eq!(paged, scanned);
            let (mut paged, mut before) = (Vec::new(), u64::MAX - 1);
            loop {
                let (page, more) = view.appearances_before(&who, before, limit).unwrap();
                before = page.last().map_or(before, |last| last.height);
                paged.extend(
                    page.iter()
                        .map(|one| (one.height, one.transaction, one.roles)),
                );
                if !more {
                    break;
                }
            }
            scanned.reverse();
            assert_eq!(paged, scanned);
        }
    }
}

fn open(folder: &std::path::Path) -> Store {
    let options = StoreOptions {
        map_size_bytes: 1 << 20,
        sync: false,
    };
    Store::open(folder, B256::ZERO, options).unwrap()
}

#[test]
fn postings_find_what_a_scan_finds() {
    for seed in 1..=6 {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let rng = Rng::new(seed);
        let mut chain = Chain {
            store,
            blocks: Vec::new(),
            rng,
        };
        chain.seal();
        for _ in 0..400 {
            match chain.rng.below(40) {
                0 => {
                    let back = chain.rng.below(chain.blocks.len() as u64).min(60);
                    chain.unwind(chain.blocks.len() as u64 - 1 - back);
                }
                1..=6 => chain.store.commit().unwrap(),
                7 => {
                    let height = chain.blocks.len() as u64 - 1;
                    let lower = height - chain.rng.below(height.min(9) + 1);
                    chain.check_logs(lower);
                    chain.check_appearances(lower);
                }
                _ => chain.seal(),
            }
        }
        let tip = chain.blocks.len() as u64 - 1;
        chain.check_logs(tip);
        chain.check_appearances(tip);
        chain.store.commit().unwrap();
        let Chain { store, blocks, rng } = chain;
        drop(store);
        let store = open(folder.path());
        let mut chain = Chain { store, blocks, rng };
        chain.check_logs(tip);
        chain.check_appearances(tip);
        chain.seal();
        chain.store.commit().unwrap();
        chain.check_logs(tip + 1);
    }
}
