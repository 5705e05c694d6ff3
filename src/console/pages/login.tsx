import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SessionBody, SessionToConfirm } from "../../contract/console.ts";
import { type Address, goTo, hrefOf } from "../address.ts";
import { textOf } from "../form-data.ts";
import { Alone } from "../parts/alone.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field, hintOf, TextField } from "../parts/field.tsx";
import { goToProvider, type LoginBody, logIn, offeredLogins } from "../session-calls.ts";
import { onCode, takeCode } from "../take-code.ts";
import { useTask } from "../use-task.ts";
import { Confirmation } from "./confirm.tsx";

interface LoginProps {
  readonly address: Address;
  readonly session: SessionBody | undefined;
  readonly onDone: () => void;
}

/** The way in: a login of the organization, a link with a code, or a pasted token. */
export function Login({ address, session, onDone }: LoginProps) {
  const [asked, setAsked] = useState<SessionToConfirm>();
  const login = useTask(async (body: LoginBody) => {
    const result = await logIn(body);
    if ("confirm" in result) return setAsked(result);
    onDone();
    if (address.path === "/login") goTo(next, { replace: true });
  });
  // Where it leads: below the console, whatever is said there.
  const page = address.path === "/login" ? (address.query.get("page") ?? "/secrets") : `${address.path}${location.search}`;
  const next = hrefOf(page);
  const begin = useRef(login.run);
  begin.current = login.run;
  useLayoutEffect(() => {
    document.title = "Log in · Keyhole";
    const code = takeCode("code");
    if (code !== undefined) begin.current({ code });
    else if (address.query.get("arrived") === "1") begin.current({ arrived: true });
    return onCode("code", (code) => begin.current({ code }));
  }, []);
  if (asked)
    return (
      <Confirmation
        asked={asked}
        {...(session && { open: session })}
        onConfirm={async () => {
          await logIn({ confirm: asked.confirm });
          onDone();
          goTo(next, { replace: true });
        }}
        onCancel={() => {
          setAsked(undefined);
          goTo(hrefOf("/secrets"), { replace: true });
        }}
      />
    );
  return (
    <Alone title="Log in">
      {session && (
        <div class="note">
          <p>
            You are logged in to <strong>{session.organization}</strong> as {session.subject}. <a href={hrefOf("/secrets")}>To the secrets</a>
          </p>
        </div>
      )}
      <Refused by={address.query.get("refused")} />
      <Failure error={login.error} what="The login" />
      <ByProvider organization={address.query.get("organization") ?? ""} page={page} />
      <ByToken running={login.running} onToken={(token) => login.run({ token })} />
    </Alone>
  );
}

const REFUSED = {
  provider: ["The provider did not answer", "Try again in a moment."],
  busy: ["Too many log in just now", "Try again in a moment."],
  login: ["You were not logged in", "Try again. If that does not help, the organization's audit log says why (token.refused)."],
} as const;

/** That nobody was logged in: why is for the organization's audit log. */
function Refused({ by }: { by: string | null }) {
  if (by === null) return null;
  const [what, next] = REFUSED[by === "provider" || by === "busy" ? by : "login"];
  return (
    <div class="note bad" role="alert">
      <strong>{what}</strong>
      <p>{next}</p>
    </div>
  );
}

/** The logins of an organization. Who it is that logs in, and whether there is such an organization, is not known yet. */
function ByProvider({ organization: given, page }: { organization: string; page: string }) {
  const [offered, setOffered] = useState<{ readonly organization: string; readonly logins: readonly string[] }>();
  const looking = useTask(async (organization: string) => setOffered({ organization, logins: await offeredLogins(organization) }));
  const leaving = useTask((organization: string, login: string) => goToProvider(organization, login, page));
  const look = useRef(looking.run);
  look.current = looking.run;
  useEffect(() => {
    if (given !== "") look.current(given);
  }, [given]);
  return (
    <section aria-labelledby="by-provider">
      <h2 id="by-provider">With your organization's login</h2>
      <Failure error={looking.error ?? leaving.error} what="The login" />
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          const organization = textOf(new FormData(event.currentTarget), "organization");
          if (organization !== undefined) looking.run(organization);
        }}
      >
        <TextField label="Organization" name="organization" value={given} required />
        <div class="actions">
          <button type="submit" disabled={looking.running}>
            Show its logins
          </button>
        </div>
      </form>
      {offered && (
        <div class="offered" role="status">
          {offered.logins.length === 0 && <p>There are no logins for {offered.organization}.</p>}
          <div class="actions">
            {offered.logins.map((login) => (
              <button key={login} type="button" class="primary" disabled={leaving.running} onClick={() => leaving.run(offered.organization, login)}>
                Log in to {offered.organization} with {login}
              </button>
            ))}
          </div>
        </div>
      )}
    </section>
  );
}

function ByToken({ running, onToken }: { running: boolean; onToken: (token: string) => void }) {
  return (
    <section aria-labelledby="by-token">
      <h2 id="by-token">With a token</h2>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          const token = textOf(new FormData(form), "token");
          form.reset();
          if (token !== undefined) onToken(token);
        }}
      >
        <Field label="Token" name="token" hint="It is sent once. The browser then has a session that may do no more than the token, and ends with it.">
          <input id="token" name="token" type="password" autoComplete="off" spellcheck={false} required aria-describedby={hintOf("token")} />
        </Field>
        <div class="actions">
          <button type="submit" class="primary" disabled={running}>
            {running ? "Logging in …" : "Log in with the token"}
          </button>
        </div>
      </form>
    </section>
  );
}
