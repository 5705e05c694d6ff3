import type { Env as WorkerEnv } from "../../src/worker/config.ts";
import worker from "../../src/worker/worker.ts";
import { countBindings, type Delays, takeCounts } from "./counted-bindings.ts";

interface Env extends WorkerEnv {
  readonly DELAYS?: string;
}

// Keyhole parses its environment once for each environment that it sees: so this one has to stay the same.
let proxied: Env | undefined;

/**
 * Keyhole behind a proxy around its bindings, which counts (in the header `X-Counts`) and, where told to, delays. Counts
 * are only right while there is one request at a time; delays always are.
 */
export default {
  async fetch(request, env, context) {
    proxied ??= countBindings(env, env.DELAYS ? (JSON.parse(env.DELAYS) as Delays) : undefined);
    takeCounts();
    const reply = await worker.fetch(request, proxied, context);
    const counted = new Response(reply.body, reply);
    counted.headers.set("X-Counts", JSON.stringify(takeCounts()));
    return counted;
  },
} satisfies ExportedHandler<Env>;
