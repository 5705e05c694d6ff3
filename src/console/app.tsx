import { useCallback, useEffect, useState } from "preact/hooks";
import type { SessionBody } from "../contract/console.ts";
import { useAddress } from "./address.ts";
import { showOrganization } from "./client.ts";
import { Frame } from "./frame.tsx";
import { Login } from "./pages/login.tsx";
import { Failure } from "./parts/failure.tsx";
import { SessionContext } from "./session.ts";
import { readSession } from "./session-calls.ts";
import { onSessionChange } from "./session-ended.ts";
import { dismissAll } from "./toasts.ts";

/** Who is logged in: not known yet, nobody, or a session. */
type Known = { readonly session: SessionBody | undefined; readonly error?: unknown } | undefined;

/** The console: the login for who is not logged in, else the page that the address says. */
export function App() {
  const address = useAddress();
  const [known, setKnown] = useState<Known>();
  const ask = useCallback(() => {
    readSession()
      .then((session) => setKnown({ session }))
      .catch((error: unknown) => setKnown({ session: undefined, error }));
  }, []);
  // As soon as the session may be somebody else's nothing of before is shown: what is typed there would go to another organization.
  const begin = useCallback(() => {
    setKnown(undefined);
    ask();
  }, [ask]);
  useEffect(() => {
    ask();
    return onSessionChange({ perhaps: ask, surely: begin });
  }, [ask, begin]);
  const session = known?.session;
  // Together with what is on the screen, not before: what that asks for by then is still asked of its own organization.
  showOrganization(session?.organization);
  const who = session && `${session.organization} ${session.subject}`;
  // What one has done is nothing that the next one sees or undoes.
  useEffect(dismissAll, [who]);

  if (known === undefined) return <p class="alone loading">Loading …</p>;
  if (known.error !== undefined)
    return (
      <main class="alone">
        <Failure error={known.error} what="The session" />
        <button type="button" onClick={ask}>
          Try again
        </button>
      </main>
    );
  if (session === undefined || address.path === "/login") return <Login address={address} session={session} onDone={begin} />;
  return (
    <SessionContext.Provider value={session}>
      <Frame key={who} address={address} onLogout={begin} />
    </SessionContext.Provider>
  );
}
