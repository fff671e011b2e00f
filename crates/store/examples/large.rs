//! What a block of 10,000 transfers costs where the state is larger than what is kept of it in memory: their execution, the
//! roots of the state, of transactions and receipts, all rows, and one synced write. Decoding and the AddressBook are not in it.
//!
//! `cargo run --release -p bedroll-store --example large -- ACCOUNTS FOLDER [BLOCKS] [SENDERS]`: fills FOLDER if it is empty,
//! lets the system forget the files, and measures. CPU time of all threads and wall time. Receivers are any accounts, as
//! senders are where their count is not given; `benches/block.py` has 20,000.
use alloy_consensus::Header;
use alloy_primitives::{keccak256, Address, B256, U256};
use bedroll_core::block::{encode_body, encode_head, Block, Tail};
use bedroll_core::header;
use bedroll_core::receipt::Receipt;
use bedroll_core::state::{Account, State};
use bedroll_core::stf::{Charge, Runner};
use bedroll_core::transaction::Transaction;
use bedroll_core::trie::ordered_root_encoded;
use bedroll_store::{BlockRecord, Import, Named, Roles, Store, StoreOptions, TipSource};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::primitives::{hardfork::SpecId, TxKind};
use rustix::time::{clock_gettime, ClockId};
use std::hint::black_box;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

const TRANSFERS: u64 = 10_000;
/// Nodes of storage tries and flat values that stay in memory: what the engine keeps.
const KEPT: usize = 1_000_000;

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn address(number: u64) -> Address {
    Address::from_word(keccak256(number.to_be_bytes()))
}

fn genesis(root: B256) -> Block {
    let header = Header {
        state_root: root,
        transactions_root: header::transactions_root::<Transaction>(&[]),
        receipts_root: header::receipts_root(&[]),
        ..Header::default()
    };
    Block {
        hash: header.hash_slow(),
        header,
        tail: Tail {
            origin_height: 0,
            origin_hash: B256::ZERO,
            median_time: 0,
            l1_rate: 0,
            second_blocks: 1,
            origin_blocks: 1,
            book_length: 0,
            queue_enqueued: 0,
            queue_done: 0,
        },
        origin_step: false,
        automatic: false,
        transactions: vec![],
        receipts: vec![],
        forced: vec![],
        forced_count: 0,
        new_addresses: vec![],
        enqueued: vec![],
        touched: vec![],
        ethereum: None,
    }
}

