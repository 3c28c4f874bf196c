import { dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { regionInForce } from './backend-targets.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import { readOverrides, withOverrides } from './overrides.ts';
import { ConfigFile } from './schema.ts';
import { readYaml } from './yaml-file.ts';

/**
 * Prints the effective configuration as a complete file, including environment and defaults. Throws ConfigError if it is
 * invalid. No setting is secret.
 */
export function printSettings(path: string | undefined, env: NodeJS.ProcessEnv): string {
  const file = path === undefined ? undefined : readYaml(path).value;
  const { listen, backend, script, haproxy, admin, ...others } = ConfigFile.parse(
    withOverrides(file, readOverrides(env).overrides) ?? {},
  );
  const region = regionInForce(backend, env);
  return stringify(
    {
      listen: listen.map(asWritten),
      backend: { ...backend, ...(region !== undefined && { region }) },
      ...others,
      ...(script !== undefined && { script: resolve(dirname(path ?? '.'), script) }),
      haproxy: { ...haproxy, servers: haproxy.servers.map(formatListenAddress) },
      admin: { ...admin, ...(admin.listen !== undefined && { listen: asWritten(admin.listen) }) },
    },
    { aliasDuplicateObjects: false },
  );
}

function asWritten(address: ListenAddress): unknown {
  if (address.type === 'tcp') return formatListenAddress(address);
  const { type: _type, path, mode, ...account } = address;
  return { unix: path, ...(mode === undefined ? {} : { mode: mode.toString(8).padStart(4, '0') }), ...account };
}
