import { hrefOf } from "../address.ts";

interface PagerProps {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly next: string | null;
}

/** Ways to the first and the next page of a list; to the one before leads the browser's own. */
export function Pager({ path, query, next }: PagerProps) {
  const given = Object.fromEntries(query);
  const { cursor, ...first } = given;
  if (cursor === undefined && next === null) return null;
  return (
    <nav class="pager" aria-label="Pages of the list">
      {cursor !== undefined && <a href={hrefOf(path, first)}>First page</a>}
      {next !== null && <a href={hrefOf(path, { ...given, cursor: next })}>Next page</a>}
    </nav>
  );
}
