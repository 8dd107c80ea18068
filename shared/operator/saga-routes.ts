/**
 * How do people see how one saga stands, and help it on?
 *
 * The operators' routes that every service has under its own prefix. None of them rewrites anything: each does a deed
 * that the log parser or a reader would do, which checks and appends.
 */
import type { Service } from '../contract/events.ts'
import { impossible } from '../errors.ts'
import type { Answer } from '../http/answer.ts'
import { type Problem, problem } from '../http/problem.ts'
import { keyReused } from '../http/problems.ts'
import { identifier, parseAmount, type Request } from '../http/request.ts'
import type { Route } from '../http/route.ts'
import { parseEntryId } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import type { Reply } from '../redis/script.ts'
import type { LogParser, Recovery } from '../saga/log-parser.ts'
import { standingOf } from '../saga/status.ts'

export type SagaRoutesOptions<Repair extends string> = {
  readonly log: Log
  readonly parser: LogParser
  readonly recovery: Recovery<Repair> | undefined
  readonly listeners: readonly Service[]
  /** Told the reply to an entry that is applied at last. */
  readonly onHeard: (reply: Reply) => void
}

const PAGE_MAX = 1_000
/** The most unfinished sagas that are shown, the longest silent first. */
const UNFINISHED_MAX = 200

const noSuchSaga = (service: string, logId: string): Problem =>
  problem(404, 'no-such-saga', 'Unknown saga', `${service} knows no saga "${logId}"`)

const noSuchLetter = (service: string, id: string): Problem =>
  problem(404, 'no-such-dead-letter', 'Unknown dead letter', `${service} has no dead letter "${id}"`)

export const sagaRoutes = <Repair extends string>(
  prefix: string,
  { log, parser, recovery, listeners, onHeard }: SagaRoutesOptions<Repair>,
): readonly Route[] => {
  const retrySaga = async (request: Request, { judge, retry }: Recovery<Repair>): Promise<Answer> => {
    const logId = identifier(request, 'log_id')
    const [known] = (await log.recall(request)) ?? []
    const { record, nowMs } = await log.saga(logId, listeners)
    if (known === undefined && record.fields.state === undefined && record.toldMs === undefined)
      return { problem: noSuchSaga(log.service, logId) }
    const done = known ?? (await retry(judge(record, nowMs), request))
    return done === 'key-reused' ? { problem: keyReused() } : { json: { log_id: logId, done } }
  }

  const unfinished = async ({ survey }: Recovery<Repair>): Promise<Answer> => {
    const { findings, next } = await survey(UNFINISHED_MAX)
    const standings = await Promise.all(
      findings.map(({ log_id }) => standingOf({ log, parser, recovery, listeners }, log_id)),
    )
    return {
      json: {
        unfinished: standings.filter((standing) => standing?.unfinished),
        more: next !== undefined,
      },
    }
  }

  const retryLetter = async (request: Request): Promise<Answer> => {
    const id = parseEntryId(request.parameter('id'), 'id')
    const [word, ...reply] = (await log.recall(request)) ?? (await log.dead.retry(id, request))
    switch (word) {
      case 'applied':
        onHeard(reply as unknown as Reply)
        return { json: { id, word: reply[0], repeated: false } }
      case 'repeated':
        return { json: { id, word: reply[1], repeated: true } }
      case 'dismissed':
        return {
          problem: problem(409, 'dead-letter-dismissed', 'It was dismissed', 'it is never to be applied', {
            letter_id: id,
          }),
        }
      case 'failed':
        return {
          problem: problem(409, 'dead-letter-failed', 'It cannot be applied still', reply[0] ?? '', { letter_id: id }),
        }
      case 'unknown':
        return { problem: noSuchLetter(log.service, id) }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return impossible('saga-routes.retry', word)
    }
  }

  const dismissLetter = async (request: Request): Promise<Answer> => {
    const id = parseEntryId(request.parameter('id'), 'id')
    const [word, ms] = await log.dead.dismiss(id, request)
    switch (word) {
      case 'dismissed':
      case 'repeated':
        return { json: { id, dismissed: new Date(Number(ms)).toISOString(), repeated: word === 'repeated' } }
      case 'applied':
        return {
          problem: problem(409, 'dead-letter-applied', 'It was applied', 'nothing is left to dismiss', {
            letter_id: id,
          }),
        }
      case 'unknown':
        return { problem: noSuchLetter(log.service, id) }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return impossible('saga-routes.dismiss', word)
    }
  }

  const ofUnfinished: readonly Route[] = recovery
    ? [
        {
          method: 'POST',
          path: `${prefix}/retry/:log_id`,
          operator: true,
          handler: (request) => retrySaga(request, recovery),
        },
        {
          method: 'GET',
          path: `${prefix}/unfinished`,
          operator: true,
          handler: () => unfinished(recovery),
        },
      ]
    : []
  return [
    ...ofUnfinished,
    {
      method: 'GET',
      path: `${prefix}/saga/:log_id`,
      operator: true,
      handler: async (request) => {
        const logId = identifier(request, 'log_id')
        const standing = await standingOf({ log, parser, recovery, listeners }, logId)
        return standing ? { json: standing } : { problem: noSuchSaga(log.service, logId) }
      },
    },
    {
      method: 'GET',
      path: `${prefix}/dead_letters`,
      operator: true,
      handler: async (request) => {
        const after = parseEntryId(request.query('after') ?? '0-0', 'after')
        const limit = parseAmount(request.query('limit') ?? '100', 'limit', { min: 1, max: PAGE_MAX })
        const letters = await log.dead.page(after, limit)
        return { json: { letters, next: letters.length === limit ? letters.at(-1)?.id : null } }
      },
    },
    { method: 'POST', path: `${prefix}/retry_dead_letter/:id`, operator: true, handler: retryLetter },
    { method: 'POST', path: `${prefix}/dismiss_dead_letter/:id`, operator: true, handler: dismissLetter },
  ]
}
