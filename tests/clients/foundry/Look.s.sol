// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Counter} from "../src/Counter.sol";

interface Vm {
    struct EthGetLogs {
        address emitter;
        bytes32[] topics;
        bytes data;
        bytes32 blockHash;
        uint64 blockNumber;
        bytes32 transactionHash;
        uint64 transactionIndex;
        uint256 logIndex;
        bool removed;
    }

    function rpc(string calldata method, string calldata parameters) external returns (bytes memory);
    function toString(bytes32 value) external pure returns (string memory);
    function toString(address value) external pure returns (string memory);
    function eth_getLogs(uint256 first, uint256 last, address emitter, bytes32[] calldata topics)
        external
        returns (EthGetLogs[] memory);
}

/// What a script sees of a counter that stands: its number, an estimate, a trace, its events.
contract Look {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_SCRIPT = true;

    function run(Counter counter, bytes32 transaction_)
        external
        returns (uint256 number, uint256 estimated, uint256 traced, uint256 events)
    {
        number = counter.number();
        string memory call =
            string.concat('[{"to":"', VM.toString(address(counter)), '","data":"0x8381f58a"}]');
        bytes memory gas = VM.rpc("eth_estimateGas", call);
        for (uint256 i = 0; i < gas.length; i++) estimated = (estimated << 8) | uint8(gas[i]);
        traced = VM.rpc(
            "debug_traceTransaction", string.concat('["', VM.toString(transaction_), '",{"tracer":"callTracer"}]')
        ).length;
        events = VM.eth_getLogs(0, block.number, address(counter), new bytes32[](0)).length;
    }
}
