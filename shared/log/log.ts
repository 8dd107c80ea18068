/**
 * What is the log of a service, and what is done by it?
 *
 * Each service has one Redis stream, its *log*: write-ahead log, event stream and audit trail at once. A command is one Lua
 * script that writes its effect and appends its entry in the same step, so that an effect without its event, or an event
 * without its effect, cannot exist (a transactional outbox that needs no relay).
 *
 * A subscriber applies a peer's entries in order, with a *cursor* of its own that lies in the subscriber's Redis and is
 * moved by the very script that applies the effect. So an effect is applied exactly once, for ever, with no table of seen
 * ids and no acknowledgement to lose; a subscriber whose Redis came back older reads on from its older cursor and applies
 * the missing tail again. An entry that cannot be applied goes to the dead letters in the same step, and blocks nothing.
 */

import type { Redis } from 'ioredis'
import { dictionaryOf } from '../contract/dictionary.ts'
import { type Contract, events, type Facts, type KindOf, VERSION } from '../contract/events.ts'
import type { Service } from '../contract/services.ts'
import { type Metrics, noMetrics } from '../metrics/metrics.ts'
import type { Step } from '../process/step.ts'
import { compose, type Script, type ScriptParts, script } from '../redis/script.ts'
import { type Apply, type ApplyOptions, openApply, type Reactions } from './apply.ts'
import { type Commands, openCommands, type Together } from './commands.ts'
import type { ConfirmationOptions } from './confirmation.ts'
import { type DeadLetters, deadLetters } from './dead-letters.ts'
import { type LogEntry, logKey } from './entry.ts'
import { FRESH_MS, openFence } from './fence.ts'
import { type History, openHistory } from './history.ts'
import { openMeasured } from './measured.ts'
import { type OwnTail, openOwnTail } from './own-tail.ts'
import { beginPayload } from './payloads.ts'
import { openQueries, type Queries } from './queries.ts'
import { openRetention, type Retention } from './retention.ts'
import { openSagaRecords, type SagaRecords } from './saga-record.ts'
import { NO_SAGAS, type SagaTable, sagaConstants, sagaFunctions } from './saga-table.ts'
import { tailLossDetector } from './tail-loss.ts'

export type Log = Commands &
  Queries &
  Apply &
  History &
  SagaRecords &
  Retention &
  OwnTail & {
    readonly service: Service
    /** The time of the own Redis, for a request whose command must not be run late: see `fence.ts`. @throws UnavailableError */
    readonly readMs: () => Promise<number>
    /** The entries that could not be applied. */
    readonly dead: DeadLetters
  }

export type LogOptions<Publisher extends Service, Of extends Contract = typeof events> = {
  readonly service: Publisher
  /** Which entries the services may emit; if not those of the shop. */
  readonly contract?: Of
  readonly redis: Redis
  readonly step: Step
  /** The folders of the service's commands. */
  readonly lua: readonly URL[]
  /** The keys of the service's own things, by name. */
  readonly names: Readonly<Record<string, string>>
  /** Numbers that the commands must know, by name. */
  readonly limits?: Readonly<Record<string, number>>
  /** Which of its Lua files completes one of shared, by its name. */
  readonly supplies?: Readonly<Record<string, string>>
  /** Which commands share a script: see `commands.ts`. */
  readonly together?: readonly Together[]
  readonly reactions: Reactions<Publisher, Of>
  /** What is recorded of the service's sagas; if it has any. */
  readonly saga?: SagaTable
  /** What the commands emit that are not reactions, by the state they lead to. */
  readonly emits?: Readonly<Record<string, KindOf<Publisher, Of>>>
  /** What is asked and done before entries are applied, after each new connection to the own Redis. */
  readonly confirmation?: Pick<ConfirmationOptions, 'peer' | 'confirm'>
  /** Makes what was acknowledged and is gone true again, as far as that can be. @returns what is to be listed as lost */
  readonly uphold?: (gone: readonly LogEntry[]) => Promise<readonly LogEntry[]>
  /** How long answers under a key are kept: no longer than the log, for they may name a saga. */
  readonly retentionS: number
  /** Default: nothing is measured. */
  readonly metrics?: Metrics
}

/**
 * How long the answer to a keyed request is remembered that changed nothing, nor joined or claimed anything: longer than the gateway
 * and most clients ask again. Any client may ask for what is unknown, as often as it likes.
 */
const UNCHANGED_MS = 60_000

/** What each state emits, from all rows. Two rows that emit different kinds for one state are a fault of the program. */
const mergeEmits = (rows: readonly Readonly<Record<string, string>>[]): Record<string, string> => {
  const merged: Record<string, string> = {}
  for (const row of rows)
    for (const [state, kind] of Object.entries(row)) {
      if (merged[state] !== undefined && merged[state] !== kind)
        throw new Error(`"${state}" is emitted as ${merged[state]} and ${kind}`)
      merged[state] = kind
    }
  return merged
}

/** The keys that every log has. */
const keysOf = (service: Service) => ({
  log: logKey(service),
  dead: `dead:${service}`,
  lost: `lost:${service}`,
  applied: `dead:${service}:applied`,
  dismissed: `dead:${service}:dismissed`,
  letters: `dead:${service}:buried`,
  cursors: 'cursors',
  ledger: 'books',
  entries: 'entries:',
  request: 'request:',
  sagas: 'saga',
  saga: 'saga:',
  open: 'sagas:open',
  deadlines: 'sagas:deadlines',
  packed: 'sagas:packed:',
  kept: 'sagas:kept',
  survey: 'sagas:survey',
  trimmed: 'sagas:trimmed',
  features_off: 'features:off',
  features_on: 'features:on',
})

