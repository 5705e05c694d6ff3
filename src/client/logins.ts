import { namedCalls } from "./named-calls.ts";
import { loginBody, loginPage } from "./readers/logins.ts";
import type { Send } from "./send.ts";
import type { LoginBody, LoginCalls, LoginPage, PutLogin } from "./types/logins.ts";

/** Logins of people by OpenID providers. */
export function loginCalls(send: Send): LoginCalls {
  return namedCalls<PutLogin, LoginBody, LoginBody, LoginPage>(send, {
    path: "/v1/logins",
    made: loginBody,
    body: loginBody,
    page: loginPage,
    itemsOf: ({ logins }) => logins,
  }).calls;
}
