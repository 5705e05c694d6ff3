/** The name of an organization, a trust, a team, a namespace, an agent, and each part of a repository's path. As a regular expression. */
export const NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
/** The path of a repository: one to eight names joined by `/`. */
export const REPO_PATH = `${NAME}(?:/${NAME}){0,7}`;
/** The name of a secret. */
export const SECRET_NAME = "[A-Za-z_][A-Za-z0-9_.-]{0,127}";
/** The key of a label. */
export const LABEL_KEY = "[A-Za-z0-9][A-Za-z0-9._/-]{0,62}";

/** A text that is all of one grammar, and nothing else. */
export function whole(grammar: string): RegExp {
  return new RegExp(grammar.includes("|") ? `^(?:${grammar})$` : `^${grammar}$`);
}
