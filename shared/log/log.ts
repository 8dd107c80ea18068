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
import {
  fault,
  field,
  isFlat,
  type KindOf,
  kindOf,
  type RawEntry,
  type Service,
  textOf,
  VERSION,
} from '../contract/events.ts'
import { impossible, UnavailableError } from '../errors.ts'
import type { Step } from '../process/step.ts'
import { COMMAND_TIMEOUT_MS, provesNothingDone, refusedWrite } from '../redis/connection.ts'
import { grouped, perTurn } from '../redis/group-commit.ts'
import { compose, type Once, type Reply, type Script, script } from '../redis/script.ts'
import { type DeadLetters, deadLetters } from './dead-letters.ts'
import { compareIds, heardKey, type LogEntry, type LostTail, logKey, readable } from './entry.ts'
import { FRESH_MS, openFence, readSince } from './fence.ts'
import { witness } from './tail-loss.ts'

/** What follows an entry: the deed that is done, and what is then said for each state it may lead to. */
export type Reaction<Speaker extends Service> = {
  readonly deed: string
  readonly says: Readonly<Record<string, KindOf<Speaker>>>
}

/** Which entries of which neighbours a service acts on. An entry that has no row is passed over. */
export type Reactions<Listener extends Service> = {
  readonly [Speaker in Service]?: { readonly [Heard in KindOf<Speaker>]?: Reaction<Listener> }
}

/** Up to where the listeners of a log say they have heard it. */
export type Heard = { readonly [Listener in Service]?: string }

/** A saga as one service knows it. */
export type SagaRecord = {
  readonly log_id: string
  /** What is recorded of it, by name; empty if it is unknown here. */
  readonly fields: Readonly<Record<string, string>>
  /** If it is in the index of unfinished ones: when it was last spoken of, by the clock of the own Redis. */
  readonly toldMs: number | undefined
  readonly heard: Heard
}

/** What a query found, and the time of the own Redis then, in ms; none if the answer was under way for too long. */
export type Answered = { readonly found: unknown; readonly readMs: number | undefined }

export type Log = {
  readonly service: Service
  /** Does one deed. @throws UnavailableError if its outcome is unknown or it was not done. */
  readonly act: (deed: string, facts: Readonly<Record<string, string | number>>, once?: Once) => Promise<Reply>
  /**
   * Asks one thing of the own Redis, with others who ask the same at about the same time.
   * @returns the answer, and when it was so if that is known soon enough: see `fence.ts`. @throws UnavailableError
   */
  readonly query: (name: string) => (about: string) => Promise<Answered>
  /** The time of the own Redis, for a request whose deed must not be done late: see `fence.ts`. @throws UnavailableError */
  readonly readMs: () => Promise<number>
  /** What was answered under a request's key, or `key-reused`; `undefined` if nothing was, or there is no key. */
  readonly recall: (once: Once) => Promise<Reply | undefined>
  /**
   * To be asked before a request is refused for what this Redis does not know: what was answered under its key, if it was done
   * elsewhere meanwhile; else it will not be done by whoever asked for it before.
   */
  readonly refuse: (once: Once) => Promise<Reply | undefined>
  /** Takes the key for a request that is more than one deed: `claimed`, also when it is asked again, or `key-reused`. */
  readonly claim: (once: Once) => Promise<Reply>
  /** Which neighbours are heard. */
  readonly speakers: readonly Service[]
  /** Which kinds of their entries are acted on. */
  readonly hears: { readonly [Speaker in Service]?: readonly string[] }
  /** Up to where a neighbour was heard, as written beside the effects. */
  readonly cursor: (speaker: Service) => Promise<string>
  /**
   * Remembers the end of a saga that this process was told, by the entry that says it, and what that says: somebody else may
   * have been told it.
   */
  readonly acknowledge: (entry: string, said: () => RawEntry[1]) => void
  /**
   * After the own Redis was away: finds, and notes, what this process had done in it, or was told, and is gone. To be asked
   * until there is no more: it may have been away more than once.
   */
  readonly lookBack: () => Promise<LostTail | undefined>
  /** Notes that a speaker lost its tail, and puts the cursor back to what is left: what it says next is heard. */
  readonly lose: (tail: LostTail) => Promise<void>
  /** The losses that were noticed here, the oldest first, for as long as the log is kept. */
  readonly lostTails: () => Promise<readonly LostTail[]>
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
  /** The entries that could not be applied. */
  readonly dead: DeadLetters
  /** What is recorded of a saga, and the time by the own Redis. */
  readonly saga: (
    logId: string,
    listeners: readonly Service[],
  ) => Promise<{ readonly record: SagaRecord; readonly nowMs: number }>
  /** The same without more: what is recorded, by name. Of a finished saga it is what its entries tell. */
  readonly recorded: (logId: string) => Promise<Readonly<Record<string, string>>>
  readonly heardBy: (listeners: readonly Service[]) => Promise<Heard>
  /** Every entry of one log id, in order, of repetitions the last; none if it is unknown or older than the log. */
  readonly entriesOf: (logId: string) => Promise<readonly LogEntry[]>
  /** Up to `limit` entries after the one named, the oldest first. */
  readonly page: (after: string, limit: number) => Promise<readonly LogEntry[]>
  /** The entries of the last minutes, the oldest first, up to `limit`. */
  readonly recent: (minutes: number, limit: number) => Promise<readonly LogEntry[]>
  /**
   * Drops entries older than both `ageMs` and every listener's cursor, and with the last entry of a saga its record, once
   * nobody will ever speak of it again: see `shared/saga/lua/trim.lua`. Tells how many entries.
   */
  readonly trim: (ageMs: number, listeners: readonly Service[]) => Promise<number>
}

