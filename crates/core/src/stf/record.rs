//! What a block has included so far.
use alloc::vec::Vec;

use super::run::Ran;
use crate::receipt::Receipt;
use crate::transaction::Transaction;

/// Included transactions and what they did.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub transactions: Vec<Transaction>,
    pub receipts: Vec<Receipt>,
    pub gas_used: u64,
}

impl Record {
    pub fn include(&mut self, transaction: Transaction, ran: Ran, data_gas: u64, price: u128) {
        self.gas_used += ran.gas_used;
        let contract = transaction.created();
        self.receipts.push(Receipt {
            kind: transaction.kind(),
            success: ran.success,
            gas_used: ran.gas_used,
            data_gas,
            cumulative_gas_used: self.gas_used,
            effective_gas_price: price,
            transaction_hash: transaction.hash,
            logs: ran.logs,
            output: ran.output,
            contract,
        });
        self.transactions.push(transaction);
    }
}
