/** The options for opening a source. */
export interface SourceOptions {
  /** The validators of an earlier fetch, for a conditional request. */
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether internal addresses are allowed: loopback, private, link-local. */
  readonly inside?: boolean | undefined;
}

/** An open source, or one that is unchanged and not opened. */
export type Source =
  | { readonly unchanged: true; readonly summary: string }
  | {
      readonly unchanged: false;
      readonly bytes: AsyncIterable<Uint8Array>;
      /** Printable, for messages and the table. */
      readonly name: string;
      /** The file name extension, such as `.netset`, or empty; it may indicate the format. */
      readonly ending: string;
      /** The validators for the next fetch. */
      readonly etag?: string | undefined;
      readonly lastModified?: string | undefined;
      /** What was read, in one printable line, for the list's record. */
      readonly summary: string;
    };
