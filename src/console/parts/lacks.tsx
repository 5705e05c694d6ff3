import type { Permission } from "../../contract/permissions.ts";
import { useSession } from "../session.ts";

/** Says which permissions of those that a page's actions need the session does not have, and for what. */
export function Lacks({ of }: { of: Readonly<Partial<Record<Permission, string>>> }) {
  const { permissions } = useSession();
  const lacking = Object.entries(of).filter(([permission]) => !permissions.includes(permission));
  if (lacking.length === 0) return null;
  return (
    <div class="note" role="note">
      {lacking.map(([permission, what]) => (
        <p key={permission}>
          Your token lacks <code>{permission}</code>: {what}.
        </p>
      ))}
    </div>
  );
}
