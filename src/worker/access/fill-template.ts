import { readClaim } from "../../contract/claim-path.ts";
import { NAME, REPO_PART, REPO_PATH, whole } from "../../contract/grammar.ts";
import { type Pattern, patternSchema } from "../../contract/pattern.ts";

const PLACE = /\$\{([^}]+)\}/g;
const PARTS = { name: whole(NAME), path: whole(REPO_PART) };
const SCOPE_PATTERN = whole(`global|builtin|\\*|(?:team|namespace|agent):${NAME}\\*?|(?:team|namespace|agent|repo):\\*|repo:${REPO_PATH}(?:/?\\*)?`);

/**
 * Fills `${claim}` in a scope template from an identity token's claims. A value must be a name, in a
 * repo's path a part of one; where it is the whole path (`repo:${repository}`) it may be several joined by `/`. So no claim can turn the template into another
 * kind of scope, a wider pattern, or somebody else's path.
 *
 * @returns the pattern, or `undefined` when a claim is missing or its value would change the template's meaning.
 */
export function fillTemplate(template: string, claims: Readonly<Record<string, unknown>>): Pattern | undefined {
  const wholePath = /^repo:\$\{[^}]+\}(?:\/\*)?$/.test(template);
  const part = template.startsWith("repo:") ? PARTS.path : PARTS.name;
  let refused = false;
  const filled = template.replace(PLACE, (_, claim: string) => {
    const value = readClaim(claims, claim);
    const good = typeof value === "string" && (wholePath ? value.split("/").every((each) => part.test(each)) : part.test(value));
    refused ||= !good;
    return good ? value : "";
  });
  return !refused && SCOPE_PATTERN.test(filled) ? patternSchema.safeParse(filled).data : undefined;
}

/** Whether there are claims that make a pattern of the template. */
export function canBeFilled(template: string): boolean {
  return SCOPE_PATTERN.test(template.replace(PLACE, "x"));
}

/** The widest pattern that a template could become: what comes before its first claim, and any rest. */
export function widestPattern(template: string): Pattern {
  const place = template.indexOf("${");
  return (place === -1 ? template : `${template.slice(0, place)}*`) as Pattern;
}
