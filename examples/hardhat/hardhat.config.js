// Usage: npx hardhat run scripts/deploy.js --network devnet
import { createRequire } from "node:module";
import { defineConfig } from "hardhat/config";

const solc = createRequire(import.meta.url).resolve("solc/soljson.js");

export default defineConfig({
  // The compiler of the npm package `solc`: nothing is downloaded.
  solidity: { version: "0.8.30", path: solc },
  networks: {
    devnet: {
      type: "http",
      chainType: "generic",
      url: process.env.BEDROLL_URL ?? "http://127.0.0.1:8545",
    },
  },
});
