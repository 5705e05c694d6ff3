import * as z from "zod";
import {
  listServicesReplySchema,
  listServicesSchema,
  putServiceSchema,
  type ServiceBody,
  serviceNameSchema,
  serviceSchema,
} from "../../../contract/service.ts";
import { formatTime } from "../../../contract/time.ts";
import type { Caller } from "../../access/caller.ts";
import { deleteService } from "../../services/delete-service.ts";
import { putService } from "../../services/put-service.ts";
import { type FoundService, getService, listServices } from "../../services/read-services.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";

const tag = "Services";
const params = z.object({ name: serviceNameSchema });
const path = "/v1/services/{name}";
const SHOWN = "With `services:write` all of it is shown; `secrets:use` is enough for the name, the preset and what is allowed.";

/** The routes of services. */
export const serviceRoutes = [
  operation(
    {
      method: "put",
      path,
      id: "putService",
      summary: "Make a service",
      description:
        "An API that agents use without the credential: requests to `/use/{name}/…` are sent on with it. A service is made, replaced and deleted by whoever has a grant that covers its name, all scopes that it searches and all secrets that it uses. Whether a value may go to its hosts is said by the secret's `hosts`, at each use. To the API of a preset credentials are sent only in the header in which that takes them.",
      tag,
      permission: "services:write",
      action: "service.put",
      on: { target: "name" },
      params,
      body: jsonBody(putServiceSchema),
      problems: ["write-conflict", "quota-exceeded"],
      replies: { 200: json(serviceSchema, "It replaces the one that was there."), 201: json(serviceSchema, "The service is new.") },
    },
    async ({ c, needs, caller, params: { name }, body }) => {
      const { created, ...found } = await putService({ ...needs, address: new URL(c.req.url).origin }, caller, name, body);
      return c.json(serviceBody(caller, found), created ? 201 : 200);
    },
  ),
  operation(
    {
      method: "get",
      path,
      id: "getService",
      summary: "Get a service",
      description: SHOWN,
      tag,
      permission: "secrets:use",
      action: "service.read",
      on: { target: "name" },
      params,
      problems: ["service-not-found"],
      replies: { 200: json(serviceSchema, "The service.") },
    },
    async ({ c, needs, caller, params: { name } }) => c.json(serviceBody(caller, await getService(needs, caller, name))),
  ),
  operation(
    {
      method: "delete",
      path,
      id: "deleteService",
      summary: "Delete a service",
      tag,
      permission: "services:write",
      action: "service.delete",
      on: { target: "name" },
      params,
      problems: ["service-not-found", "write-conflict"],
      replies: { 204: { description: "It is gone." } },
    },
    async ({ c, needs, caller, params: { name } }) => {
      await deleteService(needs, caller, name);
      return c.body(null, 204);
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/services",
      id: "listServices",
      summary: "List services",
      description: `Those that the token's grant covers, and the operator's, which every organization has. ${SHOWN}`,
      tag,
      permission: "secrets:use",
      action: "service.read",
      query: listServicesSchema,
      replies: { 200: json(listServicesReplySchema, "One page, by name.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, next } = await listServices(needs, caller, limit, fromCursor(z.string(), cursor));
      return c.json({ services: rows.map((found) => serviceBody(caller, found)), next_cursor: nextCursor(next) });
    },
  ),
];

function serviceBody(caller: Caller, { row, definition, builtin }: FoundService): ServiceBody {
  const { name, preset, revision, created_by, updated_by } = row;
  const said = { name, preset, allow: definition.allow, builtin };
  if (!caller.permissions.has("services:write") || builtin) return said;
  return { ...said, revision, ...definition, created_at: formatTime(row.created_at), created_by, updated_at: formatTime(row.updated_at), updated_by };
}
