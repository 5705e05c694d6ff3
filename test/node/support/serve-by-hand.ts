import { serveWorker } from "../../../scripts/local/serve-worker.ts";
import { readVars } from "../../../scripts/settings.ts";
import { TEST_SECRETS } from "../../support/test-secrets.ts";

// A process to be killed: it serves the Worker whose clock is moved by hand, tells its parent where, and has a scheduled
// run happen for each message.
const [persistTo = ""] = process.argv.slice(2);
const bindings = { ...readVars(), ...TEST_SECRETS };
const served = await serveWorker({ port: 0, persistTo, bindings, period: null, entry: "test/support/worker-by-hand.ts", onLine: () => undefined });
process.on("message", async () => process.send?.(await served.runScheduled()));
process.send?.(served.url.origin);
