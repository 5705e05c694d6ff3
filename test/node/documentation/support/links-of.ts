import { marked } from "marked";

/** Where a document in Markdown leads within the project: links and pictures, as they are written there. */
export function linksOf(markdown: string): string[] {
  const links: string[] = [];
  marked.walkTokens(marked.lexer(markdown), (token) => {
    if (token.type === "link" || token.type === "image") links.push(token.href);
  });
  return links.filter((link) => !/^(?:[a-z]+:|\/)/.test(link));
}

/** The anchors of its headings, as GitHub makes them. */
export function anchorsOf(markdown: string): string[] {
  const anchors: string[] = [];
  marked.walkTokens(marked.lexer(markdown), (token) => {
    if (token.type === "heading") anchors.push(slugOf(token.text));
  });
  return anchors;
}

function slugOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}
