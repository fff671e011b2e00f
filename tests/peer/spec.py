"""Runs blocks through the execution specification: a case a line comes in, what it did goes out as a line.

Its interpreter is its own: `requirements/spec.lock` holds `ethereum-execution`, whose dependencies do not go with ours.
Cases are made by `tests/framework/evm_case.py`; nothing of this project is imported here.
"""

import json
import sys
from importlib import import_module

from ethereum.crypto.hash import Hash32, keccak256
from ethereum.exceptions import EthereumException
from ethereum_rlp import rlp
from ethereum_rlp.exceptions import RLPException
from ethereum_types.bytes import Bytes, Bytes32
from ethereum_types.numeric import U64, U256, Uint


def _raw(text):
    return bytes.fromhex(text[2:])


class Rules:
    """The modules of one fork."""

    def __init__(self, fork):
        base = f"ethereum.forks.{fork.lower()}"
        for name in ("blocks", "bloom", "fork", "fork_types", "requests", "state", "transactions", "trie", "vm"):
            setattr(self, name, import_module(f"{base}.{name}"))

    def world(self, pre):
        made = self.state.State()
        for text, given in pre.items():
            address = self.fork_types.Address(_raw(text))
            account = self.fork_types.Account(
                nonce=Uint(given["nonce"]), balance=U256(int(given["balance"], 16)), code=Bytes(_raw(given["code"]))
            )
            self.state.set_account(made, address, account)
            for slot, value in given["storage"].items():
                key = Bytes32(int(slot, 16).to_bytes(32, "big"))
                self.state.set_storage(made, address, key, U256(int(value, 16)))
        return made

    def environment(self, case):
        block = case["block"]
        return self.vm.BlockEnvironment(
            chain_id=U64(case["chain_id"]),
            state=self.world(case["pre"]),
            block_gas_limit=Uint(block["gas_limit"]),
            block_hashes=[Hash32(_raw(text)) for text in block["hashes"]],
            coinbase=self.fork_types.Address(_raw(block["coinbase"])),
            number=Uint(block["number"]),
            base_fee_per_gas=Uint(block["base_fee"]),
            time=U256(block["timestamp"]),
            prev_randao=Bytes32(_raw(block["prevrandao"])),
            excess_blob_gas=U64(block["excess_blob_gas"]),
            parent_beacon_block_root=Hash32(_raw(block["beacon_root"])),
        )

    def run(self, case):
        """As `apply_body` does it, but what may not be in the block is left out of it."""
        fork, environment, output = self.fork, self.environment(case), self.vm.BlockOutput()
        for contract, given in (
            (fork.BEACON_ROOTS_ADDRESS, environment.parent_beacon_block_root),
            (fork.HISTORY_STORAGE_ADDRESS, environment.block_hashes[-1]),
        ):
            fork.process_unchecked_system_transaction(block_env=environment, target_address=contract, data=given)
        transactions = [self.transact(environment, output, _raw(text)) for text in case["transactions"]]
        paid = tuple(
            self.blocks.Withdrawal(
                index=U64(one["index"]),
                validator_index=U64(one["validator"]),
                address=self.fork_types.Address(_raw(one["address"])),
                amount=U256(one["amount"]),
            )
            for one in case["block"]["withdrawals"]
        )
        fork.process_withdrawals(environment, output, paid)
        fork.process_general_purpose_requests(block_env=environment, block_output=output)
        return {
            "transactions": transactions,
            "gas_used": int(output.block_gas_used),
            "state_root": "0x" + self.state.state_root(environment.state).hex(),
            "receipts_root": "0x" + self.trie.root(output.receipts_trie).hex(),
            "bloom": "0x" + self.bloom.logs_bloom(output.block_logs).hex(),
            "requests_hash": "0x" + self.requests.compute_requests_hash(output.requests).hex(),
        }

    def transact(self, environment, output, raw):
        """What a transaction did; None if it may not be in the block."""
        gas, logs = output.block_gas_used, len(output.block_logs)
        index = Uint(len(output.receipt_keys))
        try:
            # A legacy transaction is a list and no string, and decoded as such.
            decoded = (
                rlp.decode_to(self.transactions.LegacyTransaction, raw)
                if raw[0] >= 0xC0
                else self.transactions.decode_transaction(Bytes(raw))
            )
            if getattr(decoded, "chain_id", environment.chain_id) != environment.chain_id:
                # The specification never looks at it: its chain has no other transactions.
                return None
            self.fork.process_transaction(environment, output, decoded, index)
        except (EthereumException, RLPException):
            return None
        receipt = self.blocks.decode_receipt(self.trie.trie_get(output.receipts_trie, output.receipt_keys[-1]))
        return {
            "success": receipt.succeeded,
            "gas": int(output.block_gas_used - gas),
            "logs": "0x" + keccak256(rlp.encode(output.block_logs[logs:])).hex(),
        }


def main():
    rules = {}
    for line in sys.stdin:
        case = json.loads(line)
        fork = case["fork"]
        if fork not in rules:
            rules[fork] = Rules(fork)
        try:
            answer = rules[fork].run(case)
        except EthereumException as error:
            answer = {"refused": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
