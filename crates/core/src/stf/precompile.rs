//! Precompiled contracts, of which simulations may move some.
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloy_primitives::{map::AddressSet, Address};
use revm::context::Cfg;
use revm::context_interface::ContextTr;
use revm::handler::{EthPrecompiles, PrecompileProvider};
use revm::interpreter::{CallInputs, InterpreterResult};
use revm::precompile::{PrecompileSpecId, Precompiles};
use revm::primitives::hardfork::SpecId;

/// Where precompiles stand, if not where the rules have them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrecompileMoves {
    gone: BTreeSet<Address>,
    /// Where one stands → which.
    moved: BTreeMap<Address, Address>,
}

impl PrecompileMoves {
    /// The precompile that answers at an address, by the address that the rules give it.
    pub fn at(&self, spec: SpecId, address: &Address) -> Option<Address> {
        if let Some(of) = self.moved.get(address) {
            return Some(*of);
        }
        let known = Precompiles::new(PrecompileSpecId::from_spec_id(spec)).contains(address);
        (known && !self.gone.contains(address)).then_some(*address)
    }

    /// Leaves an address to ordinary code.
    pub fn take_away(&mut self, address: Address) {
        self.moved.remove(&address);
        self.gone.insert(address);
    }

    /// Puts a precompile, named as in [`Self::at`], to another address too.
    pub fn put(&mut self, to: Address, of: Address) {
        self.moved.insert(to, of);
    }

    /// Addresses that were left to ordinary code.
    pub fn gone(&self) -> impl Iterator<Item = &Address> {
        self.gone.iter()
    }

    /// Where one stands beside the rules' place, and which.
    pub fn moved(&self) -> &BTreeMap<Address, Address> {
        &self.moved
    }

    /// Whether all stand where the rules have them.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.moved.is_empty()
    }
}

/// What the EVM asks for precompiles. As in geth, what a transaction finds warm does not move with them.
#[derive(Debug, Clone)]
pub struct MovedPrecompiles {
    rules: EthPrecompiles,
    moves: Option<PrecompileMoves>,
}

impl MovedPrecompiles {
    /// Of these rules, with moves.
    pub fn new(spec: SpecId, moves: &PrecompileMoves) -> Self {
        Self {
            rules: EthPrecompiles::new(spec),
            moves: (!moves.is_empty()).then(|| moves.clone()),
        }
    }
}

impl<CTX: ContextTr<Cfg: Cfg<Spec = SpecId>>> PrecompileProvider<CTX> for MovedPrecompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        PrecompileProvider::<CTX>::set_spec(&mut self.rules, spec)
    }

    fn run(
        &mut self,
        context: &mut CTX,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        let Some(moves) = &self.moves else {
            return self.rules.run(context, inputs);
        };
        match moves.at(self.rules.spec, &inputs.bytecode_address) {
            None => Ok(None),
            Some(of) if of == inputs.bytecode_address => self.rules.run(context, inputs),
            Some(of) => {
                let mut inputs = inputs.clone();
                inputs.bytecode_address = of;
                self.rules.run(context, &inputs)
            }
        }
    }

    fn warm_addresses(&self) -> &AddressSet {
        self.rules.warm_addresses()
    }
}
