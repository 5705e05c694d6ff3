const TOKEN = /"(?:[^"\\]|\\.)*"|[{}:,[\]]/g;

/** Whether an object anywhere in valid JSON text repeats a member's name. `JSON.parse` would silently keep the last one. */
export function hasDuplicateKeys(json: string): boolean {
  const open: Set<string>[] = [];
  let text: string | undefined;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":" && text !== undefined) {
      const names = open.at(-1);
      const name = JSON.parse(text) as string;
      if (names?.has(name)) return true;
      names?.add(name);
    }
    text = token.startsWith('"') ? token : undefined;
  }
  return false;
}
