declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface Options {
    readonly path?: string;
    readonly createTableMs?: number;
  }

  /** A DynamoDB in this process: in memory, or in a folder if there is a path. */
  function dynalite(options?: Options): Server;
  export = dynalite;
}
