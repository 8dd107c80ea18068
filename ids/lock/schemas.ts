/** Of what form is what is asked about locks, or shown of them? */
import * as v from 'valibot'
import { entryId, exactly, integer, units } from '../../shared/contract/fields.ts'
import { ENDS, MODES, type Wish } from './lease.ts'

/** Bytes. */
const NAME_MAX = 256
const OWNER_MAX = 128
const METADATA_MAX = 32
const METADATA_NAME_MAX = 64
const METADATA_VALUE_MAX = 256
const TTL_MIN_MS = 100
const TTL_MAX_MS = 86_400_000
const WAIT_MAX_MS = 600_000
const DELAY_MAX_MS = 86_400_000
const PRIORITY_MAX = 1_000
const PERMITS_MAX = 1_000_000
const LISTED_MAX = 1_000

const bytesOf = (text: string): number => Buffer.byteLength(text)
const isText = (text: string, most: number): boolean => text.isWellFormed() && bytesOf(text) <= most

/** Clients take these for a place in a path; the last stands before what is no lock. */
const NO_NAMES = ['.', '..', '-']
const MUST_BE_NAME = `be 1 to ${NAME_MAX} bytes of UTF-8 without control characters, and not ${NO_NAMES.join(', ')}`
/** The name of a lock. */
export const lockName = v.pipe(
  v.string(MUST_BE_NAME),
  v.check(
    (name) => name !== '' && isText(name, NAME_MAX) && !/\p{Cc}/u.test(name) && !NO_NAMES.includes(name),
    MUST_BE_NAME,
  ),
)

const MUST_BE_OWNER = `be a text of up to ${OWNER_MAX} bytes`
const owner = v.pipe(
  v.string(MUST_BE_OWNER),
  v.check((text) => isText(text, OWNER_MAX), MUST_BE_OWNER),
)

const MUST_BE_METADATA = `be up to ${METADATA_MAX} texts of up to ${METADATA_VALUE_MAX} bytes, by names of up to ${METADATA_NAME_MAX}`
/** A record leaves these out, without a word. */
const NO_METADATA = ['__proto__', 'constructor', 'prototype']
const isKept = (sent: unknown): boolean =>
  !Array.isArray(sent) && !NO_METADATA.some((name) => Object.hasOwn(Object(sent), name))
const metadata = v.pipe(
  v.custom<object>(isKept, `${MUST_BE_METADATA}, other than ${NO_METADATA.join(', ')}`),
  v.record(v.string(MUST_BE_METADATA), v.string(MUST_BE_METADATA), MUST_BE_METADATA),
  v.check((all) => {
    const entries = Object.entries(all)
    return (
      entries.length <= METADATA_MAX &&
      entries.every(([name, value]) => isText(name, METADATA_NAME_MAX) && isText(value, METADATA_VALUE_MAX))
    )
  }, MUST_BE_METADATA),
)

const MUST_BE_PRIORITY = `be an integer from -${PRIORITY_MAX} to ${PRIORITY_MAX}`
const priority = v.pipe(
  v.number(MUST_BE_PRIORITY),
  v.safeInteger(MUST_BE_PRIORITY),
  v.minValue(-PRIORITY_MAX, MUST_BE_PRIORITY),
  v.maxValue(PRIORITY_MAX, MUST_BE_PRIORITY),
)
export const ttl = units(TTL_MIN_MS, TTL_MAX_MS)
const flag = v.boolean('be true or false')

/** How a lease is wanted. */
export const wish = v.pipe(
  exactly({
    mode: v.optional(v.picklist(MODES, `be one of ${MODES.join(', ')}`), 'exclusive'),
    ttl_ms: v.optional(ttl, 30_000),
    wait_ms: v.optional(units(0, WAIT_MAX_MS), 0),
    queue: v.optional(flag, false),
    priority: v.optional(priority, 0),
    permits: v.optional(units(1, PERMITS_MAX), 1),
    limit: v.optional(units(1, PERMITS_MAX)),
    owner: v.optional(owner),
    metadata: v.optional(metadata, {}),
    delay_ms: v.optional(units(0, DELAY_MAX_MS)),
  }),
  v.forward(
    v.check(({ mode, permits }) => mode === 'permit' || permits === 1, 'be given with the mode "permit" only'),
    ['permits'],
  ),
  v.forward(
    v.check(({ mode, limit }) => mode === 'permit' || limit === undefined, 'be given with the mode "permit" only'),
    ['limit'],
  ),
  v.transform(
    (sent): Wish => ({
      mode: sent.mode,
      ttlMs: sent.ttl_ms,
      waitMs: sent.wait_ms,
      queue: sent.queue,
      priority: sent.priority,
      permits: sent.permits,
      limit: sent.limit,
      owner: sent.owner === '' ? undefined : sent.owner,
      metadata: sent.metadata,
      delayMs: sent.delay_ms,
      comesAgain: false,
    }),
  ),
)

/** What may be changed of a lease. */
export const change = exactly({
  ttl_ms: v.optional(ttl),
  metadata: v.optional(metadata),
  priority: v.optional(priority),
  mode: v.optional(v.literal('read', 'be "read": a holder may step down')),
})

