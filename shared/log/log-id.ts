/**
 * How is an id made?
 *
 * A *log id* names one command or one saga in every log. It is text that sorts by time, made in this process without asking
 * another: milliseconds since 1970 (9 digits), the block of this process (8), and a count within the millisecond (3), all
 * in Crockford's base 32. Uniqueness comes from the block, which `ids` leases to one replica only and never again; the
 * time never goes back within a process, whatever its clock does. A replica that cannot reach `ids` takes a random block,
 * longer and in a part of the space that is never leased. Blocks are numbered by the time of their lease in milliseconds
 * since 2026, so that a Redis that forgets a lease does not repeat it; they last until 2059.
 */
import { customAlphabet } from 'nanoid'
import type { Logger } from 'pino'
import { ids as queries } from '../contract/queries.ts'
import { PeerError } from '../errors.ts'
import type { Peer } from '../http/client.ts'

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_DIGITS = 9
const BLOCK_DIGITS = 8
const COUNT_DIGITS = 3
const COUNT_MAX = 32 ** COUNT_DIGITS - 1
/** Leased blocks stay below this; a random block begins with the last digit. */
const LEASED_BLOCK_MAX = 31 * 32 ** (BLOCK_DIGITS - 1) - 1
const LEASE_RETRY_MS = 2_000

const digits = (number: number, length: number): string => {
  let text = ''
  for (let rest = number; text.length < length; rest = Math.floor(rest / 32)) text = DIGITS[rest % 32] + text
  return text
}

/** The text of a leased block. @throws RangeError beyond the last one. */
export const leasedBlock = (number: number): string => {
  if (!(number >= 0 && number <= LEASED_BLOCK_MAX)) throw new RangeError(`there is no block ${number}`)
  return digits(number, BLOCK_DIGITS)
}

const randomDigits = customAlphabet(DIGITS, 9)
export const randomBlock = (): string => `z${randomDigits()}`

/** Makes log ids of one block; `clock` gives milliseconds since 1970. */
export const logIds = (block: string, clock: () => number = Date.now): (() => string) => {
  let lastMs = 0
  let count = 0
  let prefix = ''
  return () => {
    const ms = clock()
    if (ms > lastMs || count === COUNT_MAX) {
      lastMs = Math.max(ms, lastMs + 1)
      count = 0
      prefix = digits(lastMs, TIME_DIGITS) + block
    } else count += 1
    return prefix + digits(count, COUNT_DIGITS)
  }
}

export type Identifiers = {
  /** A new log id. */
  readonly next: () => string
  /** Asks by `lease` for a block of its own, until one is given. */
  readonly start: (lease: () => Promise<number>) => void
  readonly stop: () => void
}

/**
 * The log ids of this process: of a random block at first, and of a leased one as soon as `ids` has given it. Nothing
 * waits for that.
 */
export const identifiers = (log: Logger): Identifiers => {
  const random = randomBlock()
  let next = logIds(random)
  let timer: NodeJS.Timeout | undefined
  const start = (lease: () => Promise<number>): void => {
    lease().then(
      (number) => {
        next = logIds(leasedBlock(number))
        log.info({ block: leasedBlock(number) }, 'leased a block of identifiers')
      },
      (error: Error) => {
        log.info({ block: random, reason: error.message }, 'ids does not answer: using a random block of identifiers')
        timer = setTimeout(start, LEASE_RETRY_MS, lease).unref()
      },
    )
  }
  return { next: () => next(), start, stop: () => clearTimeout(timer) }
}

/** How the other services ask `ids` for the block of a replica. @throws PeerError */
export const leaseFrom =
  (ids: Peer): ((replica: string) => Promise<number>) =>
  async (replica) => {
    const answer = await ids.ask(queries.leaseBlock, { params: { replica } })
    if ('problem' in answer) throw new PeerError(`ids answered ${answer.problem.status}`)
    return answer.json.block
  }
