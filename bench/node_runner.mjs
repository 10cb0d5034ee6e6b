// SPDX-License-Identifier: Apache-2.0
// Runs a WASI program in Node:  node node_runner.mjs program.wasm [argument...]
//                 or times it:  node node_runner.mjs --load program.wasm
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const isLoad = process.argv[2] === "--load";
const bytes = readFileSync(process.argv[isLoad ? 3 : 2]);
if (isLoad) {
  const start = process.hrtime.bigint();
  new WebAssembly.Module(bytes);
  console.log(`load ${process.hrtime.bigint() - start}`);
} else {
  const wasi = new WASI({ version: "preview1", args: process.argv.slice(2), returnOnExit: true });
  const module = new WebAssembly.Module(bytes);
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  process.exitCode = wasi.start(instance);
}
