import { runCommandLine } from "../src/cli/run-command-line.ts";

// `npm run keys -- …` is `keyhole admin keys …`.
process.exitCode = await runCommandLine(["admin", "keys", ...process.argv.slice(2)]);