type Row = { readonly command: string; readonly emits: Readonly<Record<string, string>> }
type Rows = Readonly<Record<string, Readonly<Record<string, Row>>>>

/** The reactions to each peer whose log is followed. */
const rowsIn = (reactions: Readonly<Record<string, Readonly<Record<string, Row | undefined>> | undefined>>): Rows =>
  Object.fromEntries(
    Object.entries(reactions).map(([publisher, rows = {}]) => [
      publisher,
      Object.fromEntries(Object.entries(rows).flatMap(([kind, row]) => (row ? [[kind, row] as const] : []))),
    ]),
  )

/** The constants that the Lua files see. */
const tablesOf = <Publisher extends Service, Of extends Contract>(
  options: LogOptions<Publisher, Of>,
  reactions: Rows,
) => ({
  names: { ...keysOf(options.service), ...options.names },
  emits: mergeEmits([
    options.emits ?? {},
    ...Object.values(reactions).flatMap((rows) => Object.values(rows).map(({ emits }) => emits)),
  ]),
  limits: {
    version: VERSION,
    retention_ms: Math.ceil(options.retentionS * 1_000),
    fresh_ms: FRESH_MS,
    unchanged_ms: UNCHANGED_MS,
    amount_max: Number.MAX_SAFE_INTEGER,
    ...options.limits,
  },
  ...sagaConstants(options.saga ?? NO_SAGAS),
})

/** The same of all publishers, for no two emit the same kind. */
const allOf = <Value>(rows: readonly Readonly<Record<string, Value>>[]): Readonly<Record<string, Value>> => {
  const all: Record<string, Value> = {}
  for (const [kind, value] of rows.flatMap((row) => Object.entries(row))) {
    if (Object.hasOwn(all, kind)) throw new Error(`two services emit "${kind}"`)
    all[kind] = value
  }
  return all
}

/**
 * The script that applies a batch of a publisher's entries, each by the command that follows its kind. It is one for all publishers: the
 * commands share most of what they call, which is then compiled, and kept by the processor, once.
 */
const batchScript = (
  parts: Pick<ScriptParts, 'lua' | 'tables' | 'functions'>,
  followsOf: ApplyOptions['follows'],
  contract: Contract,
): Script => {
  const rows = Object.entries(followsOf)
  const follows = allOf(rows.map(([, row]) => row))
  const facts = rows.map(([publisher, row]) =>
    Object.fromEntries(Object.keys(row).map((kind) => [kind, contract[publisher as Service]?.[kind] ?? {}])),
  )
  return script(
    compose({
      ...parts,
      commands: Object.values(follows),
      main: 'apply',
      tables: { ...parts.tables, follows },
      functions: [...(parts.functions ?? []), beginPayload(allOf(facts))],
    }),
  )
}

/** Opens the log of a service over its own Redis. */
export const openLog = <Publisher extends Service, Of extends Contract = typeof events>(
  options: LogOptions<Publisher, Of>,
): Log => {
  const { service, redis, step, lua, supplies = {}, uphold = async (gone) => gone, metrics = noMetrics } = options
  const measured = openMeasured(metrics)
  const reactions = rowsIn(options.reactions)
  const tables = tablesOf(options, reactions)
  const { names, emits } = tables
  const contract: Contract = options.contract ?? events
  const kinds: Readonly<Record<string, Facts>> = contract[service] ?? {}
  const functions = sagaFunctions(
    options.saga ?? NO_SAGAS,
    Object.fromEntries(Object.values(emits).map((kind) => [kind, kinds[kind] ?? {}])),
  )
  const scriptOf = (commands: readonly string[]): Script =>
    script(compose({ lua, commands, main: 'do', tables, functions, supplies }))
  const fence = openFence({ redis, step })
  const memory = tailLossDetector({ publisher: service, redis, step })
  const { commands, runOwn } = openCommands({
    redis,
    step,
    fence,
    requests: names.request,
    scriptOf,
    together: options.together ?? [],
    onAppended: memory.acknowledge,
    measured,
  })
  const follows = Object.fromEntries(
    Object.entries(reactions).map(([publisher, rows]) => [
      publisher,
      Object.fromEntries(Object.entries(rows).map(([kind, { command }]) => [kind, command])),
    ]),
  )
  const ownTail = openOwnTail({ redis, step, lost: names.lost, memory, runOwn, uphold })
  const { apply, commandAfter, retry } = openApply({
    service,
    redis,
    step,
    fence,
    cursors: names.cursors,
    confirmation: options.confirmation,
    lostTails: ownTail.lostTails,
    measured,
    onAppended: memory.acknowledge,
    dictionary: dictionaryOf(contract),
    follows,
    scriptOf,
    batch: batchScript({ lua, tables, functions }, follows, contract),
  })
  const records = openSagaRecords({ service, redis, step, open: names.open, runOwn })
  return {
    service,
    readMs: fence.read,
    ...commands,
    ...openQueries(redis, (name) => script(compose({ lua, commands: [name], main: 'ask', tables, functions }))),
    ...apply,
    ...records,
    ...openHistory({ redis, step, names, recorded: records.recorded }),
    ...openRetention({
      redis,
      step,
      lost: names.lost,
      runOwn,
      ackedBy: records.ackedBy,
    }),
    ...ownTail,
    dead: deadLetters({
      redis,
      names,
      step,
      commandAfter,
      retry,
      dismiss: (args, once) => commands.run('dismiss', args, once),
    }),
  }
}
