import type { AllowRule } from "./allow-rule.ts";
import type { Injection } from "./injection.ts";
import { PRESET_NAMES, type PresetName } from "./preset-names.ts";

export { PRESET_NAMES, type PresetName };

/** A service as it is known of an API, to be filled with the name of a secret. */
export interface Preset {
  /** What it is for, in a line. */
  readonly about: string;
  /** Its origins by name; none where each customer has an address of its own. */
  readonly origins: Readonly<Record<string, string>> | null;
  /** Which hosts its own address may have, where somebody gives one; `null` where there is nothing to give. */
  readonly ownHost: RegExp | null;
  readonly inject: (secret: string) => readonly Injection[];
  readonly allow: readonly AllowRule[];
  readonly redirects: readonly string[];
  /** The members of JSON whose addresses clients follow: names, or `*` and the end of some. */
  readonly urlFields?: readonly string[];
  /** Whether clients send the token as the password of Basic credentials. */
  readonly basic: boolean;
  /** The variables by which its clients know an address and a key, with `{url}` and `{token}` in their places. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The beginnings of addresses that git is to look for at the service. */
  readonly insteadOf?: readonly string[];
}

const bearer = (secret: string): Injection[] => [{ in: "header", name: "Authorization", value: `Bearer \${${secret}}` }];
const header = (name: string) => (secret: string) => [{ in: "header", name, value: `\${${secret}}` }] as const satisfies Injection[];
const plain = { ownHost: null, redirects: [], basic: false } as const;

/** Beneath a repository of GitHub what is read; not `secret-scanning`, which shows secrets, nor `hooks`, `actions/secrets` and other settings. */
const GITHUB_READ = [
  ...["", "/languages", "/topics", "/contributors", "/tags", "/license", "/forks", "/events", "/activity", "/commits/**", "/compare/**", "/branches/**"],
  ...["/contents/**", "/readme/**", "/git/**", "/tarball/**", "/zipball/**", "/releases/**", "/issues/**", "/pulls/**", "/labels/**", "/milestones/**"],
  ...["/assignees/**", "/check-runs/**", "/check-suites/**", "/deployments/**"],
  ...["/actions/runs/**", "/actions/jobs/**", "/actions/workflows/**", "/actions/artifacts/**"],
].map((path) => `/repos/*/*${path}`);

/** Of the hub of Hugging Face what is read of repositories `owner/name`; not `xet-read-token` and `xet-write-token`, which give credentials. */
const HUB_READ = ["models", "datasets"].flatMap((kind) =>
  ["", "/*", "/*/*", "/*/*/revision/*", "/*/*/tree/**", "/*/*/refs", "/*/*/commits/*"].map((path) => `/api/${kind}${path}`),
);

/**
 * The APIs that are known, with what an agent needs of each: no administration, nothing that is there to show other secrets, nothing that
 * moves money. Each names what its addresses, paths and places of credentials were compared with.
 */
