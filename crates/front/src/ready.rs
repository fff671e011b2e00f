//! Which transactions go next.
use crate::fee::FeeRule;
use crate::pool::{Pool, Waiting};

impl Pool {
    /// What can be executed now: best tip first, each sender's in the order of nonces, at most `limit`.
    ///
    /// The caller says of each what became of it: `executed`, `refused`, `wait`. Gas limits count in full.
    pub fn take_ready(&mut self, fee: &FeeRule, mut gas_left: u64, limit: usize) -> Vec<Waiting> {
        let (senders, order) = (&self.senders, &self.fresh);
        let mut first: Vec<(i128, Waiting)> = vec![];
        let mut stale = vec![];
        for address in order {
            let head = senders.get(address).and_then(|sender| sender.run().next());
            match head.filter(|tx| fee.is_executable(tx)) {
                Some(tx) => first.push((-fee.tip(tx), tx.clone())),
                None => stale.push(*address),
            }
        }
        for address in stale {
            self.fresh.remove(&address);
        }
        first.sort_by_cached_key(|(tip, tx)| (*tip, self.arrival(tx)));
        let mut ready = vec![];
        for (_, head) in first {
            let Some(sender) = self.senders.get(&head.sender) else {
                continue;
            };
            for tx in sender.run() {
                if !fee.is_executable(tx) {
                    break;
                }
                let gas = fee.evm_gas(tx);
                if gas > gas_left || ready.len() >= limit {
                    return ready;
                }
                gas_left -= gas;
                ready.push(tx.clone());
            }
        }
        ready
    }
}
