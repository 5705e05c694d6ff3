import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { type Outcome, runProgram } from "./support/run-program.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

const BOM = Buffer.from("\ufeff");

let service: FakeService;
let cli: ReturnType<typeof buildKeyhole>;
let folder: string;
const bodies: string[] = [];

beforeAll(async () => {
  cli = buildKeyhole();
  folder = mkdtempSync(join(tmpdir(), "keyhole-text-"));
  service = await startFakeService((_, body) => {
    bodies.push(body);
    return { json: { created: [], updated: [], unchanged: [], secrets: {}, missing: [], searched: [] } };
  });
});

beforeEach(() => void bodies.splice(0));

afterAll(async () => {
  await service?.stop();
  cli?.remove();
  rmSync(folder, { recursive: true });
});

function keyhole(command: string, name: string, contents: Buffer): Promise<Outcome> {
  writeFileSync(join(folder, name), contents);
  return runProgram(cli.path, [command, name], {
    cwd: folder,
    env: { HOME: folder, KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token", KEYHOLE_SCOPE: "global" },
  });
}

describe("a file", () => {
  it.each([
    ["import", "latin1.env", Buffer.from("A=caf\xe9\n", "latin1")],
    ["import", "utf16.json", Buffer.from('\ufeff{"A": "x"}', "utf16le")],
    ["render", "latin1.yaml", Buffer.from("a: caf\xe9\n", "latin1")],
  ])("that is not UTF-8 is refused and not changed: %s %s", async (command, name, contents) => {
    const { code, stdout, stderr } = await keyhole(command, name, contents);
    expect({ code, stdout, bodies }).toEqual({ code: 2, stdout: "", bodies: [] });
    expect(stderr).toContain("the file is not UTF-8");
  });

  it("of JSON may begin with a byte order mark", async () => {
    expect((await keyhole("import", "mark.json", Buffer.concat([BOM, Buffer.from('{"A": "x"}')]))).code).toBe(0);
    expect(bodies.map((body) => JSON.parse(body))).toEqual([{ scope: "global", secrets: { A: "x" } }]);
    expect(await keyhole("render", "mark.json", Buffer.concat([BOM, Buffer.from('{"a": 1}')]))).toEqual({ code: 0, stdout: '{"a": 1}', stderr: "" });
  });
});
