/**
 * Is anybody let in who is not to be?
 *
 * Where clients bear tokens, customers ask for orders of others, and somebody goes on to bear a key that was revoked. Nothing of this is
 * recorded as what a customer asked; what counts is that none of it was served. An answer that says nothing of it, since a part is away, is
 * no answer.
 */
import { setTimeout as after } from 'node:timers/promises'
import { answerIfAny, type Client, openClient } from '../support/shop/client.ts'
import type { Identities } from './identities.ts'
import type { Peek } from './load.ts'

export type Trespasses = {
  readonly turns: number
  /** How often it was tried and refused. */
  readonly refused: { readonly others: number; readonly revoked: number }
  /** What was served and should not have been, a sentence each. */
  readonly served: readonly string[]
}

export type Trespass = {
  readonly peek: Peek
  /** Begins turn after turn until the signal. */
  readonly run: (signal: AbortSignal) => Promise<void>
  readonly read: () => Trespasses
  readonly close: () => void
}

/** Within this time a gateway that is well has read what was revoked, on a busy machine, too. */
export const SEEN_MS = 3_000
const NO_KEY = 401
const NOT_THERE = 404

export type TrespassOptions = {
  readonly origin: string
  readonly identities: Identities
  /** From one turn to the next: longer than any fault. */
  readonly turnMs: number
  /** Was the gateway harmed within `SEEN_MS`, so that it may not have read what has changed? */
  readonly isHarmed: () => boolean
}

/** Waits, or for the signal. */
const waits = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await after(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

export const openTrespass = ({ origin, identities, turnMs, isHarmed }: TrespassOptions): Trespass => {
  const client: Client = openClient(origin)
  const refused = { others: 0, revoked: 0 }
  const served: string[] = []

  const tryRevoked = async (key: string, signal: AbortSignal): Promise<void> => {
    do await waits(SEEN_MS, signal)
    while (isHarmed() && !signal.aborted)
    if (signal.aborted) return
    const reply = await answerIfAny(client.get('/payment/find_user/nobody', { Authorization: `Bearer ${key}` }))
    if (reply?.status === NO_KEY) refused.revoked += 1
    else if (reply !== undefined && reply.status < 500)
      served.push(`a key that was revoked was answered ${reply.status}`)
  }
  return {
    peek: async (other, path) => {
      const reply = await answerIfAny(client.get(path, await identities.bearing(other)))
      if (reply?.status === NOT_THERE) refused.others += 1
      else if (reply !== undefined && reply.status < 500)
        served.push(`somebody else who asked for ${path} was answered ${reply.status}`)
    },
    run: async (signal) => {
      for (;;) {
        await waits(turnMs, signal)
        if (signal.aborted) return
        const revoked = await identities.turn()
        if (revoked !== undefined) await tryRevoked(revoked, signal)
      }
    },
    read: () => ({ turns: identities.turns(), refused, served }),
    close: client.close,
  }
}
