/** How much is kept of what is known, and for how long. */
export interface CacheSettings {
  readonly maxEntries: number;
  readonly allowTtlSeconds: number;
  readonly denyTtlSeconds: number;
  readonly policyTtlSeconds: number;
}

export interface StaleSettings {
  /** How long past its lifetime a verdict may still be used when the backend cannot be asked. */
  readonly ifErrorSeconds: number;
  /** How long before its end a verdict that is used is asked anew. */
  readonly revalidateSeconds: number;
}
