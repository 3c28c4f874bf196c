import { request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Response {
  readonly status: number | undefined;
  readonly body: string;
}

/** GET over a unix socket, as a browser does through `ssh -L`. */
export function overSocket(
  socketPath: string,
  { path, host = 'localhost:9101' }: { readonly path: string; readonly host?: string },
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, headers: { host } }, async (response) => {
      resolve({ status: response.statusCode, body: await text(response) });
    });
    asking.on('error', reject).end();
  });
}
