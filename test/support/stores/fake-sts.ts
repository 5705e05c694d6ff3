import { createLocalJWKSet, type JWK, jwtVerify } from "jose";
import { AwsError } from "./aws-error.ts";
import type { FakeAws } from "./fake-aws.ts";

/** Takes a role by keys, or by a token of an OpenID provider (https://docs.aws.amazon.com/STS/latest/APIReference/). */
export async function takeRole(aws: FakeAws, action: string, form: URLSearchParams): Promise<string> {
  const name = form.get("RoleArn") ?? "";
  const session = form.get("RoleSessionName") ?? "";
  const seconds = Number(form.get("DurationSeconds") ?? 3600);
  if (form.get("Version") !== "2011-06-15") throw new AwsError("InvalidAction");
  if (!/^[\w+=,.@-]{2,64}$/.test(session) || !(seconds >= 900 && seconds <= 43_200)) throw new AwsError("ValidationError");
  const role = aws.roles.get(name);
  const denied = new AwsError("AccessDenied", `Not authorized to perform sts:${action}`, 403);
  if (action === "AssumeRole") {
    if (!role || role.identity || (role.externalId ?? null) !== form.get("ExternalId")) throw denied;
  } else if (action === "AssumeRoleWithWebIdentity") {
    if (!role?.identity) throw denied;
    if ((await subjectOf(role.identity, form.get("WebIdentityToken") ?? "", aws.now())) !== role.identity.subject) throw denied;
  } else throw new AwsError("InvalidAction");
  const key = { id: `ASIA${letters(16)}`, secret: letters(40), session: `${letters(300)}//+==`, until: aws.now() + seconds * 1000 };
  aws.keys.set(key.id, key);
  const expiration = new Date(key.until).toISOString().replace(/\.\d{3}/, "");
  const credentials = `<Credentials><AccessKeyId>${key.id}</AccessKeyId><SecretAccessKey>${key.secret}</SecretAccessKey><SessionToken>${key.session}</SessionToken><Expiration>${expiration}</Expiration></Credentials>`;
  const user = `<AssumedRoleUser><AssumedRoleId>AROA:${session}</AssumedRoleId><Arn>${name}/${session}</Arn></AssumedRoleUser>`;
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${user}${credentials}</${action}Result><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></${action}Response>`;
}

async function subjectOf(identity: { readonly issuer: string; readonly keys: () => JWK[] }, token: string, now: number): Promise<string | undefined> {
  try {
    const keys = createLocalJWKSet({ keys: identity.keys() });
    const { payload } = await jwtVerify(token, keys, { issuer: identity.issuer, audience: "sts.amazonaws.com", currentDate: new Date(now) });
    return payload.sub;
  } catch {
    throw new AwsError("InvalidIdentityToken", "The web identity token could not be validated.");
  }
}

function letters(count: number): string {
  return [...crypto.getRandomValues(new Uint8Array(count))].map((byte) => String.fromCharCode(65 + (byte % 26))).join("");
}
