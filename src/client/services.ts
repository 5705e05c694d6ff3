import { namedCalls } from "./named-calls.ts";
import { serviceBody, servicePage } from "./readers/services.ts";
import type { Send } from "./send.ts";
import type { PutService, ServiceBody, ServiceCalls, ServicePage } from "./types/services.ts";

/** Services: APIs that are used without holding the credential. */
export function serviceCalls(send: Send): ServiceCalls {
  return namedCalls<PutService, ServiceBody, ServiceBody, ServicePage>(send, {
    path: "/v1/services",
    made: serviceBody,
    body: serviceBody,
    page: servicePage,
    itemsOf: ({ services }) => services,
  }).calls;
}
