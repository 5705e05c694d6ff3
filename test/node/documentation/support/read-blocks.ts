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
  /** Why it does not run, as `<!-- not run: … -->` directly before it says. The output of such a block is none either. */
  readonly notRun?: string;
}

const COMMANDS = ["sh", "sql"];
const OUTPUT = ["text", "json"];
/** At least three words: what keeps it from being run, and not that something does. */
const NOT_RUN = /^<!-- not run: (\S+(?: \S+){2,}) -->$/;

/**
 * The fenced blocks of a document in Markdown, in its order, also those in lists and quotations.
 *
 * @throws {Error} when something says "not run" in another form, or of no block.
 */
export function readBlocks(markdown: string): Block[] {
  let section = "";
  const blocks: Block[] = [];
  const read = (tokens: readonly Token[]): void => {
    let before: Token | undefined;
    let last: Block | undefined;
    for (const token of tokens.filter(({ type }) => type !== "space")) {
      const remark = before ? remarkOf(before) : undefined;
      if (remark !== undefined && token.type !== "code") throw new Error(`${section}: no block follows ${before?.raw.trim()}`);
      if (token.type === "heading") section = token.text;
      const block: Block | undefined = token.type === "code" ? blockOf(token as Tokens.Code, section, last, remark) : undefined;
      if (block) blocks.push(block);
      read(childrenOf(token));
      [before, last] = [token, block];
    }
    if (before && remarkOf(before) !== undefined) throw new Error(`${section}: no block follows ${before.raw.trim()}`);
  };
  read(marked.lexer(markdown));
  return blocks;
}

function blockOf({ lang, text }: Tokens.Code, section: string, before: Block | undefined, remark: string | undefined): Block {
  const language = lang ?? "";
  const isOutput = OUTPUT.includes(language) && before !== undefined && COMMANDS.includes(before.language);
  const notRun = remark ?? (isOutput ? before?.notRun : undefined);
  return { language, text, section, isOutput, ...(notRun !== undefined && { notRun }) };
}

/** The reason in a remark that the block after it does not run; `undefined` for anything else. */
function remarkOf({ type, raw }: Token): string | undefined {
  if (type !== "html" || !/not.run/i.test(raw) || !raw.includes("<!--")) return undefined;
  const [, reason] = NOT_RUN.exec(raw.trim()) ?? [];
  if (reason === undefined) throw new Error(`${raw.trim()}: it is <!-- not run: REASON -->, with a reason of three words or more`);
  return reason;
}

function childrenOf(token: Token): Token[] {
  if (token.type === "list") return (token as Tokens.List).items;
  return token.type === "list_item" || token.type === "blockquote" ? ((token as Tokens.ListItem | Tokens.Blockquote).tokens ?? []) : [];
}
