import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

/** Markup in which everything that is not ours has been escaped. */
export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>;

/** Text with `code` in backquotes, as markup. */
export function prose(text: string): Markup[] {
  return text.split("`").map((part, n) => (n % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
