// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Counter} from "../src/Counter.sol";

/// The few of Foundry's cheat codes that are used here; with forge-std installed, import Script instead.
interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
}

/// forge script script/Deploy.s.sol --rpc-url devnet --broadcast --private-key KEY
contract Deploy {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_SCRIPT = true;

    function run() external returns (Counter counter, uint256 number) {
        VM.startBroadcast();
        counter = new Counter();
        number = counter.add(7);
        VM.stopBroadcast();
    }
}
