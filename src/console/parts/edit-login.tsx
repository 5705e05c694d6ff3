import type { LoginBody } from "../../client/create-client.ts";
import { client } from "../client.ts";
import { loginDefinition } from "../definition-of.ts";
import { tell } from "../toasts.ts";
import { useTask } from "../use-task.ts";
import { EditForm } from "./edit-form.tsx";
import { LoginFields, loginOf } from "./login-fields.tsx";

/** Changes a login. Sessions by what it said before end. */
export function EditLogin({ login, onChange }: { login: LoginBody; onChange: () => void }) {
  const { name } = login;
  const saving = useTask(async (form: HTMLFormElement) => {
    await client.logins.put(name, loginOf(new FormData(form)));
    tell(`The login ${name} is changed.`, async () => {
      await client.logins.put(name, loginDefinition(login));
      onChange();
    });
    onChange();
  });
  return (
    <EditForm summary="Change it" saving={saving}>
      <p class="quiet">Who is logged in by it has to log in once more when it is changed.</p>
      <LoginFields login={login} />
    </EditForm>
  );
}
