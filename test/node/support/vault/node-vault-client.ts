import vault from "node-vault";
import { type Operation, type Outcome, statesOf, type VaultClient } from "./vault-client.ts";

/** node-vault. It lists with `?list=1`, because it is told not to send the method LIST. */
export function nodeVaultClient(endpoint: string): VaultClient {
  const client = vault({ endpoint, noCustomHTTPVerbs: true });
  return {
    perform: (operation) => perform(client, operation).catch(refused),
    close: async () => undefined,
  };
}

async function perform(client: vault.client, operation: Operation): Promise<Outcome> {
  switch (operation.op) {
    case "health": {
      const { initialized, sealed } = await client.health();
      return { initialized, sealed };
    }
    case "login": {
      client.token = "";
      const { auth } = await client.jwtLogin({ role: operation.role, jwt: operation.jwt });
      return { renewable: auth.renewable };
    }
    case "self":
      return { type: (await client.tokenLookupSelf()).data.type };
    case "put": {
      const { path, data, cas } = operation;
      return { version: (await client.write(`secret/data/${path}`, { data, options: { ...(cas !== undefined && { cas }) } })).data.version };
    }
    case "patch":
      return { version: (await client.update(`secret/data/${operation.path}`, { data: operation.data })).data.version };
    case "get": {
      const { data } = await client.read(`secret/data/${operation.path}`);
      return { data: data.data, version: data.metadata.version, custom: data.metadata.custom_metadata };
    }
    case "list":
      return { keys: (await client.list(`secret/metadata/${operation.path}`)).data.keys };
    case "metadata": {
      const { data } = await client.read(`secret/metadata/${operation.path}`);
      return { current: data.current_version, custom: data.custom_metadata, versions: statesOf(data.versions) };
    }
    case "put-metadata":
      return done(client.write(`secret/metadata/${operation.path}`, { custom_metadata: operation.custom }));
    case "delete":
      return done(client.delete(`secret/data/${operation.path}`));
    case "delete-metadata":
      return done(client.delete(`secret/metadata/${operation.path}`));
    case "delete-versions":
      return done(client.write(`secret/delete/${operation.path}`, { versions: operation.versions }));
    case "undelete":
    case "destroy":
      return done(client.write(`secret/${operation.op}/${operation.path}`, { versions: operation.versions }));
  }
}

async function done(written: Promise<unknown>): Promise<Outcome> {
  await written;
  return {};
}

function refused(error: vault.ApiResponseError): Outcome {
  if (!error.response) throw error;
  const { statusCode, body } = error.response;
  return { status: statusCode, errors: body.errors ?? [], ...(body.data?.metadata?.deletion_time && { deleted: true }) };
}
