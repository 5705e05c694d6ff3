import type { FuzzedRequest } from "./request.ts";

/** A header's name and text. */
export type Header = readonly [name: string, text: string];

/**
 * The headers of a request as they go over the wire, with those in `more`, which the sender adds. An Authorization of the
 * request's own stands in place of the token's.
 */
export function wireHeaders({ headers, body, again }: FuzzedRequest, token: string | undefined, more: readonly Header[] = []): Header[] {
  const all = [...more, ...headers];
  if (body?.type !== undefined) all.unshift(["Content-Type", body.type]);
  if (token !== undefined && !headers.some(([name]) => name === "Authorization")) all.unshift(["Authorization", `Bearer ${token}`]);
  const first = all.find(([name]) => name === again?.name);
  return first ? [...all, [first[0], again?.text ?? first[1]]] : all;
}
