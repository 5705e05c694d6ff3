import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "dotenv";
import { makeSecrets } from "../../src/keys-file/make-secrets.ts";
import { secretLines } from "../../src/keys-file/worker-secrets.ts";
import { Refusal } from "./refusal.ts";
import { type Database, withDatabase } from "./storage.ts";

/** The vars and Worker secrets in a file, and whether it was made just now. */
export interface DevVars {
  readonly kept: Readonly<Record<string, string>>;
  readonly made: boolean;
}

/**
 * Reads `.dev.vars`; where there is none yet, makes one with fresh keys that only its owner can read. Of two starts at
 * once one makes it, and the other one reads that.
 *
 * @throws {Refusal} when there is none and the local data in `persistTo` needs the keys that were in it.
 */
export async function openDevVars(file: string, persistTo: string): Promise<DevVars> {
  if (existsSync(file)) return { kept: read(file), made: false };
  if (existsSync(join(persistTo, "v3", "d1")) && (await withDatabase(persistTo, needsKeys))) {
    throw new Refusal(
      `${file} is gone, and without the keys in it the data in ${persistTo} cannot be opened`,
      "put the file back, or delete that folder and lose what is in it",
    );
  }
  return { made: write(file, secretLines(await makeSecrets())), kept: read(file) };
}

function read(file: string): Record<string, string> {
  return parse(readFileSync(file, "utf8"));
}

function write(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Whether anything is in the database that keys have sealed or signed: a version of a secret, or a checkpoint of a log. */
async function needsKeys(db: Database): Promise<boolean> {
  const { results } = await db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('versions', 'audit_checkpoints')")
    .all<{ name: string }>();
  const found = results.map(({ name }) => db.prepare(`SELECT 1 FROM ${name} LIMIT 1`));
  return found.length > 0 && (await db.batch(found)).some((rows) => rows.results.length > 0);
}
