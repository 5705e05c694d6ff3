import type { ServiceBody } from "../../client/create-client.ts";
import { client } from "../client.ts";
import { useMay } from "../session.ts";
import { useLoad } from "../use-load.ts";
import { Loaded } from "./loaded.tsx";

const MINUTE = 60_000;
/** The longest page of the log. */
const MOST = 200;

/** How much of a minute's uses the log has: each, or each caller's first and not yet those that are only counted. */
export function UsesOf({ service: { name, audit, uses_per_minute } }: { service: ServiceBody }) {
  const may = useMay("audit:read");
  const limit = uses_per_minute === undefined ? "as many as one likes" : `${uses_per_minute} of each subject`;
  if (!may) return <>{limit}; how many there were needs audit:read</>;
  return (
    <>
      {limit} <Last name={name} each={audit === "each"} />
    </>
  );
}

function Last({ name, each }: { name: string; each: boolean }) {
  const uses = useLoad((signal) => countUses(name, signal), [name]);
  return (
    <Loaded of={uses} what="Uses">
      {({ count, all }) =>
        `In the last minute ${all ? "" : "at least "}${count} ${each ? "are on record" : "callers began to use it; what each then does is counted when its lease ends"}.`
      }
    </Loaded>
  );
}

/** The uses of a service that were let through and put on record within the last minute. */
async function countUses(name: string, signal: AbortSignal): Promise<{ count: number; all: boolean }> {
  const since = new Date(Date.now() - MINUTE).toISOString();
  const { events, next_cursor } = await client.audit.list({ action: "secret.use", outcome: "allowed", since, limit: MOST }, { signal });
  // The target of a use is `name#revision rule …`.
  return { count: events.filter(({ target }) => target?.startsWith(`${name}#`)).length, all: next_cursor === null };
}
