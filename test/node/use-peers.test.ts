import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presetOf } from "../../src/contract/service-presets.ts";
import { tokenFor } from "./cli/support/start-keyhole.ts";
import { bearerOf, json, startFakeApi } from "./support/uses/fake-apis.ts";
import { startUseKeyhole, type UseKeyhole } from "./support/uses/keyhole.ts";

const STEPS = join(import.meta.dirname, "../peers/use");
/** With what moto needs of its extras for S3 and DynamoDB, which have much more. */
const PACKAGES = ["moto==5.2.5", "boto3==1.44.8", "flask==3.1.3", "flask-cors==6.0.5", "py-partiql-parser==0.6.3", "PyYAML==6.0.4", "PyGithub==2.10.0"];

const folder = mkdtempSync(join(tmpdir(), "use-peers-"));
const python = join(folder, "bin/python");

/** Gets the libraries from their registry. */
function prepare(): boolean {
  try {
    execFileSync("python3", ["-m", "venv", folder], { stdio: "pipe" });
    execFileSync(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES], { stdio: "pipe" });
    return true;
  } catch (error) {
    console.log(`SKIPPED: boto3, moto and PyGithub were not tried: ${(error as Error).message}`);
    rmSync(folder, { recursive: true, force: true });
    return false;
  }
}

describe.skipIf(!prepare())("a library for Python, with an address and a token of Keyhole's", { timeout: 120_000 }, () => {
  let keyhole: UseKeyhole;
  let token: string;

  beforeAll(async () => {
    keyhole = await startUseKeyhole();
    token = await tokenFor("acme", "secrets:use");
  });
  afterAll(async () => {
    await keyhole?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(steps: string): Promise<unknown> {
    const { stdout } = await promisify(execFile)(python, ["-W", "ignore", join(STEPS, steps), keyhole.url], { env: { HOME: folder, TOKEN: token } });
    return JSON.parse(stdout);
  }

  it("boto3 uses S3 and DynamoDB by signatures that moto works out by itself, and refuses with another key", async () => {
    const moto = spawn(python, ["-W", "ignore", join(STEPS, "moto_with_key.py")], { env: { HOME: folder }, stdio: ["pipe", "pipe", "ignore"] });
    try {
      const [line] = (await once(createInterface(moto.stdout), "line")) as [string];
      const { origin, id, secret } = JSON.parse(line) as Record<"origin" | "id" | "secret", string>;
      await keyhole.setSecret("MOTO_ID", id);
      const inject = (name: string, service: string) => [
        { in: "aws-sigv4", access_key_id: "${MOTO_ID}", secret_access_key: `\${${name}_KEY}`, services: [service] },
      ];
      const s3 = [{ methods: ["GET", "PUT"], paths: ["/bucket/**"] }];
      const tables = [{ methods: ["POST"], paths: ["/"], targets: ["DynamoDB_20120810.PutItem", "DynamoDB_20120810.GetItem"] }];
      for (const [name, key] of [
        ["", secret],
        ["wrong-", "wrong0123456789+/abcdefghijklmnopqrstuvw"],
      ] as const) {
        const variable = name.replace("-", "_").toUpperCase();
        await keyhole.setSecret(`${variable}S3_KEY`, key);
        await keyhole.setSecret(`${variable}DYNAMODB_KEY`, key);
        for (const [service, allow] of [
          ["s3", s3],
          ["dynamodb", tables],
        ] as const) {
          const definition = { origin, scopes: ["global"], allow, inject: inject(`${variable}${service.toUpperCase()}`, service) };
          expect((await keyhole.call("PUT", `/v1/services/${name}${service}`, definition)).status).toBe(201);
        }
      }
      const names = ["a b", "ü+~*()'!", "a/b.c", "%25", "x=1&y"];
      expect(await run("boto3_steps.py")).toEqual({
        objects: Object.fromEntries(names.map((name) => [name, `of ${name}`])),
        listed: names.toSorted(),
        item: { id: { S: "ü" }, n: { N: "1" } },
        target: [403, "use-not-allowed", "use-not-allowed"],
        bucket: [403, expect.any(String), "use-not-allowed"],
        missing: [404, "NoSuchKey", null],
        key: [403, "SignatureDoesNotMatch", null],
        // Of DynamoDB moto says it in XML, which is none of that protocol's.
        "key of a table": [403, "403", null],
      });
    } finally {
      moto.stdin.end();
      await once(moto, "exit");
    }
  });

  it("PyGithub follows the addresses in GitHub's replies, which lead through Keyhole", async () => {
    const key = "ghp_0123456789abcdef";
    const fake = await startFakeApi(key, bearerOf, { message: "Bad credentials" }, ({ request, url }, response) => {
      const repo = `${fake.origin}/repos/acme/api`;
      const issue = (number: number) => ({ number, title: `issue ${number}`, url: `${repo}/issues/${number}`, repository_url: repo });
      if (request.method === "POST") return json(response, 201, { id: 7, body: "hello", url: `${repo}/issues/comments/7` });
      if (url.pathname.endsWith("/issues")) return json(response, 200, [issue(1), issue(2)]);
      return json(response, 200, url.pathname.endsWith("/issues/1") ? issue(1) : { id: 1, name: "api", full_name: "acme/api", url: repo });
    });
    try {
      const { inject, allow, urlFields } = presetOf("github");
      await keyhole.serve("github", key, { origin: fake.origin, inject: inject("GITHUB_KEY"), allow: [...allow], url_fields: urlFields });
      expect(await run("pygithub_steps.py")).toEqual({ title: "issue 1", comment: "hello", pages: [1, 2] });
      expect(fake.asked).toContain("POST /repos/acme/api/issues/1/comments");
    } finally {
      await fake.close();
    }
  });
});
