// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// Counts, and tells who did.
contract Counter {
    uint256 public number;

    event Counted(address indexed by, uint256 number);

    error TooMuch(uint256 asked, uint256 limit);

    function add(uint256 amount) external returns (uint256) {
        if (amount > 100) revert TooMuch(amount, 100);
        number += amount;
        emit Counted(msg.sender, number);
        return number;
    }
}
