//! What a block has included so far.
use alloc::{sync::Arc, vec::Vec};
use alloy_primitives::Address;

use super::run::Ran;
use crate::block::Touched;
use crate::receipt::Receipt;
use crate::transaction::Transaction;

/// Included transactions and what they did.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub transactions: Vec<Arc<Transaction>>,
    pub receipts: Vec<Receipt>,
    pub gas_used: u64,
    pub touched: Vec<Touched>,
}

impl Record {
    pub fn include(&mut self, transaction: Arc<Transaction>, ran: Ran, data_gas: u64, price: u128) {
        self.gas_used += ran.gas_used;
        let contract = transaction.created();
        let index = self.transactions.len() as u32;
        let named = |address: &Address| {
            *address == transaction.sender || Some(*address) == transaction.to()
        };
        for (address, created) in ran.touched {
            if created || !named(&address) {
                self.touched.push(Touched {
                    transaction: index,
                    address,
                    created,
                });
            }
        }
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
            post_state: None,
        });
        self.transactions.push(transaction);
    }
}
