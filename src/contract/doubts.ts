/** What in a file or a value is likely meant in another way than it is read, so that it is refused unless it is allowed. */
export const DOUBTS = {
  duplicate: "a name that is given twice: the last value counts",
  comment: "a `#` in a value without quotes: what comes after it is a comment",
  escape: '`\\"` within double quotes: the backslash stays',
  expansion: "`${NAME}` or `$(…)` outside of single quotes: it stays as it is",
  encrypted: "a value that SOPS (`ENC[…]`) or dotenvx (`encrypted:…`) has encrypted",
  reference: "a reference (`op://…`) in the place of a value",
} as const;
export type Doubt = keyof typeof DOUBTS;

/** What an import may leave out instead of refusing it. */
export const SKIPPABLE = ["empty", "reserved"] as const;
export type Skippable = (typeof SKIPPABLE)[number];
