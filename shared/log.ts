/**
 * How is a deed logged, told and heard?
 *
 * Each service has one Redis stream, its *log*: write-ahead log, event stream and audit trail at once. A deed is one Lua
 * script that writes its effect and appends its entry in the same step, so that an effect without its event, or an event
 * without its effect, cannot exist (a transactional outbox that needs no relay).
 *
 * A listener applies a neighbour's entries in order, with a *cursor* of its own that lies in the listener's Redis and is
 * moved by the very script that applies the effect. So an effect is applied exactly once, for ever, with no table of seen
 * ids and no acknowledgement to lose; a listener whose Redis came back older reads on from its older cursor and applies
 * the missing tail again. An entry that cannot be applied goes to the dead letters in the same step, and blocks nobody.
 */
import type { Redis } from 'ioredis'
import { fault, field, type KindOf, type RawEntry, type Service, VERSION } from './events.ts'
import { reach } from './redis.ts'
import { compose, type Script, script } from './script.ts'

/** What follows an entry: the deed that is done, and what is then said for each state it may lead to. */
export type Reaction<Speaker extends Service> = {
  readonly deed: string
  readonly says: Readonly<Record<string, KindOf<Speaker>>>
}

/** Which entries of which neighbours a service acts on. An entry that has no row is passed over. */
export type Reactions<Listener extends Service> = {
  readonly [Speaker in Service]?: { readonly [Heard in KindOf<Speaker>]?: Reaction<Listener> }
}

/** What a deed returned: a word, and what belongs to it. */
export type Reply = readonly [word: string, ...rest: string[]]

/** Under which `Idempotency-Key` a deed is done, for which request in one line. */
export type Once = { readonly idempotencyKey: string | undefined; readonly fingerprint: string }

/** An entry as people read it: where it stands, when it was said, what, of which log id, and its facts. */
export type LogEntry = {
  readonly id: string
  readonly at: string
  readonly kind: string
  readonly version: string
  readonly log_id: string
  readonly facts: Readonly<Record<string, string>>
}

export type Log = {
  readonly service: Service
  /** Does one deed. @throws UnavailableError if its outcome is unknown or it was not done. */
  readonly act: (deed: string, facts: Readonly<Record<string, string | number>>, once?: Once) => Promise<Reply>
  /** Which neighbours are heard. */
  readonly speakers: readonly Service[]
  /** Up to where a neighbour was heard, as written beside the effects. */
  readonly cursor: (speaker: Service) => Promise<string>
  /** Puts the cursor back to an older entry: what follows it is heard again. */
  readonly rewind: (speaker: Service, to: string) => Promise<void>
  /** Does this entry of the speaker matter here? */
  readonly matters: (speaker: Service, entry: RawEntry) => boolean
  /**
   * Applies entries of a neighbour that were read after the cursor `known`.
   * @returns one reply for each entry that matters, or the true cursor if it is older than `known`.
   */
  readonly hear: (
    speaker: Service,
    known: string,
    entries: readonly RawEntry[],
  ) => Promise<readonly Reply[] | { gap: string }>
  /** How many entries the log holds. */
  readonly count: () => Promise<number>
  /** How many entries could not be applied. */
  readonly deadCount: () => Promise<number>
  /** Every entry of one log id, in order; none if it is unknown or older than the log. */
  readonly entriesOf: (logId: string) => Promise<readonly LogEntry[]>
  /** Up to `limit` entries after the one named, the oldest first. */
  readonly page: (after: string, limit: number) => Promise<readonly LogEntry[]>
  /** The entries of the last minutes, the oldest first, up to `limit`. */
  readonly recent: (minutes: number, limit: number) => Promise<readonly LogEntry[]>
  /** Drops entries older than both `ageMs` and every listener's cursor; tells how many. */
  readonly trim: (ageMs: number, listeners: readonly Service[]) => Promise<number>
}

