/** How much is cached, and for how long. */
export interface CacheSettings {
  readonly maxEntries: number;
  readonly allowTtlSeconds: number;
  readonly denyTtlSeconds: number;
  readonly policyTtlSeconds: number;
}

export interface StaleSettings {
  /** How long an expired verdict may still be used if the backend cannot be asked. */
  readonly ifErrorSeconds: number;
  /** How long before it expires a verdict is refreshed when it is used. */
  readonly revalidateSeconds: number;
}
