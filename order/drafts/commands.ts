/** Which command order has about drafts whose result is looked at: what it wants and returns, as its Lua file says. */
import { command } from '../../shared/redis/command.ts'

export const noteDraft = command('note-draft', ['log_id', 'order', 'user', 'total', 'order_version'], {
  drafted: ['told'],
  requested: [],
  deferred: [],
  forgotten: [],
  repeated: [],
})
