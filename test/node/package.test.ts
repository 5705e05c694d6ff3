import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT, readConfig } from "../../scripts/wrangler-config.ts";

/** A project that has installed this package from its tarball, without asking a registry for anything, and the example's gateway as its own code. */
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
  const packed = run(process.execPath, join(ROOT, "scripts/pack-package.mjs"), project);
  expect(packed.status, packed.stderr).toBe(0);
  const tarball = packed.stdout.trim();
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", private: true }));
  // The keychain's library is the one dependency, and optional; it is the registry's.
  const { status, stderr } = run("npm", "install", "--offline", "--omit=optional", "--no-audit", "--no-fund", tarball);
  expect(status, stderr).toBe(0);
  symlinkSync(join(ROOT, "node_modules/@cloudflare"), join(project, "node_modules/@cloudflare"));
  copyFileSync(join(ROOT, "examples/gateway/gateway.ts"), join(project, "gateway.ts"));
  writeFileSync(join(project, "types.ts"), TYPES);
}, 120_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

function run(command: string, ...args: string[]) {
  return spawnSync(command, args, { cwd: project, encoding: "utf8", env: { ...process.env, HOME: project } });
}

it("is all there is to install but for the keychain, with the licenses of what is in it", () => {
  const packages = readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith(".") && name !== "@cloudflare");
  expect(packages).toEqual(["keyhole"]);
  const { dependencies, optionalDependencies } = manifest();
  expect([dependencies, Object.keys(optionalDependencies ?? {})]).toEqual([undefined, ["@napi-rs/keyring"]]);
  const licenses = readFileSync(join(installed, "dist/THIRD-PARTY-LICENSES.txt"), "utf8");
  for (const name of ["zod", "undici", "yaml"]) expect(licenses).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
});

it("has a command line that runs without anything else", () => {
  const { status, stdout, stderr } = run(join(project, "node_modules/.bin/keyhole"), "--version");
  expect([status, stdout.trim(), stderr]).toEqual([0, manifest().version, ""]);
});

it("has a client that Node imports, of less than 15 KiB, and that imports nothing", () => {
  const script = 'import { createClient } from "keyhole/client"; console.log(typeof createClient({ baseUrl: "https://x.test", token: "t" }).resolve)';
  expect(run(process.execPath, "--input-type=module", "-e", script).stdout).toBe("function\n");
  const client = readFileSync(join(installed, manifest().exports["./client"].default));
  expect(client.toString()).not.toMatch(/(^|;)import\b/m);
  expect(gzipSync(client, { level: 9 }).length).toBeLessThan(15 * 1024);
});

interface Manifest {
  readonly version: string;
  readonly exports: Record<"./client" | "./worker", { readonly types: string; readonly default: string }>;
  readonly dependencies?: object;
  readonly optionalDependencies?: object;
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Manifest;
}

it.each([
  ["bundler", "esnext"],
  ["node16", "node16"],
  ["nodenext", "nodenext"],
])("has types under %s that fit a Worker's own, with the example's gateway as it is", (moduleResolution, module) => {
  const compilerOptions = {
    ...{ target: "esnext", module, moduleResolution, lib: ["esnext"], types: ["@cloudflare/workers-types"] },
    ...{ strict: true, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true, noEmit: true },
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const tsc = join(ROOT, "test/node_modules/typescript/bin/tsc");
  expect(run(process.execPath, tsc, "-p", project).stdout).toBe("");
});

it("exports every type that its types lead to, and shows each function in an example", () => {
  const { "./client": client, "./worker": worker } = manifest().exports;
  const files = new Map([client, worker].flatMap(({ types }) => [...reached(join(installed, types))]));
  const exports = new Set([client, worker].flatMap(({ types }) => [...exported(join(installed, types), files)]));
  const declared = [...files.values()].flatMap((text) => [...text.matchAll(/^export (?:declare )?(?:interface|type|class) (\w+)/gm)]);
  expect(declared.map(([, name = ""]) => name).filter((name) => !exports.has(name))).toEqual([]);
  expect(declared.length).toBeGreaterThan(100);
  expect([...files.values()].flatMap((text) => functionsWithoutExample(text, exports))).toEqual([]);
});

/** The declarations that a file leads to, by their paths. */
function reached(main: string, files = new Map<string, string>()): Map<string, string> {
  if (files.has(main)) return files;
  const text = readFileSync(main, "utf8");
  files.set(main, text);
  for (const [, target] of text.matchAll(/ from "(\.[^"]+)\.js"/g)) reached(join(dirname(main), `${target}.d.ts`), files);
  return files;
}

/** The names that a file exports, its own and those of others. */
function exported(main: string, files: ReadonlyMap<string, string>): Set<string> {
  const text = files.get(main) ?? "";
  const own = [...text.matchAll(/^export (?:declare )?(?:interface|type|class|function|const) (\w+)/gm)].map(([, name]) => name ?? "");
  const named = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = ""]) =>
    names.split(",").map((name) => name.trim().replace(/^type /, "")),
  );
  const all = [...text.matchAll(/^export type \* from "(\.[^"]+)\.js"/gm)].flatMap(([, target]) => [...exported(join(dirname(main), `${target}.d.ts`), files)]);
  return new Set([...own, ...named, ...all]);
}

/** The methods, and the functions that are exported, whose comment has no example. */
function functionsWithoutExample(text: string, exports: ReadonlySet<string>): string[] {
  const functions = text.matchAll(/((?:^[ \t]*\/\*\*(?:[^*]|\*(?!\/))*\*\/\n)?)^(?:export declare function (\w+)| {4}(\w+)(?:<\w+>)?\()/gm);
  return [...functions]
    .filter(([, comment = "", name, method]) => !comment.includes("@example") && method !== "constructor" && (name === undefined || exports.has(name)))
    .map(([, , name, method]) => name ?? method ?? "");
}

it("has code for Workers that imports nothing", () => {
  expect(readFileSync(join(installed, manifest().exports["./worker"].default), "utf8")).not.toMatch(/(^|;)import\b/m);
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
