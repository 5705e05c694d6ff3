import { useEffect, useRef, useState } from "preact/hooks";
import { type Address, goTo, hrefOf } from "../address.ts";
import { textOf } from "../form-data.ts";
import { Alone } from "../parts/alone.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field, hintOf, TextField } from "../parts/field.tsx";
import type { Session } from "../session.ts";
import { beginLogin, type LoginBody, listLogins, logIn, type ToConfirm } from "../session-calls.ts";
import { takeCode } from "../take-code.ts";
import { useTask } from "../use-task.ts";
import { Confirmation } from "./confirm.tsx";

interface LoginProps {
  readonly address: Address;
  readonly session: Session | undefined;
  readonly onDone: () => void;
}

/** The way in: a link with a code, a login of the organization, or a pasted token. */
export function Login({ address, session, onDone }: LoginProps) {
  const [asked, setAsked] = useState<ToConfirm>();
  const login = useTask(async (body: LoginBody) => {
    const result = await logIn(body);
    if ("confirm" in result) return setAsked(result);
    onDone();
    if (address.path === "/login") goTo(hrefOf("/secrets"), { replace: true });
  });
  const begin = useRef(login.run);
  begin.current = login.run;
  useEffect(() => {
    document.title = "Log in · Keyhole";
    const code = takeCode();
    if (code !== undefined) begin.current({ code });
  }, []);
  if (asked)
    return (
      <Confirmation
        asked={asked}
        {...(session && { open: session })}
        onConfirm={async () => {
          await logIn({ confirm: asked.confirm });
          onDone();
          goTo(hrefOf("/secrets"), { replace: true });
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
      <Failure error={login.error} what="The login" />
      <ByLogin returnTo={address.path === "/login" ? hrefOf("/secrets") : hrefOf(address.path, Object.fromEntries(address.query))} />
      <ByToken running={login.running} onToken={(token) => login.run({ token })} />
    </Alone>
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

function ByLogin({ returnTo }: { returnTo: string }) {
  const [found, setFound] = useState<{ organization: string; logins: readonly string[] }>();
  const looking = useTask(async (organization: string) => setFound({ organization, logins: await listLogins(organization) }));
  const leaving = useTask(async (organization: string, login: string) => location.assign(await beginLogin(organization, login, returnTo)));
  return (
    <section aria-labelledby="by-login">
      <h2 id="by-login">With your organization's login</h2>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          const organization = textOf(new FormData(event.currentTarget), "organization");
          if (organization !== undefined) looking.run(organization);
        }}
      >
        <TextField label="Organization" name="organization" required />
        <div class="actions">
          <button type="submit" disabled={looking.running}>
            {looking.running ? "Looking …" : "Show its logins"}
          </button>
        </div>
      </form>
      <Failure error={looking.error ?? leaving.error} what="The login" />
      {found && found.logins.length === 0 && <p role="status">No login can be chosen for {found.organization}.</p>}
      {found && found.logins.length > 0 && (
        <ul class="cards" aria-label={`Logins of ${found.organization}`}>
          {found.logins.map((login) => (
            <li key={login}>
              <button type="button" class="primary" disabled={leaving.running} onClick={() => leaving.run(found.organization, login)}>
                Continue with {login}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
