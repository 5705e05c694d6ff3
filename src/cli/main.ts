#!/usr/bin/env node
import { runCommandLine } from "./run-command-line.ts";

// A reader that has seen enough (`keyhole list | head`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

runCommandLine(process.argv.slice(2)).then((code) => {
  // What was written to a pipe leaves before the process does.
  process.stderr.write("", () => process.stdout.write("", () => process.exit(code)));
});