fn row(table: u8, key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.push(table);
    out.extend_from_slice(&(key.len() as u16).to_be_bytes());
    out.extend_from_slice(&(value.len() as u32).to_be_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(value);
}

/// Makes the store through the import of snapshots; the header comes last, as the root is known at the end only.
fn fill(folder: &Path, accounts: u64) {
    let start = Instant::now();
    let mut all: Vec<Address> = (0..accounts).map(address).collect();
    // As an export gives them: in the order of the trie.
    all.sort_by_cached_key(|address| keccak256(address));
    let mut import = Import::begin(folder, B256::ZERO, [7; 16], 0, B256::ZERO).unwrap();
    let flat = Account {
        nonce: 1,
        balance: U256::from(10).pow(U256::from(18)),
        ..Account::default()
    }
    .to_flat();
    for of_chunk in all.chunks(50_000) {
        let mut chunk = Vec::new();
        for address in of_chunk {
            row(1, address.as_slice(), &flat, &mut chunk);
        }
        import.put_chunk(&chunk).unwrap();
    }
    drop(all);
    println!("{accounts} flat accounts after {:?}", start.elapsed());
    while import.build_tries().unwrap().is_some() {}
    let block = genesis(import.root().unwrap());
    let head = [
        block.hash.as_slice(),
        block.header.state_root.as_slice(),
        &encode_head(&block),
    ]
    .concat();
    let mut chunk = Vec::new();
    row(6, &[0; 8], &head, &mut chunk);
    row(7, &[0; 8], &encode_body(&block), &mut chunk);
    import.put_chunk(&chunk).unwrap();
    import.expect(block.hash);
    while import.index_blocks(1).unwrap().is_some() {}
    import.finish().unwrap();
    println!("tries after {:?}, CPU {:?}", start.elapsed(), cpu());
}

struct Bench {
    store: Store,
    state: State<TipSource>,
    accounts: u64,
    senders: u64,
    height: u64,
    random: u64,
}

impl Bench {
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// Runs transfers and gives their receipts.
    fn run(&mut self, pairs: &[[Address; 2]]) -> Vec<Receipt> {
        let mut config = CfgEnv::new_with_spec(SpecId::PRAGUE);
        config.disable_nonce_check = true;
        let mut runner = Runner::ethereum(BlockEnv::default(), config, &mut self.state);
        let receipts = (1u64..).zip(pairs).map(|(number, [from, to])| {
            let transfer = TxEnv {
                caller: *from,
                kind: TxKind::Call(*to),
                value: U256::from(number),
                gas_limit: 21_000,
                ..TxEnv::default()
            };
            let ran = runner.transact(transfer, Charge::default()).unwrap();
            assert!(ran.success);
            Receipt {
                kind: 2,
                success: true,
                gas_used: ran.gas_used,
                data_gas: 0,
                cumulative_gas_used: number * ran.gas_used,
                effective_gas_price: 1,
                transaction_hash: B256::ZERO,
                logs: ran.logs,
                output: ran.output,
                contract: None,
                post_state: None,
            }
        });
        receipts.collect()
    }

    /// One block; CPU and wall of running, sealing and writing it.
    fn block(&mut self) -> [(Duration, Duration); 3] {
        let mut times = Vec::new();
        let mut timed = |work: &mut dyn FnMut()| {
            let (cpu_start, start) = (cpu(), Instant::now());
            work();
            times.push((cpu() - cpu_start, start.elapsed()));
        };
        let pairs: Vec<[Address; 2]> = (0..TRANSFERS)
            .map(|_| [self.senders, self.accounts].map(|below| address(self.random(below))))
            .collect();
        let named = pairs.concat();
        let transactions = vec![[7u8; 110]; TRANSFERS as usize];
        let mut receipts = Vec::new();
        timed(&mut || {
            self.store
                .expect(&named, &Address::ZERO, &|_| U256::ZERO)
                .unwrap();
            receipts = self.run(&pairs);
        });
        let mut sealed = None;
        timed(&mut || {
            black_box(ordered_root_encoded(&transactions));
            black_box(header::receipts_root(&receipts));
            sealed = Some(self.state.seal().unwrap());
        });
        let (root, write_set) = sealed.unwrap();
        self.height += 1;
        let hash = keccak256(self.height.to_be_bytes());
        let named = (0u32..).zip(&pairs).flat_map(|(transaction, pair)| {
            [(pair[0], Roles::SENDER), (pair[1], Roles::RECIPIENT)].map(|(address, roles)| Named {
                address,
                transaction,
                roles,
            })
        });
        let mut record = Some(BlockRecord {
            height: self.height,
            hash,
            state_root: root,
            header: vec![0; 600],
            body: vec![0; 250 * TRANSFERS as usize],
            places: vec![0; 8 * TRANSFERS as usize],
            transactions: (0..TRANSFERS)
                .map(|at| keccak256([self.height.to_be_bytes(), at.to_be_bytes()].concat()))
                .collect(),
            named: named.collect(),
            write_set,
            ..BlockRecord::default()
        });
        timed(&mut || {
            self.store.seal(record.take().unwrap()).unwrap();
            self.store.commit().unwrap();
            if self.state.weight() > KEPT {
                self.state.trim(KEPT / 4 * 3);
            }
        });
        [times[0], times[1], times[2]]
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

/// Has the system forget the store's files; the bytes that they take.
fn forget(folder: &Path) -> u64 {
    let list = |folder: &Path| -> Vec<_> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let mut bytes = 0;
    for path in list(folder)
        .into_iter()
        .chain(list(&folder.join("accounts")))
    {
        let file = std::fs::File::open(&path).unwrap();
        if file.metadata().unwrap().is_file() {
            // What is not written yet would stay.
            file.sync_data().unwrap();
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
            bytes += 512 * file.metadata().unwrap().blocks();
        }
    }
    bytes
}

fn main() {
    let mut words = std::env::args().skip(1);
    let accounts: u64 = words.next().unwrap().parse().unwrap();
    let folder = words.next().unwrap();
    let blocks: usize = words.next().map_or(12, |word| word.parse().unwrap());
    let senders = words.next().map_or(accounts, |word| word.parse().unwrap());
    let folder = Path::new(&folder);
    if !folder.join("data.mdb").exists() {
        fill(folder, accounts);
    }
    println!("{} MiB on the disk", forget(folder) >> 20);
    let store = Store::open(folder, B256::ZERO, StoreOptions::default()).unwrap();
    let view = store.view(None).unwrap();
    let height = view.height();
    let root = view.sealed_header(height).unwrap().unwrap().state_root;
    drop(view);
    let state = State::new(root, store.tip_source());
    let mut bench = Bench {
        store,
        state,
        accounts,
        senders,
        height,
        random: 0x9e37_79b9_7f4a_7c15 ^ height,
    };
    for at in 0..blocks {
        let times = bench.block();
        let ms = |of: Duration| of.as_secs_f64() * 1e3;
        let (cpu, wall) = times
            .iter()
            .fold((Duration::ZERO, Duration::ZERO), |sum, one| {
                (sum.0 + one.0, sum.1 + one.1)
            });
        println!(
            "block {at}: {:.0} ms CPU (run {:.0}, root {:.0}, store {:.0}), {:.0} ms wall, {} MiB of its own",
            ms(cpu),
            ms(times[0].0),
            ms(times[1].0),
            ms(times[2].0),
            ms(wall),
            resident_mib(),
        );
    }
}
