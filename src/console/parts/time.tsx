import { exactTime, relativeTime } from "../times.ts";

/** A time as people say it; to the second where one points at it. */
export function Time({ at, none = "never" }: { at: string | null | undefined; none?: string }) {
  if (at === null || at === undefined) return <span class="quiet">{none}</span>;
  return (
    <time dateTime={at} title={exactTime(at)}>
      {relativeTime(at)}
    </time>
  );
}
