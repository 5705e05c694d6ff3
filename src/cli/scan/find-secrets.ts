import { findValues } from "../../scrub/find-values.ts";
import type { WantedSecret } from "./wanted-values.ts";

/** Bytes that are looked through, which can be read more than once. */
export interface Source {
  /** What it is called, for people. */
  readonly label: string;
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A secret whose value stands in a line, counted from 1. */
export interface Hit {
  readonly path: string;
  readonly line: number;
  readonly name: string;
  readonly scope: string;
}

const LINE_END = 10;

/**
 * Looks for secrets in sources, one after the other. All are looked for at once; which it is, and where, is asked only of a source
 * that has one.
 */
export function findSecrets(wanted: readonly WantedSecret[]): (source: Source) => Promise<Hit[]> {
  const all = findValues(wanted.flatMap(({ texts }) => texts));
  const each = wanted.map(({ name, scope, texts }) => ({ name, scope, begin: findValues(texts) }));
  return async (source) => {
    const finder = all();
    for await (const chunk of source.open()) if (finder.push(chunk).length > 0) return locate(source, each);
    return [];
  };
}

type Each = readonly { readonly name: string; readonly scope: string; readonly begin: ReturnType<typeof findValues> }[];

async function locate(source: Source, each: Each): Promise<Hit[]> {
  const looking = each.map(({ begin, ...secret }) => ({ ...secret, finder: begin(), places: new Set<number>() }));
  for await (const chunk of source.open()) for (const { finder, places } of looking) for (const place of finder.push(chunk)) places.add(place);
  const lines = await linesOf(
    source,
    looking.flatMap(({ places }) => [...places]),
  );
  const hits = looking.flatMap(({ name, scope, places }) => {
    const found = new Set([...places].map((place) => lines.get(place) ?? 1));
    // A key of several lines is said once.
    return [...found].filter((line) => !found.has(line - 1)).map((line) => ({ path: source.label, line, name, scope }));
  });
  return hits.sort((a, b) => a.line - b.line || (a.name < b.name ? -1 : 1));
}

/** In which line each of some places is. */
async function linesOf(source: Source, places: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const sorted = [...new Set(places)].sort((a, b) => a - b);
  const lines = new Map<number, number>();
  let [line, next, from] = [1, 0, 0];
  for await (const chunk of source.open()) {
    for (let at = 0; at < chunk.length && next < sorted.length; at++) {
      if (from + at === sorted[next]) lines.set(sorted[next++] as number, line);
      if (chunk[at] === LINE_END) line++;
    }
    from += chunk.length;
  }
  return lines;
}
