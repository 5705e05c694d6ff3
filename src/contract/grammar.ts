/** The name of an organization, a trust, a team, a namespace and an agent. As a regular expression. */
export const NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
/** A part of a repository's path: 1 to 100 letters, digits, `.`, `_` or `-`, but neither `.` nor `..`. Without a look-ahead, which not every reader of the API description knows. */
export const REPO_PART = "(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}|\\.[A-Za-z0-9_-][A-Za-z0-9._-]{0,98}|\\.\\.[A-Za-z0-9._-]{1,98})";
/** The path of a repository: one to twenty parts joined by `/`. */
export const REPO_PATH = `${REPO_PART}(?:/${REPO_PART}){0,19}`;
/** The longest text of a scope, whose path has all its parts at their longest. */
export const MAX_SCOPE_LENGTH = "repo:".length + 20 * 101 - 1;
/** The name of a secret. */
export const SECRET_NAME = "[A-Za-z_][A-Za-z0-9_.-]{0,127}";
/** The key of a label. */
export const LABEL_KEY = "[A-Za-z0-9][A-Za-z0-9._/-]{0,62}";

/** A text that is all of one grammar, and nothing else. */
export function whole(grammar: string): RegExp {
  return new RegExp(grammar.includes("|") ? `^(?:${grammar})$` : `^${grammar}$`);
}

const IS_SECRET_NAME = whole(SECRET_NAME);

/** Whether something is the name of a secret. `__proto__` is none: in a reply it would be a member that JavaScript's objects have already. */
export function isSecretName(name: unknown): name is string {
  return typeof name === "string" && IS_SECRET_NAME.test(name) && name !== "__proto__";
}

/** The environment variable that a name becomes. */
export function variableOf(name: string): string {
  return name.toUpperCase().replace(/[-.]/g, "_");
}
