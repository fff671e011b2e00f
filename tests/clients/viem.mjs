// viem against a running devnet: deploy, send, read, estimate, trace, logs, subscribe, revert reason.
// Usage: node viem.mjs HTTP_URL WS_URL ARTIFACT CHAIN_ID; prints one JSON object.
import { readFileSync } from "node:fs";
import { createPublicClient, createWalletClient, defineChain, http, webSocket, parseEther } from "viem";
import { mnemonicToAccount } from "viem/accounts";

const [url, socketUrl, artifactPath, chainId] = process.argv.slice(2);
const { abi, creation } = JSON.parse(readFileSync(artifactPath));
const chain = defineChain({
  id: Number(chainId),
  name: "bedroll",
  nativeCurrency: { name: "bitcoin", symbol: "BTC", decimals: 18 },
  rpcUrls: { default: { http: [url] } },
  contracts: { multicall3: { address: "0xcA11bde05977b3631167028862bE2a173976CA11" } },
});
const account = mnemonicToAccount("test test test test test test test test test test test junk");
const other = mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: 1 });
const reader = createPublicClient({ chain, transport: http(url), pollingInterval: 100 });
const watcher = createPublicClient({ chain, transport: webSocket(socketUrl) });
const wallet = createWalletClient({ account, chain, transport: http(url) });

const deployed = await reader.waitForTransactionReceipt({
  hash: await wallet.deployContract({ abi, bytecode: creation, args: [parseEther("1000")] }),
});
const address = deployed.contractAddress;

const seen = new Promise((resolve) => {
  watcher.watchContractEvent({ address, abi, eventName: "Transfer", onLogs: (logs) => resolve(logs[0].args.amount) });
});
// The subscription stands once a later call on the same connection is answered.
await watcher.getChainId();

const { request } = await reader.simulateContract({
  account, address, abi, functionName: "transfer", args: [other.address, 7n],
});
const receipt = await reader.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
const sent = await reader.waitForTransactionReceipt({
  hash: await wallet.sendTransaction({ to: other.address, value: parseEther("0.5") }),
});
let reason = "";
try {
  await reader.simulateContract({ account: other, address, abi, functionName: "transfer", args: [address, 8n] });
} catch (error) {
  reason = error.shortMessage;
}
const trace = await reader.request({
  method: "debug_traceTransaction",
  params: [receipt.transactionHash, { tracer: "callTracer", tracerConfig: { withLog: true } }],
});
const balanceOf = (who) => ({ address, abi, functionName: "balanceOf", args: [who.address] });
const many = await reader.multicall({ contracts: [balanceOf(account), balanceOf(other)], allowFailure: false });
const logs = await reader.getContractEvents({ address, abi, eventName: "Transfer", fromBlock: 0n });
const proof = await reader.getProof({ address, storageKeys: [`0x${"00".repeat(32)}`] });
console.log(JSON.stringify({
  deployed: deployed.status,
  transferred: receipt.status,
  paid: sent.status,
  balance: String(await reader.readContract({ address, abi, functionName: "balanceOf", args: [other.address] })),
  estimated: String(await reader.estimateGas({ account, to: other.address, value: 1n })),
  watched: String(await seen),
  logs: logs.length,
  many: String(many[0] + many[1]),
  traced: `${trace.type} with ${trace.logs.length} log`,
  reason,
  supply: String(proof.storageProof[0].value),
  fees: typeof (await reader.estimateFeesPerGas()).maxFeePerGas,
}));
process.exit(0);
