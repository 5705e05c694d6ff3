import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { SessionBody } from "../contract/console.ts";
import type { Permission } from "../contract/permissions.ts";

export const SessionContext = createContext<SessionBody | undefined>(undefined);

/** The session of a page, which is shown only to who is logged in. */
export function useSession(): SessionBody {
  const session = useContext(SessionContext);
  if (!session) throw new Error("a page is shown without a session");
  return session;
}

/** Whether the session has a permission. */
export function useMay(permission: Permission): boolean {
  return useSession().permissions.includes(permission);
}
