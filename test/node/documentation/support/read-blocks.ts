import { marked, type Token, type Tokens } from "marked";

/** A fenced block of a document. */
export interface Block {
  /** What follows the fence: `sh`, `json` …; empty where nothing does. */
  readonly language: string;
  readonly text: string;
  /** The heading that it is under. */
  readonly section: string;
  /** What it shows the output of: the block of commands or SQL directly before it, with nothing in between. */
  readonly isOutput: boolean;
}

const COMMANDS = ["sh", "sql"];
const OUTPUT = ["text", "json"];

/** The fenced blocks of a document in Markdown, in its order, also those in lists and quotations. */
export function readBlocks(markdown: string): Block[] {
  let section = "";
  const blocks: Block[] = [];
  const read = (tokens: readonly Token[]): void => {
    let before = "";
    for (const token of tokens.filter(({ type }) => type !== "space")) {
      if (token.type === "heading") section = token.text;
      const language: string = token.type === "code" ? (token.lang ?? "") : "";
      if (token.type === "code") blocks.push({ language, text: token.text, section, isOutput: OUTPUT.includes(language) && COMMANDS.includes(before) });
      before = language;
      read(childrenOf(token));
    }
  };
  read(marked.lexer(markdown));
  return blocks;
}

function childrenOf(token: Token): Token[] {
  if (token.type === "list") return (token as Tokens.List).items;
  return token.type === "list_item" || token.type === "blockquote" ? ((token as Tokens.ListItem | Tokens.Blockquote).tokens ?? []) : [];
}