export type LogOptions<Speaker extends Service> = {
  readonly service: Speaker
  readonly redis: Redis
  readonly step: Step
  /** The folders of the service's deeds. */
  readonly lua: readonly URL[]
  /** The keys of the service's own things, by name. */
  readonly names: Readonly<Record<string, string>>
  /** Numbers that the deeds must know, by name. */
  readonly limits?: Readonly<Record<string, number>>
  /** Which of its Lua files completes one of shared, by its name. */
  readonly supplies?: Readonly<Record<string, string>>
  readonly reactions: Reactions<Speaker>
  /** What the deeds say that are not reactions, by the state they lead to. */
  readonly says?: Readonly<Record<string, KindOf<Speaker>>>
  /** Makes what was acknowledged and is gone true again, as far as that can be. @returns what is to be listed as lost */
  readonly uphold?: (gone: readonly LogEntry[]) => Promise<readonly LogEntry[]>
  /** How long answers under a key are kept: no longer than the log, for they may name a saga. */
  readonly retentionS: number
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

type DeedFacts = Readonly<Record<string, string | number>>

/**
 * How long the answer to a keyed request is remembered that changed nothing, nor joined or claimed anything: longer than the gateway
 * and most clients ask again. Anybody may ask for what is unknown, as often as he likes.
 */
const UNCHANGED_MS = 60_000

/** The most deeds that one script does, so that it stays below 10 ms in Redis. */
const GROUP_MAX = 64

/** How many entries one script drops, with what is recorded of them, and how many scripts one run of the log parser. */
const TRIM_PAGE = 500
const TRIM_PAGES_MAX = 100
/** How many surveys there are in the time for which entries are kept; the last of them is waited for in addition. */
const SURVEYS_PER_AGE = 8
/** The most unfinished sagas that a survey names. */
const SURVEY_MAX = 10_000

/** What the script `do` reads, and returns for each deed: see `lua/do.lua`. */
type Asked = { readonly facts: DeedFacts; readonly once?: Once | undefined; readonly readMs?: number | undefined }
type Done = readonly [reply: Reply, recorded?: RawEntry]
const doing = (deed: string, asked: readonly Asked[]): (string | number)[] => {
  const args: (string | number)[] = [deed]
  for (const { facts, once, readMs } of asked) {
    const key = once?.idempotencyKey
    let text = ''
    for (const name in facts) text += `${name}=${facts[name]}\n`
    args.push(key ?? '', key === undefined ? '' : (once?.fingerprint ?? ''), readMs ?? '', text)
  }
  return args
}

/** Names and values in turn, as a record. */
const fieldsOf = (flat: readonly string[]): Record<string, string> => {
  const fields: Record<string, string> = {}
  for (let at = 0; at + 1 < flat.length; at += 2) fields[flat[at] as string] = flat[at + 1] as string
  return fields
}

/** Opens the log of a service over its own Redis. */
export const openLog = <Speaker extends Service>(options: LogOptions<Speaker>): Log => {
  const { service, redis, step, lua, retentionS, supplies = {}, uphold = async (gone) => gone } = options
  const reactions = options.reactions as { readonly [From in Service]?: Readonly<Record<string, Reaction<Speaker>>> }
  const speakers = Object.keys(reactions) as Service[]
  const names = {
    log: logKey(service),
    dead: `dead:${service}`,
    lost: `lost:${service}`,
    applied: `dead:${service}:applied`,
    dismissed: `dead:${service}:dismissed`,
    buried: `dead:${service}:buried`,
    cursors: 'cursors',
    books: 'books',
    entries: 'entries:',
    request: 'request:',
    sagas: 'saga',
    saga: 'saga:',
    open: 'sagas:open',
    packed: 'sagas:packed:',
    kept: 'sagas:kept',
    survey: 'sagas:survey',
    trimmed: 'sagas:trimmed',
    ...options.names,
  }
  const rows = Object.values(reactions).flatMap((table) => Object.values(table))
  const tables = {
    names,
    says: mergeSayings([options.says ?? {}, ...rows.map(({ says }) => says)]),
    limits: {
      version: VERSION,
      retention_ms: Math.ceil(retentionS * 1_000),
      fresh_ms: FRESH_MS,
      unchanged_ms: UNCHANGED_MS,
      amount_max: Number.MAX_SAFE_INTEGER,
      ...options.limits,
    },
  }
  // A kind comes from outside, and may be named as something that every object has: hence maps.
  const rowsOf = new Map(speakers.map((speaker) => [speaker, new Map(Object.entries(reactions[speaker] ?? {}))]))
  const doAll = async (by: Script, deed: string, asked: readonly Asked[]): Promise<readonly (Done | Error)[]> =>
    (await by(redis, doing(deed, asked))) as readonly (Done | Error)[]
  const doers = new Map<string, (asked: Asked) => Promise<Done>>()
  /** Does one deed, in a group with others of its kind. */
  const doer = (deed: string): ((asked: Asked) => Promise<Done>) => {
    const known = doers.get(deed)
    if (known) return known
    const by = script(compose({ lua, deeds: [deed], main: 'do', tables, supplies }))
    const made = grouped<Asked, Done>({
      run: (asked) => doAll(by, deed, asked),
      groupMax: GROUP_MAX,
      patienceMs: COMMAND_TIMEOUT_MS,
    })
    doers.set(deed, made)
    return made
  }
  const query: Log['query'] = (name) => {
    const by = script(compose({ lua, deeds: [name], main: 'ask', tables }))
    return perTurn<string, Answered>(async (about) => {
      const askedAt = performance.now()
      const [time, ...found] = (await by(redis, [name, ...about])) as [[string, string], ...unknown[]]
      const readMs = readSince(askedAt, time)
      return found.map((one) => ({ found: one, readMs }))
    }, GROUP_MAX)
  }
  /** What follows the entries of each neighbour: heard in batches, or retried one by one. */
  const followScripts = new Map(
    speakers.map((speaker) => {
      const rows = Object.entries(reactions[speaker] ?? {})
      const deeds = rows.map(([, { deed }]) => deed)
      const follows = Object.fromEntries(rows.map(([kind, { deed }]) => [kind, deed]))
      const hear = script(compose({ lua, deeds, main: 'hear', tables: { ...tables, follows } }))
      const retry = script(compose({ lua, deeds: [...deeds, 'retry'], main: 'do', tables }))
      return [speaker, { hear, retry, hearing: `hear-${speaker}` }] as const
    }),
  )
  const following = (speaker: Service): { readonly hear: Script; readonly retry: Script; readonly hearing: string } =>
    followScripts.get(speaker) ?? impossible('log.speaker', `${service} does not hear ${speaker}`)
  const range = async (from: string, to: string, limit: number): Promise<readonly LogEntry[]> =>
    (await step('log', () => redis.xrange(names.log, from, to, 'COUNT', limit))).map(readable)
  const heardBy = async (listeners: readonly Service[]): Promise<Heard> => {
    if (listeners.length === 0) return {}
    const heard = await step('heard', () => redis.mget(listeners.map((listener) => heardKey(service, listener))))
    return Object.fromEntries(listeners.map((listener, index) => [listener, heard[index] ?? '0-0']))
  }
  const matters: Log['matters'] = (speaker, entry) => {
    const kind = kindOf(entry)
    return kind === undefined || rowsOf.get(speaker)?.has(kind) === true
  }
  const deedAfter = (speaker: Service, entry: RawEntry): { deed: string; wrong: string } => {
    const wrong = fault(speaker, entry)
    if (wrong !== undefined) return { deed: '', wrong }
    const deed = rowsOf.get(speaker)?.get(kindOf(entry) ?? '')?.deed
    return { deed: deed ?? '', wrong: deed === undefined ? 'nothing follows from its kind any more' : '' }
  }

  const recorded: Log['recorded'] = async (log_id) => {
    const facts = { cursor: '0', page: 0, log_ids: log_id }
    const [reply] = await step('saga-record', () => doer('records')({ facts, once: undefined }))
    const [, [, fields]] = reply as unknown as [string, [string, string[]]]
    return fieldsOf(fields)
  }

  const lose: Log['lose'] = async (tail) => {
    const facts = { speaker: tail.speaker, after: tail.after, tail: JSON.stringify(tail) }
    await step('lose', () => doer('lose')({ facts }))
  }
  const retry = async (speaker: Service, facts: DeedFacts, once?: Once): Promise<Reply> => {
    const [reply] = await fence.within(once, async (readMs) => {
      const [done] = await step('retry', () => doAll(following(speaker).retry, 'retry', [{ facts, once, readMs }]))
      if (done === undefined) return impossible('log.retry')
      if (done instanceof Error) throw done
      return done
    })
    return reply
  }
  const fence = openFence({ redis, step })
  const act: Log['act'] = async (deed, facts, once) => {
    const [reply, recorded] = await fence
      .within(once, (readMs) => step(deed, () => doer(deed)({ facts, once, readMs })))
      .catch(tellWhetherDone)
    if (recorded) acknowledged.acknowledge(recorded)
    return reply
  }
  /** Has it said which sagas are unfinished, now and then. Out of memory it is left to a later run: the trimming is done. */
  const beginSurvey = async (ageMs: number): Promise<void> => {
    const facts = { pause_ms: ageMs / SURVEYS_PER_AGE, open_max: SURVEY_MAX }
    try {
      await step('begin-survey', () => doer('begin-survey')({ facts, once: undefined }))
    } catch (error) {
      if (refusedWrite(error) === undefined) throw error
    }
  }
  const acknowledged = witness({ speaker: service, redis, step })
  /**
   * The last entries that this process was told of before its Redis was back, which may be without them: by the connection
   * that broke, and by the channel of outcomes, which may break later.
   */
  const suspects = new Set<string>()
  const suspect = (): void => {
    suspects.add(acknowledged.seen())
  }
  redis.on('close', suspect)
  redis.on('ready', suspect)

  return {
    service,
    speakers,
    hears: Object.fromEntries(speakers.map((speaker) => [speaker, Object.keys(reactions[speaker] ?? {})])),
    act,
    query,
    readMs: fence.read,
    recall: async ({ idempotencyKey, fingerprint }) => {
      if (idempotencyKey === undefined) return undefined
      const remembered = await step('recall', () => redis.get(names.request + idempotencyKey))
      const before: unknown = JSON.parse(remembered ?? 'null')
      if (!Array.isArray(before)) return undefined
      const [request, reply] = before as [string, Reply]
      return request === fingerprint ? reply : ['key-reused']
    },
    claim: (once) => act('answer', { word: 'claimed', passing: 'no' }, once),
    refuse: async (once) => {
      if (once.idempotencyKey === undefined) return undefined
      const reply = await act('answer', { word: 'refused', passing: 'yes' }, once)
      return reply[0] === 'refused' ? undefined : reply
    },
    lookBack: async () => {
      // Taken at once: whatever is suspected meanwhile is for the next time.
      const asked = [...suspects].toSorted(compareIds)
      suspects.clear()
      try {
        for (const until of asked.toReversed()) {
          const gone = await acknowledged.compare('0-0', until)
          if (gone === undefined) continue
          const lost = { ...gone, entries: await uphold(gone.entries) }
          await lose(lost)
          acknowledged.forget(lost)
          for (const one of asked) if (compareIds(one, lost.after) <= 0) suspects.add(one)
          return lost
        }
        return undefined
      } catch (error) {
        for (const one of asked) suspects.add(one)
        throw error
      }
    },
    acknowledge: acknowledged.acknowledgeEnd,
    cursor: async (speaker) => (await step('cursor', () => redis.hget(names.cursors, speaker))) ?? '0-0',
    lose,
    lostTails: async () => {
      const lost = await step('lost-tails', () => redis.xrange(names.lost, '-', '+'))
      return lost.map((entry) => JSON.parse(field(entry, 'tail') ?? 'null') as LostTail)
    },
    matters,
    hear: async (speaker, known, entries) => {
      const args: (string | number)[] = [speaker, known, entries.at(-1)?.[0] ?? known]
      for (const entry of entries) {
        if (!matters(speaker, entry)) continue
        const [id, fields] = entry
        const wrong = fault(speaker, entry)
        if (wrong !== undefined) args.push(id, '', wrong, JSON.stringify(fields))
        else args.push(id, kindOf(entry) ?? '', textOf(speaker, entry), isFlat(entry) ? JSON.stringify(fields) : '')
      }
      const { hear, hearing } = following(speaker)
      const replies = (await step(
        hearing,
        () => hear(redis, args),
        () => entries.flatMap((entry) => deedAfter(speaker, entry).deed || []),
      )) as readonly Reply[] | readonly ['gap', string]
      return replies[0] === 'gap' ? { gap: replies[1] as string } : (replies as readonly Reply[])
    },
    count: () => step('log-count', () => redis.xlen(names.log)),
    dead: deadLetters({
      redis,
      names,
      step,
      deedAfter,
      retry,
      dismiss: (facts, once) => act('dismiss', facts, once),
    }),
    saga: async (log_id, listeners) => {
      const [fields, told, heard, [seconds, microseconds]] = await Promise.all([
        recorded(log_id),
        step('saga-open', () => redis.zscore(names.open, log_id)),
        heardBy(listeners),
        step('time', () => redis.time()),
      ])
      const toldMs = told === null ? undefined : Number(told)
      return {
        record: { log_id, fields, toldMs, heard },
        nowMs: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000),
      }
    },
    recorded,
    heardBy,
    entriesOf: async (logId) => {
      const [single, { entries = '', again = '' }] = await Promise.all([
        step('entry-of', () => redis.get(names.entries + logId)),
        recorded(logId),
      ])
      const ids = `${single ?? ''} ${entries} ${again}`.split(' ').filter((id) => id !== '')
      ids.sort(compareIds)
      return (await Promise.all(ids.map((id) => range(id, id, 1)))).flat()
    },
    page: (after, limit) => range(`(${after}`, '+', limit),
    recent: async (minutes, limit) => {
      const [seconds] = await step('time', () => redis.time())
      return range(String(Number(seconds) * 1000 - minutes * 60_000), '+', limit)
    },
    trim: async (ageMs, listeners) => {
      const [seconds] = await step('time', () => redis.time())
      await step('trim-lost', () => redis.xtrim(names.lost, 'MINID', Number(seconds) * 1000 - ageMs))
      const [heard = ''] = Object.values(await heardBy(listeners)).toSorted(compareIds)
      const facts = { age_ms: ageMs, heard, page: TRIM_PAGE }
      let trimmed = 0
      for (let page = 0, more = '1'; more === '1' && page < TRIM_PAGES_MAX; page += 1) {
        const [reply] = await step('trim', () => doer('trim')({ facts, once: undefined }))
        trimmed += Number(reply[0])
        more = reply[1] ?? '0'
      }
      if (options.says?.surveyed !== undefined) await beginSurvey(ageMs)
      return trimmed
    },
  }
}

/** One deed is one script, so its failure may tell that nothing was done. */
const tellWhetherDone = (error: unknown): never => {
  if (!(error instanceof UnavailableError && provesNothingDone(error.cause))) throw error
  throw new UnavailableError(error.message, { cause: error.cause, nothingDone: true })
}

/** Waits between tries of what the world prevents, ever longer, up to a second. */
export const backOffMs = (attempt: number): number => Math.min(20 * 2 ** Math.min(attempt, 6), 1_000)
