import { type Config, type Env, loadConfig } from "../../src/worker/config.ts";
import { archiveLog } from "../../src/worker/log/archive-log.ts";
import { digestLog } from "../../src/worker/log/digest-log.ts";
import { readRegistry } from "../../src/worker/log/read-registry.ts";
import { removeOldEvents } from "../../src/worker/log/remove-old-events.ts";
import { sealLog } from "../../src/worker/log/seal-log.ts";
import { writeRegistry } from "../../src/worker/log/write-registry.ts";
import worker from "../../src/worker/worker.ts";
import { moveClock, takeClock } from "./clock-by-hand.ts";
import { countBindings, takeCounts } from "./counted-bindings.ts";

/** Timers from this length on go by the clock that is moved, in milliseconds: the one that writes counts of uses, and no deadline. */
const LONG = 20_000;
takeClock(LONG);

let lines = 0;
for (const level of ["log", "warn", "error"] as const) console[level] = () => void lines++;

let proxied: Env | undefined;

/**
 * Keyhole with counted bindings and a clock that `/bench/clock?to=MILLISECONDS` moves. `/bench/NAME` does all that a job on
 * the audit log has to do by that clock, and `/bench/counts` says what was asked of the bindings since it was last asked,
 * and how many lines were logged.
 */
export default {
  async fetch(request, env, context) {
    proxied ??= countBindings(env);
    const { pathname, searchParams } = new URL(request.url);
    const [, place, name = ""] = pathname.split("/");
    if (place !== "bench") return worker.fetch(request, proxied, context);
    if (name === "clock") moveClock(Number(searchParams.get("to")));
    else if (name === "counts") return Response.json({ ...takeCounts(), lines: takeLines() });
    else return Response.json(await work(name, proxied));
    return new Response();
  },
} satisfies ExportedHandler<Env>;

function takeLines(): number {
  const taken = lines;
  lines = 0;
  return taken;
}

async function work(name: string, env: Env): Promise<unknown> {
  const config: Config = await loadConfig(env);
  const needs = { ...config, db: env.DB, kv: env.KV, now: new Date(), accused: new Set<string>() };
  const registry = await readRegistry(needs);
  const jobs: Readonly<Record<string, () => Promise<unknown>>> = {
    seal: () => sealLog({ ...needs, registry }),
    register: () => writeRegistry({ ...needs, registry }),
    digest: () => digestLog(needs),
    archive: () => archiveLog({ ...needs, registry }),
    remove: () => removeOldEvents({ ...needs, registry }),
  };
  return jobs[name]?.() ?? Promise.reject(new Error(`there is no job ${name}`));
}
