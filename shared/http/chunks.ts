/**
 * How is a very large request done without stopping the others?
 *
 * In chunks: each is one script of a few milliseconds, so that other requests run between them. A chunk that meets
 * something in use waits for it, for a while; then the batch ends there, and says how far it came.
 *
 * Under an `Idempotency-Key` the batch claims the key before any effect, so another request under it is refused, and each
 * chunk is done once: the same request goes on where the batch ended.
 */
import { setTimeout as after } from 'node:timers/promises'
import { UnavailableError, unreachable } from '../errors.ts'
import type { KeyReused } from '../redis/command.ts'
import type { Once, Reply } from '../redis/script.ts'
import { inUse, keyReused } from './problems.ts'
import type { Request } from './request.ts'

/** What becomes of a chunk: it is done, or meets something that is in use. */
type Chunk = readonly ['initialised'] | readonly ['busy', what: string] | KeyReused

/** The most things that one request may make. */
export const BATCH_MAX = 1_000_000
const CHUNK = 1_000
const BUSY_RETRY_MS = 20
const BUSY_TIMEOUT_MS = 10_000

/** What a request is answered that makes many things. */
export type BatchAnswer =
  | { readonly json: { readonly msg: string } }
  | { readonly problem: ReturnType<typeof inUse> | ReturnType<typeof keyReused> }

/**
 * Does `chunk(first, last, once)` for all of `0..count-1`, and before that `claim`s the request's key, if it has one. Each chunk
 * has a key of its own, with a blank in it, which no client's key has.
 */
export const inChunks = async (
  request: Pick<Request, 'fingerprint' | 'idempotencyKey' | 'doneBy' | 'isGone'>,
  count: number,
  message: string,
  claim: (once: Once) => Promise<Reply>,
  chunk: (first: number, last: number, once: Once) => Promise<Chunk>,
  timeoutMs = BUSY_TIMEOUT_MS,
): Promise<BatchAnswer> => {
  const { fingerprint, idempotencyKey, doneBy, isGone } = request
  const deadline = performance.now() + timeoutMs
  if (idempotencyKey !== undefined && (await claim(request))[0] === 'key-reused') return { problem: keyReused() }
  for (let first = 0; first < count; ) {
    const once = {
      fingerprint,
      doneBy,
      idempotencyKey: idempotencyKey === undefined ? undefined : `${idempotencyKey} ${first}`,
      isGone,
    }
    const last = Math.min(first + CHUNK, count) - 1
    const result = await chunk(first, last, once).catch((error: unknown) => {
      // Chunks before this one were done.
      if (first > 0 && error instanceof UnavailableError)
        throw new UnavailableError(error.message, { cause: error.cause })
      throw error
    })
    switch (result[0]) {
      case 'initialised':
        first = last + 1
        break
      case 'busy':
        if (performance.now() > deadline) return { problem: inUse(result[1], first) }
        await after(BUSY_RETRY_MS)
        break
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('batch.chunk', result)
    }
  }
  return { json: { msg: message } }
}