export type LogOptions<Speaker extends Service> = {
  readonly service: Speaker
  readonly redis: Redis
  /** The folder of the service's deeds. */
  readonly lua: URL
  /** The keys of the service's own things, by name. */
  readonly names: Readonly<Record<string, string>>
  /** Numbers that the deeds must know, by name. */
  readonly limits?: Readonly<Record<string, number>>
  readonly reactions: Reactions<Speaker>
  /** What the deeds say that are not reactions, by the state they lead to. */
  readonly says?: Readonly<Record<string, KindOf<Speaker>>>
  /** How long records are kept that only repetitions need. Must exceed the age at which the log is trimmed. */
  readonly retentionS: number
}

/** The key under which `speaker` finds how far `listener` has heard it. */
export const heardKey = (speaker: Service, listener: Service): string => `heard:${speaker}:${listener}`
export const logKey = (service: Service): string => `log:${service}`

/** The id of the newest entry there ever was in a log, also if it was trimmed since; `0-0` if there was none. */
export const newestEntry = async (redis: Redis, service: Service): Promise<string> => {
  try {
    const info = (await redis.xinfo('STREAM', logKey(service))) as readonly unknown[]
    return String(info[info.indexOf('last-generated-id') + 1])
  } catch (error) {
    if (error instanceof Error && error.message.includes('no such key')) return '0-0'
    throw error
  }
}

/** Compares two stream ids as (milliseconds, sequence): negative if `a` is the earlier. */
export const compareIds = (a: string, b: string): number => {
  const [aMs = '0', aSequence = '0'] = a.split('-')
  const [bMs = '0', bSequence = '0'] = b.split('-')
  return Number(aMs) - Number(bMs) || Number(aSequence) - Number(bSequence)
}

/** Every state's saying, from all rows. Two rows that say different things of one state are a fault of the program. */
const mergeSayings = <Said extends string>(rows: readonly Readonly<Record<string, Said>>[]): Record<string, Said> => {
  const merged: Record<string, Said> = {}
  for (const row of rows)
    for (const [state, kind] of Object.entries(row)) {
      if (merged[state] !== undefined && merged[state] !== kind)
        throw new Error(`"${state}" is said as ${merged[state]} and ${kind}`)
      merged[state] = kind
    }
  return merged
}

const readable = (raw: RawEntry): LogEntry => {
  const facts: Record<string, string> = {}
  const [id, fields] = raw
  for (let index = 0; index < fields.length; index += 2) facts[fields[index] ?? ''] = fields[index + 1] ?? ''
  const { kind = '', version = '', log_id = '', ...rest } = facts
  return { id, at: new Date(Number(id.split('-')[0])).toISOString(), kind, version, log_id, facts: rest }
}

