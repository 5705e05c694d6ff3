import { html, raw } from "hono/html";
import { operationsOf } from "../worker/http/docs/api-document.ts";
import type { ApiDocument, OperationObject } from "../worker/http/docs/api-types.ts";
import { operationArticle } from "./docs-operation.ts";
import { type Markup, prose } from "./docs-prose.ts";
import type { Guide } from "./read-guide.ts";

/** What a page is made of beside the API. */
export interface DocsParts {
  readonly guides: readonly Guide[];
  /** Where the same description is for machines, and where the other page is. */
  readonly here: string;
  readonly there: { readonly path: string; readonly title: string };
  /** The addresses of its style and of its script. */
  readonly style: string;
  readonly script: string;
}

/**
 * An OpenAPI document as one page for people, after the guides. Its script searches what is on the page; without it everything
 * is there all the same. What follows from a deployment's address is written with `$KEYHOLE_URL`.
 */
export async function docsPage(document: ApiDocument, { guides, here, there, style, script }: DocsParts): Promise<string> {
  const { info } = document;
  const groups = groupsOf(document);
  const page = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title}</title>
<link rel="stylesheet" href="${style}">
<script src="${script}" defer></script>
</head>
<body>
<div class="page">
<header>
<h1>${info.title}</h1>
${(info.description ?? "").split("\n\n").map((paragraph) => html`<p>${prose(paragraph)}</p>`)}
<p>The commands of the API take the address and a token from the environment: <code>export KEYHOLE_URL=… TOKEN=…</code> The same description for machines: <a href="${here}">${here.slice(1)}</a>. Beside it: <a href="${there.path}">${there.title}</a>.</p>
</header>
<nav aria-label="Contents">
<form role="search"><label for="search">Search</label> <input id="search" type="search" autocomplete="off" spellcheck="false"> <small id="found" class="dim" role="status"></small></form>
${guides.map(({ title, parts }) => contents(title, parts))}
${groups.map(({ name, operations }) =>
  contents(
    name,
    operations.map(({ operation }) => ({ id: operation.operationId, title: operation.summary })),
  ),
)}
</nav>
<main>
${guides.map(guideSection)}
${groups.map((group) => section(document, group))}
</main>
</div>
</body>
</html>
`;
  return String(page);
}

function guideSection({ title, parts }: Guide): Markup {
  return html`<section>
<h2>${title}</h2>
${parts.map(({ id, html: text }) => html`<article id="${id}">${raw(text)}</article>`)}
</section>
`;
}

interface Group {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly { method: string; path: string; operation: OperationObject }[];
}

function groupsOf(document: ApiDocument): Group[] {
  const operations = operationsOf(document);
  return (document.tags ?? []).map(({ name, description = "" }) => ({
    name,
    description,
    operations: operations.filter(({ operation }) => operation.tags?.includes(name)),
  }));
}

function contents(name: string, entries: readonly { readonly id: string; readonly title: string }[]): Markup {
  return html`<details>
<summary>${name}</summary>
<ul>${entries.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul>
</details>
`;
}

function section(document: ApiDocument, { name, description, operations }: Group): Markup {
  return html`<section>
<h2>${name}</h2>
<p>${description}</p>
${operations.map((found) => operationArticle(document, found))}
</section>
`;
}
