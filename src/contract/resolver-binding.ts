/** The entrypoint `Resolver`, as a Worker sees it that uses services by it: its `props` say `permissions = ["secrets:use"]`. */
export interface ServicesBinding {
  /**
   * Makes a request of a service, as `/use/{service}/…` does: the same rules, the same audit event, the same refusals, which are
   * replies with the header `Keyhole-Error`. Of the request's address only the path and the query count; addresses of the service in
   * `Location`, `Link` and what its `url_fields` name come back under `https://service.invalid`. There is no WebSocket: a call by RPC cannot
   * give one back. It rejects only when Keyhole cannot be reached.
   *
   * @example
   * const reply = await env.KEYHOLE.use("openai", new Request("https://api.openai.com/v1/models"));
   */
  use(service: string, request: Request): Promise<Response>;
}

/** The entrypoint `Resolver`, as a Worker sees it that has a service binding to it. */
export interface BindingTo<Request, Options, Reply> {
  /**
   * Resolves as `POST /v1/resolve` does: the same search, the same audit event, the same refusals, and with `maxAge` the
   * same leases. It rejects only when Keyhole cannot be reached.
   *
   * @example
   * const reply = await env.KEYHOLE.resolve({ scopes: ["namespace:prod"], names: ["OPENAI_API_KEY"] });
   */
  resolve(request?: Request, options?: Options): Promise<Reply>;
}
