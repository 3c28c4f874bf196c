/** What a source is opened with. */
export interface SourceOptions {
  /** What an earlier fetch said, to be told when nothing has changed since. */
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether it may be at an address of one's own networks: loopback, private, link-local. */
  readonly inside?: boolean | undefined;
}

/** A source that is open, or need not be. */
export type Source =
  | { readonly unchanged: true; readonly said: string }
  | {
      readonly unchanged: false;
      readonly bytes: AsyncIterable<Uint8Array>;
      /** Printable, for messages and the table. */
      readonly name: string;
      /** `.netset` and the like, empty if there is none: it may tell the format. */
      readonly ending: string;
      /** To be given with the next fetch. */
      readonly etag?: string | undefined;
      readonly lastModified?: string | undefined;
      /** One printable line: what the server or the file system said. */
      readonly said: string;
    };
