// Says what it is told: which signals come, and which line is typed. A line ends it with exit code 5.
import { createInterface } from "node:readline";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => console.log(`caught ${signal}`));
createInterface({ input: process.stdin, terminal: false }).once("line", (line) => {
  console.log(`read ${line} with ${process.env.API_KEY}`);
  process.exit(5);
});
console.log(`ready, ${process.stdin.isTTY && process.stdout.isTTY ? "on a terminal" : "without a terminal"}`);
