import type { Env as WorkerEnv } from "../../src/worker/config.ts";
import keyhole from "../../src/worker/worker.ts";
import floor from "./floor.ts";

type Env = WorkerEnv &
  Required<Pick<WorkerEnv, "ROOT_KEY" | "KEYRING" | "SIGNING_KEY">> & {
    /** Which Worker answers. */
    readonly WHICH: "keyhole" | "floor";
  };

/** The bindings that answer for themselves. The others answer from memory what they answered first. */
type Real = "none" | "d1" | "kv";

const environments = new Map<Real, Env>();

/** Makes one request again and again inside the isolate, so that neither HTTP nor other processes are measured. */
export default {
  async fetch(request, env, context) {
    const answer = async (to: typeof request, under: Env): Promise<Response> =>
      env.WHICH === "floor" ? floor.fetch(to, under) : keyhole.fetch(to, under, context);
    const { pathname, searchParams } = new URL(request.url);
    const real = searchParams.get("real") as Real | null;
    if (real === null) return answer(request, env);
    const replayed = environments.get(real) ?? replay(env, real);
    environments.set(real, replayed);
    const body = await request.text();
    for (let n = Number(searchParams.get("times")); n > 0; n--) {
      const again = new Request(new URL(pathname, request.url), { method: request.method, headers: request.headers, body }) as typeof request;
      const reply = await answer(again, replayed);
      if (reply.status !== 200) return reply;
      await reply.arrayBuffer();
    }
    return new Response();
  },
} satisfies ExportedHandler<Env>;

/** An environment whose bindings answer every call as they answered the first one: there is only one request. */
function replay(env: Env, real: Real): Env {
  let batch: Promise<D1Result[]> | undefined;
  let texts: Promise<unknown> | undefined;
  const DB = { prepare: (sql: string) => env.DB.prepare(sql), batch: (statements: D1PreparedStatement[]) => (batch ??= env.DB.batch(statements)) };
  const KV = { get: (keys: never, options: KVNamespaceGetOptions<"text">) => (texts ??= env.KV.get(keys, options)) };
  return { ...env, ...(real !== "d1" && { DB: DB as unknown as D1Database }), ...(real !== "kv" && { KV: KV as unknown as KVNamespace }) };
}
