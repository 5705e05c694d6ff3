import type { ComponentChildren } from "preact";
import type { Loading } from "../use-load.ts";
import { Failure } from "./failure.tsx";

/** What was loaded; until then that it is on its way, or what went wrong. Nothing where nothing was asked for. */
export function Loaded<T>({ of, what, children }: { of: Loading<T>; what: string; children: (value: T) => ComponentChildren }) {
  if (of.error !== undefined) {
    return (
      <>
        <Failure error={of.error} what={what} />
        <button type="button" onClick={of.reload}>
          Try again
        </button>
      </>
    );
  }
  if (of.value === undefined) {
    if (!of.loading) return null;
    return (
      <p class="loading" role="status">
        Loading {what.toLowerCase()} …
      </p>
    );
  }
  return (
    <div class={of.loading ? "refreshing" : undefined} aria-busy={of.loading}>
      {children(of.value)}
    </div>
  );
}
