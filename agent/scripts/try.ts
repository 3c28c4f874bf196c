import { systemClock } from '../decision/clock.ts';
import { Keeper, type KeeperSettings } from './keeper.ts';

/** Loads a module of rules to see whether it can be used, and says which messages it decides. Throws ConfigError. */
export async function tryRules(settings: KeeperSettings): Promise<readonly string[]> {
  const nobody = () => {};
  const events = { loaded: nobody, refused: nobody, died: nobody, restarted: nobody, printed: nobody };
  const keeper = new Keeper(settings, systemClock, events);
  try {
    await keeper.open();
    return [...(keeper.running?.messages ?? [])];
  } finally {
    await keeper.close();
  }
}
