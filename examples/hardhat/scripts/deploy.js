// Deploys Counter, counts, reads it back, and tells what happened. Run: npx hardhat run scripts/deploy.js --network devnet
import { readFile } from "node:fs/promises";
import { BrowserProvider, ContractFactory } from "ethers";
import { network } from "hardhat";

const file = new URL("../artifacts/contracts/Counter.sol/Counter.json", import.meta.url);
const { abi, bytecode } = JSON.parse(await readFile(file));
const { provider } = await network.create("devnet");
const chain = new BrowserProvider(provider, undefined, { pollingInterval: 100 });
const signer = await chain.getSigner();

const counter = await new ContractFactory(abi, bytecode, signer).deploy();
await counter.waitForDeployment();
let tell;
const seen = new Promise((resolve) => (tell = resolve));
await counter.on("Counted", (by, number) => tell({ by, number: Number(number) }));

const estimated = await counter.add.estimateGas(7);
const receipt = await (await counter.add(7)).wait();
const trace = await provider.request({
  method: "debug_traceTransaction",
  params: [receipt.hash, { tracer: "callTracer", tracerConfig: { withLog: true } }],
});
const refused = await counter.add.staticCall(101).catch((error) => error.revert?.name);
console.log(JSON.stringify({
  address: await counter.getAddress(),
  counted: receipt.status,
  number: Number(await counter.number()),
  estimated: Number(estimated),
  gasUsed: Number(receipt.gasUsed),
  seen: await seen,
  traced: trace.logs.length,
  refused,
}));
process.exit(0);
