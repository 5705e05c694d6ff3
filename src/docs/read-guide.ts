import { Marked, type Token } from "marked";

/** A guide, in parts that are found by themselves. */
export interface Guide {
  /** The name of its file without the ending. */
  readonly name: string;
  readonly title: string;
  readonly parts: readonly { readonly id: string; readonly title: string; readonly html: string }[];
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/**
 * Reads a guide in Markdown. It is cut at its headings of the second level. Links to other guides lead to their places on the
 * same page, and what would be HTML is text.
 */
export function readGuide(name: string, markdown: string): Guide {
  const marked = new Marked({
    renderer: {
      html: ({ text }) => text.replaceAll(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign),
      // The page has no images of its own.
      image: ({ text }) => text,
      heading({ tokens, depth, text }) {
        const level = Math.min(depth + 1, 6);
        // A part has the name of its own heading.
        const id = depth > 2 ? ` id="guide-${name}--${slug(text)}"` : "";
        return `<h${level}${id}>${this.parser.parseInline(tokens)}</h${level}>`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const target = targetOf(name, href);
        return target === undefined ? text : `<a href="${encodeURI(target)}">${text}</a>`;
      },
    },
  });
  const tokens = marked.lexer(markdown);
  const [first] = tokens;
  const title = first?.type === "heading" ? first.text : name;
  return {
    name,
    title,
    parts: cut(tokens.slice(first?.type === "heading" ? 1 : 0)).map(({ heading, tokens }) => ({
      id: heading === undefined ? `guide-${name}` : `guide-${name}--${slug(heading)}`,
      title: heading?.replaceAll("`", "") ?? title,
      html: accessible(marked.parser(tokens)),
    })),
  };
}

/** What Markdown cannot say: a table without headings has none, and what scrolls is reached by the keyboard. */
function accessible(html: string): string {
  return html
    .replaceAll(/<thead>\s*<tr>\s*(?:<th><\/th>\s*)+<\/tr>\s*<\/thead>\s*/g, "")
    .replaceAll("<th></th>", "<td></td>")
    .replaceAll("<pre>", '<pre tabindex="0">')
    .replaceAll("<table>", '<div class="table" tabindex="0"><table>')
    .replaceAll("</table>", "</table></div>");
}

/** Where a link of a guide leads from the page; `undefined` for a file that is not on it. */
function targetOf(from: string, href: string): string | undefined {
  if (/^https?:\/\//.test(href)) return href;
  const [, file, heading] = /^(?:([a-z-]+)\.md)?(?:#(.*))?$/.exec(href) ?? [];
  if (file === undefined && heading === undefined) return undefined;
  return `#guide-${file ?? from}${heading === undefined ? "" : `--${heading}`}`;
}

function cut(tokens: readonly Token[]): { heading: string | undefined; tokens: Token[] }[] {
  const parts: { heading: string | undefined; tokens: Token[] }[] = [{ heading: undefined, tokens: [] }];
  for (const token of tokens) {
    if (token.type === "heading" && token.depth === 2) parts.push({ heading: token.text, tokens: [] });
    parts.at(-1)?.tokens.push(token);
  }
  return parts;
}

/** The anchor of a heading, as GitHub makes it. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");
}
