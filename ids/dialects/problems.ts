/** What are clients of older lock services refused, in their words? */
import { problemKind } from '../../shared/http/problem.ts'

export const duplicate = problemKind(400, 'lock-duplicate', 'The lock is there already', (id: string) => ({
  detail: `the lock "${id}" was made before`,
}))
export const notHeld = problemKind(
  400,
  'lock-not-held',
  'The process does not hold the lock',
  (id: string, process: string) => ({
    detail: `process "${process}" does not hold the lock "${id}" so`,
  }),
)
export const noSuchLock = problemKind(404, 'no-such-lock', 'Unknown lock', (id: string) => ({
  detail: `there is no lock "${id}"`,
}))
export const noSuchHolder = problemKind(
  404,
  'no-such-holder',
  'The process holds nothing',
  (id: string, process: string) => ({
    detail: `process "${process}" does not hold the lock "${id}", or does not any more: it is to acquire it`,
  }),
)
export const present = problemKind(
  406,
  'process-present',
  'The process has it already',
  (id: string, process: string) => ({
    detail: `process "${process}" holds the lock "${id}": it is to refresh it`,
  }),
)
export const taken = problemKind(409, 'lock-taken', 'The lock is held otherwise', (id: string) => ({
  detail: `the lock "${id}" is held by others that exclude this`,
}))
