import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SessionBody, SessionToConfirm } from "../../contract/console.ts";
import { type Address, goTo, hrefOf } from "../address.ts";
import { textOf } from "../form-data.ts";
import { Alone } from "../parts/alone.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field, hintOf } from "../parts/field.tsx";
import { type LoginBody, logIn } from "../session-calls.ts";
import { takeCode } from "../take-code.ts";
import { useTask } from "../use-task.ts";
import { Confirmation } from "./confirm.tsx";

interface LoginProps {
  readonly address: Address;
  readonly session: SessionBody | undefined;
  readonly onDone: () => void;
}

/** The way in: a link with a code, or a pasted token. */
export function Login({ address, session, onDone }: LoginProps) {
  const [asked, setAsked] = useState<SessionToConfirm>();
  const login = useTask(async (body: LoginBody) => {
    const result = await logIn(body);
    if ("confirm" in result) return setAsked(result);
    onDone();
    if (address.path === "/login") goTo(hrefOf("/secrets"), { replace: true });
  });
  const begin = useRef(login.run);
  begin.current = login.run;
  useLayoutEffect(() => {
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
