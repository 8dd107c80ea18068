/**
 * Which commands does every service run, whatever it is about? What each wants and returns, as its Lua file says. Those that
 * only follow entries have no row, for nothing reads what they return: the tables of reactions name them.
 */
import { type Content, command } from '../redis/command.ts'
import { result } from '../redis/reply.ts'
import type { Reply } from '../redis/script.ts'

/** What the command returned that followed the entry of a dead letter. */
const reply: Content<Reply> = {
  name: 'reply',
  read: ([, ...reply]) => result(reply),
}

export const lose = command('lose', ['publisher', 'after', 'tail'], { noted: [] })
export const retry = command(
  'retry',
  ['letter', 'command', 'reason'],
  { applied: reply, repeated: ['when', 'result'], dismissed: ['when'] },
  { failed: ['error'], unknown: [] },
)
export const dismiss = command(
  'dismiss',
  ['letter'],
  { dismissed: ['when'], repeated: ['when'], applied: [] },
  { unknown: [] },
)
export const setFeature = command('set-feature', ['log_id', 'feature', 'on', 'at_first'], { set: [], unchanged: [] })
export const unindex = command('drop', ['log_id'], { dropped: [] })
export const reEmit = command('tell-again', ['log_id'], { told: [], finished: [], unknown: [] })
/** Begins to learn of which sagas nothing will be emitted again: see `saga/lua/survey.lua`. */
export const beginSurvey = command('begin-survey', ['pause_ms', 'open_max'], {
  surveyed: ['log_id'],
  early: [],
  'too-many': [],
})
