import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type FakeVault, startExampleVault } from "./support/fake-vault.ts";
import { runProgram } from "./support/run-program.ts";
import { buildKeyhole, startServer, tokenFor } from "./support/start-keyhole.ts";
import { parseTranscript, writeOutcome, writeTranscript } from "./support/transcript.ts";

const FOLDER = join(import.meta.dirname, "transcripts");
/** `UPDATE_TRANSCRIPTS=1` writes down what the commands do now: for a person to read before it is committed. */
const UPDATE = process.env.UPDATE_TRANSCRIPTS === "1";

let server: Awaited<ReturnType<typeof startServer>>;
let vault: FakeVault;
let cli: ReturnType<typeof buildKeyhole>;
const home = mkdtempSync(join(tmpdir(), "keyhole-home-"));

beforeAll(async () => {
  cli = buildKeyhole();
  server = await startServer();
  vault = await startExampleVault();
  vault.put("secret", "team/pay/db", { json: '{"PASSWORD":"sk-vault-5"}' });
});

afterAll(async () => {
  await server?.close();
  await vault?.stop();
  cli?.remove();
  rmSync(home, { recursive: true });
});

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));

describe.concurrent("what is typed and what comes of it", () => {
  it.for(files)("%s", { timeout: 180_000 }, async (file, { expect }) => {
    const topic = file.replace(".txt", "");
    const org = `about-${topic}`;
    const cwd = join(home, topic);
    mkdirSync(cwd);
    const token = await tokenFor(org);
    const reader = await tokenFor(org, "secrets:resolve");
    const env = {
      HOME: cwd,
      // What is on the machine of whoever runs the tests is not touched.
      KEYHOLE_LOCAL_STORE: "file",
      KEYHOLE_URL: server.url,
      KEYHOLE_TOKEN: token,
      TOKEN: token,
      RESOLVER: reader,
      SERVER: server.url,
      VAULT: vault.url,
      VAULT_TOKEN: "hvs.example",
      FIXTURES: join(import.meta.dirname, "fixtures"),
      PATH: `${cli.folder}:${process.env.PATH}`,
      // More than a hundred starts: each reads what the first one compiled.
      NODE_COMPILE_CACHE: join(cli.folder, "compiled"),
    };
    const names = [
      [server.url, "SERVER"],
      [vault.url, "VAULT"],
      [new URL(vault.url).host, "VAULT_HOST"],
      [new URL(server.url).host, "HOST"],
      [cwd, "HOME"],
      [/(sec|tok|req)_[0-9a-f-]{32,}/g, "$1_ID"],
      [/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, "JWT"],
      [/in 5\d minutes/g, "in SOME minutes"],
      [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "TIME"],
    ] as const;
    const path = join(FOLDER, file);
    const steps = parseTranscript(readFileSync(path, "utf8"));
    const outcomes: string[] = [];
    for (const { command, stdin, expected } of steps) {
      const outcome = writeOutcome(await runProgram("sh", ["-c", command], { env, stdin, cwd }), names);
      outcomes.push(outcome);
      if (!UPDATE) expect(`$ ${command}\n${outcome}`).toBe(`$ ${command}\n${expected}`);
    }
    if (UPDATE) writeFileSync(path, writeTranscript(steps, outcomes));
    expect(steps.length).toBeGreaterThan(0);
  });
});
