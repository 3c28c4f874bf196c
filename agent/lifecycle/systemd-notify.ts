import { spawn } from 'node:child_process';

/** What the service manager is told (sd_notify(3)). */
export interface Notifier {
  /** Started, or done with reloading. */
  ready(status: string): void;
  /** Reloading; `ready` must follow, whatever comes of it. */
  reloading(): void;
  stopping(): void;
  /** One line that `systemctl status` shows. */
  status(text: string): void;
  /** Resolves when the last word is said, at the latest after half a second. */
  close(): Promise<void>;
}

/**
 * Hands lines to systemd-notify, two fields at most. A shell that lives as long as the agent starts it: Node has no unix
 * datagrams, and a process of its own for each beat would hold the event loop for as long as the memory of a large cache
 * takes to be copied (docs/decisions/0011-systemd-notify.md). A stop signals the whole group, and the last word is said then.
 */
const HELPER = `trap '' TERM INT HUP
command -v systemd-notify > /dev/null || exit 127
while IFS='\t' read -r first second; do systemd-notify "$first" \${second:+"$second"}; done
exit 0`;

/** What a helper that hangs is sent at most; what comes then is dropped, and a missing beat has its meaning. */
const MAX_WAITING_BYTES = 4096;
const MAX_STATUS_CHARACTERS = 200;
/** What the last word may take: a socket that nobody reads would hold the helper for ever. */
const CLOSE_LIMIT_MS = 500;
/** As sd_watchdog_enabled(3) recommends. */
const BEATS_PER_TIMEOUT = 2;

/**
 * Opens the way to the service manager, to be called before much memory is taken. Without one, that is without
 * NOTIFY_SOCKET, nothing is done. Takes its variables out of `env`, so that no child speaks for this process. `failed` is
 * told once if the manager cannot be reached.
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
  /** Never blocks: what does not fit is dropped. */
  write(line: string): void;
  close(): Promise<void>;
}

/** Undefined if it cannot be started, which is told. */
function startHelper(env: NodeJS.ProcessEnv, failed: (problem: string) => void): Helper | undefined {
  // In a group of its own, so that it can be ended with the systemd-notify that hangs.
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
  stdin.on('error', () => {}); // it is gone, which its exit tells
  child.unref();
  return {
    write(line) {
      if (stdin.writable && stdin.writableLength < MAX_WAITING_BYTES) stdin.write(line);
    },
    async close() {
      isClosing = true;
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
    // it has just ended
  }
}

/** From the event loop, so that one that is stuck misses them. */
function startBeats(timeoutUsec: number, beat: () => void): NodeJS.Timeout | undefined {
  if (!(timeoutUsec > 0)) return undefined;
  return setInterval(beat, timeoutUsec / 1000 / BEATS_PER_TIMEOUT).unref();
}

/** One line, and no separator of ours. */
function statusOf(text: string): string {
  return `STATUS=${text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, MAX_STATUS_CHARACTERS)}`;
}
