/**
 * How does one saga stand in this service, and what will the log parser do for it next, and when?
 *
 * The log parser's own table is asked, now and at the time of each run to come, as if nothing were applied until then: so
 * what is foretold is what it will do, unless something happens before, which is what it waits for.
 */
import type { Service } from '../contract/services.ts'
import { compareIds } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import type { SagaRecord } from '../log/saga-record.ts'
import type { Recovery } from './recovery.ts'

export type SagaStatus = {
  readonly service: Service
  readonly log_id: string
  readonly state: string
  /** When its first entry was appended here, and when its last. */
  readonly begun: string | null
  readonly since: string | null
  /** Whether it stands in the index of unfinished ones, at which alone the log parser looks. */
  readonly unfinished: boolean
  /** What is recorded of it. */
  readonly recorded: Readonly<Record<string, string>>
  /** Which subscribers have applied its last entry. */
  readonly heard: { readonly [Subscriber in Service]?: boolean }
  /** The facts of the recovery table that hold now, and the repair they call for. */
  readonly finding: { readonly facts: Readonly<Record<string, string>>; readonly repair: string } | null
  /** What the log parser will do first that is more than to wait, and when; `null`: nothing before somebody else does something. */
  readonly next: { readonly repair: string; readonly at: string } | null
  readonly next_run: string | null
}

/**
 * How many runs are looked at: with the ordinary schedule, those of eleven minutes, for what hangs is told again every ten. To
 * list so many takes some milliseconds.
 */
export const RUNS_MAX = 132
/** What is recorded for the scripts alone. */
const INTERNAL = new Set(['state', 'entries', 'again', 'token'])

const iso = (ms: number): string => new Date(ms).toISOString()

/** When its last entry was appended, as (milliseconds, sequence) if that is known. */
const lastOf = ({ fields, lastEventAtMs }: SagaRecord): string | undefined =>
  [...(fields.entries?.split(' ') ?? []), ...(fields.again?.split(' ') ?? [])].toSorted(compareIds).at(-1) ??
  (lastEventAtMs === undefined ? undefined : String(lastEventAtMs))

/** What the status of a saga is read from. */
export type StatusSources = {
  readonly log: Log
  /** The next runs of the log parser, the first `RUNS_MAX` of them; none before it was started. */
  readonly runs: readonly Date[]
  readonly recovery: Pick<Recovery, 'evaluate' | 'lateAtMs' | 'staleAtMs'> | undefined
  readonly subscribers: readonly Service[]
}

/** When the log parser looks at the saga, given its next runs: what is late does not wait for a run. */
const looksAt = (
  runs: readonly number[],
  nowMs: number,
  recovery: StatusSources['recovery'],
  record: SagaRecord,
): readonly number[] => {
  const last = runs.at(-1)
  if (last === undefined || recovery === undefined) return []
  const lateAtMs = recovery.lateAtMs(record)
  const staleAtMs = recovery.staleAtMs(record)
  return [
    ...runs,
    ...(lateAtMs === undefined ? [] : [Math.max(lateAtMs, nowMs)]),
    // Where runs come so often that these end before it, one comes at about that moment.
    ...(staleAtMs > last ? [staleAtMs] : []),
  ].toSorted((a, b) => a - b)
}

/** How the saga stands here; `undefined` if it is unknown. */
export const statusOf = async (
  { log, runs, recovery, subscribers }: StatusSources,
  logId: string,
): Promise<SagaStatus | undefined> => {
  const { record, nowMs } = await log.saga(logId, subscribers)
  const last = lastOf(record)
  if (last === undefined) return undefined
  const unfinished = record.lastEventAtMs !== undefined
  // The schedule goes by the clock of this process, the table by that of the Redis.
  const aheadMs = nowMs - Date.now()
  const findingAt = (atMs: number) => (unfinished ? recovery?.evaluate(record, atMs) : undefined)
  const finding = findingAt(nowMs)
  const acting = looksAt(
    runs.map((run) => run.getTime() + aheadMs),
    nowMs,
    recovery,
    record,
  ).find((atMs) => {
    const repair = findingAt(atMs)?.repair
    return repair !== undefined && repair !== 'wait'
  })
  return {
    service: log.service,
    log_id: logId,
    state: record.fields.state ?? 'absent',
    begun: iso(Number.parseInt(record.fields.entries ?? last, 10)),
    since: iso(record.lastEventAtMs ?? Number.parseInt(last, 10)),
    unfinished,
    recorded: Object.fromEntries(Object.entries(record.fields).filter(([name]) => !INTERNAL.has(name))),
    heard: Object.fromEntries(
      subscribers.map((subscriber) => [subscriber, compareIds(record.acked[subscriber] ?? '0-0', last) >= 0]),
    ),
    finding: finding ? { facts: finding.facts, repair: finding.repair } : null,
    next: acting ? { repair: findingAt(acting)?.repair ?? '', at: iso(acting - aheadMs) } : null,
    next_run: runs[0]?.toISOString() ?? null,
  }
}