/** Opens the log of a service over its own Redis. */
export const openLog = <Speaker extends Service>(options: LogOptions<Speaker>): Log => {
  const { service, redis, lua, retentionS } = options
  const reactions = options.reactions as { readonly [From in Service]?: Readonly<Record<string, Reaction<Speaker>>> }
  const speakers = Object.keys(reactions) as Service[]
  const names = {
    log: logKey(service),
    dead: `dead:${service}`,
    cursors: 'cursors',
    entries: 'entries:',
    request: 'request:',
    saga: 'saga:',
    open: 'sagas:open',
    ...options.names,
  }
  const rows = Object.values(reactions).flatMap((table) => Object.values(table))
  const tables = {
    names,
    says: mergeSayings([options.says ?? {}, ...rows.map(({ says }) => says)]),
    limits: { version: VERSION, retention_s: retentionS, amount_max: Number.MAX_SAFE_INTEGER, ...options.limits },
  }
  // A kind comes from outside, and may be named as something that every object has: hence maps.
  const rowsOf = new Map(speakers.map((speaker) => [speaker, new Map(Object.entries(reactions[speaker] ?? {}))]))
  const deedScripts = new Map<string, Script>()
  const deedScript = (deed: string): Script => {
    const known = deedScripts.get(deed)
    if (known) return known
    const made = script(compose({ lua, deeds: [deed], main: 'do', tables }))
    deedScripts.set(deed, made)
    return made
  }
  const hearScripts = new Map(
    speakers.map((speaker) => {
      const deeds = Object.values(reactions[speaker] ?? {}).map(({ deed }) => deed)
      return [speaker, script(compose({ lua, deeds, main: 'hear', tables }))] as const
    }),
  )
  const own = <Result>(command: Promise<Result>): Promise<Result> => reach(`the Redis of ${service}`, command)
  const range = async (from: string, to: string, limit: number): Promise<readonly LogEntry[]> =>
    (await own(redis.xrange(names.log, from, to, 'COUNT', limit))).map(readable)

  return {
    service,
    speakers,
    act: async (deed, facts, once) => {
      const args: (string | number)[] = [deed, once?.idempotencyKey ?? '', once?.fingerprint ?? '']
      for (const name in facts) args.push(name, facts[name] as string | number)
      return (await own(deedScript(deed)(redis, args))) as Reply
    },
    cursor: async (speaker) => (await own(redis.hget(names.cursors, speaker))) ?? '0-0',
    rewind: async (speaker, to) => {
      await own(redis.hset(names.cursors, speaker, to))
    },
    matters: (speaker, entry) => {
      const kind = field(entry, 'kind')
      return kind === undefined || rowsOf.get(speaker)?.has(kind) === true
    },
    hear: async (speaker, known, entries) => {
      const args: (string | number)[] = [speaker, known, entries.at(-1)?.[0] ?? known]
      for (const entry of entries) {
        const kind = field(entry, 'kind')
        const reaction = kind === undefined ? undefined : rowsOf.get(speaker)?.get(kind)
        if (kind !== undefined && reaction === undefined) continue
        const wrong = fault(speaker, entry)
        const [id, fields] = entry
        args.push(id, wrong === undefined && reaction ? reaction.deed : '', wrong ?? '', fields.length, ...fields)
      }
      const hearScript = hearScripts.get(speaker)
      if (hearScript === undefined) throw new Error(`${service} does not hear ${speaker}`)
      const replies = (await own(hearScript(redis, args))) as readonly Reply[] | readonly ['gap', string]
      return replies[0] === 'gap' ? { gap: replies[1] as string } : (replies as readonly Reply[])
    },
    count: () => own(redis.xlen(names.log)),
    deadCount: () => own(redis.xlen(names.dead)),
    entriesOf: async (logId) => {
      const [single, ofSaga] = await Promise.all([
        own(redis.get(names.entries + logId)),
        own(redis.hget(names.saga + logId, 'entries')),
      ])
      const ids = `${single ?? ''} ${ofSaga ?? ''}`.split(' ').filter((id) => id !== '')
      return (await Promise.all(ids.map((id) => range(id, id, 1)))).flat()
    },
    page: (after, limit) => range(`(${after}`, '+', limit),
    recent: async (minutes, limit) => {
      const [seconds] = await own(redis.time())
      return range(String(Number(seconds) * 1000 - minutes * 60_000), '+', limit)
    },
    trim: async (ageMs, listeners) => {
      const [seconds] = await own(redis.time())
      let oldest = `${Number(seconds) * 1000 - ageMs}-0`
      for (const listener of listeners) {
        const heard = (await own(redis.get(heardKey(service, listener)))) ?? '0-0'
        if (compareIds(heard, oldest) < 0) oldest = heard
      }
      return own(redis.xtrim(names.log, 'MINID', oldest))
    },
  }
}

/** Waits between tries of what the world prevents, ever longer, up to a second. */
export const backOffMs = (attempt: number): number => Math.min(20 * 2 ** Math.min(attempt, 6), 1_000)
