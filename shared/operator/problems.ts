/** What is refused to operators, whatever the service is about? */
import { problemKind } from '../http/problem.ts'

export const noSuchLogId = problemKind(404, 'no-such-log-id', 'Unknown log id', (service: string, logId: string) => ({
  detail: `the log of ${service} has no entry of "${logId}"`,
}))

export const noSuchFeature = problemKind(404, 'no-such-feature', 'Unknown feature', (feature: string) => ({
  detail: `there is no feature "${feature}" that could be switched off here`,
}))

export const noSuchSaga = problemKind(404, 'no-such-saga', 'Unknown saga', (service: string, logId: string) => ({
  detail: `${service} knows no saga "${logId}"`,
}))

/** One more would be too many for this replica. */
export const tooManyViewers = problemKind(503, 'too-many-viewers', 'Too many watch this log', () => ({
  detail: 'this replica tells as many as it may of what is appended; come again later',
}))

export const noSuchLetter = problemKind(
  404,
  'no-such-dead-letter',
  'Unknown dead letter',
  (service: string, id: string) => ({ detail: `${service} has no dead letter "${id}"` }),
)

export const letterDismissed = problemKind(409, 'dead-letter-dismissed', 'It was dismissed', (id: string) => ({
  detail: 'it is never to be applied',
  letter_id: id,
}))

export const letterFailed = problemKind(
  409,
  'dead-letter-failed',
  'It cannot be applied still',
  (id: string, error: string) => ({ detail: error, letter_id: id }),
)

export const letterApplied = problemKind(409, 'dead-letter-applied', 'It was applied', (id: string) => ({
  detail: 'nothing is left to dismiss',
  letter_id: id,
}))
