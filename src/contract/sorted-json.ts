/** Texts by key as JSON, in the order of the keys: the same texts are the same JSON. */
export function sortedJson(texts: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1))));
}
