import type { ListActions } from '../../contract/permitted-actions.ts';

/** Which lists count, as in a request of the function. */
export interface AskedLists {
  /** In order of precedence. */
  readonly lists: readonly string[];
  readonly shadowLists?: readonly string[] | undefined;
  readonly listActions?: ListActions | undefined;
}