export const configuration = exactly({
  limit: v.optional(units(1, PERMITS_MAX)),
  write: v.optional(v.picklist(['exclusive', 'shared'], 'be one of exclusive, shared')),
  delay_ms: v.optional(units(0, DELAY_MAX_MS), 0),
})

export const waitMs = v.optional(integer(0, WAIT_MAX_MS), '0')
/** Which event a watcher has seen last. */
export const lastSeen = { 'last-event-id': v.optional(entryId) } as const
/** The name of what has a lock under its own name behind this one. */
export const nameUnder = (prefix: string) =>
  v.pipe(
    lockName,
    v.check((name) => bytesOf(name) <= NAME_MAX - prefix.length, `be up to ${NAME_MAX - prefix.length} bytes`),
  )
const MUST_BE_VALUE = `be a text of up to ${METADATA_VALUE_MAX} bytes`
/** One text of the metadata. */
export const metadataValue = v.pipe(
  v.string(MUST_BE_VALUE),
  v.check((text) => isText(text, METADATA_VALUE_MAX), MUST_BE_VALUE),
)
/** A flag of a query. */
export const isWanted = v.optional(
  v.pipe(
    v.picklist(['true', 'false'], 'be true or false'),
    v.transform((text) => text === 'true'),
  ),
  'false',
)

const words = v.record(v.string(), v.string())
const mode = v.picklist(MODES)

const held = v.object({
  name: v.string(),
  lease: v.string(),
  state: v.literal('held'),
  mode,
  permits: v.number(),
  token: v.number(),
  owner: v.nullable(v.string()),
  ttl_ms: v.number(),
  expires_in_ms: v.number(),
  acquired_at: v.string(),
  metadata: words,
})
const waiting = v.object({
  name: v.string(),
  lease: v.string(),
  state: v.literal('waiting'),
  mode,
  permits: v.number(),
  priority: v.number(),
  owner: v.nullable(v.string()),
  metadata: words,
  position: v.number(),
  ahead: v.number(),
  estimated_wait_ms: v.nullable(v.number()),
})
export type ShownHeld = v.InferOutput<typeof held>
export type ShownWaiting = v.InferOutput<typeof waiting>
export const shownHeld = held
export const shownWaiting = waiting

export const shownEnd = v.object({
  name: v.string(),
  lease: v.string(),
  ended: v.picklist(ENDS),
  at: v.string(),
  waiter_promoted: v.boolean(),
})

const retry = v.object({
  after_ms: v.number(),
  max_ms: v.number(),
  /** These two are no integers, and the contract says so. */
  multiplier: v.pipe(v.number(), v.finite()),
  jitter: v.pipe(v.number(), v.finite()),
})
const holders = v.array(
  v.object({
    owner: v.nullable(v.string()),
    mode,
    permits: v.number(),
    token: v.number(),
    acquired_at: v.string(),
    expires_in_ms: v.number(),
    metadata: words,
  }),
)
const waiters = v.optional(
  v.array(
    v.object({
      owner: v.nullable(v.string()),
      mode,
      permits: v.number(),
      priority: v.number(),
      since: v.string(),
      metadata: words,
    }),
  ),
)
/** Of what is configured, what is not is null. */
const configured = { limit: v.nullable(v.number()), write: v.nullable(v.picklist(['exclusive', 'shared'])) }
export const shownConfiguration = v.object({ name: v.string(), ...configured, delay_ms: v.number() })

const listed = {
  name: v.string(),
  state: v.picklist(['free', 'held', 'delayed']),
  mode: v.nullable(mode),
  ...configured,
  delay_ms: v.number(),
  delayed_for_ms: v.number(),
  holders,
  waiter_count: v.number(),
  waiters,
  token: v.number(),
}
export const listedLock = v.object(listed)
/** What has happened to a lock: its word, and about which lease that holds or held. */
const happening = v.object({
  event: v.string(),
  at: v.string(),
  token: v.nullable(v.number()),
  owner: v.nullable(v.string()),
  mode: v.nullable(mode),
})
export const shownLock = v.object({ ...listed, history: v.array(happening), retry })

const LIST_STATES = ['held', 'free', 'contested'] as const
/** Which locks are wanted. */
export const locksWanted = {
  name: v.optional(
    v.pipe(
      v.string(),
      v.check((glob) => isText(glob, NAME_MAX), `be up to ${NAME_MAX} bytes`),
    ),
  ),
  owner: v.optional(
    v.pipe(
      v.string(),
      v.check((glob) => isText(glob, OWNER_MAX), `be up to ${OWNER_MAX} bytes`),
    ),
  ),
  state: v.optional(v.picklist(LIST_STATES, `be one of ${LIST_STATES.join(', ')}`)),
  mode: v.optional(v.picklist(MODES, `be one of ${MODES.join(', ')}`)),
  expires_before_ms: v.optional(integer(0)),
  expires_after_ms: v.optional(integer(0)),
  meta: v.optional(v.pipe(v.string(), v.regex(/^[^=]+=/, 'be name=value'))),
  waiters: isWanted,
  count: isWanted,
  limit: v.optional(integer(1, LISTED_MAX), '100'),
  after: v.optional(lockName),
} as const
