/** How long is waited before the next try of what the world prevents? Ever longer, up to a second. */
export const backOffMs = (attempt: number): number => Math.min(20 * 2 ** Math.min(attempt, 6), 1_000)
