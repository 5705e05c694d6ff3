import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { type Outcome, runProgram } from "./support/run-program.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

let service: FakeService;
let cli: ReturnType<typeof buildKeyhole>;
const asked: { url: string | undefined; body: string }[] = [];

beforeAll(async () => {
  cli = buildKeyhole();
  service = await startFakeService(({ url }, body) => {
    asked.push({ url, body });
    return { json: {} };
  });
});

beforeEach(() => void asked.splice(0));

afterAll(async () => {
  await service?.stop();
  cli?.remove();
});

/** Runs keyhole with words that hold no spaces of their own; `''` is an empty one. */
function keyhole(line: string): Promise<Outcome> {
  const args = line.split(" ").map((word) => word.replaceAll("''", ""));
  return runProgram(cli.path, args, { env: { HOME: cli.folder, KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token", SOURCE: "value" } });
}

describe("a limit that is given but empty", () => {
  it.each([
    ["--scopes", "token create ci --permissions secrets:resolve --scopes ''"],
    ["--names", "token create ci --permissions secrets:resolve --names ,"],
    ["--permissions", "token create ci --permissions ''"],
    ["--scopes", "trust put ci --issuer https://issuer.example --claim sub=a --permissions secrets:resolve --scopes ''"],
    ["--only", "run --only '' -- true"],
    ["--scope", "run --scope '' -- true"],
    ["--only", "resolve --only ''"],
    ["--scope", "resolve A --scope ''"],
    ["--scope", "explain A --scope ''"],
  ])("is refused and not taken for no limit: %s in `%s`", async (option, line) => {
    const { code, stdout, stderr } = await keyhole(line);
    expect({ code, stdout, error: stderr.split("\n")[0], asked }).toEqual({ code: 2, stdout: "", error: `error: ${option} is empty`, asked: [] });
  });
});
