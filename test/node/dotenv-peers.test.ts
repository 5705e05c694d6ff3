import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { dotenvForm, writeDotenv } from "../../src/worker/http/native/write-dotenv.ts";
import { anyValue, COMMON_VALUES } from "./support/hard-values.ts";

fc.configureGlobal({ seed: Number(process.env.TEST_SEED) });

const folder = mkdtempSync(join(tmpdir(), "dotenv-peers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A reader of `.env` files that is not ours and not in JavaScript. */
interface Peer {
  /** The program that must be installed. */
  readonly needs: string;
  /** Gets the library from its registry; returns a command that prints what it reads of a file as JSON. */
  readonly prepare: () => readonly [command: string, ...args: string[]];
}

const READ_PYTHON = "import json, sys; from dotenv import dotenv_values; print(json.dumps(dotenv_values(sys.argv[1])))";
const READ_GO = `package main

import (
	"encoding/json"
	"os"

	"github.com/joho/godotenv"
)

func main() {
	values, err := godotenv.Read(os.Args[1])
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(values)
}
`;

const PEERS: Readonly<Record<string, Peer>> = {
  "python-dotenv 1.2.4": {
    needs: "python3",
    prepare() {
      const place = join(folder, "python");
      run("python3", ["-m", "venv", place]);
      run(join(place, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "python-dotenv==1.2.4"]);
      return [join(place, "bin/python"), "-c", READ_PYTHON];
    },
  },
  "godotenv 1.5.1": {
    needs: "go",
    prepare() {
      const place = join(folder, "go");
      mkdirSync(place);
      writeFileSync(join(place, "main.go"), READ_GO);
      run("go", ["mod", "init", "peer"], place);
      run("go", ["get", "github.com/joho/godotenv@v1.5.1"], place);
      run("go", ["build", "-o", "read", "."], place);
      return [join(place, "read")];
    },
  },
};

function run(command: string, args: readonly string[], cwd = folder): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 26 });
}

function isInstalled(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.each(Object.entries(PEERS))("%s", (library, { needs, prepare }) => {
  const installed = isInstalled(needs);
  if (!installed) console.log(`SKIPPED: ${library} was not tried, because ${needs} is not installed here.`);

  it.skipIf(!installed)(
    "reads a .env file back exactly",
    () => {
      const [command, ...args] = prepare();
      const path = join(folder, "peer.env");
      const expectReadBack = (values: readonly string[]) => {
        const variables = values.map((value, n) => ({ name: `V${n}`, value, isBytes: n % 7 === 3 }));
        writeFileSync(path, writeDotenv(variables));
        expect(JSON.parse(run(command, [...args, path]))).toEqual(Object.fromEntries(variables.map(({ name, value }) => [name, value])));
      };
      const isWritten = (value: string) => dotenvForm(value) !== undefined;
      expectReadBack(COMMON_VALUES.filter(isWritten));
      const values = fc.array(anyValue.filter(isWritten), { minLength: 1, maxLength: 300, size: "max" });
      fc.assert(fc.property(values, expectReadBack), { numRuns: 60 });
    },
    600_000,
  );
});
