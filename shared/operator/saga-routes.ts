/**
 * How do operators see how one saga stands, and help it on?
 *
 * None of these routes rewrites anything: each runs a command that the log parser or a reader would run, which checks and
 * appends.
 */
import type { Service } from '../contract/services.ts'
import { unreachable } from '../errors.ts'
import { keyReused } from '../http/problems.ts'
import { type Handler, type Route, routes } from '../http/route.ts'
import type { Log } from '../log/log.ts'
import { resultOnce } from '../log/runner.ts'
import { dismiss, retry } from '../log/shared-commands.ts'
import type { Reply } from '../redis/script.ts'
import type { LogParser } from '../saga/log-parser.ts'
import type { Recovery } from '../saga/recovery.ts'
import { RUNS_MAX, statusOf } from '../saga/status.ts'
import { recoveryApi, sagaApi } from './api.ts'
import { nextOf } from './log-routes.ts'
import { letterApplied, letterDismissed, letterFailed, noSuchLetter, noSuchSaga } from './problems.ts'

export type SagaRoutesOptions = {
  readonly log: Log
  readonly parser: LogParser
  readonly recovery: Recovery | undefined
  readonly subscribers: readonly Service[]
  /** Told the reply to an entry that is applied at last. */
  readonly onApplied: (reply: Reply) => void
}

/** The most unfinished sagas that are shown, the stalest first. */
const UNFINISHED_MAX = 200

type SagaApi = ReturnType<typeof sagaApi>

const retryLetterOf =
  (log: Log, onApplied: (reply: Reply) => void): Handler<SagaApi['retryDeadLetter']> =>
  async (request) => {
    const { id } = request.params
    const result = resultOnce(retry, (await log.recall(request)) ?? (await log.dead.retry(id, request)))
    switch (result[0]) {
      case 'applied':
        onApplied(result[1])
        return { json: { id, word: result[1][0], repeated: false } }
      case 'repeated':
        return { json: { id, word: result[2], repeated: true } }
      case 'dismissed':
        return { problem: letterDismissed(id) }
      case 'failed':
        return { problem: letterFailed(id, result[1]) }
      case 'unknown':
        return { problem: noSuchLetter(log.service, id) }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('saga-routes.retry', result)
    }
  }

const dismissLetterOf =
  (log: Log): Handler<SagaApi['dismissDeadLetter']> =>
  async (request) => {
    const { id } = request.params
    const result = resultOnce(dismiss, await log.dead.dismiss(id, request))
    switch (result[0]) {
      case 'dismissed':
      case 'repeated':
        return {
          json: { id, dismissed: new Date(Number(result[1])).toISOString(), repeated: result[0] === 'repeated' },
        }
      case 'applied':
        return { problem: letterApplied(id) }
      case 'unknown':
        return { problem: noSuchLetter(log.service, id) }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('saga-routes.dismiss', result)
    }
  }

const recoveryRoutes = (
  prefix: string,
  recovery: Recovery,
  { log, parser, subscribers }: SagaRoutesOptions,
): readonly Route[] =>
  routes(recoveryApi(prefix), {
    retrySaga: async (request) => {
      const { log_id } = request.params
      const [known] = (await log.recall(request)) ?? []
      const { record, nowMs } = await log.saga(log_id, subscribers)
      if (known === undefined && record.fields.state === undefined && record.lastEventAtMs === undefined)
        return { problem: noSuchSaga(log.service, log_id) }
      const done = known ?? (await recovery.retry(recovery.evaluate(record, nowMs), request))
      return done === 'key-reused' ? { problem: keyReused() } : { json: { log_id, done } }
    },
    listUnfinished: async () => {
      const { findings, next } = await recovery.survey(UNFINISHED_MAX)
      const runs = parser.nextRuns(RUNS_MAX)
      const statuses = await Promise.all(
        findings.map(({ log_id }) => statusOf({ log, runs, recovery, subscribers }, log_id)),
      )
      const unfinished = statuses.flatMap((status) => (status?.unfinished ? [status] : []))
      return { json: { unfinished, more: next !== undefined } }
    },
  })

export const sagaRoutes = (prefix: string, options: SagaRoutesOptions): readonly Route[] => {
  const { log, parser, recovery, subscribers, onApplied } = options
  const always = routes(sagaApi(prefix), {
    showSaga: async ({ params: { log_id } }) => {
      const status = await statusOf({ log, runs: parser.nextRuns(RUNS_MAX), recovery, subscribers }, log_id)
      return status ? { json: status } : { problem: noSuchSaga(log.service, log_id) }
    },
    listDeadLetters: async ({ query: { after, limit } }) => {
      const letters = await log.dead.page(after, limit)
      return { json: { letters, next: nextOf(letters, limit) } }
    },
    retryDeadLetter: retryLetterOf(log, onApplied),
    dismissDeadLetter: dismissLetterOf(log),
  })
  return recovery ? [...recoveryRoutes(prefix, recovery, options), ...always] : always
}
