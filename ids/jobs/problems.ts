/** Why is a run of a job refused? */
import { problemKind } from '../../shared/http/problem.ts'
import type { Run } from './store.ts'

/** Somebody runs it, or has: `state` says what became of that. */
export const runTaken = problemKind(
  409,
  'run-taken',
  'The job is run, or was',
  (job: string, { slot, state, by, at }: Run) => ({
    detail: `the run of "${job}" for ${slot} is ${state}`,
    job,
    slot,
    state,
    by,
    at,
  }),
)

export const runDecided = problemKind(
  409,
  'run-decided',
  'The run has ended otherwise',
  (job: string, state: string) => ({
    detail: `this run of "${job}" was said to be ${state} before`,
    job,
    state,
  }),
)

/** It would keep all slots before it from being run. */
export const runTooEarly = problemKind(
  400,
  'run-too-early',
  'The slot is too far ahead',
  (job: string, slot: string, latest: string) => ({
    detail: `"${job}" is not due for ${slot} yet: no slot after ${latest} is begun now`,
    field: 'slot',
    job,
    latest,
  }),
)

export const laterRunBegun = problemKind(
  410,
  'later-run-begun',
  'A later run was begun',
  (job: string, newest: string) => ({
    detail: `"${job}" was begun for ${newest}: what was due before is not run any more`,
    job,
    newest,
  }),
)

export const runLost = problemKind(410, 'run-lost', 'The run was lost', (job: string) => ({
  detail: `the lease of this run of "${job}" has ended: it counts as lost, and may be run by somebody else`,
  job,
}))

export const noSuchRun = problemKind(404, 'no-such-run', 'Unknown run', (job: string) => ({
  detail: `this run of "${job}" was not begun, or is forgotten`,
  job,
}))
