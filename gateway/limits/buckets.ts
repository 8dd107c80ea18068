/**
 * How much may a client still ask for?
 *
 * A *bucket* holds so many tokens at most, gets new ones at a steady rate, and gives one for each thing that is asked for; a client
 * whose bucket has too few is refused and loses none. A bucket is one number, the time at which it will be full again (the generic
 * cell rate algorithm), and no timer fills it.
 *
 * Each client has one bucket of each kind. How many clients are known at once is bounded: of one whose buckets are all full nothing
 * need be known, so one of these is forgotten for a new one, the oldest first. Where a few looks find none, the last that was looked
 * at is forgotten all the same: an attack from many addresses gains what a bucket holds, and no memory.
 */

export type Limit = {
  /** How many tokens a bucket holds. */
  readonly burst: number
  /** How long one token takes to come. */
  readonly intervalMs: number
}

/** How a bucket stands once it was asked. */
export type Taken = {
  readonly isGiven: boolean
  /** How many tokens are left, rounded down. */
  readonly left: number
  /** In how many ms it is full. */
  readonly fullInMs: number
  /** In how many ms there are enough tokens for the same again; 0 if they were given, infinite if it never holds so many. */
  readonly waitMs: number
}

/** When each bucket of a client will be full, by its kind, in ms; a time that is past means that it is. */
export type Buckets<Kind extends string> = Record<Kind, number>

/** How a bucket would stand if it gave `count` tokens, or as it stands if it has too few. Changes nothing. */
export const look = (fullAtMs: number, { burst, intervalMs }: Limit, count: number, nowMs: number): Taken => {
  const emptyInMs = burst * intervalMs
  const before = Math.max(fullAtMs - nowMs, 0)
  const after = before + count * intervalMs
  const isGiven = after <= emptyInMs
  const fullInMs = isGiven ? after : before
  return {
    isGiven,
    left: Math.floor((emptyInMs - fullInMs) / intervalMs),
    fullInMs,
    waitMs: isGiven ? 0 : count > burst ? Number.POSITIVE_INFINITY : after - emptyInMs,
  }
}

/** How many clients are looked at for one whose buckets are full. */
const LOOKS_MAX = 8

/** The clients that are known. */
export type Clients<Kind extends string> = {
  /** The buckets of a client: full ones, if it is new. */
  readonly of: (client: string, nowMs: number) => Buckets<Kind>
  /** How many are known. */
  readonly size: () => number
}

/** @param most how many clients are known at once */
export const openClients = <Kind extends string>(kinds: readonly Kind[], most: number): Clients<Kind> => {
  const clients = new Map<string, Buckets<Kind>>()
  /** Goes from the oldest client to the newest, and round again. */
  let hand = clients.entries()

  const forgetOne = (nowMs: number): void => {
    for (let looks = 1; ; ) {
      const { done, value } = hand.next()
      if (done) {
        hand = clients.entries()
        continue
      }
      const [client, buckets] = value
      if (looks === LOOKS_MAX || kinds.every((kind) => buckets[kind] <= nowMs)) {
        clients.delete(client)
        return
      }
      looks += 1
    }
  }

  return {
    size: () => clients.size,
    of: (client, nowMs) => {
      const known = clients.get(client)
      if (known !== undefined) return known
      if (clients.size >= most) forgetOne(nowMs)
      const buckets = Object.fromEntries(kinds.map((kind) => [kind, nowMs])) as Buckets<Kind>
      clients.set(client, buckets)
      return buckets
    },
  }
}
