// Runs commands beside each other, as many as there are cores: node scripts/run-all.mjs "COMMAND …" "COMMAND …"
// Each writes what it has to say when it is over, and one that fails keeps none of the others from running.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

const waiting = process.argv.slice(2);
await Promise.all(Array.from({ length: availableParallelism() }, work));

async function work() {
  for (let command = waiting.shift(); command !== undefined; command = waiting.shift()) {
    const { code, said } = await run(command);
    process.stdout.write(said);
    if (code === 0) continue;
    console.error(`${command}: failed`);
    process.exitCode = 1;
  }
}

function run(command) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, said }));
  });
}