const PRESETS = {
  // OpenAI API reference (Authentication; Chat, Responses, Models …), and the paths of its library openai 7.59.
  openai: {
    ...plain,
    about: "The OpenAI API",
    variables: { OPENAI_BASE_URL: "{url}/v1", OPENAI_API_KEY: "{token}" },
    origins: { "": "https://api.openai.com" },
    inject: bearer,
    allow: [
      {
        methods: ["POST"],
        paths: [
          ...["/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/embeddings", "/v1/moderations"],
          ...["/v1/images/generations", "/v1/images/edits", "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/audio/translations"],
          ...["/v1/responses/*/cancel", "/v1/responses/compact", "/v1/responses/input_tokens"],
        ],
      },
      { methods: ["GET"], paths: ["/v1/models/**", "/v1/responses/*", "/v1/responses/*/input_items"] },
    ],
  },
  // Claude API reference (Messages, Count tokens, Models), and the paths of its library @anthropic-ai/sdk 1.14.
  anthropic: {
    ...plain,
    about: "The Anthropic API",
    variables: { ANTHROPIC_BASE_URL: "{url}", ANTHROPIC_API_KEY: "{token}" },
    origins: { "": "https://api.anthropic.com" },
    inject: header("x-api-key"),
    allow: [
      { methods: ["POST"], paths: ["/v1/messages", "/v1/messages/count_tokens"] },
      { methods: ["GET"], paths: ["/v1/models/**"] },
    ],
  },
  // Gemini API reference (Authentication; generateContent, Interactions), and the paths of its library @google/genai: `models/{model}:verb`.
  gemini: {
    ...plain,
    about: "The Gemini API of Google",
    variables: { GOOGLE_GEMINI_BASE_URL: "{url}", GEMINI_API_KEY: "{token}" },
    origins: { "": "https://generativelanguage.googleapis.com" },
    inject: header("x-goog-api-key"),
    allow: [
      { methods: ["POST"], paths: ["/v1/models/*", "/v1beta/models/*", "/v1beta/interactions", "/v1beta/interactions/*/cancel"] },
      { methods: ["GET"], paths: ["/v1/models/**", "/v1beta/models/**", "/v1beta/interactions/*"] },
    ],
  },
  // Azure OpenAI REST API reference (Data plane inference, and the v1 API), and the paths of AzureOpenAI in openai 7.59.
  "azure-openai": {
    ...plain,
    about: "Azure OpenAI, at the address of your resource",
    variables: { AZURE_OPENAI_ENDPOINT: "{url}", AZURE_OPENAI_API_KEY: "{token}" },
    origins: null,
    ownHost: /^[a-z0-9-]+\.openai\.azure\.com$/,
    inject: header("api-key"),
    allow: [
      {
        methods: ["POST"],
        paths: [
          ...["/openai/deployments/*/chat/completions", "/openai/deployments/*/completions", "/openai/deployments/*/embeddings"],
          ...["/openai/deployments/*/images/generations", "/openai/deployments/*/images/edits", "/openai/deployments/*/audio/speech"],
          ...["/openai/deployments/*/audio/transcriptions", "/openai/deployments/*/audio/translations"],
          ...["/openai/responses", "/openai/v1/chat/completions", "/openai/v1/responses", "/openai/v1/embeddings"],
        ],
      },
      { methods: ["GET"], paths: ["/openai/models/**", "/openai/v1/models/**", "/openai/responses/*", "/openai/v1/responses/*"] },
    ],
  },
  // GitHub REST API documentation, by its OpenAPI description as @octokit/plugin-rest-endpoint-methods has it; Release assets (`upload_url`).
  github: {
    ...plain,
    about: "The REST API of GitHub: reading, issues and pull requests; add rules for releases (their files go to ~uploads)",
    origins: { "": "https://api.github.com", uploads: "https://uploads.github.com" },
    urlFields: ["url", "*_url"],
    inject: bearer,
    allow: [
      {
        methods: ["GET", "HEAD"],
        paths: [...GITHUB_READ, "/search/**", "/user", "/user/repos", "/users/*", "/users/*/repos", "/orgs/*", "/orgs/*/repos", "/rate_limit", "/meta"],
      },
      {
        methods: ["POST"],
        paths: [
          ...["/repos/*/*/issues", "/repos/*/*/issues/*/comments", "/repos/*/*/issues/*/labels"],
          ...["/repos/*/*/pulls", "/repos/*/*/pulls/*/comments", "/repos/*/*/pulls/*/reviews"],
        ],
      },
      { methods: ["PATCH"], paths: ["/repos/*/*/issues/*", "/repos/*/*/issues/comments/*", "/repos/*/*/pulls/*"] },
    ],
    redirects: ["codeload.github.com", "objects.githubusercontent.com", "release-assets.githubusercontent.com"],
  },
  // gitprotocol-http(5), Smart clients; GitHub documentation, Authenticating as a GitHub App installation (any user name does for a token).
  "github-git": {
    ...plain,
    about: "git over HTTPS with GitHub: clone and fetch; for push add rules for the repositories",
    origins: { "": "https://github.com" },
    insteadOf: ["https://github.com/", "git@github.com:", "ssh://git@github.com/"],
    inject: (secret) => [{ in: "basic", username: "x-access-token", password: `\${${secret}}` }],
    allow: [
      { methods: ["GET"], paths: ["/*/*/info/refs"], query: { service: "git-upload-pack" } },
      { methods: ["POST"], paths: ["/*/*/git-upload-pack"] },
    ],
    basic: true,
  },
  // GitLab REST API documentation (Authentication; Projects, Repositories, Issues, Notes, Merge requests, Pipelines, Jobs, Search, Users, Version).
  gitlab: {
    ...plain,
    about: "The REST API of GitLab: reading code, issues and merge requests, and writing the last two",
    origins: { "": "https://gitlab.com" },
    ownHost: /./,
    inject: header("PRIVATE-TOKEN"),
    allow: [
      {
        methods: ["GET", "HEAD"],
        paths: [
          ...["/api/v4/projects", "/api/v4/projects/*", "/api/v4/projects/*/repository/**", "/api/v4/projects/*/issues/**"],
          ...["/api/v4/projects/*/merge_requests/**", "/api/v4/projects/*/pipelines", "/api/v4/projects/*/pipelines/*", "/api/v4/projects/*/pipelines/*/jobs"],
          ...["/api/v4/projects/*/search", "/api/v4/search", "/api/v4/user", "/api/v4/version"],
        ],
      },
      {
        methods: ["POST"],
        paths: [
          ...["/api/v4/projects/*/issues", "/api/v4/projects/*/issues/*/notes"],
          ...["/api/v4/projects/*/merge_requests", "/api/v4/projects/*/merge_requests/*/notes"],
        ],
      },
      { methods: ["PUT"], paths: ["/api/v4/projects/*/issues/*", "/api/v4/projects/*/merge_requests/*"] },
    ],
  },
  // Stripe API reference (Authentication), and the resources of its library stripe 23.1.
  stripe: {
    ...plain,
    about: "The Stripe API: reading; add rules for what may be written",
    origins: { "": "https://api.stripe.com" },
    inject: bearer,
    allow: [
      {
        methods: ["GET"],
        paths: [
          ...["/v1/balance", "/v1/balance_transactions/**", "/v1/charges/**", "/v1/customers/**", "/v1/events/**", "/v1/invoices/**"],
          ...["/v1/payment_intents/**", "/v1/prices/**", "/v1/products/**", "/v1/refunds/**", "/v1/subscriptions/**"],
        ],
      },
    ],
  },
  // Slack documentation, Using the Web API (Basics), and the methods of its library @slack/web-api.
  slack: {
    ...plain,
    about: "The Slack Web API: reading channels, and posting messages",
    origins: { "": "https://slack.com" },
    inject: bearer,
    allow: [
      {
        methods: ["GET", "POST"],
        paths: [
          ...["/api/auth.test", "/api/conversations.list", "/api/conversations.info", "/api/conversations.history", "/api/conversations.replies"],
          ...["/api/users.info", "/api/users.list"],
        ],
      },
      { methods: ["POST"], paths: ["/api/chat.postMessage", "/api/chat.update", "/api/reactions.add"] },
    ],
  },
  // Hugging Face documentation, Inference Providers and Hub API endpoints, and the paths of its library @huggingface/inference and @huggingface/hub.
  huggingface: {
    ...plain,
    about: "Hugging Face: inference, and reading the hub (at ~hub)",
    origins: { "": "https://router.huggingface.co", hub: "https://huggingface.co" },
    inject: bearer,
    allow: [
      { methods: ["POST"], paths: ["/v1/chat/completions", "/v1/responses", "/hf-inference/models/**"] },
      { methods: ["GET", "HEAD"], paths: ["/v1/models/**", ...HUB_READ, "/*/*/resolve/**", "/datasets/*/*/resolve/**"] },
    ],
    redirects: ["*.hf.co", "cdn-lfs.huggingface.co"],
  },
  // Amazon Bedrock API reference (Converse, ConverseStream, InvokeModel, InvokeModelWithResponseStream, CountTokens) and user guide (API keys; OpenAI).
  "aws-bedrock": {
    ...plain,
    about: "Amazon Bedrock with a Bedrock API key, at the address of your region",
    variables: { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "{url}", AWS_BEARER_TOKEN_BEDROCK: "{token}" },
    origins: null,
    ownHost: /^bedrock-runtime\.[a-z0-9-]+\.amazonaws\.com$/,
    inject: bearer,
    allow: [
      {
        methods: ["POST"],
        paths: [
          ...["/model/*/converse", "/model/*/converse-stream", "/model/*/invoke", "/model/*/invoke-with-response-stream", "/model/*/count-tokens"],
          "/openai/v1/chat/completions",
        ],
      },
    ],
  },
} as const satisfies Readonly<Record<PresetName, Preset>>;

/** One of the presets. */
export function presetOf(name: PresetName): Preset {
  return PRESETS[name];
}

/** The presets that send a value to a host. */
export function presetsAt(host: string): Preset[] {
  return PRESET_NAMES.map(presetOf).filter(
    ({ origins, ownHost }) =>
      Object.values(origins ?? {}).some((origin) => new URL(origin).hostname === host) || (origins === null && ownHost?.test(host) === true),
  );
}
