#!/usr/bin/env node
import { reportError } from "./report-error.ts";
import { childStarted } from "./run-child.ts";
import { runCommandLine } from "./run-command-line.ts";

// What cannot be said is no reason to end: there may be a command that we run, or are about to.
process.stderr.on("error", () => {});
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (childStarted()) return;
  // A reader that has seen enough (`keyhole list | head`) is no failure.
  if (error.code === "EPIPE") process.exit(0);
  process.exit(reportError(error));
});

runCommandLine(process.argv.slice(2)).then((code) => {
  // What was written to a pipe leaves before the process does.
  process.stderr.write("", () => process.stdout.write("", () => process.exit(code)));
});
