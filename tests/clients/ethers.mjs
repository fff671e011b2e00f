// ethers against a running devnet: deploy, send, read, estimate, trace, logs, subscribe, revert reason.
// Usage: node ethers.mjs HTTP_URL WS_URL ARTIFACT CHAIN_ID; prints one JSON object.
import { readFileSync } from "node:fs";
import { Contract, ContractFactory, HDNodeWallet, JsonRpcProvider, WebSocketProvider, parseEther } from "ethers";

const [url, socketUrl, artifactPath, chainId] = process.argv.slice(2);
const { abi, creation } = JSON.parse(readFileSync(artifactPath));
const words = "test test test test test test test test test test test junk";
const path = (index) => `m/44'/60'/0'/0/${index}`;
// cacheTimeout: answers are not kept for 250 ms, in which this chain makes many blocks.
const provider = new JsonRpcProvider(url, undefined, { polling: true, pollingInterval: 100, cacheTimeout: -1 });
const wallet = HDNodeWallet.fromPhrase(words, undefined, path(2)).connect(provider);
const other = HDNodeWallet.fromPhrase(words, undefined, path(3)).connect(provider);
if ((await provider.getNetwork()).chainId !== BigInt(chainId)) throw new Error("wrong chain");

const token = await new ContractFactory(abi, creation, wallet).deploy(parseEther("1000"));
const deployed = await token.deploymentTransaction().wait();
const address = await token.getAddress();

const watcher = new WebSocketProvider(socketUrl);
const seen = new Promise((resolve) => {
  new Contract(address, abi, watcher).on("Transfer", (sender, receiver, amount) => resolve(amount));
});
// The subscription stands once a later call on the same connection is answered.
await watcher.getBlockNumber();
await watcher.getBlockNumber();

const receipt = await (await token.transfer(other.address, 7n)).wait();
const sent = await (await wallet.sendTransaction({ to: other.address, value: parseEther("0.5") })).wait();
let reason = "";
try {
  await token.connect(other).transfer.staticCall(address, 8n);
} catch (error) {
  reason = `${error.code}: ${error.reason}`;
}
let funds = "";
try {
  await other.sendTransaction({ to: address, value: parseEther("1000000000"), gasLimit: 21000n });
} catch (error) {
  funds = error.code;
}
const trace = await provider.send("debug_traceTransaction", [
  receipt.hash, { tracer: "callTracer", tracerConfig: { withLog: true } },
]);
const logs = await token.queryFilter("Transfer", 0);
console.log(JSON.stringify({
  deployed: deployed.status,
  transferred: receipt.status,
  paid: sent.status,
  balance: String(await token.balanceOf(other.address)),
  estimated: String(await provider.estimateGas({ from: wallet.address, to: other.address, value: 1n })),
  watched: String(await seen),
  logs: logs.length,
  traced: `${trace.type} with ${trace.logs.length} log`,
  reason,
  funds,
}));
process.exit(0);
