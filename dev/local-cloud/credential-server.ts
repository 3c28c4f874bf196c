import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Credentials } from './credentials.ts';
import { temporaryFolder } from './ends-with-process.ts';

/** Provides credentials through AWS profiles, renewed when they expire. */
export interface CredentialServer {
  /** The environment variables with which the AWS SDK and the AWS CLI use this profile. */
  environmentOf(profile: string): Record<string, string>;
  close(): Promise<void>;
}

export interface CredentialServerOptions {
  readonly region: string;
  readonly profiles: readonly string[];
  issue(profile: string): Credentials;
}

const PROCESS = fileURLToPath(import.meta.resolve('./credential-process.mjs'));

/** Serves credentials for profiles in a config file whose `credential_process` asks this server. */
export async function startCredentialServer(options: CredentialServerOptions): Promise<CredentialServer> {
  const server = createServer((request, response) => {
    const profile = options.profiles.find((name) => request.url === `/${name}`);
    if (profile === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(asJson(options.issue(profile))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  const folder = temporaryFolder('local-cloud-aws-');
  const file = join(folder.path, 'config');
  writeFileSync(
    file,
    options.profiles.map((name) => section(name, options.region, `http://127.0.0.1:${port}/${name}`)).join('\n'),
  );
  return {
    environmentOf: (profile) => ({
      AWS_CONFIG_FILE: file,
      AWS_SHARED_CREDENTIALS_FILE: join(folder.path, 'credentials'), // does not exist, so that the developer's own are not used
      AWS_PROFILE: profile,
      AWS_REGION: options.region,
    }),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      folder.remove();
    },
  };
}

/** The output format of `credential_process`. */
function asJson({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs }: Credentials): object {
  return {
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: new Date(expiresAtMs).toISOString(),
  };
}

function section(name: string, region: string, url: string): string {
  return `[profile ${name}]
region = ${region}
credential_process = "${process.execPath}" "${PROCESS}" ${url}
`;
}
