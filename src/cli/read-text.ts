import { readFileSync } from "node:fs";
import { usageError } from "./cli-error.ts";
import { readStdin } from "./read-value.ts";

/** The text of a file, or of standard input for `-`. The mark that some editors put first is left out before JSON and TOML, which do not begin with one. */
export async function readText(file: string, format: "json" | "jsonc" | "toml" | "yaml" | "dotenv"): Promise<string> {
  const bytes = file === "-" ? await readStdin() : readFileSync(file);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: format === "yaml" || format === "dotenv" }).decode(bytes);
  } catch {
    throw usageError("the file is not UTF-8", "save it as UTF-8, without which its characters would be lost");
  }
}
