import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { signToken } from "../scripts/sign-token.ts";
import { readConfig } from "../scripts/wrangler-config.ts";
import { PERMISSIONS } from "../src/contract/permission.ts";
import { makeSecrets } from "../src/keys-file/make-secrets.ts";
import { bundleKeyhole, migrate } from "./instance.ts";
import { seedNames } from "./seed.ts";

const { compatibility_date, compatibility_flags } = readConfig();
const secrets = await makeSecrets();
const token = await signToken(secrets.SIGNING_KEY, {
  org: "acme",
  subject: "bench",
  permissions: PERMISSIONS.join(" "),
  ttl: 86400,
  issuer: "keyhole",
  audience: "keyhole",
});
async function start(script: string, bindings: object) {
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name: "w",
          modules: true,
          script,
          compatibilityDate: compatibility_date,
          compatibilityFlags: compatibility_flags,
          bindings: { ...bindings, PLATFORM_ORG: "platform" },
          d1Databases: ["DB"],
          kvNamespaces: ["KV"],
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
      handleStructuredLogs: () => undefined,
    } as never),
  );
  await mf.ready;
  return {
    mf,
    url: await (mf as never as { unsafeGetDirectURL(n: string): Promise<URL> }).unsafeGetDirectURL("w"),
    db: await mf.getD1Database("DB"),
    kv: await mf.getKVNamespace("KV"),
  };
}
const noop = await start(`export default { fetch() { return new Response("ok") } }`, {});
const keyhole = await start(bundleKeyhole("src/worker/worker.ts"), secrets);
await migrate(keyhole.db as never);
await seedNames({ url: keyhole.url, db: keyhole.db, kv: keyhole.kv } as never, token);
const lua = (cc: boolean) =>
  `wrk.method="POST"\nwrk.path="/v1/resolve"\nwrk.body='${JSON.stringify({ scopes: ["namespace:prod"], names: ["BENCH_000"] })}'\nwrk.headers["Authorization"]="Bearer ${token}"\nwrk.headers["Content-Type"]="application/json"\n${cc ? 'wrk.headers["Cache-Control"]="max-age=60"' : ""}\n`;
writeFileSync("/tmp/scratch/hit.lua", lua(true));
writeFileSync("/tmp/scratch/strict.lua", lua(false));
const wrk = (url: URL, c: number, script?: string) => {
  const r = spawnSync("wrk", ["-t1", `-c${c}`, "-d4s", ...(script ? ["-s", script] : []), String(url)], { encoding: "utf8" });
  return (/Requests\/sec:\s+([\d.]+)/.exec(r.stdout)?.[1] ?? r.stdout + r.stderr) + (/Non-2xx.*/.exec(r.stdout)?.[0] ?? "");
};
for (let i = 0; i < 2; i++)
  for (const c of [1, 8])
    console.log(c, "noop", wrk(noop.url, c), "hit", wrk(keyhole.url, c, "/tmp/scratch/hit.lua"), "strict", wrk(keyhole.url, c, "/tmp/scratch/strict.lua"));
await noop.mf.dispose();
await keyhole.mf.dispose();
process.exit(0);
