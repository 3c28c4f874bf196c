import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from './until.ts';

/** Resolves as soon as somebody listens on a unix socket, whose file is there before; `instead` says what there is if nobody does. */
export function untilListening(path: string, instead = () => `nobody listens on ${path}`): Promise<void> {
  return until(async () => {
    const socket = connect({ path });
    const isListening = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return isListening;
  }, instead);
}
