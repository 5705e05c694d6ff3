/** Where something is in a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A part of a configuration, of whatever format, as far as references are concerned. */
export type ConfigNode = ConfigMap | ConfigText | ConfigAlias | { readonly kind: "other"; readonly items: readonly ConfigNode[] };

export interface ConfigMap {
  readonly kind: "map";
  /** What a value can take the place of; `undefined` where it is no part of the text that one could, such as a table of TOML. */
  readonly span: Span | undefined;
  readonly members: readonly ConfigMember[];
  /** All of its keys, also those of members that are written elsewhere. */
  readonly keys: readonly string[];
  /** Whether a tag says that it is a mapping. */
  readonly tagged: boolean;
  readonly anchored: boolean;
}

export interface ConfigMember {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: ConfigNode;
  /** Whether another text in the key's place would be read as something else. */
  readonly fixedKey: boolean;
}

export interface ConfigText {
  readonly kind: "text";
  readonly value: string;
  readonly span: Span;
  /** Whether it is written line by line, as it is, without quotes. */
  readonly block: boolean;
}

/** A text in the place of a part that is written elsewhere. */
interface ConfigAlias {
  readonly kind: "alias";
  readonly span: Span;
  readonly target: ConfigNode | undefined;
}
