import type { Readable } from "node:stream";
import type { Source } from "./find-secrets.ts";
import { gitLines, noGit, startGit } from "./git.ts";

/** An object of a repository, and what it is called. */
interface GitObject {
  readonly id: string;
  readonly label: string;
}

/** Up to which size an object is read as a whole, in bytes; a larger one comes as a stream of its own. */
const WHOLE = 8 * 1024 * 1024;
/** What of a repository is no text that anybody wrote. */
const LOOKED_AT: ReadonlySet<string> = new Set(["blob", "commit", "tag"]);
const SUBMODULE = "160000";

/** What is staged and not committed yet: of each file that the next commit adds or changes the whole content. */
export function stagedObjects(paths: readonly string[]): GitObject[] {
  const parts = gitLines(["diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--diff-filter=AMT", "--", ...paths]);
  const objects: GitObject[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [, mode, , id] = (parts[at] ?? "").split(" ");
    if (mode !== SUBMODULE && id !== undefined) objects.push({ id, label: parts[at + 1] ?? "" });
  }
  return objects;
}

/** Everything that any branch or tag leads to: contents by one path that they had, and the messages of commits and tags. */
export function objectsOfHistory(paths: readonly string[]): GitObject[] {
  const lines = gitLines(["rev-list", "--all", "--objects", "--", ...paths]).flatMap((text) => text.split("\n"));
  return lines.flatMap((line) => {
    const [, id, path] = /^([0-9a-f]{40,64})(?: (.*))?$/.exec(line) ?? [];
    return id === undefined ? [] : { id, label: path ? `${path} (${id.slice(0, 12)})` : id };
  });
}

/** The objects as sources, one after the other: each is to be read before the next one comes. */
export async function* sourcesOf(objects: readonly GitObject[]): AsyncGenerator<Source> {
  if (objects.length === 0) return;
  const described = await describe(objects);
  const small = described.filter(({ size }) => size <= WHOLE);
  for (const { id, type, label, size } of described)
    if (size > WHOLE) yield { label, open: () => startGit(["cat-file", type, id], "ignore").stdout as Readable };
  const read = readParts(await batch("--batch", small));
  for (const { label, size } of small) {
    await read.line();
    const content = await read.bytes(size);
    await read.bytes(1);
    yield { label, open: () => [content] };
  }
}

interface Described extends GitObject {
  readonly type: string;
  readonly size: number;
}

async function describe(objects: readonly GitObject[]): Promise<Described[]> {
  const read = readParts(await batch("--batch-check", objects));
  const described: Described[] = [];
  for (const object of objects) {
    const [, type = "", size] = (await read.line()).split(" ");
    if (LOOKED_AT.has(type))
      described.push({ ...object, type, size: Number(size), label: type === "blob" ? object.label : `${type} ${object.id.slice(0, 12)}` });
  }
  return described;
}

async function batch(mode: "--batch" | "--batch-check", objects: readonly GitObject[]): Promise<AsyncIterable<Buffer>> {
  const git = startGit(["cat-file", mode], "pipe");
  await new Promise<void>((resolve, reject) => void git.once("spawn", resolve).once("error", (error) => reject(noGit(error))));
  // What ends before it has read everything says why itself, and what it printed ends too soon.
  git.stdin?.on("error", () => {}).end(objects.map(({ id }) => `${id}\n`).join(""));
  return git.stdout as Readable;
}

/** Reads lines and counted bytes from one stream. */
function readParts(stream: AsyncIterable<Buffer>) {
  const chunks = stream[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const more = async (): Promise<Buffer> => {
    const { done, value } = await chunks.next();
    if (done) throw new Error("git ended before everything was read");
    return value;
  };
  return {
    async line(): Promise<string> {
      let end = rest.indexOf(10);
      for (; end === -1; end = rest.indexOf(10)) rest = Buffer.concat([rest, await more()]);
      const line = rest.toString("utf8", 0, end);
      rest = rest.subarray(end + 1);
      return line;
    },
    async bytes(size: number): Promise<Buffer> {
      const parts = [rest];
      let length = rest.length;
      while (length < size) {
        const chunk = await more();
        parts.push(chunk);
        length += chunk.length;
      }
      const whole = Buffer.concat(parts);
      rest = whole.subarray(size);
      return whole.subarray(0, size);
    },
  };
}
