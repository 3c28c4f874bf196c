import { spawn } from 'node:child_process';

/** Notifications for the service manager (sd_notify(3)). */
export interface Notifier {
  /** Startup or reload is complete. */
  ready(status: string): void;
  /** A reload began; `ready` must follow, even if it fails. */
  reloading(): void;
  stopping(): void;
  /** One line that `systemctl status` shows. */
  status(text: string): void;
  /** Resolves when everything is sent, at the latest after half a second. */
  close(): Promise<void>;
}

/**
 * Passes lines of at most two fields to systemd-notify. A shell that lives as long as the agent starts it: Node has no unix
 * datagram sockets, and a fork of the agent for each watchdog ping would block the event loop while the page tables of a
 * large cache are copied (docs/decisions/0011-systemd-notify.md). It ignores signals, which a stop sends to the whole group.
 */
const HELPER = `trap '' TERM INT HUP
command -v systemd-notify > /dev/null || exit 127
while IFS='\t' read -r first second; do systemd-notify "$first" \${second:+"$second"}; done
exit 0`;

/** The most bytes that wait for a hanging helper; the rest is dropped, and missing watchdog pings have their effect. */
const MAX_WAITING_BYTES = 4096;
const MAX_STATUS_CHARACTERS = 200;
/** The time limit for the last notification: a socket that is not read would block the helper forever. */
const CLOSE_LIMIT_MS = 500;
/** As sd_watchdog_enabled(3) recommends. */
const BEATS_PER_TIMEOUT = 2;

/**
 * Starts the helper; call it before the process uses much memory. Without NOTIFY_SOCKET the notifier does nothing. Removes
 * the variables from `env`, so that no child notifies on behalf of this process. Calls `failed` once if the helper cannot
 * be started or ends.
 */
export function openNotifier(env: NodeJS.ProcessEnv, failed: (problem: string) => void): Notifier {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = env;
  const helperEnv = { ...env };
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (NOTIFY_SOCKET === undefined) return SILENT;
  const helper = startHelper(helperEnv, failed);
  if (helper === undefined) return SILENT;
  const send = (...assignments: string[]) => helper.write(`${assignments.join('\t')}\n`);
  const isWatched = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  const beats = isWatched ? startBeats(Number(WATCHDOG_USEC), () => send('WATCHDOG=1')) : undefined;
  return {
    ready: (status) => send('READY=1', statusOf(status)),
    reloading: () => send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => send('STOPPING=1', statusOf('stopping: answering pending requests')),
    status: (text) => send(statusOf(text)),
    close() {
      clearInterval(beats);
      return helper.close();
    },
  };
}

const SILENT: Notifier = { ready() {}, reloading() {}, stopping() {}, status() {}, async close() {} };

interface Helper {
  /** Never blocks; drops lines that do not fit. */
  write(line: string): void;
  close(): Promise<void>;
}

/** Returns undefined if the helper cannot be started, and reports why. */
function startHelper(env: NodeJS.ProcessEnv, failed: (problem: string) => void): Helper | undefined {
  // A new process group, so that it can be killed together with a hanging systemd-notify.
  const child = spawn('/bin/sh', ['-c', HELPER], { env, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.on('error', (error) => failed(`cannot start /bin/sh: ${error.message}`));
  const { pid, stdin } = child;
  if (pid === undefined) return undefined;
  let isClosing = false;
  const exited = new Promise<void>((resolve) => {
    child.on('exit', (code, signal) => {
      resolve();
      if (isClosing) return;
      if (code === 127) failed('systemd-notify is not installed');
      else if (code !== 0) failed(`the helper was ended by ${signal ?? `exit code ${code}`}`);
    });
  });
  stdin.on('error', () => {}); // it has ended, which `exit` reports
  child.unref();
  return {
    write(line) {
      if (stdin.writable && stdin.writableLength < MAX_WAITING_BYTES) stdin.write(line);
    },
    async close() {
      isClosing = true;
      child.ref(); // or the event loop is empty, and the process ends with 13, before a killed helper has exited
      stdin.end();
      const limit = setTimeout(() => endGroup(pid), CLOSE_LIMIT_MS);
      await exited;
      clearTimeout(limit);
    },
  };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}

/** Sends watchdog pings from the event loop, so that a blocked one misses them. */
function startBeats(timeoutUsec: number, beat: () => void): NodeJS.Timeout | undefined {
  if (!(timeoutUsec > 0)) return undefined;
  return setInterval(beat, timeoutUsec / 1000 / BEATS_PER_TIMEOUT).unref();
}

/** A status as one line without tabs, which separate fields. */
function statusOf(text: string): string {
  return `STATUS=${text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, MAX_STATUS_CHARACTERS)}`;
}
