import { html } from "hono/html";
import type { ApiDocument, MediaObject, OperationObject, ResponseObject } from "../worker/http/docs/api-types.ts";
import { curlCommands, type Request } from "./curl-command.ts";
import { describeFields, describeType } from "./describe-schema.ts";
import { type Markup, prose } from "./docs-prose.ts";

/** One operation of the API page. */
export function operationArticle(document: ApiDocument, request: Request): Markup {
  const { method, path, operation } = request;
  return html`<article id="${operation.operationId}">
<h3>${operation.summary}</h3>
<p class="call"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></p>
${operation.description ? html`<p>${prose(operation.description)}</p>` : ""}
<p class="dim"><code>${operation.operationId}</code> ${needs(operation)}</p>
${parameterTable(document, operation)}
${bodyTable(document, operation)}
<h4>Example</h4>
${curlCommands(request).map((command) => html`<pre tabindex="0"><code>${command}</code></pre>`)}
<h4>Replies</h4>
${Object.entries(operation.responses ?? {}).map(([status, reply], n) => replyDetails(document, status, reply, n === 0))}
</article>
`;
}

function needs({ security = [] }: OperationObject): Markup | string {
  const permissions = security.flatMap((requirement) => Object.values(requirement).flat()).map((name) => html`<code>${name}</code>`);
  if (security.length > 1) return html`needs no token, and says more with ${permissions}`;
  if (permissions.length > 0) return html`needs ${permissions}`;
  return security.length === 0 ? "needs no token" : "needs a token";
}

function parameterTable(document: ApiDocument, { parameters = [] }: OperationObject): Markup | "" {
  const rows = parameters.flatMap((parameter) => ("in" in parameter ? [parameter] : []));
  if (rows.length === 0) return "";
  return html`<h4>Parameters</h4>
<div class="table" tabindex="0"><table>
<tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Type</th><th scope="col">Meaning</th></tr>
${rows.map(
  ({ name, in: place, schema, required, description = "" }) => html`<tr>
<td><code>${name}</code></td><td>${place}${required ? "" : html` <span class="dim">optional</span>`}</td>
<td>${describeType(document, schema)}</td><td>${prose(description)}</td></tr>`,
)}
</table></div>
`;
}

function bodyTable(document: ApiDocument, { requestBody }: OperationObject): Markup | "" {
  const schema = requestBody?.content["application/json"]?.schema;
  const fields = schema ? describeFields(document, schema) : [];
  if (fields.length === 0) return "";
  return html`<h4>JSON body</h4>
<div class="table" tabindex="0"><table>
<tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Meaning</th></tr>
${fields.map(
  ({ name, type, required, description }) => html`<tr>
<td><code>${name}</code>${required ? "" : html` <span class="dim">optional</span>`}</td><td>${type}</td><td>${prose(description)}</td></tr>`,
)}
</table></div>
`;
}

function replyDetails(document: ApiDocument, status: string, given: ResponseObject, open: boolean): Markup {
  const name = given.$ref?.replace("#/components/responses/", "");
  const reply = name === undefined ? given : (document.components?.responses?.[name] as ResponseObject);
  const headers = Object.keys(reply.headers ?? {});
  return html`<details${open ? html` open` : ""}>
<summary><span class="status">${status}</span> ${prose(reply.description ?? "")}</summary>
${headers.length > 0 ? html`<p class="dim">Headers: ${headers.map((header) => html`<code>${header}</code> `)}</p>` : ""}
${Object.entries(reply.content ?? {}).map(([type, media]) => mediaExamples(type, media))}
</details>
`;
}

function mediaExamples(type: string, { example, examples }: MediaObject): Markup[] {
  const all = examples ? Object.values(examples) : [{ value: example }];
  return all.map(({ value, summary }: { value: unknown; summary?: string }) => {
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    return html`<p class="dim"><code>${type}</code>${summary ? ` ${summary}` : ""}</p><pre tabindex="0"><code>${text}</code></pre>`;
  });
}
