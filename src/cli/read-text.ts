import { readFileSync } from "node:fs";
import { usageError } from "./cli-error.ts";
import { readStdin } from "./read-value.ts";

/** The text of a file, or of standard input for `-`. The mark that some editors put before JSON is left out: no JSON begins with one. */
export async function readText(file: string, format: "json" | "yaml" | "toml" | "dotenv"): Promise<string> {
  const bytes = file === "-" ? await readStdin() : readFileSync(file);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: format !== "json" }).decode(bytes);
  } catch {
    throw usageError("the file is not UTF-8", "save it as UTF-8, without which its characters would be lost");
  }
}
