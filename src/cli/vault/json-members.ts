/** A member of a JSON object. Its value is as it was written, without white space and with the shortest escapes: a number keeps all its digits. */
export interface JsonMember {
  readonly name: string;
  readonly json: string;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;

/**
 * The members of a JSON object; none of what is no object. `JSON.parse` would change what a number of many digits is, and
 * only newer versions of Node tell how it was written.
 *
 * @param json What `JSON.parse` takes.
 */
export function jsonMembers(json: string): JsonMember[] {
  const tokens = json.match(TOKEN) ?? [];
  const members: JsonMember[] = [];
  if (tokens[0] !== "{") return members;
  for (let at = 1; at < tokens.length - 1; at++) {
    const [name, from] = [JSON.parse(tokens[at] ?? ""), at + 2];
    at = endOf(tokens, from);
    members.push({ name, json: tokens.slice(from, at).map(shortest).join("") });
  }
  return members;
}

/** The value of a member; of two of one name the last one, as `JSON.parse` has it. */
export function jsonMember(json: string, name: string): string | undefined {
  return jsonMembers(json).findLast((member) => member.name === name)?.json;
}

/** Where a value that begins at a token ends. */
function endOf(tokens: readonly string[], from: number): number {
  let [at, depth] = [from, 0];
  do {
    const token = tokens[at++] ?? "";
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
  } while (depth > 0);
  return at;
}

function shortest(token: string): string {
  return token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token;
}
