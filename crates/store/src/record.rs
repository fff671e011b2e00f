//! What the engine hands over of a sealed block, and the rows it becomes.
use crate::key::Key;
use crate::posting::{segment_of, Roles, Secret, Term};
use crate::row::{self, Row};
use crate::table::Table;
use alloy_primitives::{Address, B256, U256};
use bedroll_core::{state::WriteSet, trie::NodeWrite};

/// A log's place in its block and what it can be found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPosting {
    /// Who wrote it.
    pub address: Address,
    /// At most four.
    pub topics: Vec<B256>,
    /// Index of its transaction in the block.
    pub transaction: u32,
    /// Its own index in the block.
    pub log: u32,
}

/// An address that a transaction names or touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Which.
    pub address: Address,
    /// Index of the transaction in the block.
    pub transaction: u32,
    /// What the address did, all of it.
    pub roles: Roles,
}

/// A sealed block with all that it changes.
#[derive(Clone, Debug, Default)]
pub struct BlockRecord {
    /// One above the tip; 0 for genesis.
    pub height: u64,
    /// Of the header.
    pub hash: B256,
    /// Of the header: the state after this block.
    pub state_root: B256,
    /// The header; the store does not look into it.
    pub header: Vec<u8>,
    /// The rest of the block; the store does not look into it.
    pub body: Vec<u8>,
    /// Where things stand in the body; the store does not look into it. Not kept if it is empty.
    pub places: Vec<u8>,
    /// Transaction hashes, in order.
    pub transactions: Vec<B256>,
    /// Of all logs, in order.
    pub logs: Vec<LogPosting>,
    /// Addresses of its transactions, each once a transaction.
    pub named: Vec<Named>,
    /// From [`bedroll_core::state::State::seal`].
    pub write_set: WriteSet,
    /// Rows of the queue of forced messages that this block sets, by index; None takes one away. Never empty bytes.
    pub forced: Vec<(u64, Option<Vec<u8>>)>,
    /// Addresses that this block appends to the address book, by index.
    pub book: Vec<(u64, Address)>,
}

/// Collects the rows of one block.
struct Rows {
    height: u64,
    rows: Vec<Row>,
}

impl Rows {
    fn put(&mut self, key: Key, value: Vec<u8>) {
        self.change(key, Some(value), None);
    }

    fn change(&mut self, key: Key, value: Option<Vec<u8>>, before: Option<Vec<u8>>) {
        self.rows.push(Row {
            key: key.row().into(),
            height: self.height,
            value: value.map(Vec::into_boxed_slice),
            before: before.map(Vec::into_boxed_slice),
        });
    }

    fn nodes(&mut self, owner: &B256, writes: Vec<NodeWrite>) {
        for write in writes {
            self.change(Key::node(Some(owner), &write.path), write.rlp, None);
        }
    }
}

/// A slot as the flat table holds it: big-endian without leading zeros; None for 0.
pub(crate) fn slot_to_flat(value: &U256) -> Option<Vec<u8>> {
    (!value.is_zero()).then(|| value.to_be_bytes_trimmed_vec())
}

/// Rows of a block, sorted by key. `forced_before` tells what stands in the queue at an index now.
pub(crate) fn rows_of<E>(
    record: BlockRecord,
    secret: Secret,
    forced_before: impl Fn(u64) -> Result<Option<Vec<u8>>, E>,
) -> Result<Vec<Row>, E> {
    let height = record.height;
    let mut rows = Rows {
        height,
        rows: Vec::with_capacity(
            2 * record.write_set.flat.accounts.len() + record.transactions.len() + 16,
        ),
    };
    for (index, value) in record.forced {
        rows.change(Key::forced(index), value, forced_before(index)?);
    }
    put_state(&mut rows, record.write_set);
    let terms = terms_of(&record.logs, &record.named);
    if let Some(segment) = segment_of(secret, height, terms) {
        rows.put(Key::at_height(Table::Posting, height), segment);
    }
    if !record.places.is_empty() {
        rows.put(Key::at_height(Table::Place, height), record.places);
    }
    for (index, address) in record.book {
        let with_height = |bytes: &[u8]| [bytes, &height.to_be_bytes()].concat();
        rows.put(Key::book(index), with_height(address.as_slice()));
        rows.put(Key::book_index(&address), with_height(&index.to_be_bytes()));
    }
    for (index, hash) in (0u32..).zip(&record.transactions) {
        let place = [&height.to_be_bytes()[..], &index.to_be_bytes()].concat();
        rows.put(Key::of_hash(Table::Transaction, hash), place);
    }
    let header = [
        record.hash.as_slice(),
        record.state_root.as_slice(),
        &record.header,
    ]
    .concat();
    rows.put(Key::at_height(Table::Header, height), header);
    rows.put(Key::at_height(Table::Body, height), record.body);
    let hash_key = Key::of_hash(Table::Height, &record.hash);
    rows.put(hash_key, height.to_be_bytes().to_vec());
    let mut rows = rows.rows;
    row::sort(&mut rows);
    Ok(rows)
}

fn put_state(rows: &mut Rows, set: WriteSet) {
    for change in &set.flat.accounts {
        let value = change.after.map(|account| account.to_flat());
        let before = change.before.map(|account| account.to_flat());
        rows.change(Key::account(&change.address), value, before);
    }
    for change in &set.flat.slots {
        let key = Key::slot(&change.address, &change.slot);
        let value = slot_to_flat(&change.after);
        rows.change(key, value, slot_to_flat(&change.before));
    }
    for (hash, code) in &set.flat.codes {
        rows.put(Key::code(hash), code.to_vec());
    }
    put_nodes(rows, set);
}

/// Rows of the nodes of an account's storage trie.
pub(crate) fn node_rows_of(height: u64, owner: &B256, writes: Vec<NodeWrite>) -> Vec<Row> {
    let mut rows = Rows {
        height,
        rows: Vec::new(),
    };
    rows.nodes(owner, writes);
    rows.rows
}

/// Rows of the nodes of storage tries in a write set, of a state that is put back.
pub(crate) fn node_rows(height: u64, set: WriteSet) -> Vec<Row> {
    let mut rows = Rows {
        height,
        rows: Vec::new(),
    };
    put_nodes(&mut rows, set);
    let mut rows = rows.rows;
    row::sort(&mut rows);
    rows
}

/// Nodes of accounts have no rows.
fn put_nodes(rows: &mut Rows, set: WriteSet) {
    for of_account in set.storage_nodes {
        rows.nodes(&of_account.owner, of_account.writes);
    }
}

/// What a block can be found by, with the place in it.
pub(crate) fn terms_of<'a>(
    logs: &'a [LogPosting],
    named: &'a [Named],
) -> impl Iterator<Item = (Term, u64)> + 'a {
    let logs = logs.iter().flat_map(|log| {
        let topics = (0u8..).zip(&log.topics);
        let topics = topics.map(|(position, topic)| Term::LogTopic(position, *topic));
        let terms = topics.chain([Term::LogAddress(log.address)]);
        terms.map(|term| (term, u64::from(log.log)))
    });
    let named = named.iter().flat_map(|named| {
        let place = named.roles.place(named.transaction);
        let created = named.roles.has(Roles::CREATED);
        let created = created.then_some((Term::Creation(named.address), place));
        [(Term::Appearance(named.address), place)]
            .into_iter()
            .chain(created)
    });
    logs.chain(named)
}
