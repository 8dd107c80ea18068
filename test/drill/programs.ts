/**
 * Which programs take turns while the harm is done?
 *
 * They get a lock by the client that the shop has for it, hold it for a while, write under its token, and release it. They write
 * into an item of the shop (`If-Lock-Token`) and into a register of the drill's own, and look at no clock but by the client. Four
 * locks are hot, one of them with two places. One more has the *control* among those who want it: a program that renews nothing
 * and believes for ever that it holds the lock. It must be found, or what is said of the others is worth nothing.
 */
import { setTimeout as after } from 'node:timers/promises'
import { LockRefusedError, LockTimeoutError, LockUnavailableError } from '../../ids/lock/client/errors.ts'
import type { Lock } from '../../ids/lock/client/held-lock.ts'
import { lockClient } from '../../ids/lock/client.ts'
import { answerIfAny, type Client, type Headers } from '../support/shop/client.ts'
import { type Belief, openRegister, type Register, type Write } from './beliefs.ts'

/** What became of the turns of some programs. */
export type Turns = {
  readonly beliefs: readonly Belief[]
  /** What was written into items of the shop. */
  readonly writes: readonly Write[]
  /** Those of the drill's own. */
  readonly registers: readonly Register[]
  /** How often a lock was not to be had in time, and how often one was lost. */
  readonly missed: number
  readonly lost: number
  /** What was refused that nobody gave a cause for. */
  readonly odd: readonly string[]
}

export type Programs = {
  readonly honest: Turns
  /** What the control did, and those who shared its lock. */
  readonly control: Turns
  /** Resolves when all have ended, and the control has once done what is to be found, or could not for long. */
  readonly stop: () => Promise<void>
}

/** The locks that are hot, and how many may hold each at once. */
const PLACES: Readonly<Record<string, number>> = { 'drill-bill': 1, 'drill-mail': 1, 'drill-press': 1, 'drill-gpu': 2 }
const CONTROL = 'drill-control'
export const placesOf = (lock: string): number => PLACES[lock] ?? 1
/**
 * For these nobody waits in line, but tries again and again: so they are free before they are got. What forgets that a lock was
 * got finds one that was waited for as it was before, held by another one; these it finds free.
 */
const TRIED: ReadonlySet<string> = new Set(['drill-mail', 'drill-press'])
/** Those of one place: with more, no token is older than those of all others. Each has an item of the shop. */
const LOCKS_WITH_ITEM = [...Object.keys(PLACES).filter((lock) => placesOf(lock) === 1), CONTROL]
/** How many programs want each place, and the lock of the control. */
const PER_PLACE = 3
const WITH_CONTROL = 2

/**
 * So long that a program goes on for seconds without asking: else the next renewal would tell it that its lock is lost before
 * another has it.
 */
const TTL_MS = 6_000
const WAIT_MS = 15_000
/** For how long a lock is held, in turn; the last is long enough to be renewed. */
const HOLDS_MS = [20, 1_000, 300, 0.4 * TTL_MS]
const REST_MS = 50
const LOOK_MS = 10
const CONTROL_TTL_MS = 1_000
/** For how long the control waits for another one to come to hold the lock. */
const OTHER_MS = 10_000
/** How much longer the control goes on if it was not found yet. */
const LONGER_MS = 20_000
const STALE = 412

/** Sees until when a program may believe that it holds a lock. @returns what ends that */
const believing = (lock: Lock, program: string): (() => Belief) => {
  const from = performance.now()
  let until = from
  const look = (): void => {
    const { remainingMs } = lock
    if (remainingMs > 0) until = performance.now() + remainingMs
  }
  const lose = (): void => {
    until = Math.min(until, performance.now())
  }
  look()
  const timer = setInterval(look, LOOK_MS)
  lock.signal.addEventListener('abort', lose, { once: true })
  return () => {
    clearInterval(timer)
    look()
    lock.signal.removeEventListener('abort', lose)
    return { lock: lock.name, program, token: lock.token, from, until: Math.min(until, performance.now()) }
  }
}

