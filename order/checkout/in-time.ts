/** How is a command run that must not be run late? */
import { UnavailableError } from '../../shared/errors.ts'
import { assertAwaited, LATE } from '../../shared/log/fence.ts'
import type { Late } from '../../shared/redis/command.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Store } from '../store.ts'

/** How often it may be late. */
const LATE_MAX = 3

const isLate = (result: readonly unknown[]): result is Late => result[0] === LATE

/**
 * Runs it for a client that has not gone, with the time read anew whenever that was too long ago.
 * @throws UnavailableError if it is late again and again, or the client has gone: then nothing was done
 */
export const inTime = async <Result extends readonly unknown[]>(
  { readMs }: Pick<Store, 'readMs'>,
  requester: Once,
  run: (once: Once) => Promise<Result | Late>,
): Promise<Result> => {
  const { idempotencyKey, fingerprint, owner, doneBy, trace, lockToken } = requester
  for (let tries = 0; tries < LATE_MAX; tries += 1) {
    const read = await readMs()
    assertAwaited(requester)
    const result = await run({ idempotencyKey, fingerprint, owner, doneBy, trace, lockToken, readMs: read })
    if (!isLate(result)) return result
  }
  throw new UnavailableError('this replica is too slow to submit a checkout')
}
