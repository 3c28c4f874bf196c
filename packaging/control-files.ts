import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const MAINTAINER = 'The haverdict maintainers <maintainers@haverdict.example>';

/** DEBIAN/control. The libraries are those that the official Node builds link to (its BUILDING.md: glibc 2.28). */
export function control(version: string, architecture: string, installedKibibytes: number): string {
  return `Package: haverdict
Version: ${version}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${installedKibibytes}
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6, systemd | systemd-sysusers
Enhances: haproxy
Section: net
Priority: optional
Description: agent that checks HAProxy requests against a DynamoDB blocklist
 HAProxy asks the agent about each request (SPOE). The agent answers from its
 cache or calls a Lambda function, which looks up the client in DynamoDB. The
 command haverdict also generates HAProxy's configuration and manages the
 lists. The package contains its own Node.js.
`;
}

/** The newest section of CHANGELOG.md as deb-changelog(5). */
export function changelog(version: string, epochSeconds: number): string {
  const [, newest = ''] =
    /^## .*\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8')) ?? [];
  const entries = newest
    .trim()
    .replace(/^- /gm, '  * ')
    .replace(/^ {2}(?=\w|`)/gm, '    ');
  const date = new Date(epochSeconds * 1000).toUTCString().replace('GMT', '+0000');
  return `haverdict (${version}) unstable; urgency=medium\n\n${entries}\n\n -- ${MAINTAINER}  ${date}\n`;
}

/** The copyright file in Debian's machine-readable format. */
export function copyright(): string {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: haverdict

Files: *
Copyright: the haverdict authors
License: Apache-2.0
Comment: What others wrote in usr/lib/haverdict, Node.js among it, is under the
 licences in licences.gz beside this file.

License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
`;
}
