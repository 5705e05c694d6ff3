import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT, readConfig } from "../../scripts/wrangler-config.ts";

/** A project that has installed this package, and the example's gateway as its own code. */
const project = mkdtempSync(join(tmpdir(), "keyhole-package-"));
const installed = join(project, "node_modules/keyhole");

const TYPES = `
import { WorkerEntrypoint } from "cloudflare:workers";
import { createClient, KeyholeError, type Keeping } from "keyhole/client";
import { createResolver, type ResolverBinding, type RpcResolveReply, type RpcResolveRequest } from "keyhole/worker";

class Entrypoint extends WorkerEntrypoint implements ResolverBinding {
  async resolve(request: RpcResolveRequest = {}): Promise<RpcResolveReply> {
    return { ok: true, secrets: {}, missing: [...(request.names ?? [])], searched: [] };
  }
}
declare const bound: Service<typeof Entrypoint>;
const keeping: Keeping = { maxAge: 60, staleIfError: 300 };
const client = createClient({ baseUrl: "https://keyhole.example", token: "token", ...keeping });
export const value: Promise<string> = client.resolveOne("A", { scopes: ["global"], maxAge: 5 }).then(({ value }) => value);
export const reply: Promise<RpcResolveReply> = createResolver(bound, keeping).resolve({ names: ["A"] } as const, { maxAge: 5 });
export const isUnreachable = (error: unknown): boolean => error instanceof KeyholeError && error.code === "unreachable";
client.refresh();
// @ts-expect-error: what is not kept takes no maxAge.
client.resolveRaw("A", { maxAge: 60 });
`;

beforeAll(() => {
  mkdirSync(installed, { recursive: true });
  copyFileSync(join(ROOT, "package.json"), join(installed, "package.json"));
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/build.mjs"), "--types", "--outdir", join(installed, "dist")], {
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  for (const name of ["zod", "@cloudflare"]) symlinkSync(join(ROOT, "node_modules", name), join(project, "node_modules", name));
  copyFileSync(join(ROOT, "examples/gateway/gateway.ts"), join(project, "gateway.ts"));
  writeFileSync(join(project, "types.ts"), TYPES);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

it("has types that fit a Worker's own, with the example's gateway as it is", () => {
  const compilerOptions = {
    ...{ target: "esnext", module: "esnext", moduleResolution: "bundler", lib: ["esnext"], types: ["@cloudflare/workers-types"] },
    ...{ strict: true, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true, noEmit: true },
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const tsc = join(ROOT, "test/node_modules/typescript/bin/tsc");
  expect(spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" }).stdout).toBe("");
});

it("has code for Workers that imports nothing", () => {
  const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { exports: { "./worker": { default: string } } };
  expect(readFileSync(join(installed, exports["./worker"].default), "utf8")).not.toMatch(/(^|;)import\b/m);
});

/** In Keyhole's place: of the answers to the first request nothing ever comes. */
const SILENT_AT_FIRST = `
import { WorkerEntrypoint } from "cloudflare:workers";
let asked = 0;
export class Resolver extends WorkerEntrypoint {
  async resolve() {
    asked += 1;
    await fetch(this.env.UPSTREAM + "/asked/" + asked);
    if (asked === 1) await new Promise((resolve) => setTimeout(resolve, 3_600_000));
    const OPENAI_API_KEY = { value: "sk-" + asked, encoding: "utf8", scope: "global", id: "sec_1", version: 1 };
    return { ok: true, secrets: { OPENAI_API_KEY }, missing: [], searched: [], lease: { id: "lse_1", until: new Date(Date.now() + 60_000).toISOString(), expires_in: 60 } };
  }
}
export default {};
`;

it("serves a gateway on whose first request everybody waits, and that is given up", async () => {
  const { outputFiles } = await build({ entryPoints: [join(project, "gateway.ts")], bundle: true, write: false, format: "esm", absWorkingDir: project });
  const seen: string[] = [];
  let noteAsked = () => {};
  const first = new Promise<void>((resolve) => {
    noteAsked = resolve;
  });
  const upstream: Server = createServer(({ url, headers }, response) => {
    if (url === "/asked/1") noteAsked();
    else if (!url?.startsWith("/asked/")) seen.push(String(headers.authorization));
    response.end("done");
  });
  await new Promise<void>((resolve) => void upstream.listen(0, "127.0.0.1", resolve));
  const UPSTREAM = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const common = { modules: true, compatibilityDate: readConfig().compatibility_date };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      workers: [
        {
          ...common,
          name: "gateway",
          script: outputFiles[0]?.text ?? "",
          bindings: { UPSTREAM, KEY_MAX_AGE: "60" },
          serviceBindings: { KEYHOLE: { name: "keyhole", entrypoint: "Resolver" } },
        },
        { ...common, name: "keyhole", script: SILENT_AT_FIRST, bindings: { UPSTREAM } },
      ],
    }),
  );
  try {
    const url = await miniflare.ready;
    const given = new AbortController();
    const leader = fetch(url, { signal: given.signal }).catch((error: Error) => error.name);
    await first;
    const followers = [fetch(url), fetch(url), fetch(url)];
    given.abort();
    expect(await leader).toBe("AbortError");
    expect(await Promise.all(followers.map(async (reply) => (await reply).text()))).toEqual(["done", "done", "done"]);
    expect(seen).toEqual(["Bearer sk-2", "Bearer sk-2", "Bearer sk-2"]);
    expect(await (await fetch(url)).text()).toBe("done");
    expect(seen.at(-1)).toBe("Bearer sk-2");
  } finally {
    await miniflare.dispose();
    upstream.closeAllConnections();
    upstream.close();
  }
});
