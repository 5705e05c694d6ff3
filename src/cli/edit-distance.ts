/** How many letters have to change to make `a` of `b` (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (const [i, letter] of [...a].entries()) {
    const above = row;
    row = [i + 1];
    for (const [j, other] of [...b].entries()) row.push(Math.min((above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1, (above[j] ?? 0) + (letter === other ? 0 : 1)));
  }
  return row[b.length] ?? 0;
}

/** The one of some words that may have been meant by another. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  return known.find((name) => name.startsWith(word) || word.startsWith(name) || editDistance(name, word) <= Math.max(1, Math.floor(name.length / 3)));
}
