/**
 * How often may one address send what is no token?
 *
 * To find a token wrong costs 40 µs of CPU or, where its signature was to be verified, 75 to 250 (RS256, PS512, ES256, EdDSA) and 2.1 ms
 * (ES512): a service is not even asked. So an address has a bucket that each wrong token takes one from, and while it is empty no token is
 * verified that comes from there. What is right takes nothing, however much of it comes, as from a program that asks for all its customers;
 * nor does what is remembered come here. Of one address only a few are verified at once, and the others wait for their turn: so an
 * address that sends a thousand at once is known before these have cost much.
 */
import { clientAt } from '../limits/address.ts'
import { type Limit, look, openClients } from '../limits/buckets.ts'

/** An address costs 0.25 % of a core for ever, at the 250 µs of most; 2.1 % at 2.1 ms. */
const WRONG: Limit = { burst: 100, intervalMs: 100 }
/** More than there are threads that verify. */
const AT_ONCE_MAX = 16
const ADDRESSES_MAX = 50_000

export type TooMany = { readonly waitMs: number }

export type WrongTokens = {
  /** Finds something out of a token in the address's turn, unless that has sent too many wrong ones. */
  readonly unlessTooMany: <Found>(
    address: string,
    find: () => Promise<Found>,
    isWrong: (found: Found) => boolean,
  ) => Promise<Found | TooMany>
}

type Turns = { busy: number; readonly waiting: (() => void)[] }

export const openWrongTokens = (limit = WRONG, atOnceMost = AT_ONCE_MAX): WrongTokens => {
  const clients = openClients(['wrong'], ADDRESSES_MAX)
  /** Only of those of whom one is being verified. */
  const turns = new Map<string, Turns>()

  const takeTurn = async (client: string): Promise<() => void> => {
    const own = turns.get(client) ?? { busy: 0, waiting: [] }
    turns.set(client, own)
    if (own.busy < atOnceMost) own.busy += 1
    else await new Promise<void>((resolve) => void own.waiting.push(resolve))
    return () => {
      const next = own.waiting.shift()
      if (next !== undefined) return next()
      own.busy -= 1
      if (own.busy === 0) turns.delete(client)
    }
  }

  return {
    unlessTooMany: async (address, find, isWrong) => {
      const client = clientAt(address)
      const leave = await takeTurn(client)
      try {
        const nowMs = performance.now()
        const buckets = clients.of(client, nowMs)
        const { waitMs } = look(buckets.wrong, limit, 1, nowMs)
        if (waitMs > 0) return { waitMs }
        const found = await find()
        // A few at once may find the last one gone: then the address owes it.
        if (isWrong(found)) buckets.wrong = Math.max(buckets.wrong, nowMs) + limit.intervalMs
        return found
      } finally {
        leave()
      }
    },
  }
}
