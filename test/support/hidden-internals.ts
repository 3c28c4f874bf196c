import { Server, type Socket } from 'node:net';

/** Makes servers hand out sockets as a Node would that has not the internals which shared reads take; returns the way back. */
export function hideInternals(): () => void {
  const emit: (this: Server, event: string, ...args: unknown[]) => boolean = Server.prototype.emit;
  Server.prototype.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
    return emit.call(this, event, ...(event === 'connection' ? [withoutInternals(args[0] as Socket)] : args));
  };
  return () => {
    Reflect.deleteProperty(Server.prototype, 'emit'); // an emitter's own is behind it
  };
}

/** The same socket to whoever uses what is documented of it. */
export function withoutInternals(socket: Socket): Socket {
  return new Proxy(socket, {
    get(target, key) {
      if (typeof key === 'string' && key.startsWith('_')) return undefined;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
