//! What blocks cost: an empty one, one of 10,000 transfers, going back, looking back. 100,000 accounts.
//!
//! `cargo run --release -p bedroll-store --example commit [-- FOLDER]`; CPU time of all threads and wall time, medians.
use alloy_primitives::{keccak256, Address, B256, U256};
use bedroll_core::state::{Account, State, WriteSet};
use bedroll_core::trie::EMPTY_ROOT;
use bedroll_store::{BlockRecord, Store, StoreOptions, TipSource};
use rustix::time::{clock_gettime, ClockId};
use std::time::{Duration, Instant};

const ACCOUNTS: u64 = 100_000;
const TRANSFERS: u64 = 10_000;

/// CPU and wall time of parts of the work, by name.
#[derive(Default)]
struct Times(Vec<(&'static str, Vec<(Duration, Duration)>)>);

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

impl Times {
    fn measure<R>(&mut self, name: &'static str, work: impl FnOnce() -> R) -> R {
        let (cpu_start, start) = (cpu(), Instant::now());
        let result = work();
        let spent = (cpu() - cpu_start, start.elapsed());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => all.push(spent),
            None => self.0.push((name, vec![spent])),
        }
        result
    }

    fn print(&mut self) {
        println!("{:44} {:>10} {:>10} {:>6}", "", "CPU ms", "wall ms", "n");
        for (name, all) in &mut self.0 {
            let mut median = |part: fn(&(Duration, Duration)) -> Duration| {
                all.sort_unstable_by_key(part);
                part(&all[all.len() / 2]).as_secs_f64() * 1e3
            };
            let (cpu, wall) = (median(|spent| spent.0), median(|spent| spent.1));
            println!("{name:44} {cpu:10.3} {wall:10.3} {:6}", all.len());
        }
        self.0.clear();
    }
}

struct Bench {
    store: Store,
    state: State<TipSource>,
    height: u64,
    random: u64,
    /// Of the flat values that the last block replaced.
    flat_bytes: usize,
}

fn flat_bytes(set: &WriteSet) -> usize {
    let before = set.flat.accounts.iter().filter_map(|change| change.before);
    before.map(|account| 20 + account.to_flat().len()).sum()
}

impl Bench {
    fn random(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit
    }

    fn add(&mut self, number: u64, value: U256) {
        let address = Address::from_word(keccak256(number.to_be_bytes()));
        let old = self.state.account(&address).unwrap().unwrap_or_default();
        let new = Account {
            nonce: old.nonce + 1,
            balance: old.balance + value,
            ..old
        };
        self.state.set_account(&address, Some(new)).unwrap();
    }

    /// Seals what is open, with `transactions` hashes and a body of their size.
    fn seal(&mut self, times: &mut Times, transactions: u64) {
        let (root, write_set) = times.measure("  root", || self.state.seal().unwrap());
        self.flat_bytes = flat_bytes(&write_set);
        let transactions: Vec<B256> = (0..transactions)
            .map(|at| keccak256([self.height.to_be_bytes(), at.to_be_bytes()].concat()))
            .collect();
        let record = BlockRecord {
            height: self.height,
            hash: keccak256(self.height.to_be_bytes()),
            state_root: root,
            header: vec![0; 600],
            body: vec![0; 150 * transactions.len()],
            transactions,
            write_set,
            ..BlockRecord::default()
        };
        times.measure("  readable", || self.store.seal(record).unwrap());
        self.height += 1;
    }

    fn commit(&mut self, times: &mut Times) {
        times.measure("  durable", || self.store.commit().unwrap());
    }

    fn transfers(&mut self, times: &mut Times, count: u64) {
        let pairs: Vec<(u64, u64)> = (0..count)
            .map(|_| (self.random(ACCOUNTS), self.random(ACCOUNTS)))
            .collect();
        times.measure("  flat changes", || {
            for (from, to) in pairs {
                self.add(from, U256::from(1));
                self.add(to, U256::from(2));
            }
        });
    }
}

/// Memory of this process without the pages of the file that the system caches for it.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) >> 10
}

fn main() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| scratch.path().to_owned(), Into::into);
    let store = Store::open(&folder, B256::ZERO, StoreOptions::default()).unwrap();
    let state = State::new(EMPTY_ROOT, store.tip_source());
    let (height, random) = (0, 0x9e37_79b9_7f4a_7c15);
    let mut bench = Bench {
        store,
        state,
        height,
        random,
        flat_bytes: 0,
    };
    let mut times = Times::default();
    println!("{} MiB resident at the start", resident_mib());

    for number in 0..ACCOUNTS {
        bench.add(number, U256::from(10).pow(U256::from(18)));
    }
    bench.seal(&mut times, 0);
    bench.commit(&mut times);
    println!("\ngenesis of {ACCOUNTS} accounts");
    times.print();

    for _ in 0..200 {
        bench.seal(&mut times, 0);
        bench.commit(&mut times);
    }
    println!("\nempty block");
    times.print();

    for _ in 0..20 {
        bench.add(7, U256::from(1));
        bench.seal(&mut times, 1);
        bench.commit(&mut times);
    }
    println!("\nblock of one transfer");
    times.print();

    for at in 1..=2_000 {
        bench.transfers(&mut times, 20);
        bench.seal(&mut times, 20);
        if at % 200 == 0 {
            bench.commit(&mut times);
        }
    }
    println!("\nblock of 20 transfers; 200 of them made durable at once");
    times.print();

    for _ in 0..10 {
        bench.transfers(&mut times, TRANSFERS);
        bench.seal(&mut times, TRANSFERS);
        bench.commit(&mut times);
    }
    println!("\nblock of {TRANSFERS} transfers");
    times.print();
    println!(
        "  {} kB of replaced flat values with their keys",
        bench.flat_bytes / 1000
    );

    for _ in 0..10 {
        bench.transfers(&mut times, TRANSFERS);
        bench.seal(&mut times, TRANSFERS);
    }
    bench.commit(&mut times);
    println!("\n10 blocks of {TRANSFERS} transfers, made durable at once");
    times.print();

    let store = bench.store.clone();
    for _ in 0..1_000 {
        times.measure("  view of the tip and one account", || {
            store.view(None).unwrap().account(&Address::ZERO).unwrap()
        });
        times.measure("  view 15 blocks back and one account", || {
            store
                .view(Some(bench.height - 15))
                .unwrap()
                .account(&Address::ZERO)
                .unwrap()
        });
    }
    let target = bench.height - 11;
    times.measure("  unwinding 10 blocks of transfers", || {
        store.unwind_to(target).unwrap()
    });
    let root = store
        .view(None)
        .unwrap()
        .sealed_header(target)
        .unwrap()
        .unwrap()
        .state_root;
    bench.state.reset(root);
    bench.height = target + 1;
    bench.transfers(&mut times, TRANSFERS);
    bench.seal(&mut times, TRANSFERS);
    times.measure("  trim to 100000 nodes and values", || {
        bench.state.trim(100_000)
    });
    println!("\nlooking and going back, then one block on an empty memory");
    times.print();
    let file = std::fs::metadata(folder.join("data.mdb")).map_or(0, |file| file.len());
    println!(
        "\n{} nodes and values in memory, {} MiB resident, file {} MiB",
        bench.state.weight(),
        resident_mib(),
        file >> 20
    );
}
