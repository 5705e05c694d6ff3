import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { operationsOf } from "./api-document.ts";
import type { ApiDocument, OperationObject } from "./api-types.ts";
import { operationArticle } from "./docs-operation.ts";
import { type Markup, prose } from "./docs-prose.ts";
import { DOCS_STYLE } from "./docs-style.ts";

/** An API page, and the Content-Security-Policy under which a browser is to show it. */
export interface DocsPage {
  readonly html: HtmlEscapedString;
  readonly policy: string;
}

/** Where the same description is for machines, and where the other page is. */
export interface DocsLinks {
  readonly here: string;
  readonly there: { readonly path: string; readonly title: string };
}

/** Renders an OpenAPI document as one page for people. The page loads nothing, runs nothing, and its policy forbids both. */
export async function docsPage(document: ApiDocument, origin: string, links: DocsLinks): Promise<DocsPage> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(DOCS_STYLE)));
  return {
    html: await page(document, origin, links),
    policy: `default-src 'none'; style-src 'sha256-${digest.toBase64()}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

function page(document: ApiDocument, origin: string, { here, there }: DocsLinks): Markup {
  const { info } = document;
  const groups = groupsOf(document);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} API</title>
<style>${raw(DOCS_STYLE)}</style>
</head>
<body>
<div class="page">
<header>
<h1>${info.title} API</h1>
${(info.description ?? "").split("\n\n").map((paragraph) => html`<p>${prose(paragraph)}</p>`)}
<p>The commands below take a token from the environment: <code>export TOKEN=…</code> The same description for machines: <a href="${here}">${here.slice(1)}</a>. Beside it: <a href="${there.path}">${there.title}</a>.</p>
</header>
<nav aria-label="Operations">
${groups.map(contents)}
</nav>
<main>
${groups.map((group) => section(document, origin, group))}
</main>
</div>
</body>
</html>
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

function contents({ name, operations }: Group): Markup {
  return html`<strong>${name}</strong>
<ul>${operations.map(({ operation }) => html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>`)}</ul>
`;
}

function section(document: ApiDocument, origin: string, { name, description, operations }: Group): Markup {
  return html`<section>
<h2>${name}</h2>
<p>${description}</p>
${operations.map((found) => operationArticle(document, { origin, ...found }))}
</section>
`;
}
