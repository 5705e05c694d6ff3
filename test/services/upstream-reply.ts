/** What the upstream answers: in texts `{{name}}` is a header of the request, `{{hex:name}}` and the like a form of it. */
export interface UpstreamReply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Written one after the other, apart. */
  readonly chunks?: readonly string[];
  readonly encoding?: "gzip" | "br";
  /** `false`: its length is not said. */
  readonly sized?: boolean;
  /** It goes on for ever. */
  readonly endless?: true;
  /** It breaks off after its chunks. */
  readonly broken?: true;
  /** It never begins. */
  readonly silent?: true;
}
