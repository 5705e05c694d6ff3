import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { textOf } from "../form-data.ts";
import { Failure } from "../parts/failure.tsx";
import { TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { LoginFields, loginOf } from "../parts/login-fields.tsx";
import { Page } from "../parts/page.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useTask } from "../use-task.ts";

/** Sets up a provider by which people log in. */
export function NewLogin() {
  const may = useMay("trusts:write");
  const making = useTask(async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const name = textOf(data, "name") ?? "";
    await client.logins.put(name, loginOf(data));
    tell(`People can log in by ${name}, once the provider has its redirect URI.`, async () => {
      await client.logins.delete(name);
      goTo(hrefOf("/logins"));
    });
    goTo(hrefOf(`/logins/${encodeURIComponent(name)}`));
  });
  return (
    <Page title="New login" about="Register this deployment at the provider first: that gives the client id, and mostly a secret.">
      <Lacks of={{ "trusts:write": "you cannot make logins" }} />
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          making.run(event.currentTarget);
        }}
      >
        <TextField
          label="Name"
          name="name"
          required
          placeholder="google"
          hint="It is on the button that people click, and in the redirect URI. A login of this name is replaced."
        />
        <LoginFields />
        <Failure error={making.error} what="No login is made" />
        <div class="actions">
          <button type="submit" class="primary" disabled={!may || making.running}>
            Make the login
          </button>
          <a href={hrefOf("/logins")}>Cancel</a>
        </div>
      </form>
    </Page>
  );
}
