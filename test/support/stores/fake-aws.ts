import type { JWK } from "jose";
import { AwsError } from "./aws-error.ts";
import { type AwsKey, isSignedWith, readAwsSignature } from "./aws-signature.ts";
import { type AwsSecret, SECRET_ACTIONS } from "./fake-secrets.ts";
import { takeRole } from "./fake-sts.ts";

/** A role that can be taken, and by whom. */
interface AwsRole {
  /** What whoever takes it with keys has to say. */
  readonly externalId?: string;
  /** Whose tokens take it, and of whom. */
  readonly identity?: { readonly issuer: string; readonly subject: string; readonly keys: () => JWK[] };
}

/** A fake of AWS: Secrets Manager and STS of one region, as their references tell. */
export interface FakeAws {
  readonly region: string;
  readonly keys: Map<string, AwsKey>;
  readonly roles: Map<string, AwsRole>;
  readonly secrets: Map<string, AwsSecret>;
  /** Actions to which nobody has the permission. */
  readonly denied: Set<string>;
  /** The action of each request that was signed by somebody known. */
  readonly asked: string[];
  /** Milliseconds since 1970. */
  now: () => number;
  readonly handle: (request: Request) => Promise<Response>;
}

/** Makes one with a key pair, and nothing in it. */
export function fakeAws(key: AwsKey, region = "eu-central-1"): FakeAws {
  const aws: FakeAws = {
    region,
    keys: new Map([[key.id, key]]),
    roles: new Map(),
    secrets: new Map(),
    denied: new Set(),
    asked: [],
    now: Date.now,
    handle: (request) => (request.headers.has("X-Amz-Target") ? answerJson(aws, request) : answerXml(aws, request)),
  };
  return aws;
}

async function answerJson(aws: FakeAws, request: Request): Promise<Response> {
  const headers = { "Content-Type": "application/x-amz-json-1.1" };
  try {
    const body = new Uint8Array(await request.arrayBuffer());
    await requireSigned(aws, request, body, "secretsmanager");
    const action = request.headers.get("X-Amz-Target")?.replace("secretsmanager.", "") ?? "";
    const run = SECRET_ACTIONS[action];
    if (!run) throw new AwsError("UnknownOperationException");
    aws.asked.push(action);
    if (aws.denied.has(action)) throw new AwsError("AccessDeniedException", `User is not authorized to perform: secretsmanager:${action}`);
    return new Response(JSON.stringify(run(aws, JSON.parse(new TextDecoder().decode(body)))), { headers });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return new Response(JSON.stringify({ __type: error.code, Message: error.message }), { status: error.status, headers });
  }
}

async function answerXml(aws: FakeAws, request: Request): Promise<Response> {
  const headers = { "Content-Type": "text/xml" };
  try {
    const body = new Uint8Array(await request.arrayBuffer());
    const form = new URLSearchParams(new TextDecoder().decode(body));
    const action = form.get("Action") ?? "";
    if (action === "AssumeRole") await requireSigned(aws, request, body, "sts");
    aws.asked.push(action);
    return new Response(await takeRole(aws, action, form), { headers });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const text = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${error.code}</Code><Message>${error.message}</Message></Error><RequestId>0</RequestId></ErrorResponse>`;
    return new Response(text, { status: error.status, headers });
  }
}

/** Within this of its own clock AWS takes a signature, in milliseconds. */
const SKEW = 300_000;

async function requireSigned(aws: FakeAws, request: Request, body: Uint8Array<ArrayBuffer>, service: string): Promise<void> {
  const isSts = service === "sts";
  const signature = readAwsSignature(request);
  if (!signature) throw new AwsError(isSts ? "MissingAuthenticationToken" : "MissingAuthenticationTokenException", "Missing Authentication Token", 403);
  const key = aws.keys.get(signature.keyId);
  const session = request.headers.get("X-Amz-Security-Token") ?? undefined;
  if (!key || key.session !== session) {
    throw new AwsError(
      isSts ? "InvalidClientTokenId" : "UnrecognizedClientException",
      "The security token included in the request is invalid.",
      isSts ? 403 : 400,
    );
  }
  const isRight = signature.service === service && signature.region === aws.region && Math.abs(signature.signedAt - aws.now()) <= SKEW;
  if (!isRight || !(await isSignedWith(key, request, body))) {
    throw new AwsError(isSts ? "SignatureDoesNotMatch" : "InvalidSignatureException", "The request signature we calculated does not match.", isSts ? 403 : 400);
  }
  if (key.until !== undefined && key.until <= aws.now()) {
    throw new AwsError(isSts ? "ExpiredToken" : "ExpiredTokenException", "The security token included in the request is expired", isSts ? 403 : 400);
  }
}
