import { request } from 'node:http';

/** What a visitor of HAProxy got. */
export interface Visit {
  readonly status: number;
  /** `X-Haverdict-*` among them, where the config of `haproxy-config.ts` tells the decision. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly tookMs: number;
}

export interface VisitOptions {
  readonly port: number;
  /** The visitor's own address; 127.0.0.0/8 is free for everyone to come from. */
  readonly from: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request on a connection of its own, from an address of the visitor's choice. */
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
          const received = response.headers as Record<string, string>; // none of ours comes twice
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
