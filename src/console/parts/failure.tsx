import { KeyholeError } from "../../client/keyhole-error.ts";

/** What went wrong, as Keyhole says it. */
export function Failure({ error, what }: { error: unknown; what?: string }) {
  if (error === undefined || error === null) return null;
  const known = error instanceof KeyholeError ? error : undefined;
  const title = known?.title ?? "Something went wrong";
  const errors = known?.members.errors ?? [];
  return (
    <div class="note bad" role="alert">
      <strong>{what ? `${what}: ${title}` : title}</strong>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {errors.length > 1 && (
        <ul>
          {errors.map(({ pointer, detail }) => (
            <li key={`${pointer} ${detail}`}>
              <code>{pointer}</code> {detail}
            </li>
          ))}
        </ul>
      )}
      {known?.requestId && <p class="quiet">Request {known.requestId}</p>}
    </div>
  );
}
