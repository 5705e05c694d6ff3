import { PERMISSIONS, type Permission } from "../../contract/permissions.ts";
import { linesOf } from "../form-data.ts";
import { useSession } from "../session.ts";
import { LinesField } from "./field.tsx";

interface PermissionFieldsProps {
  readonly chosen?: readonly Permission[];
  /** Patterns, one a line. */
  readonly scopes?: string;
  readonly names?: string;
  readonly services?: string;
}

/** The permissions and limits of a grant, to be filled in. Nobody gives what they lack, and the service says so too. */
export function PermissionFields({ chosen = ["secrets:resolve"], scopes = "", names = "", services = "" }: PermissionFieldsProps) {
  const { permissions } = useSession();
  return (
    <>
      <fieldset>
        <legend>Permissions</legend>
        <div class="pair tight">
          {PERMISSIONS.map((permission) => {
            const lacks = !permissions.includes(permission);
            return (
              <label key={permission} class="actions">
                <input type="checkbox" name="permissions" value={permission} defaultChecked={!lacks && chosen.includes(permission)} disabled={lacks} />
                <code>{permission}</code>
                {lacks && <small class="hint">your token lacks it</small>}
              </label>
            );
          })}
        </div>
      </fieldset>
      <LinesField
        label="Only these scopes"
        name="secret_scopes"
        rows={2}
        value={scopes}
        hint="One pattern a line, as in repo:acme/*. Empty: all that you may."
      />
      <div class="pair">
        <LinesField label="Only these names" name="secret_names" rows={2} value={names} hint="As in OPENAI_*." />
        <LinesField label="Only these services" name="services" rows={2} value={services} />
      </div>
    </>
  );
}

/** What was filled in. */
export function grantOf(form: FormData) {
  const limits = { secret_scopes: linesOf(form, "secret_scopes"), secret_names: linesOf(form, "secret_names"), services: linesOf(form, "services") };
  return { permissions: form.getAll("permissions") as Permission[], ...limits };
}
