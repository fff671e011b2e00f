"""What a call of each method counts against its client's budget.

Reads: nothing.  Gives: `COSTS`, `cost_of`, `UNIT_SECONDS`.
Never: leaves work unpriced: time on an engine thread is charged after the call.  Spec: docs/spec/api.md#budgets

A unit is 10 µs of one core. The costs here are paid before a call runs; they cover what the loop's thread does for it,
and the least that its work takes. A method that is not named costs 1.
"""

from collections.abc import Mapping
from typing import Final

UNIT_SECONDS: Final = 1e-5
"""Of one core's time."""

COSTS: Final[Mapping[str, int]] = {
    # --- a read of state, a transaction, an event
    "eth_sendRawTransactionSync": 10,
    "eth_getCode": 2,
    "eth_getAccountInfo": 3,
    "eth_getTransactionByHash": 3,
    "eth_getTransactionReceipt": 3,
    "eth_getStorageValues": 10,
    "eth_getFilterChanges": 3,
    # --- a whole block
    "eth_getBlockByHash": 5,
    "eth_getBlockByNumber": 5,
    "eth_getBlockReceipts": 20,
    "debug_getRawBlock": 20,
    "debug_getRawReceipts": 20,
    "erigon_getHeaderByNumber": 5,
    "eth_getHeaderByHash": 5,
    "eth_getHeaderByNumber": 5,
    "eth_getRawTransactionByBlockHashAndIndex": 5,
    "eth_getRawTransactionByBlockNumberAndIndex": 5,
    "eth_getRawTransactionByHash": 3,
    "ots_getBlockDetails": 10,
    "ots_getBlockDetailsByHash": 10,
    "ots_getBlockTransactions": 20,
    # --- many blocks, the mempool
    "eth_feeHistory": 20,
    "eth_getLogs": 20,
    "eth_getFilterLogs": 20,
    "txpool_content": 100,
    "txpool_inspect": 100,
    "ots_searchTransactionsAfter": 100,
    "ots_searchTransactionsBefore": 100,
    "ots_getTransactionBySenderAndNonce": 50,
    # --- an execution
    "eth_call": 5,
    "eth_createAccessList": 20,
    "eth_estimateGas": 20,
    "eth_fillTransaction": 20,
    "eth_getProof": 20,
    "eth_sendTransaction": 50,
    "eth_simulateV1": 50,
    "testing_buildBlockV1": 50,
    # --- a trace
    "bedroll_getProofInput": 1_000,
    "bedroll_getSettlementProof": 500,
    "debug_executionWitness": 500,
    "debug_traceBlock": 200,
    "debug_traceBlockByHash": 200,
    "debug_traceBlockByNumber": 200,
    "debug_traceCall": 50,
    "debug_traceTransaction": 100,
    "ots_getContractCreator": 100,
    "ots_getInternalOperations": 100,
    "ots_getTransactionError": 100,
    "ots_traceTransaction": 100,
    "trace_block": 200,
    "trace_call": 50,
    "trace_callMany": 100,
    "trace_filter": 500,
    "trace_get": 100,
    "trace_rawTransaction": 50,
    "trace_replayBlockTransactions": 200,
    "trace_replayTransaction": 100,
    "trace_transaction": 100,
    # --- large answers
    "rpc.discover": 100,
}


def cost_of(method: str) -> int:
    """Units that a call of a method costs before it runs."""
    return COSTS.get(method, 1)
