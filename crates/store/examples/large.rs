//! What a block of 10,000 transfers costs a node whose state is larger than what it keeps in memory: all that the engine does
//! with transactions whose senders are known, from execution to one synced write. All accounts are in the AddressBook.
//!
//! `cargo run --release -p bedroll-store --example large -- GENESIS FOLDER ACCOUNTS [BLOCKS] [SENDERS]`: fills FOLDER if it is
//! empty, lets the system forget the files, and measures; `python benches/block.py --genesis GENESIS` writes the first. CPU
//! time of all threads and wall time. Receivers are any accounts; senders are some 20,000, as in `benches/block.py`, or SENDERS.
use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{b256, keccak256, Address, Signature, TxKind, B256, U256};
use alloy_trie::{HashBuilder, Nibbles};
use bedroll_core::block::{decode_head, Origin};
use bedroll_core::hook::book_slot;
use bedroll_core::state::Account;
use bedroll_core::transaction::{Envelope, Transaction};
use bedroll_store::engine::Engine;
use bedroll_store::{Import, StoreOptions};
use rustix::time::{clock_gettime, ClockId};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The node's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TRANSFERS: u64 = 10_000;
/// Wei a gas.
const FEE: u128 = 1_000_000_000_000;

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn address(number: u64) -> Address {
    Address::from_word(keccak256(number.to_be_bytes()))
}

fn row(table: u8, key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.push(table);
    out.extend_from_slice(&(key.len() as u16).to_be_bytes());
    out.extend_from_slice(&(value.len() as u32).to_be_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(value);
}

/// Table, key and value.
type Row = (u8, Vec<u8>, Vec<u8>);

/// Splits what [`row`] wrote.
fn rows(mut chunk: &[u8]) -> Vec<Row> {
    let mut found = Vec::new();
    while let Some((table, rest)) = chunk.split_first() {
        let key_length = usize::from(u16::from_be_bytes(rest[..2].try_into().unwrap()));
        let value_length = u32::from_be_bytes(rest[2..6].try_into().unwrap()) as usize;
        let (key, rest) = rest[6..].split_at(key_length);
        let (value, rest) = rest.split_at(value_length);
        found.push((*table, key.to_vec(), value.to_vec()));
        chunk = rest;
    }
    found
}

/// A made-up block of Bitcoin.
fn origin() -> Origin {
    Origin {
        height: 1,
        // Of these 80 bytes.
        hash: b256!("595d5d9751be7f1202537000ad40ff6d784ab01e485266ac82f4bc640d9f5623"),
        header: [7; 80],
        witness_root: B256::ZERO,
        median_time: 1_700_000_000,
        l1_rate: 2_500_000_000,
        forced: vec![],
    }
}

/// The chain with one block, as a snapshot has it.
fn begun(genesis: &str) -> (Vec<Row>, Address) {
    let folder = tempfile::tempdir().unwrap();
    let open = || Engine::open(folder.path(), genesis, StoreOptions::default()).unwrap();
    let engine = open();
    let at = engine.tip().timestamp + 1;
    engine.begin(at, Some(&origin()), false).unwrap();
    engine.seal().unwrap();
    engine.commit().unwrap();
    // A store that is opened takes its journal in.
    drop(engine);
    let engine = open();
    let view = engine.view(None).unwrap();
    let (mut all, mut after) = (vec![], None);
    loop {
        let (chunk, last) = view.view().chunk(after.as_deref()).unwrap();
        all.extend(rows(&chunk));
        after = last;
        if after.is_none() {
            return (all, engine.rules().address_book);
        }
    }
}

/// Root of a trie of words: key, and number in it.
fn root_of(slots: impl Iterator<Item = (U256, u64)>) -> B256 {
    let mut leaves: Vec<(B256, u64)> = Vec::new();
    for (slot, value) in slots {
        leaves.push((keccak256(slot.to_be_bytes::<32>()), value));
    }
    leaves.sort_unstable();
    let mut builder = HashBuilder::default();
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), &alloy_rlp::encode(value));
    }
    builder.root()
}