/** Waits, or for the signal. */
const waits = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await after(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

export type ProgramsOptions = {
  readonly origin: string
  /** Its requests are recorded. */
  readonly client: Client
  /** What programs bear. */
  readonly headers: Headers
  /** The item of each lock that has one place. */
  readonly items: ReadonlyMap<string, string>
}

/** Makes an item for each lock of one place. */
export const makeItems = async (client: Client, headers: Headers): Promise<ReadonlyMap<string, string>> => {
  const items = new Map<string, string>()
  for (const lock of LOCKS_WITH_ITEM) {
    const { status, text, json } = await client.post('/stock/item/create/1', { ...headers })
    if (status !== 200) throw new Error(`an item was not made: ${status} ${text}`)
    items.set(lock, (json as { item_id: string }).item_id)
  }
  return items
}

type Ledger = { -readonly [Part in keyof Turns]: Turns[Part] extends readonly (infer One)[] ? One[] : Turns[Part] }

const openLedger = (registers: Register[]): Ledger => ({
  ...{ beliefs: [], writes: [], registers, missed: 0, lost: 0, odd: [] },
})

/** Adds a piece to the item of a lock, under its token. */
const openShopWriting =
  ({ client, headers, items }: ProgramsOptions) =>
  async (ledger: Ledger, lock: string, program: string, token: number): Promise<void> => {
    const item = items.get(lock)
    if (item === undefined) return
    const from = performance.now()
    const bears = { ...headers, 'Idempotency-Key': `${program}-${token}`, 'If-Lock-Token': String(token) }
    const reply = await answerIfAny(client.post(`/stock/add/${item}/1`, bears))
    const end = reply?.status === 200 ? 'done' : reply?.status === STALE ? 'refused' : 'unknown'
    ledger.writes.push({ lock, program, token, from, until: performance.now(), end })
  }

/** Takes turns at one lock until the signal. */
const openTakingTurns = (options: ProgramsOptions) => {
  const { origin, headers } = options
  const writeToShop = openShopWriting(options)

  const work = async (lock: Lock, ledger: Ledger, program: string, forMs: number): Promise<void> => {
    const register = ledger.registers.find((one) => one.lock === lock.name)
    const seen = register?.read() ?? 0
    const end = believing(lock, program)
    await waits(forMs, lock.signal)
    if (lock.isHeld) await writeToShop(ledger, lock.name, program, lock.token)
    if (lock.isHeld) register?.write(program, lock.token, seen + 1)
    else ledger.lost += 1
    ledger.beliefs.push(end())
  }

  return async (name: string, ledger: Ledger, program: string, at: number, signal: AbortSignal): Promise<void> => {
    const locks = lockClient(origin, { owner: program, ttl: TTL_MS, headers, retry: { forMs: TTL_MS } })
    const places = placesOf(name)
    const mode = places > 1 ? ({ mode: 'permit', limit: places, permits: 1 } as const) : {}
    for (let turn = at; !signal.aborted; turn += 1) {
      try {
        await using lock = await (TRIED.has(name)
          ? locks.tryAcquire(name, { signal, ...mode })
          : locks.acquire(name, { wait: WAIT_MS, signal, ...mode }))
        if (lock !== null) await work(lock, ledger, program, HOLDS_MS[turn % HOLDS_MS.length] ?? 0)
      } catch (error) {
        if (error instanceof LockTimeoutError || error instanceof LockUnavailableError) ledger.missed += 1
        else if (error instanceof LockRefusedError)
          ledger.odd.push(`${program} was refused ${name}: ${error.status} ${error.message}`)
        else if (!signal.aborted) throw error
      }
      await waits(REST_MS, signal)
    }
  }
}

/** Gets the lock and renews nothing, waits until another one has written, and then writes as if it were its turn still. */
const openControl = (options: ProgramsOptions, ledger: Ledger, unfenced: Register) => {
  const { client, headers } = options
  const writeToShop = openShopWriting(options)
  return async (turn: number): Promise<void> => {
    const body = JSON.stringify({ ttl_ms: CONTROL_TTL_MS, wait_ms: WAIT_MS, owner: CONTROL })
    const wanted = { ...headers, 'Content-Type': 'application/json' }
    const reply = await answerIfAny(client.request('PUT', `/locks/${CONTROL}/leases/control-${turn}`, wanted, body))
    if (reply?.status !== 200 && reply?.status !== 201) return
    const { token } = reply.json as { token: number }
    const from = performance.now()
    const seen = unfenced.read()
    for (const late = from + OTHER_MS; unfenced.newest() <= token && performance.now() < late; ) await after(LOOK_MS)
    unfenced.write(CONTROL, token, seen + 1)
    await writeToShop(ledger, CONTROL, CONTROL, token)
    ledger.beliefs.push({ lock: CONTROL, program: CONTROL, token, from, until: performance.now() })
  }
}

export const startPrograms = (options: ProgramsOptions): Programs => {
  const stopping = new AbortController()
  const controlStopping = new AbortController()
  const unfenced = openRegister(CONTROL, false)
  const honest = openLedger(LOCKS_WITH_ITEM.filter((lock) => lock !== CONTROL).map((lock) => openRegister(lock, true)))
  const control = openLedger([unfenced])
  const takeTurns = openTakingTurns(options)
  const believeForEver = openControl(options, control, unfenced)

  const isDone = (): boolean => control.writes.some(({ program, end }) => program === CONTROL && end === 'refused')
  const beControl = async (): Promise<void> => {
    let late = Number.POSITIVE_INFINITY
    stopping.signal.addEventListener('abort', () => {
      late = performance.now() + LONGER_MS
    })
    for (let turn = 1; !(stopping.signal.aborted && isDone()) && performance.now() < late; turn += 1) {
      await believeForEver(turn)
      await after(REST_MS)
    }
    controlStopping.abort()
  }

  const hot = Object.keys(PLACES).flatMap((lock) =>
    Array.from({ length: PER_PLACE * placesOf(lock) }, (_, at) =>
      takeTurns(lock, honest, `${lock}-${at}`, at, stopping.signal),
    ),
  )
  const others = Array.from({ length: WITH_CONTROL }, (_, at) =>
    takeTurns(CONTROL, control, `${CONTROL}-${at}`, 0, controlStopping.signal),
  )
  const ended = Promise.all([...hot, ...others, beControl()])
  return {
    honest,
    control,
    stop: async () => {
      stopping.abort()
      await ended
    },
  }
}
