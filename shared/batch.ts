/**
 * How is a very large deed done without stopping the others?
 *
 * In chunks: each is one script of a few milliseconds, so that other requests run between them. A chunk that meets
 * something in use waits for it, for a while.
 */
import { setTimeout as after } from 'node:timers/promises'
import { problem } from './errors.ts'
import { type Answer, keyReused, type Request } from './http.ts'
import type { Once, Reply } from './script.ts'

/** The most things that one request may make. */
export const BATCH_MAX = 1_000_000
const CHUNK = 1_000
const BUSY_RETRY_MS = 20
const BUSY_PATIENCE_MS = 10_000

/** Does `chunk(first, last, once)` for all of `0..count-1`; each chunk has a key of its own under the request's. */
export const inChunks = async (
  request: Request,
  count: number,
  message: string,
  chunk: (first: number, last: number, once: Once) => Promise<Reply>,
): Promise<Answer> => {
  const { fingerprint, idempotencyKey } = request
  const patience = performance.now() + BUSY_PATIENCE_MS
  for (let first = 0; first < count; ) {
    const once = {
      fingerprint,
      idempotencyKey: idempotencyKey === undefined ? undefined : `${idempotencyKey}/${first}`,
    }
    const last = Math.min(first + CHUNK, count) - 1
    const [word, what] = await chunk(first, last, once)
    if (word === 'key-reused') return keyReused
    if (word === 'busy') {
      if (performance.now() > patience)
        return {
          problem: problem(
            409,
            'in-use',
            'In use',
            `"${what}" is in use by something unfinished; what comes before it was replaced`,
          ),
        }
      await after(BUSY_RETRY_MS)
      continue
    }
    first = last + 1
  }
  return { json: { msg: message } }
}
