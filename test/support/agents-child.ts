/** Runs an agent for each configuration file that it is given, in one process, until its parent lets go of it. */
import { Agent } from '../../agent/agent.ts';
import { SystemdSockets } from '../../agent/lifecycle/systemd-sockets.ts';
import { createLog } from '../../agent/log.ts';
import { LogOutput } from '../../agent/log-output.ts';
import { loadSettings } from '../../config/load.ts';

const log = createLog('error', new LogOutput(1));
for (const file of process.argv.slice(2))
  await Agent.start(loadSettings(file, {}), log, false, new SystemdSockets({}, process.pid));
process.once('disconnect', () => process.exit());
process.send?.('listening');
