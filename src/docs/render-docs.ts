import { createApp } from "../worker/http/app.ts";
import type { ApiDocument } from "../worker/http/docs/api-types.ts";
import { docsPage } from "./docs-page.ts";
import { readGuide } from "./read-guide.ts";

/** What the pages are made of. */
interface DocsSources {
  /** The guides in Markdown, by the names of their files without the ending. */
  readonly guides: Readonly<Record<string, string>>;
  /** The addresses of the style and of the script. */
  readonly style: string;
  readonly script: string;
}

/** The pages of the documentation, by the names of their files. The API is described as the Worker itself describes it. */
export async function renderDocs({ guides, style, script }: DocsSources): Promise<Record<string, string>> {
  const app = createApp();
  const describe = async (path: string) => (await (await app.fetch(new Request(`https://keyhole.invalid${path}`), {} as never)).json()) as ApiDocument;
  const read = Object.entries(guides).map(([name, markdown]) => readGuide(name, markdown));
  const shared = { style, script };
  return {
    "docs.html": await docsPage(await describe("/openapi.json"), {
      ...shared,
      guides: read,
      here: "/openapi.json",
      there: { path: "/docs/vault", title: "Vault's wire" },
    }),
    "docs-vault.html": await docsPage(await describe("/openapi-vault.json"), {
      ...shared,
      guides: [],
      here: "/openapi-vault.json",
      there: { path: "/docs", title: "The guides, and Keyhole's own API" },
    }),
  };
}
