// Stands in for a tool: node stand-in.mjs NAME ARGUMENT …
// It asks the test, at the address in STAND_INS, what the tool does, and does that.
import { spawnSync } from "node:child_process";

const [tool, ...args] = process.argv.slice(2);
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const stdin = Buffer.concat(chunks).toString();
const reply = await fetch(process.env.STAND_INS, { method: "POST", body: JSON.stringify({ tool, args, env: process.env, cwd: process.cwd(), stdin }) });
const { stdout = "", stderr = "", code = 0, run } = await reply.json();
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = run ? (spawnSync(run[0], run.slice(1), { input: stdin, stdio: ["pipe", "inherit", "inherit"] }).status ?? 1) : code;
