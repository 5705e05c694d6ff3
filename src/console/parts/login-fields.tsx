import type { LoginBody, PutLogin } from "../../client/create-client.ts";
import { linesOf, numberOf, textOf } from "../form-data.ts";
import { TextField } from "./field.tsx";
import { RuleFields, rulesOf } from "./rule-fields.tsx";
import { ScopeSuggestions } from "./scope-suggestions.tsx";

/** Everything of a login but its name. */
export function LoginFields({ login }: { login?: LoginBody }) {
  return (
    <>
      <TextField
        label="Provider"
        name="issuer"
        type="url"
        required
        value={login?.issuer}
        placeholder="https://accounts.google.com"
        hint="Its address as an OpenID provider, exactly as its configuration names it (the issuer)."
      />
      <TextField label="Client id" name="client_id" required value={login?.client_id} hint="What the provider calls this deployment, where you register it." />
      <fieldset>
        <legend>The client's secret</legend>
        <TextField
          label="Secret that has it"
          name="client_secret"
          value={login?.client_secret?.name}
          hint="Its name here, never the value. Its hosts have to name the host of the provider's token endpoint. Empty: the client has none (PKCE alone)."
        />
        <TextField label="Scope of that secret" name="client_secret_scope" list="scopes" value={login?.client_secret?.scope ?? "global"} />
        <ScopeSuggestions id="scopes" />
      </fieldset>
      <TextField
        label="Ask the provider for"
        name="ask"
        value={login?.scopes.join(", ")}
        placeholder="email"
        hint="OpenID scopes beside openid, with commas: those that have the provider say the claims below."
      />
      <RuleFields of={login} chosen={["secrets:read"]} />
      <TextField
        label="Longest session (seconds)"
        name="expires_in"
        type="number"
        min={60}
        max={43_200}
        required
        value={String(login?.expires_in ?? 43_200)}
        hint="43,200 seconds are 12 hours, which is the most."
      />
    </>
  );
}

/** What was filled in. */
export function loginOf(data: FormData): PutLogin {
  const [secret, expires_in] = [textOf(data, "client_secret"), numberOf(data, "expires_in")];
  return {
    ...{ issuer: textOf(data, "issuer") ?? "", client_id: textOf(data, "client_id") ?? "", scopes: linesOf(data, "ask") ?? [] },
    ...(secret !== undefined && { client_secret: { scope: textOf(data, "client_secret_scope") ?? "global", name: secret } }),
    ...rulesOf(data),
    ...(expires_in !== undefined && { expires_in }),
  };
}
