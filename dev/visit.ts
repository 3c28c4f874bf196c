import { request } from 'node:http';

/** The response to a visitor. */
export interface Visit {
  readonly status: number;
  /** Includes the `X-Haverdict-*` headers with the decision, from the config of `haproxy-config.ts`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly tookMs: number;
}

export interface VisitOptions {
  readonly port: number;
  /** The client address; any address in 127.0.0.0/8 works. */
  readonly from: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one request on a new connection, from the given address. */
export function visit({ port, from, path = '/', headers = {} }: VisitOptions): Promise<Visit> {
  const startedMs = performance.now();
  const host = from.includes(':') ? '::1' : '127.0.0.1';
  return new Promise((resolve, reject) => {
    const asked = request(
      { host, port, path, headers, localAddress: from, agent: false, timeout: 10_000 },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (part) => {
          body += part;
        });
        response.on('end', () => {
          const received = response.headers as Record<string, string>; // none of ours is repeated
          resolve({ status: response.statusCode ?? 0, headers: received, body, tookMs: performance.now() - startedMs });
        });
        response.on('error', reject);
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`no answer from port ${port} within 10 s`)));
    asked.on('error', reject);
    asked.end();
  });
}
