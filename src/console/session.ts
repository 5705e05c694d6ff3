import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Permission } from "../contract/permissions.ts";

/** Who is logged in, where, and what they may. */
export interface Session {
  readonly organization: string;
  readonly subject: string;
  readonly permissions: readonly string[];
  readonly secret_scopes: readonly string[] | null;
  readonly secret_names: readonly string[] | null;
  readonly services: readonly string[] | null;
  readonly login?: string | null;
  readonly expires_at: string;
  readonly idle_expires_at: string;
}

export const SessionContext = createContext<Session | undefined>(undefined);

/** The session of a page, which is shown only to who is logged in. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("a page is shown without a session");
  return session;
}

/** Whether the session has a permission. */
export function useMay(permission: Permission): boolean {
  return useSession().permissions.includes(permission);
}
