const STRING = /"(?:[^"\\]|\\.)*"/g;

/**
 * Whether an object anywhere in JSON text repeats a member's name: then what `JSON.parse` made of it has fewer members
 * than the text, because it silently keeps the last one.
 */
export function hasDuplicateKeys(json: string, parsed: unknown): boolean {
  // Outside of strings, a colon stands in a member and nowhere else.
  return json.replaceAll(STRING, "").split(":").length - 1 !== countMembers(parsed);
}

function countMembers(parsed: unknown): number {
  let members = 0;
  const left = [parsed];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value !== "object" || value === null) continue;
    const values: unknown[] = Object.values(value);
    if (!Array.isArray(value)) members += values.length;
    for (const inner of values) left.push(inner);
  }
  return members;
}
