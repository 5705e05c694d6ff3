import { readFileSync } from "node:fs";
import { serveWorker } from "../../../scripts/local/serve-worker.ts";
import { readVars } from "../../../scripts/settings.ts";
import { TEST_SECRETS } from "../../support/test-secrets.ts";

// A process to be killed: it serves what was prepared, the Worker whose clock is moved by hand, tells its parent where, and has a scheduled
// run happen for each message.
const [persistTo = "", bundle = ""] = process.argv.slice(2);
const prepared = { script: readFileSync(bundle, "utf8") };
const bindings = { ...readVars(), ...TEST_SECRETS };
const served = await serveWorker({ port: 0, persistTo, bindings, period: null, prepared, onLine: () => undefined });
process.on("message", async () => process.send?.(await served.runScheduled()));
process.send?.(served.url.origin);