/// Makes the store through the import of snapshots: a chain of one block, and more accounts in its state. The header comes last,
/// as the root is known at the end only.
fn fill(folder: &Path, genesis: &str, accounts: u64) {
    let start = Instant::now();
    let (begun, book) = begun(genesis);
    let name = {
        let json: serde_json::Value = serde_json::from_str(genesis).unwrap();
        keccak256(json.to_string())
    };
    let mut import = Import::begin(folder, name, [7; 16], (1, B256::ZERO), book).unwrap();

    let mut own: HashMap<U256, u64> = HashMap::new();
    for (_, key, value) in begun.iter().filter(|row| row.0 == 2) {
        if key[..20] == book {
            let slot = U256::from_be_slice(&key[20..]);
            own.insert(slot, U256::from_be_slice(value).to());
        }
    }
    let first = own.get(&U256::ZERO).copied().unwrap_or(0);
    own.insert(U256::ZERO, first + accounts);
    let mut slots: Vec<(U256, u64)> = (0..accounts)
        .map(|number| (book_slot(address(number)), first + number + 1))
        .chain(own)
        .collect();
    slots.sort_unstable();
    let book_root = root_of(slots.iter().copied());
    println!("the book's root after {:?}", start.elapsed());
    for of_chunk in slots.chunks(50_000) {
        let mut chunk = Vec::new();
        for (slot, value) in of_chunk {
            let key = [book.as_slice(), &slot.to_be_bytes::<32>()].concat();
            let bytes = value.to_be_bytes();
            let zeros = (value.leading_zeros() / 8) as usize;
            row(2, &key, &bytes[zeros..], &mut chunk);
        }
        import.put_chunk(&chunk).unwrap();
    }
    drop(slots);
    println!("slots after {:?}", start.elapsed());

    let flat = Account {
        nonce: 1,
        balance: U256::from(10).pow(U256::from(24)),
        ..Account::default()
    }
    .to_flat();
    // As an export gives them: in the order of the trie.
    let mut all: Vec<Address> = (0..accounts).map(address).collect();
    all.sort_by_cached_key(|address| keccak256(address));
    for of_chunk in all.chunks(50_000) {
        let mut chunk = Vec::new();
        for address in of_chunk {
            row(1, address.as_slice(), &flat, &mut chunk);
        }
        import.put_chunk(&chunk).unwrap();
    }
    drop(all);
    println!("accounts after {:?}", start.elapsed());

    let mut head = None;
    let mut chunk = Vec::new();
    for (table, key, value) in begun {
        match table {
            1 if key == book.as_slice() => {
                let mut account = Account::from_flat(&value).unwrap();
                account.storage_root = book_root;
                row(1, &key, &account.to_flat(), &mut chunk);
            }
            2 if key[..20] == book => {}
            6 if key == 1u64.to_be_bytes() => head = Some(value),
            _ => row(table, &key, &value, &mut chunk),
        }
    }
    import.put_chunk(&chunk).unwrap();
    while let Some(slots) = import.build_tries().unwrap() {
        if slots % 1_000_000 < 50_000 {
            println!("{slots} slots after {:?}", start.elapsed());
        }
    }
    let (mut header, mut tail) = decode_head(&head.unwrap()[64..]).unwrap();
    header.state_root = import.root().unwrap();
    tail.book_length += accounts;
    let hash = header.hash_slow();
    let head = [
        hash.to_vec(),
        header.state_root.to_vec(),
        alloy_rlp::encode(&header),
        alloy_rlp::encode(&tail),
    ];
    let mut chunk = Vec::new();
    row(6, &1u64.to_be_bytes(), &head.concat(), &mut chunk);
    import.put_chunk(&chunk).unwrap();
    import.expect(hash);
    while import.index_blocks(1).unwrap().is_some() {}
    import.finish().unwrap();
    println!("tries after {:?}, CPU {:?}", start.elapsed(), cpu());
}

struct Bench {
    engine: Engine,
    accounts: u64,
    senders: u64,
    nonces: HashMap<u64, u64>,
    random: u64,
}

impl Bench {
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// A transfer of 1 wei. Its signature is anybody's: senders are given with the transactions.
    fn transfer(&mut self) -> Transaction {
        let (from, to) = (self.random(self.senders), self.random(self.accounts));
        let sender = address(from);
        let nonce = self.nonces.entry(from).or_insert(1);
        let transfer = TxEip1559 {
            chain_id: self.engine.rules().chain_id,
            nonce: *nonce,
            gas_limit: 21_000,
            max_fee_per_gas: FEE,
            to: TxKind::Call(address(to)),
            value: U256::from(1),
            ..TxEip1559::default()
        };
        *nonce += 1;
        let signature = Signature::test_signature();
        let signed: Envelope = transfer.into_signed(signature).into();
        Transaction::restore(&signed.encoded_2718(), sender).unwrap()
    }

    /// One block; CPU and wall of running, sealing and writing it.
    fn block(&mut self) -> [(Duration, Duration); 3] {
        let transfers: Vec<Arc<Transaction>> =
            (0..TRANSFERS).map(|_| self.transfer().into()).collect();
        let mut times = Vec::new();
        let mut timed = |work: &mut dyn FnMut()| {
            let (cpu_start, start) = (cpu(), Instant::now());
            work();
            times.push((cpu() - cpu_start, start.elapsed()));
        };
        let engine = &self.engine;
        engine
            .begin(engine.tip().timestamp + 1, None, false)
            .unwrap();
        timed(&mut || {
            let ran = engine.add_decoded(transfers.clone()).unwrap();
            for one in ran {
                one.unwrap();
            }
        });
        timed(&mut || drop(engine.seal().unwrap()));
        timed(&mut || engine.commit().unwrap());
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
    let genesis = std::fs::read_to_string(words.next().unwrap()).unwrap();
    let folder = words.next().unwrap();
    let accounts: u64 = words.next().unwrap().parse().unwrap();
    let blocks: usize = words.next().map_or(12, |word| word.parse().unwrap());
    let senders = words.next().map_or(20_000, |word| word.parse().unwrap());
    let folder = Path::new(&folder);
    if !folder.join("data.mdb").exists() {
        fill(folder, &genesis, accounts);
    }
    println!("{} MiB on the disk", forget(folder) >> 20);
    let engine = Engine::open(folder, &genesis, StoreOptions::default()).unwrap();
    assert_eq!(
        engine.tip().number,
        1,
        "blocks were made here: measure a copy of what was filled"
    );
    let mut bench = Bench {
        engine,
        accounts,
        senders,
        nonces: HashMap::new(),
        random: 0x9e37_79b9_7f4a_7c15,
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
