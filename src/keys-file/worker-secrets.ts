import { parse } from "dotenv";
import { KeysFileError } from "./keys-file-error.ts";

/** The Worker secrets that hold keys. */
export const SECRET_NAMES = ["ROOT_KEY", "KEYRING", "SIGNING_KEY", "LOG_KEY", "OIDC_KEY"] as const;

/** The keys of a deployment, each as the text of a Worker secret. */
export type WorkerSecrets = Readonly<Record<(typeof SECRET_NAMES)[number], string>>;

/** One `NAME=value`, as dotenv reads it. */
const LINE = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*('[^']*'|"[^"]*"|`[^`]*`|[^#\r\n]*)[ \t]*(?:#.*)?$/gm;

/** Worker secrets as lines that `.dev.vars` and `wrangler secret bulk` take. */
export function secretLines(secrets: Partial<WorkerSecrets>): string {
  return Object.entries(secrets)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join("");
}

/**
 * Reads the Worker secrets in the text of a file.
 *
 * @throws {KeysFileError} when it is no text, or says one of them twice.
 */
export function readSecrets(text: string, file: string): Partial<WorkerSecrets> {
  if (text.includes("\0") || text.includes("\uFFFD")) throw new KeysFileError(`${file} is no text`, "name a file of lines NAME='value'");
  const names = [...text.matchAll(LINE)].map(([, name]) => name);
  const twice = SECRET_NAMES.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice) throw new KeysFileError(`${file} has ${twice} twice`, "find out which one the Worker has, and take the other one out");
  const values = parse(text);
  return Object.fromEntries(SECRET_NAMES.flatMap((name) => (values[name] ? [[name, values[name]]] : [])));
}

/**
 * The text of a file with other Worker secrets; all else in it stays.
 *
 * @throws {KeysFileError} when that is not what the text would be read as.
 */
export function withSecrets(text: string, changes: Partial<WorkerSecrets>, file: string): string {
  const left = new Map(Object.entries(changes));
  const replaced = text.replace(LINE, (line: string, name: string) => {
    const value = left.get(name);
    left.delete(name);
    return value === undefined ? line : `${name}='${value}'`;
  });
  const whole = replaced === "" || replaced.endsWith("\n") ? replaced : `${replaced}\n`;
  const next = `${whole}${secretLines(Object.fromEntries(left))}`;
  if (!same(parse(next), { ...parse(text), ...changes }))
    throw new KeysFileError(`${file} has lines around its keys that cannot be told from them`, "give each secret a line of its own: NAME='value'");
  return next;
}

function same(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
